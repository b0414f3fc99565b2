"""Limits: made, listed, changed, deleted, and read whole for the gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from qwenport.accounts.audit import MAX_PAGE, note_change
from qwenport.accounts.errors import LimitNotFound, SettingInvalid, VersionConflict
from qwenport.accounts.limit_making import add_limit, refuse_member
from qwenport.accounts.limit_settings import ChangeLimit, CreateLimit, changed, read_limit
from qwenport.accounts.making import Making
from qwenport.accounts.published_limits import published_limits
from qwenport.accounts.texts import checked_number, known_form, refuse_unstorable
from qwenport.core.clock import Clock
from qwenport.core.ids import AccountId, Ids, LimitId
from qwenport.core.limits import Limit
from qwenport.core.model_card import ModelCard
from qwenport.storage import limit_rows
from qwenport.storage.database import Database
from qwenport.storage.limit_rows import LimitFilter
from qwenport.storage.records import LimitRecord
from qwenport.storage.revision_rows import Counter, next_revision
from qwenport.storage.transaction import Transaction


class PublishedFor(Struct, frozen=True, kw_only=True):
    """To whom published limits are applied: an account, or every account of a level, each with counters of its own."""

    region: str
    """As the catalog names it; the published limits of other regions are left out."""
    account_id: AccountId | None = None
    level: str = ""


class Limits:
    """The limits of one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def create(self, actor: str, wish: CreateLimit) -> LimitRecord:
        """Make a limit.

        Raises `SettingInvalid`, `ChangeDenied` where a member would bind a whole account, or that what it names is not
        found.
        """
        with self._database.write() as transaction:
            return add_limit(transaction, self._making(actor), wish)

    def find(self, limit_id: LimitId) -> LimitRecord:
        """Return a limit; raises `LimitNotFound` or `LimitUnknown`."""
        with self._database.read() as transaction:
            return _existing(transaction, limit_id)

    def every(self, wanted: LimitFilter | None = None) -> Sequence[LimitRecord]:
        """Return the limits that a filter lets through, oldest first; raises `SettingInvalid` or `LimitUnknown`."""
        wanted = wanted or LimitFilter()
        refuse_unstorable(*structs.astuple(wanted))
        if wanted.limit is not None:
            checked_number("length of a page", wanted.limit, least=1, most=MAX_PAGE)
        with self._database.read() as transaction:
            return [read_limit(row) for row in limit_rows.matching(transaction, wanted)]

    def change(self, actor: str, limit_id: LimitId, wish: ChangeLimit) -> LimitRecord:
        """Change a limit.

        Raises `LimitNotFound`, `SettingInvalid`, `ChangeDenied`, or `VersionConflict` where somebody else was faster.
        """
        with self._database.write() as transaction:
            before = _existing(transaction, limit_id)
            refuse_member(transaction, actor, before.limit)
            _refuse_version(before.limit, wish.version)
            return _store(transaction, self._making(actor), before, changed(before.limit, wish))

    def delete(self, actor: str, limit_id: LimitId) -> None:
        """Delete a limit; raises `LimitNotFound` or `ChangeDenied`."""
        making = self._making(actor)
        with self._database.write() as transaction:
            limit = _existing(transaction, limit_id).limit
            refuse_member(transaction, actor, limit)
            next_revision(transaction, Counter.LIMITS)
            limit_rows.remove(transaction, limit_id)
            note_change(transaction, making.deed("limit.delete", limit_id, limit.account_id or ""), limit, None)

    def apply_published(self, actor: str, cards: Iterable[ModelCard], wish: PublishedFor) -> Sequence[LimitRecord]:
        """Make the limits that the models' maker publishes; those that were made so before take the present figures.

        Return all of them. Raises `SettingInvalid`, `ChangeDenied`, `AccountNotFound` or `LevelNotFound`.
        """
        if (wish.account_id is None) == (not wish.level):
            raise SettingInvalid("published limits are applied to either an account or a level; name one of them")
        refuse_unstorable(*structs.astuple(wish))
        making = self._making(actor)
        wishes = published_limits(cards, wish.region, account_id=wish.account_id, level=wish.level)
        with self._database.write() as transaction:
            rows = limit_rows.matching(transaction, LimitFilter(account_id=wish.account_id, level=wish.level))
            present = {_purpose(record.limit): record for record in map(read_limit, rows)}
            return [_applied(transaction, making, present, each) for each in wishes]

    def _making(self, actor: str) -> Making:
        return Making(actor=actor, at=self._clock.now(), ids=self._ids)


def load_limits(transaction: Transaction) -> tuple[Limit, ...]:
    """Return all limits; raises `LimitUnknown` where a newer version has written one that this one cannot keep."""
    return tuple(read_limit(row).limit for row in limit_rows.matching(transaction, LimitFilter()))


def _existing(transaction: Transaction, limit_id: LimitId) -> LimitRecord:
    known_form(limit_id, LimitNotFound)
    row = limit_rows.find(transaction, limit_id)
    if row is None:
        raise LimitNotFound(limit_id)
    return read_limit(row)


def _refuse_version(limit: Limit, version: int) -> None:
    if version != limit.version:
        raise VersionConflict(
            f"the limit `{limit.id}` was changed meanwhile: it is at version {limit.version}, your change was made "
            f"from version {version}; look at it again with `qwenport limits list`"
        )


def _store(transaction: Transaction, making: Making, before: LimitRecord, wish: Limit) -> LimitRecord:
    if structs.replace(wish, version=before.limit.version) == before.limit:
        return before
    next_revision(transaction, Counter.LIMITS)
    limit_rows.write(transaction, wish)
    note_change(transaction, making.deed("limit.change", wish.id, wish.account_id or ""), before.limit, wish)
    return structs.replace(before, limit=wish)


def _purpose(limit: Limit) -> tuple[object, ...]:
    return limit.name, limit.unit, limit.window, limit.model, limit.account_id, limit.level


def _applied(
    transaction: Transaction, making: Making, present: dict[tuple[object, ...], LimitRecord], wish: CreateLimit
) -> LimitRecord:
    known = present.get((wish.name, wish.unit, wish.window, wish.model, wish.account_id, wish.level))
    if known is None:
        return add_limit(transaction, making, wish)
    change = ChangeLimit(version=known.limit.version, cap=wish.cap, burst_ms=wish.burst_ms)
    return _store(transaction, making, known, changed(known.limit, change))
