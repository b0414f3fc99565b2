"""The log of changes: every one names who made it, and what it was before and after, without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, structs, to_builtins

from qwenport.accounts.texts import checked_number, refuse_unstorable
from qwenport.storage import audit_log_rows
from qwenport.storage.audit_log_rows import AuditFilter
from qwenport.storage.database import Database
from qwenport.storage.records import AuditRecord
from qwenport.storage.transaction import Transaction

MAX_PAGE = 10_000

_UNSAID = frozenset({"digest", "revision", "last_used_at", "deleted"})
"""Fields that are secret, or that nobody sets."""


class Deed(Struct, frozen=True, kw_only=True):
    """Who does what to which object."""

    actor: str
    """`operator` or the id of a member."""
    at: datetime
    action: str
    """Kind of object and verb, such as `key.disable`."""
    object_id: str
    account_id: str = ""
    """Empty for what belongs to the house."""


class AuditLog:
    """What people changed, in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self, wanted: AuditFilter | None = None) -> Sequence[AuditRecord]:
        """Return the changes that a filter lets through, newest first; raises `SettingInvalid` for an odd filter."""
        wanted = wanted or AuditFilter()
        checked_number("length of a page", wanted.limit, least=1, most=MAX_PAGE)
        refuse_unstorable(*structs.astuple(wanted))
        with self._database.read() as transaction:
            return audit_log_rows.matching(transaction, wanted)


def note_change(transaction: Transaction, deed: Deed, before: Struct | None, after: Struct | None) -> None:
    """Write a change into the log; of something that stays, only the fields that differ."""
    old, new = described(before), described(after)
    if old is not None and new is not None:
        differing = [name for name in new if old.get(name) != new[name]]
        old, new = {name: old.get(name) for name in differing}, {name: new[name] for name in differing}
    audit_log_rows.note(
        transaction,
        at=deed.at,
        actor=deed.actor,
        action=deed.action,
        object_kind=deed.action.partition(".")[0],
        object_id=deed.object_id,
        account_id=deed.account_id,
        before=old,
        after=new,
    )


def described(record: Struct | None) -> dict[str, Any] | None:
    """Return a record as plain values, without what is secret."""
    if record is None:
        return None
    return {name: to_builtins(value) for name, value in structs.asdict(record).items() if name not in _UNSAID}
