"""Operations on the members of accounts, and on whoever is asking."""

from __future__ import annotations

from msgspec import structs

from qwenport.accounts.member_settings import AddMember, ChangeMember, NewMember
from qwenport.accounts.roles import Permission
from qwenport.core.ids import AccountId, MemberId
from qwenport.server.admin.answers import DeletedAnswer, MeAnswer, MemberAnswer, NewMemberAnswer
from qwenport.server.admin.bodies import ChangeMemberBody, NewMemberBody
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import NoQuery
from qwenport.storage.records import MemberRecord


def show_me(_desk: Desk, asked: Asked[NoQuery, None]) -> MeAnswer:
    """Tell who is asking, and what they may do."""
    who = asked.principal
    return MeAnswer(
        actor=who.actor,
        role=who.role or "operator",
        account_id=who.account_id,
        workspace_id=who.workspace_id,
        permissions=tuple(each for each in Permission if who.holds(each)),
    )


def list_members(desk: Desk, asked: Asked[NoQuery, None]) -> list[MemberAnswer]:
    """List the members of an account."""
    return [_shown(member) for member in desk.members.every(AccountId(asked.id))]


def add_member(desk: Desk, asked: Asked[NoQuery, NewMemberBody]) -> NewMemberAnswer:
    """Add a member to an account; this answer is the only one that holds their token."""
    wish = AddMember(account_id=AccountId(asked.id), **structs.asdict(asked.body))
    return _new(desk.members.add(asked.actor, wish))


def change_member(desk: Desk, asked: Asked[NoQuery, ChangeMemberBody]) -> MemberAnswer:
    """Change a member; nobody grants a role above their own."""
    wish = ChangeMember(**structs.asdict(asked.body))
    return _shown(desk.members.change(asked.actor, MemberId(asked.id), wish))


def remove_member(desk: Desk, asked: Asked[NoQuery, None]) -> DeletedAnswer:
    """Remove a member for good; an account keeps at least one owner."""
    desk.members.remove(asked.actor, MemberId(asked.id))
    return DeletedAnswer(id=asked.id)


def disable_member(desk: Desk, asked: Asked[NoQuery, None]) -> MemberAnswer:
    """Switch a member's token off."""
    return _shown(desk.members.set_disabled(asked.actor, MemberId(asked.id), disabled=True))


def enable_member(desk: Desk, asked: Asked[NoQuery, None]) -> MemberAnswer:
    """Switch a member's token on again."""
    return _shown(desk.members.set_disabled(asked.actor, MemberId(asked.id), disabled=False))


def rotate_member(desk: Desk, asked: Asked[NoQuery, None]) -> NewMemberAnswer:
    """Give a member another token; the present one is void at once."""
    return _new(desk.members.rotate(asked.actor, MemberId(asked.id)))


def _new(made: NewMember) -> NewMemberAnswer:
    return NewMemberAnswer(id=made.id, token=made.token.reveal())


def _shown(member: MemberRecord) -> MemberAnswer:
    return MemberAnswer(**{name: getattr(member, name) for name in MemberAnswer.__struct_fields__})
