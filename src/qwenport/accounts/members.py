"""Members: people who manage an account through the admin API, each with a token of their own."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from qwenport.accounts.audit import note_change
from qwenport.accounts.existing import existing_account, living_member, open_account, workspace_within
from qwenport.accounts.keys import hash_key
from qwenport.accounts.making import Making
from qwenport.accounts.member_ring import MemberRing
from qwenport.accounts.member_rules import refuse_email, refuse_ownerless, refuse_reach
from qwenport.accounts.member_settings import (
    AddMember,
    ChangeMember,
    NewMember,
    changed,
    new_member,
    random_token,
    token_prefix,
)
from qwenport.core.clock import Clock
from qwenport.core.ids import AccountId, Ids, MemberId
from qwenport.storage import member_rows
from qwenport.storage.database import Database
from qwenport.storage.records import MemberRecord
from qwenport.storage.transaction import Transaction

__all__ = ["AddMember", "ChangeMember", "MemberRing", "Members", "NewMember"]


class Members:
    """The members of the accounts of one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def add(self, actor: str, wish: AddMember) -> NewMember:
        """Make a member and their token.

        Raises `SettingInvalid`, `AccountNotFound`, `WorkspaceNotFound`, `EmailTaken`, `Conflict` for a closed account,
        or `ChangeDenied` for a role or a workspace beyond that of whoever adds them.
        """
        making = self._making(actor)
        token = random_token()
        member = new_member(MemberId(self._ids.short_id("mem")), wish, token, making.at)
        with self._database.write() as transaction:
            open_account(transaction, member.account_id)
            self._check(transaction, actor, member)
            refuse_email(transaction, member)
            made = member_rows.add(transaction, member)
            note_change(transaction, making.deed("member.add", made.id, made.account_id), None, made)
            return NewMember(id=made.id, token=token)

    def find(self, member_id: MemberId) -> MemberRecord:
        """Return a member who was not removed; raises `MemberNotFound`."""
        with self._database.read() as transaction:
            return living_member(transaction, member_id)

    def every(self, account_id: AccountId | None = None) -> Sequence[MemberRecord]:
        """Return the members of an account, or of all, oldest first; raises `AccountNotFound`."""
        with self._database.read() as transaction:
            if account_id is not None:
                existing_account(transaction, account_id)
            return member_rows.living(transaction, account_id)

    def change(self, actor: str, member_id: MemberId, wish: ChangeMember) -> MemberRecord:
        """Change a member.

        Raises `MemberNotFound`, `SettingInvalid`, `WorkspaceNotFound`, `EmailTaken`, `ChangeDenied` as `add` does, or
        `Conflict` where the account would be left without an owner.
        """
        now = self._clock.now()
        with self._database.write() as transaction:
            before = living_member(transaction, member_id)
            after = changed(before, wish, now)
            if after == before:
                return before
            self._check(transaction, actor, before)
            self._check(transaction, actor, after)
            if after.email != before.email:
                refuse_email(transaction, after)
            return self._store(transaction, actor, "member.change", before, after)

    def set_disabled(self, actor: str, member_id: MemberId, disabled: bool) -> MemberRecord:
        """Switch a member's token off or on; raises `MemberNotFound`, `ChangeDenied` or `Conflict`."""
        with self._database.write() as transaction:
            before = living_member(transaction, member_id)
            if before.disabled == disabled:
                return before
            self._check(transaction, actor, before)
            after = structs.replace(before, disabled=disabled)
            return self._store(transaction, actor, "member.disable" if disabled else "member.enable", before, after)

    def rotate(self, actor: str, member_id: MemberId) -> NewMember:
        """Give a member another token in the place of the present one; raises `MemberNotFound` or `ChangeDenied`."""
        token = random_token()
        with self._database.write() as transaction:
            before = living_member(transaction, member_id)
            self._check(transaction, actor, before)
            after = structs.replace(before, digest=hash_key(token.reveal()), prefix=token_prefix(token))
            self._store(transaction, actor, "member.rotate", before, after)
            return NewMember(id=member_id, token=token)

    def remove(self, actor: str, member_id: MemberId) -> None:
        """Remove a member for good; raises `MemberNotFound`, `ChangeDenied` or `Conflict`."""
        making = self._making(actor)
        with self._database.write() as transaction:
            member = living_member(transaction, member_id)
            self._check(transaction, actor, member)
            refuse_ownerless(transaction, member, None)
            member_rows.mark_deleted(transaction, member_id, making.at)
            note_change(transaction, making.deed("member.remove", member_id, member.account_id), member, None)

    def _check(self, transaction: Transaction, actor: str, member: MemberRecord) -> None:
        if member.workspace_id is not None:
            workspace_within(transaction, member.workspace_id, member.account_id)
        refuse_reach(transaction, actor, member, self._clock.now())

    def _store(
        self, transaction: Transaction, actor: str, action: str, before: MemberRecord, wish: MemberRecord
    ) -> MemberRecord:
        refuse_ownerless(transaction, before, wish)
        after = member_rows.write(transaction, wish)
        note_change(transaction, self._making(actor).deed(action, wish.id, wish.account_id), before, after)
        return after

    def _making(self, actor: str) -> Making:
        return Making(actor=actor, at=self._clock.now(), ids=self._ids)
