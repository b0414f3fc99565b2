"""Workspaces: made, renamed, deleted where nothing is left in them."""

from __future__ import annotations

import pytest

from qwenport.accounts import (
    AccountNotFound,
    AddMember,
    Conflict,
    CreateKey,
    CreateLimit,
    NameTaken,
    SettingInvalid,
    StillInUse,
    WorkspaceNotFound,
)
from qwenport.core.ids import AccountId, WorkspaceId
from qwenport.storage.records import WorkspaceRecord
from qwenport.testing.account_services import AccountServices as Services


def test_a_workspace_is_made_renamed_and_deleted(services: Services) -> None:
    customer = services.customer()
    made = services.workspaces.create("operator", customer.id, "  a'; DROP TABLE %_ 测试 ")
    renamed = services.workspaces.rename("mem-1", made.id, "team")
    listed = services.workspaces.every(customer.id)
    services.workspaces.delete("operator", made.id)

    team = WorkspaceRecord(id=WorkspaceId("ws-n1"), account_id=customer.id, name="team", created_at=customer.created_at)
    assert (made.name, renamed, [each.name for each in listed]) == ("a'; DROP TABLE %_ 测试", team, ["default", "team"])
    assert [each.name for each in services.workspaces.every()] == ["default"]
    with pytest.raises(WorkspaceNotFound):
        services.workspaces.find(made.id)
    assert [(actor, action, after) for actor, action, _, _, after in services.audited()][2:] == [
        ("mem-1", "workspace.rename", {"name": "team"}),
        ("operator", "workspace.delete", None),
    ]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00", "\ud800", "n" * 201])
def test_a_name_that_cannot_be_is_refused(services: Services, name: str) -> None:
    customer = services.customer()

    with pytest.raises(SettingInvalid):
        services.workspaces.create("operator", customer.id, name)
    with pytest.raises(SettingInvalid):
        services.workspaces.rename("operator", WorkspaceId("ws-1"), name)


def test_names_are_taken_within_an_account(services: Services) -> None:
    first, second = services.customer(), services.customer(email="b@example.com")
    made = services.workspaces.create("operator", first.id, "team")
    services.workspaces.create("operator", second.id, "team")

    with pytest.raises(NameTaken, match=f"has a workspace of this name already: `{made.id}`"):
        services.workspaces.create("operator", first.id, "team")
    with pytest.raises(NameTaken):
        services.workspaces.rename("operator", WorkspaceId("ws-1"), "team")
    assert services.workspaces.rename("operator", made.id, "team") == made


def test_the_first_workspace_stays(services: Services) -> None:
    services.customer()

    with pytest.raises(Conflict, match="`ws-1` is the first workspace of its account, which stays"):
        services.workspaces.delete("operator", WorkspaceId("ws-1"))


def test_a_workspace_with_keys_or_members_stays(services: Services) -> None:
    customer = services.customer()
    workspace = services.workspaces.create("operator", customer.id, "team")
    key = services.keys.create("operator", CreateKey(workspace_id=workspace.id))
    member = services.members.add(
        "operator", AddMember(account_id=customer.id, email="m@x", role="viewer", workspace_id=workspace.id)
    )
    services.limits.create("operator", CreateLimit(unit="requests", window="day", cap=1, workspace_id=workspace.id))

    with pytest.raises(StillInUse, match=f"has 1 keys, such as `{key.id}`; delete them first"):
        services.workspaces.delete("operator", workspace.id)
    services.keys.delete("operator", key.id)
    with pytest.raises(StillInUse, match=f"the member `{member.id}` is bound to the workspace"):
        services.workspaces.delete("operator", workspace.id)
    services.members.remove("operator", member.id)
    services.workspaces.delete("operator", workspace.id)

    assert services.limits.every() == []


def test_what_does_not_exist_is_said(services: Services) -> None:
    with pytest.raises(AccountNotFound):
        services.workspaces.create("operator", AccountId("acc-9"), "team")
    with pytest.raises(AccountNotFound):
        services.workspaces.every(AccountId("acc-9"))
    with pytest.raises(WorkspaceNotFound, match="no workspace has the id `ws-%`"):
        services.workspaces.rename("operator", WorkspaceId("ws-%"), "team")
