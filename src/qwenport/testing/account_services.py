"""All services of accounts on one database, with a clock that stands still and identifiers that count."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from qwenport.accounts import (
    AccountRecord,
    Accounts,
    ApiKeys,
    AuditLog,
    CreateAccount,
    House,
    Levels,
    Limits,
    Members,
    Rates,
    Workspaces,
)
from qwenport.storage.database import Database
from qwenport.testing.clock import CountingIds, FakeClock


class ServiceIds(CountingIds):
    """Identifiers that count, of which workspaces that are made do not meet those that accounts begin with."""

    def short_id(self, kind: str) -> str:
        """Return the kind and a number: `ws-n1`, `ws-n2` …."""
        return f"{kind}-n{self._next(kind)}"


@dataclass(frozen=True)
class AccountServices:
    """All services of one database."""

    database: Database
    clock: FakeClock
    accounts: Accounts
    keys: ApiKeys
    workspaces: Workspaces
    members: Members
    limits: Limits
    levels: Levels
    rates: Rates
    house: House
    audit: AuditLog

    def customer(self, **settings: Any) -> AccountRecord:
        """Make an account as the operator."""
        return self.accounts.create("operator", CreateAccount(**{"email": "a@example.com", **settings}))

    def audited(self) -> list[tuple[str, str, str, Any, Any]]:
        """Return every change, oldest first: actor, action, object, before, after."""
        return [
            (row.actor, row.action, row.object_id, _read(row.before), _read(row.after))
            for row in reversed(self.audit.every())
        ]


def account_services(database: Database) -> AccountServices:
    """Return the services of a database."""
    clock = FakeClock()
    parts = (database, clock, ServiceIds())
    return AccountServices(
        database=database,
        clock=clock,
        accounts=Accounts(*parts),
        keys=ApiKeys(*parts),
        workspaces=Workspaces(*parts),
        members=Members(*parts),
        limits=Limits(*parts),
        levels=Levels(*parts),
        rates=Rates(*parts),
        house=House(*parts),
        audit=AuditLog(database),
    )


def _read(side: str) -> Any:
    return json.loads(side) if side else None
