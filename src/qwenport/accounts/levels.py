"""Levels: named bundles of limits, of which an account has one or none."""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.accounts.audit import note_change
from qwenport.accounts.errors import LevelNotFound, NameTaken, StillInUse
from qwenport.accounts.limit_making import remove_limits
from qwenport.accounts.making import Making
from qwenport.accounts.texts import MAX_DESCRIPTION_LENGTH, checked_name, checked_text, known_form
from qwenport.core.clock import Clock
from qwenport.core.ids import Ids
from qwenport.storage import account_rows, level_rows
from qwenport.storage.account_rows import AccountFilter
from qwenport.storage.database import Database
from qwenport.storage.limit_rows import LimitFilter
from qwenport.storage.records import LevelRecord


class Levels:
    """The levels of one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def create(self, actor: str, name: str, description: str = "") -> LevelRecord:
        """Make a level, without limits as yet; raises `SettingInvalid` or `NameTaken`."""
        making = self._making(actor)
        level = LevelRecord(
            name=checked_name("name of a level", name),
            description=checked_text("description of a level", description, MAX_DESCRIPTION_LENGTH),
            created_at=making.at,
        )
        with self._database.write() as transaction:
            if level_rows.find(transaction, level.name) is not None:
                raise NameTaken(f"there is a level `{level.name}` already")
            level_rows.add(transaction, level)
            note_change(transaction, making.deed("level.create", level.name), None, level)
            return level

    def every(self) -> Sequence[LevelRecord]:
        """Return all levels by name."""
        with self._database.read() as transaction:
            return level_rows.every(transaction)

    def delete(self, actor: str, name: str) -> None:
        """Delete a level with its limits; raises `LevelNotFound`, or `StillInUse` while accounts have it."""
        known_form(name, LevelNotFound)
        making = self._making(actor)
        with self._database.write() as transaction:
            level = level_rows.find(transaction, name)
            if level is None:
                raise LevelNotFound(name)
            accounts = account_rows.matching(transaction, AccountFilter(level=name, limit=1))
            if accounts:
                raise StillInUse(
                    f"the level `{name}` is that of accounts, such as `{accounts[0].id}`; give them another one first"
                )
            remove_limits(transaction, making, LimitFilter(level=name))
            level_rows.remove(transaction, name)
            note_change(transaction, making.deed("level.delete", name), level, None)

    def _making(self, actor: str) -> Making:
        return Making(actor=actor, at=self._clock.now(), ids=self._ids)
