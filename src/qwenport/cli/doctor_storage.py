"""What `qwenport doctor` checks of the database, of Valkey, and of the journals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from qwenport.cli.context import CommandFailed
from qwenport.cli.findings import MIB, Finding, note, ok, problem
from qwenport.cli.stored import stored
from qwenport.core.errors import StorageUnavailable
from qwenport.settings.settings import Settings
from qwenport.storage.schema import REVISIONS

LARGEST_BACKLOG_BYTES = 64 * MIB
"""Of the journals; more of it means that the books have not been written for a while."""


def database(chosen: Settings) -> Iterator[Finding]:
    """Check that the database answers, and whose version its tables are of; nothing is migrated."""
    if chosen.database_url is None and not chosen.database.exists():
        yield note("database", f"none yet; `qwenport serve` makes {chosen.database}")
        return
    try:
        with stored(chosen) as found:
            found.database.ping()
            name = "PostgreSQL" if found.database.dialect == "postgresql" else f"SQLite, {chosen.database}"
    except (StorageUnavailable, CommandFailed) as error:
        fix = "mend the file or restore a backup" if chosen.database_url is None else "mend QWENPORT_DATABASE_URL"
        yield problem("database", f"{error}; {fix}")
        return
    if found.is_up_to_date:
        yield ok("database", f"{name}, revision {found.revision}")
    elif found.revision is None:
        yield note("database", f"{name}, empty; `qwenport serve` makes the tables")
    else:
        yield note(
            "database",
            f"{name}, revision {found.revision}; the next `qwenport serve` migrates it to {REVISIONS[-1]}: "
            "copy it first with `qwenport db backup` of the version that made it",
        )


def valkey(chosen: Settings) -> Iterator[Finding]:
    """Check that the server of the counters answers, where one is named."""
    if chosen.valkey_url is None:
        return

    # It takes some 400 ms to import, which only this check should pay.
    from qwenport.storage.valkey import Valkey  # noqa: PLC0415

    async def ping(url: str) -> None:
        counters = Valkey.connect(url, "doctor")
        try:
            await counters.run_id()
        finally:
            await counters.close()

    try:
        asyncio.run(ping(chosen.valkey_url.reveal()))
    except ValueError as error:
        yield problem("valkey", f"QWENPORT_VALKEY_URL: {error}")
    except StorageUnavailable as error:
        yield problem("valkey", f"{error}; start it, or mend QWENPORT_VALKEY_URL: calls get a 503 meanwhile")
    else:
        yield ok("valkey", "answers")


def journals(status: Mapping[str, Any]) -> Iterator[Finding]:
    """Check what a running server says of its journals."""
    backlog = f"{status['unposted']:,} settlements and {status['backlog_bytes'] / MIB:.1f} MiB wait for the books"
    if status["backlog_bytes"] > LARGEST_BACKLOG_BYTES:
        yield problem("journal", f"{backlog}; see that the database answers and has room")
    else:
        yield ok("journal", f"{backlog}, {status['open_holds']:,} calls are running")
    if status["stale_holds"]:
        yield problem("holds", f"{status['stale_holds']:,} were not settled in their time; restart the server")
