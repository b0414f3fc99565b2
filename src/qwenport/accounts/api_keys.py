"""API keys: made, listed, changed, switched off, rotated, deleted, and revoked where they became known to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from msgspec import Struct, structs

from qwenport.accounts.audit import MAX_PAGE, note_change
from qwenport.accounts.errors import ChangeDenied, SettingInvalid
from qwenport.accounts.existing import existing_account, living_key, refuse_closed
from qwenport.accounts.key_making import add_key
from qwenport.accounts.keys import (
    ChangeKey,
    CreateKey,
    NewKey,
    changed,
    needs_rotation,
    random_key,
    validated,
)
from qwenport.accounts.limit_making import copy_limits, remove_limits
from qwenport.accounts.making import Making
from qwenport.accounts.roles import OPERATOR_ACTOR
from qwenport.accounts.shown_keys import digests_of_shown
from qwenport.accounts.texts import checked_number, refuse_unstorable
from qwenport.core.clock import Clock
from qwenport.core.ids import AccountId, Ids, KeyId
from qwenport.storage import key_rows
from qwenport.storage.database import Database
from qwenport.storage.key_rows import KeyFilter
from qwenport.storage.limit_rows import LimitFilter
from qwenport.storage.records import KeyRecord
from qwenport.storage.transaction import Transaction

_LOOKED_UP_AT_ONCE = 500


class Revoked(Struct, frozen=True, kw_only=True):
    """What came of texts in which keys may stand."""

    ids: tuple[KeyId, ...]
    """Of the keys that were found; none of them is valid any more."""
    unknown: int
    """How many things look like a key and are none of these."""


class ApiKeys:
    """The API keys of one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def create(self, actor: str, wish: CreateKey) -> NewKey:
        """Make a random key, and the limits asked for with it.

        Raises `SettingInvalid`, `AccountNotFound`, `WorkspaceNotFound`, `Conflict` for a closed account, or
        `ChangeDenied` where a member asks for a priority before others.
        """
        _refuse_precedence(actor, wish.priority, 0)
        making = self._making(actor)
        checked = validated(wish, making.at)
        with self._database.write() as transaction:
            return add_key(transaction, making, checked, random_key())

    def find(self, key_id: KeyId) -> KeyRecord:
        """Return a key that was not deleted; raises `KeyNotFound`."""
        with self._database.read() as transaction:
            return living_key(transaction, key_id)

    def every(self, wanted: KeyFilter | None = None) -> Sequence[KeyRecord]:
        """Return the keys that a filter lets through, oldest first; raises `SettingInvalid` for an odd filter."""
        wanted = wanted or KeyFilter()
        refuse_unstorable(*structs.astuple(wanted))
        if wanted.limit is not None:
            checked_number("length of a page", wanted.limit, least=1, most=MAX_PAGE)
        with self._database.read() as transaction:
            return key_rows.matching(transaction, wanted)

    def reminders(self) -> Sequence[KeyRecord]:
        """Return the keys that are older than they were meant to become, oldest first."""
        now = self._clock.now()
        return [key for key in self.every() if needs_rotation(key, now)]

    def change(self, actor: str, key_id: KeyId, wish: ChangeKey) -> KeyRecord:
        """Change a key's settings; raises `KeyNotFound`, `SettingInvalid`, or `ChangeDenied` as for a new key."""
        now = self._clock.now()

        def change(key: KeyRecord) -> KeyRecord:
            wanted = changed(key, wish, now)
            _refuse_precedence(actor, wanted.priority, key.priority)
            return wanted

        return self._write(actor, key_id, "key.change", change)

    def set_disabled(self, actor: str, key_id: KeyId, disabled: bool) -> KeyRecord:
        """Switch a key off or on; raises `KeyNotFound`."""
        action = "key.disable" if disabled else "key.enable"
        return self._write(actor, key_id, action, lambda key: structs.replace(key, disabled=disabled))

    def rotate(self, actor: str, key_id: KeyId, overlap: timedelta) -> NewKey:
        """Make a key with the same settings and limits; the old one expires after the overlap, or earlier as it was to.

        Raises `KeyNotFound`, `Conflict` for a closed account, or `SettingInvalid` where the key is disabled, expired or
        rotated already.
        """
        making = self._making(actor)
        ends_at = _end_of_overlap(making.at, overlap)
        with self._database.write() as transaction:
            key = living_key(transaction, key_id)
            refuse_closed(existing_account(transaction, key.account_id))
            _refuse_rotation(key, making.at)
            new = add_key(transaction, making, _settings_of(key), random_key())
            copy_limits(transaction, making, key, new.id)
            expires_at = ends_at if key.expires_at is None else min(ends_at, key.expires_at)
            after = key_rows.mark_rotated(transaction, key_id, to=new.id, expires_at=expires_at)
            note_change(transaction, making.deed("key.rotate", key_id, key.account_id), key, after)
            return new

    def delete(self, actor: str, key_id: KeyId) -> None:
        """Delete a key for good, with the limits that bind it alone; raises `KeyNotFound`."""
        making = self._making(actor)
        with self._database.write() as transaction:
            key = living_key(transaction, key_id)
            remove_limits(transaction, making, LimitFilter(key_id=key_id))
            key_rows.mark_deleted(transaction, key_id, making.at)
            note_change(transaction, making.deed("key.delete", key_id, key.account_id), key, None)

    def revoke_shown(self, actor: str, texts: Sequence[str], *, account_id: AccountId | None = None) -> Revoked:
        """Switch off every key that stands somewhere in these texts, of one account or of all.

        The texts are neither kept nor logged, and nothing of them is returned. Raises `SettingInvalid` for too much.
        """
        making = self._making(actor)
        candidates = digests_of_shown(texts)
        found: dict[KeyId, None] = {}
        unknown = 0
        with self._database.write() as transaction:
            known = _known(transaction, candidates)
            for digests in candidates:
                keys = [known[digest] for digest in digests if digest in known]
                own = [key for key in keys if account_id in {None, key.account_id}]
                unknown += not own
                for key in own:
                    if not key.deleted and key.id not in found:
                        _store(transaction, making, "key.revoke", key, structs.replace(key, disabled=True))
                    found[key.id] = None
        return Revoked(ids=tuple(found), unknown=unknown)

    def touch_last_used(self, last_used: Mapping[KeyId, datetime]) -> None:
        """Note when keys were last used; a time older than the one noted changes nothing, nor does an unknown id."""
        if last_used:
            with self._database.write() as transaction:
                key_rows.touch(transaction, last_used)

    def _making(self, actor: str) -> Making:
        return Making(actor=actor, at=self._clock.now(), ids=self._ids)

    def _write(self, actor: str, key_id: KeyId, action: str, change: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        with self._database.write() as transaction:
            before = living_key(transaction, key_id)
            return _store(transaction, self._making(actor), action, before, change(before))


def _known(transaction: Transaction, candidates: Sequence[tuple[str, ...]]) -> dict[str, KeyRecord]:
    """Return the keys that are meant, deleted ones too, by their digests; asked for together, not one by one."""
    digests = list(dict.fromkeys(chain.from_iterable(candidates)))
    starts = range(0, len(digests), _LOOKED_UP_AT_ONCE)
    parts = (key_rows.find_by_digests(transaction, digests[start : start + _LOOKED_UP_AT_ONCE]) for start in starts)
    return {key.digest: key for key in chain.from_iterable(parts)}


def _store(transaction: Transaction, making: Making, action: str, before: KeyRecord, wish: KeyRecord) -> KeyRecord:
    if wish == before:
        return before
    after = key_rows.write(transaction, wish)
    note_change(transaction, making.deed(action, wish.id, wish.account_id), before, after)
    return after


def _refuse_precedence(actor: str, wanted: int, present: int) -> None:
    """Let nobody but the operator put a key before those of others."""
    if actor != OPERATOR_ACTOR and wanted > max(present, 0):
        raise ChangeDenied("a priority above 0 puts a key before those of others; it is the operator's to set")


def _end_of_overlap(now: datetime, overlap: timedelta) -> datetime:
    if overlap < timedelta(0):
        raise SettingInvalid(f"the overlap of a rotation is `{overlap}`; it must not be negative")
    try:
        return now + overlap
    except OverflowError as error:
        raise SettingInvalid(f"the overlap of a rotation is `{overlap}`; choose a shorter one") from error


def _refuse_rotation(key: KeyRecord, now: datetime) -> None:
    if key.rotates_to is not None:
        raise SettingInvalid(f"the key `{key.id}` was rotated already; rotate its successor `{key.rotates_to}`")
    if key.disabled:
        raise SettingInvalid(f"the key `{key.id}` is disabled; enable it first or create a new one")
    if key.expires_at is not None and key.expires_at <= now:
        raise SettingInvalid(f"the key `{key.id}` expired at `{key.expires_at.isoformat()}`; create a new one")


def _settings_of(key: KeyRecord) -> CreateKey:
    return CreateKey(
        account_id=key.account_id,
        workspace_id=key.workspace_id,
        name=key.name,
        description=key.description,
        expires_at=key.expires_at,
        models=key.models,
        ip_ranges=key.ip_ranges,
        hours=key.hours,
        rotate_after_days=key.rotate_after_days,
        bodies=key.bodies,
        regions=key.regions,
        priority=key.priority,
        cache_s=key.cache_s,
    )
