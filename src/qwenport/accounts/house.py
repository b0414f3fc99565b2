"""What holds for the whole house: whether it is under maintenance."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, json

from qwenport.accounts.audit import note_change
from qwenport.accounts.making import Making
from qwenport.accounts.texts import checked_text
from qwenport.core.clock import Clock
from qwenport.core.ids import Ids
from qwenport.storage import house_rows
from qwenport.storage.database import Database
from qwenport.storage.revision_rows import Counter, next_revision
from qwenport.storage.transaction import Transaction

MAX_WORDS_LENGTH = 500

_MAINTENANCE = "maintenance"


class MaintenanceState(Struct, frozen=True, kw_only=True):
    """Whether the faces answer that they are under maintenance."""

    on: bool = False
    words: str = ""
    """What callers are told besides."""
    since: datetime | None = None
    """When it was last switched on or off; None if never."""


class House:
    """The state of the house in one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def maintenance(self) -> MaintenanceState:
        """Return whether it is on."""
        with self._database.read() as transaction:
            return read_maintenance(transaction)

    def set_maintenance(self, actor: str, on: bool, words: str = "") -> MaintenanceState:
        """Switch it on or off; raises `SettingInvalid`."""
        making = Making(actor=actor, at=self._clock.now(), ids=self._ids)
        wish = MaintenanceState(
            on=on, words=checked_text("words of maintenance", words, MAX_WORDS_LENGTH), since=making.at
        )
        with self._database.write() as transaction:
            before = read_maintenance(transaction)
            if (before.on, before.words) == (wish.on, wish.words):
                return before
            if before.on == wish.on:
                wish = MaintenanceState(on=on, words=wish.words, since=before.since)
            next_revision(transaction, Counter.HOUSE_STATE)
            house_rows.put(transaction, _MAINTENANCE, json.encode(wish).decode())
            note_change(transaction, making.deed("house.maintenance", _MAINTENANCE), before, wish)
            return wish


def read_maintenance(transaction: Transaction) -> MaintenanceState:
    """Return whether the house is under maintenance."""
    stored = house_rows.find(transaction, _MAINTENANCE)
    return MaintenanceState() if stored is None else json.decode(stored, type=MaintenanceState)
