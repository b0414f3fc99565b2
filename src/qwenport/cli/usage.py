"""`qwenport usage`, `qwenport calls` and `qwenport ledger`."""

from __future__ import annotations

import csv
import sys
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from qwenport.cli.context import OUT, show_json, show_table, with_operator

ledger = App(name="ledger", help="Check the books.")

AsJson = Annotated[bool, Parameter(name="--json", negative=())]
AsCsv = Annotated[bool, Parameter(name="--csv", negative=())]

SUMS = ("requests", "unpriced_requests", "input_tokens", "output_tokens", "cached_tokens", "cost", "currency")
CALLS = ("at", "request_id", "key_id", "model", "face", "served_by", "status", "input_tokens", "output_tokens", "cost")


def usage(
    *,
    account: str | None = None,
    key: str | None = None,
    model: str | None = None,
    since: str | None = None,
    until: str | None = None,
    by: Literal["day", "model", "key"] = "day",
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """Show what was used and what it cost.

    Args:
        account: only this account.
        key: only the key with this id.
        model: only this model.
        since: from this moment on, as ISO 8601 (UTC where no zone is named).
        until: before this moment.
        by: what the sums are for.
        csv: print CSV.
        json: print JSON.
    """
    query = {"account": account, "key": key, "model": model, "since": since, "until": until, "by": by}
    rows = with_operator(lambda client: client.get("/usage", query))
    columns = ({"day": "day", "model": "model", "key": "key_id"}[by], *SUMS)
    if json:
        show_json(rows)
    elif csv:
        show_csv(rows, columns)
    else:
        for row in rows:
            if row["unpriced_requests"] == row["requests"]:
                row["cost"] = None
        show_table(
            rows, columns, "No usage matches." if account or key or model or since or until else "Nothing was used yet."
        )


def calls(
    *,
    limit: int = 20,
    key: str | None = None,
    model: str | None = None,
    status: int | None = None,
    json: AsJson = False,
) -> None:
    """List the last calls, newest first.

    Args:
        limit: how many, at most 1000.
        key: only the key with this id.
        model: only this model.
        status: only calls that ended with this HTTP status.
        json: print JSON.
    """
    query = {"limit": limit, "key": key, "model": model, "status": status}
    rows = with_operator(lambda client: client.get("/calls", query))
    show_json(rows) if json else show_table(
        rows, CALLS, "No call matches." if key or model or status else "There was no call yet."
    )


@ledger.command
def check(*, json: AsJson = False) -> int:
    """Check that call history, ledger and usage agree; the exit code is 0 when the books balance.

    Args:
        json: print JSON.
    """
    found = with_operator(lambda client: client.get("/ledger/check"))
    if json:
        show_json(found)
    else:
        OUT.print(
            "The books balance." if found["balanced"] else "The books do NOT balance:", markup=False, soft_wrap=True
        )
        for difference in found["differences"]:
            OUT.print(f"  {difference}", markup=False, soft_wrap=True)
        OUT.print(
            f"{found['calls']:,} calls, {found['open_holds']} open holds, {found['unposted']} unposted", markup=False
        )
        show_table(found["totals"], ("account_id", "currency", "requests", "unpriced_requests", "cost"), "")
    return 0 if found["balanced"] else 1


def show_csv(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Print rows as CSV with a header line."""
    writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
