"""Who may change which member, and what an account must keep."""

from __future__ import annotations

from datetime import datetime

from qwenport.accounts.errors import ChangeDenied, Conflict, EmailTaken
from qwenport.accounts.existing import existing_account
from qwenport.accounts.roles import GRANTS, OPERATOR_ACTOR, Permission, Role, covers
from qwenport.core.caller import AccountState
from qwenport.core.ids import MemberId
from qwenport.storage import member_rows
from qwenport.storage.records import MemberRecord
from qwenport.storage.transaction import Transaction


def refuse_reach(transaction: Transaction, actor: str, member: MemberRecord, now: datetime) -> None:
    """Raise `ChangeDenied` where somebody would make or change a member who may do or see more than they themselves."""
    if actor == OPERATOR_ACTOR:
        return
    own = member_rows.find(transaction, MemberId(actor))
    # Looked at in the transaction of the change: they may have been disabled since they were let in.
    if own is None or not is_valid(own, now) or own.account_id != member.account_id:
        raise ChangeDenied("only a valid member of the account, or the operator, may change its members")
    if Permission.MEMBER_WRITE not in GRANTS[Role(own.role)]:
        raise ChangeDenied(f"the role `{own.role}` does not allow changing members")
    if not covers(Role(own.role), Role(member.role)):
        raise ChangeDenied(f"the role `{member.role}` is above your own, which is `{own.role}`")
    if own.workspace_id not in {None, member.workspace_id}:
        raise ChangeDenied(
            f"you are bound to the workspace `{own.workspace_id}`, and so are the members you may change"
        )


def refuse_email(transaction: Transaction, member: MemberRecord) -> None:
    """Raise `EmailTaken` where another member of the account has the address."""
    for other in member_rows.living(transaction, member.account_id):
        if other.email == member.email and other.id != member.id:
            raise EmailTaken(f"the email address `{member.email}` belongs to the member `{other.id}` already")


def refuse_ownerless(transaction: Transaction, before: MemberRecord, after: MemberRecord | None) -> None:
    """Raise `Conflict` where the last owner of an account would be one no more; a closed account needs none."""
    if not _stands(before) or (after is not None and _stands(after)):
        return
    others = [each for each in member_rows.living(transaction, before.account_id) if each.id != before.id]
    if any(_stands(each) for each in others):
        return
    if existing_account(transaction, before.account_id).terms.state is not AccountState.CLOSED:
        raise Conflict(f"`{before.id}` is the last owner of the account `{before.account_id}`; make another one first")


def is_valid(member: MemberRecord, now: datetime) -> bool:
    """Tell whether a member's token opens anything."""
    return not member.deleted and not member.disabled and (member.expires_at is None or member.expires_at > now)


def _stands(member: MemberRecord) -> bool:
    """Tell whether this is an owner on whom an account can rely: one without an end."""
    return member.role == Role.OWNER and not member.disabled and member.expires_at is None
