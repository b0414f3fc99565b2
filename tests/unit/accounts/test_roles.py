"""Who may do what."""

from __future__ import annotations

import pytest

from qwenport.accounts import GRANTS, OPERATOR, Permission, Principal, Role
from qwenport.accounts.roles import covers
from qwenport.core.ids import AccountId, WorkspaceId

OWN, FOREIGN = AccountId("acc-1"), AccountId("acc-2")
TEAM, OTHER = WorkspaceId("ws-1"), WorkspaceId("ws-2")

TABLE = {
    # permission: owner, admin, developer, billing, viewer
    "account.read": "oadbv",
    "account.write": "o",
    "account.terms": "",
    "workspace.read": "oadbv",
    "workspace.write": "oa",
    "member.read": "oadv",
    "member.write": "oa",
    "key.read": "oadv",
    "key.write": "oad",
    "limit.read": "oadv",
    "limit.write": "oa",
    "level.read": "",
    "level.write": "",
    "usage.read": "oadbv",
    "call.read": "oadbv",
    "body.read": "oad",
    "money.read": "oab",
    "money.write": "",
    "price.read": "oadbv",
    "rate.read": "oab",
    "rate.write": "",
    "audit.read": "oa",
    "house.read": "",
    "house.write": "",
}


def test_the_table_of_roles_is_this_one() -> None:
    granted = {
        permission.value: "".join(role.value[0] for role in Role if permission in GRANTS[role])
        for permission in Permission
    }

    assert granted == TABLE


@pytest.mark.parametrize("permission", Permission)
def test_the_operator_may_do_everything(permission: Permission) -> None:
    assert (OPERATOR.may(permission, OWN, TEAM), OPERATOR.may(permission, None), OPERATOR.holds(permission)) == (
        True,
        True,
        True,
    )


def test_a_member_sees_their_account_alone() -> None:
    owner = Principal(actor="mem-1", role=Role.OWNER, account_id=OWN)

    assert [owner.sees(account) for account in (OWN, FOREIGN, None)] == [True, False, False]
    assert [owner.may(Permission.KEY_WRITE, account) for account in (OWN, FOREIGN, None)] == [True, False, False]
    assert (owner.may(Permission.MONEY_WRITE, OWN), owner.holds(Permission.MONEY_WRITE)) == (False, False)


def test_a_member_of_a_workspace_sees_it_and_the_account_itself() -> None:
    bound = Principal(actor="mem-1", role=Role.ADMIN, account_id=OWN, workspace_id=TEAM)

    assert [bound.sees(OWN, workspace) for workspace in (TEAM, OTHER, None)] == [True, False, True]
    assert [bound.may(Permission.KEY_WRITE, OWN, workspace) for workspace in (TEAM, OTHER, None)] == [
        True,
        False,
        False,
    ]
    assert [bound.may(permission, OWN) for permission in (Permission.ACCOUNT_READ, Permission.MONEY_READ)] == [
        True,
        False,
    ]


def test_roles_that_allow_as_much_or_less_may_be_granted() -> None:
    assert {own: "".join(other.value[0] for other in Role if covers(own, other)) for own in Role} == {
        Role.OWNER: "oadbv",
        Role.ADMIN: "adbv",
        Role.DEVELOPER: "dv",
        Role.BILLING: "b",
        Role.VIEWER: "v",
    }
