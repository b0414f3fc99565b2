"""What may be asked of a member, checked and put into its stored form."""

from __future__ import annotations

import secrets
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType, structs

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.keys import chosen, hash_key
from qwenport.accounts.roles import Role
from qwenport.accounts.texts import MAX_NAME_LENGTH, checked_email, checked_expiry, checked_text, shown
from qwenport.core.ids import AccountId, MemberId, WorkspaceId
from qwenport.core.secret import Secret
from qwenport.storage.records import MemberRecord

TOKEN_BEGINNING = "qpm-"  # noqa: S105 - what every token begins with


class AddMember(Struct, frozen=True, kw_only=True):
    """What a new member shall be."""

    account_id: AccountId
    email: str
    name: str = ""
    role: str
    """One of `Role`."""
    workspace_id: WorkspaceId | None = None
    """The only workspace that the member sees; None for all."""
    expires_at: datetime | None = None


class ChangeMember(Struct, frozen=True, kw_only=True):
    """What changes of a member; what is not set stays, None clears."""

    email: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    role: str | UnsetType = UNSET
    workspace_id: WorkspaceId | UnsetType | None = UNSET
    expires_at: datetime | UnsetType | None = UNSET


class NewMember(Struct, frozen=True, kw_only=True):
    """A member's new token: the only time at which it is known."""

    id: MemberId
    token: Secret


def random_token() -> Secret:
    """Return `qpm-` and 64 random hexadecimal digits."""
    return Secret(f"{TOKEN_BEGINNING}{secrets.token_hex(32)}")


def token_prefix(token: Secret) -> str:
    """Return the first eight and last four characters, by which people recognise a token in a list."""
    value = token.reveal()
    return f"{value[:8]}...{value[-4:]}"


def new_member(member_id: MemberId, wish: AddMember, token: Secret, now: datetime) -> MemberRecord:
    """Return the member that is wished for; raises `SettingInvalid`. Whether the workspace exists is not looked at."""
    return _checked(
        MemberRecord(
            id=member_id,
            account_id=wish.account_id,
            workspace_id=wish.workspace_id,
            email=checked_email(wish.email),
            name=checked_text("name of a member", wish.name, MAX_NAME_LENGTH),
            role=_role(wish.role),
            digest=hash_key(token.reveal()),
            prefix=token_prefix(token),
            created_at=now,
            expires_at=checked_expiry(wish.expires_at, now),
            disabled=False,
            deleted=False,
            revision=0,
        )
    )


def changed(member: MemberRecord, wish: ChangeMember, now: datetime) -> MemberRecord:
    """Return a member as they shall be; raises `SettingInvalid`."""
    return _checked(
        structs.replace(
            member,
            email=member.email if isinstance(wish.email, UnsetType) else checked_email(wish.email),
            name=checked_text("name of a member", chosen(wish.name, member.name), MAX_NAME_LENGTH),
            role=_role(chosen(wish.role, member.role)),
            workspace_id=chosen(wish.workspace_id, member.workspace_id),
            expires_at=member.expires_at if wish.expires_at is UNSET else checked_expiry(wish.expires_at, now),
        )
    )


def _checked(member: MemberRecord) -> MemberRecord:
    if member.role == Role.OWNER and member.workspace_id is not None:
        raise SettingInvalid("an owner sees the whole account; give a member of one workspace another role")
    return member


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError as error:
        raise SettingInvalid(f"{shown(role)} is no role; it is one of {', '.join(Role)}") from error
