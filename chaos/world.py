"""The gateway of the schedules: real but for its engines, with accounts and limits that refuse now and then."""

from __future__ import annotations

import functools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chaos.engine import ChaosEngine, Play
from qwenport.accounts.account_settings import CreateAccount
from qwenport.accounts.accounts import Accounts
from qwenport.accounts.api_keys import ApiKeys
from qwenport.accounts.keys import CreateKey
from qwenport.accounts.limit_settings import CreateLimit
from qwenport.accounts.limits import Limits
from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import AccountKind
from qwenport.core.ids import AccountId, KeyId, RandomIds
from qwenport.core.limits import Dimension, Unit, Window
from qwenport.core.secret import Secret
from qwenport.metering.movements import Movements
from qwenport.settings.configuration_file import RetryTable, RouteTable
from qwenport.storage.database import Database
from qwenport.testing.clock import FakeClock
from qwenport.testing.gateway import Gateway, Plan, running_gateway

ACTOR = "operator"
BUSY_MS = 50
"""How long the books wait for a lock that a storm holds."""
MODEL = "qwen-plus"
UPSTREAMS = {f"first/{MODEL}": "first", f"second/{MODEL}": "second"}
"""Two that answer for the same model, by target; what one of them fails at, the other is asked for."""
TARGETS = (*UPSTREAMS, "embed/multilingual-e5-small")
RETRIES = RetryTable(tries=3, first_pause_s=0.001, breaker_failures=8, breaker_open_s=1.0)
REQUESTS_A_MINUTE = 8
AT_ONCE = 2


class World:
    """A data directory, its books, and the callers who use it."""

    def __init__(self, folder: Path, place: Path | Secret) -> None:
        """Make accounts, keys and limits in `folder`; `place` is the database, made and migrated where needed."""
        self.folder = folder
        self.place = place
        self.clock = FakeClock()
        self.plays: dict[int, Play] = {}
        self.keys: list[str] = []
        self.key_ids: list[KeyId] = []
        self.prepaid: list[AccountId] = []
        with self.open_database() as database:
            self._furnish(database)

    def open_database(self) -> Database:
        """Open the books."""
        return Database.open(self.place, busy_timeout_ms=BUSY_MS)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Gateway]:
        """Run a gateway, which first posts what an earlier one left in its journal."""
        engines = tuple(ChaosEngine(target, self.plays) for target in TARGETS)
        plan = Plan(
            engines=engines,
            upstreams=UPSTREAMS,
            catalog=_catalog(),
            retries=RETRIES,
            clock=self.clock,
            ids=RandomIds(),
            open_database=self.open_database,
        )
        async with running_gateway(self.folder, plan) as gateway:
            yield gateway

    def copy(self, target: Path) -> None:
        """Copy what a killed gateway would leave behind; the books' thread does it, so that nobody writes them."""
        target.mkdir()
        for path in sorted(self.folder.glob("qwenport.db*")):
            shutil.copy(path, target)
        shutil.copytree(self.folder / "journal", target / "journal")

    def _furnish(self, database: Database) -> None:
        ids = RandomIds()
        accounts, keys = Accounts(database, self.clock, ids), ApiKeys(database, self.clock, ids)
        for number, wish in enumerate(_ACCOUNTS):
            account = accounts.create(ACTOR, wish)
            made = keys.create(ACTOR, CreateKey(account_id=account.id, name=f"caller {number}"))
            self.keys.append(made.key.reveal())
            self.key_ids.append(made.id)
            if wish.kind is AccountKind.PREPAID:
                self.prepaid.append(account.id)
        accounts.set_free_tier_only(ACTOR, self.prepaid[1], on=True)
        Movements(database, self.clock, ids).credit(ACTOR, self.prepaid[0], "0.5", "CNY")
        limits = Limits(database, self.clock, ids)
        for bound in _limits(self.key_ids[1]):
            limits.create(ACTOR, bound)


@functools.cache
def _catalog() -> Catalog:
    table = RouteTable(model=MODEL, to=tuple(UPSTREAMS))
    return Catalog.load().with_routes([table], dict.fromkeys(UPSTREAMS.values(), ()))


_ACCOUNTS = (
    CreateAccount(email="metered@example.com", name="metered", kind=AccountKind.METERED, currency="CNY"),
    CreateAccount(email="limited@example.com", name="limited", kind=AccountKind.METERED, currency="USD"),
    CreateAccount(email="prepaid@example.com", name="prepaid", kind=AccountKind.PREPAID, currency="CNY", free_tokens=0),
    CreateAccount(email="free@example.com", name="free", kind=AccountKind.PREPAID, currency="CNY", free_tokens=40_000),
)


def _limits(key: KeyId) -> tuple[CreateLimit, ...]:
    per_model = (Dimension.MODEL,)
    return (
        CreateLimit(unit=Unit.REQUESTS, window=Window.MINUTE, cap=REQUESTS_A_MINUTE, key_id=key),
        CreateLimit(unit=Unit.REQUESTS, window=Window.AT_ONCE, cap=AT_ONCE, key_id=key),
        CreateLimit(unit=Unit.TOTAL_TOKENS, window=Window.MINUTE, cap=20_000, key_id=key, per=per_model),
        CreateLimit(unit=Unit.MONEY, window=Window.DAY, cap="0.5", currency="USD", key_id=key),
    )
