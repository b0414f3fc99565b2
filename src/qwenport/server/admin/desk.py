"""What the handlers of the admin API work with: the services of the house, on one database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from typing import Any

from qwenport.accounts.accounts import Accounts
from qwenport.accounts.api_keys import ApiKeys
from qwenport.accounts.audit import AuditLog
from qwenport.accounts.house import House
from qwenport.accounts.levels import Levels
from qwenport.accounts.limits import Limits
from qwenport.accounts.members import Members
from qwenport.accounts.rates import Rates
from qwenport.accounts.workspaces import Workspaces
from qwenport.core.errors import ModelNotFound
from qwenport.metering.movements import Movements
from qwenport.metering.reports import Reports
from qwenport.server.admin.parts import AdminParts


class Desk:
    """The services, and the little that several handlers ask."""

    def __init__(self, parts: AdminParts, describe: Callable[[], dict[str, Any]]) -> None:
        """Take what describes the admin API itself; it is asked when somebody asks for it."""
        self.parts = parts
        self._describe = describe
        whole = (parts.database, parts.clock, parts.ids)
        self.catalog = parts.catalog
        self.prices = parts.prices
        self.accounts = Accounts(*whole)
        self.workspaces = Workspaces(*whole)
        self.members = Members(*whole)
        self.keys = ApiKeys(*whole)
        self.limits = Limits(*whole)
        self.levels = Levels(*whole)
        self.rates = Rates(*whole)
        self.house = House(*whole)
        self.audit = AuditLog(parts.database)
        self.movements = Movements(*whole)
        self.reports = Reports(parts.database, timezone=parts.timezone)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The description of the admin API in OpenAPI."""
        return self._describe()

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return self.parts.clock.now()

    def require_models(self, names: Iterable[str]) -> None:
        """Raise `ModelNotFound` for the first name that the catalog does not know."""
        for name in names:
            if name not in self.catalog.cards:
                raise ModelNotFound(name)
