"""What a running gateway keeps in memory of what the database says, and how it takes in changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qwenport.accounts.changes import Changes, read_changes
from qwenport.accounts.key_ring import KeyRing
from qwenport.accounts.member_ring import MemberRing
from qwenport.core.clock import Clock
from qwenport.core.limits import Limit
from qwenport.gate.admission import Rules
from qwenport.gate.counters import Counters
from qwenport.server.maintenance import Maintenance
from qwenport.storage.database import Database


class Followed:
    """Keys, accounts, members, limits, rates, balances and the state of the house, as of the last look."""

    def __init__(self, database: Database, clock: Clock, rules: Rules, configured: Sequence[Limit] = ()) -> None:
        """Begin with nothing; `configured` are limits of the configuration file, which stand beside the stored ones."""
        self.keys = KeyRing()
        self.members = MemberRing(clock)
        self.rules = rules
        self.maintenance = Maintenance()
        self._database = database
        self._configured = tuple(configured)
        self._seen: Mapping[str, int] = {}
        rules.limits.replace(self._configured)

    def configure(self, limits: Sequence[Limit]) -> None:
        """Put other limits of the configuration file in force, beside those that are stored."""
        stored = [limit for limit in self.rules.limits.limits if limit not in self._configured]
        self._configured = tuple(limits)
        self.rules.limits.replace((*self._configured, *stored))

    def read(self) -> Changes:
        """Return what is newer than what was taken in; blocking.

        Raises:
            LimitUnknown: the first time, for a limit of a kind that only a newer version knows.
            StorageUnavailable: the database cannot be read.
        """
        return read_changes(self._database, self._seen)

    def take_in(self, changes: Changes, counters: Counters) -> None:
        """Put changes in force; those of balances in the counters."""
        self._seen = changes.seen
        self.keys.update(keys=changes.keys, accounts=changes.accounts)
        self.members.update(changes.members)
        counters.follow(changes.balances)
        if changes.limits is not None:
            self.rules.limits.replace((*self._configured, *changes.limits))
        if changes.rates is not None:
            self.rules.prices.set_rates(changes.rates)
        if changes.maintenance is not None:
            self.maintenance.is_on, self.maintenance.words = changes.maintenance.on, changes.maintenance.words
