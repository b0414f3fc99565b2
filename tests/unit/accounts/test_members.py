"""Members: their tokens, their roles, and who may change whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from qwenport.accounts import (
    AccountRecord,
    AddMember,
    ChangeDenied,
    ChangeMember,
    Conflict,
    EmailTaken,
    MemberNotFound,
    NewMember,
    Principal,
    Role,
    SettingInvalid,
    WorkspaceNotFound,
    hash_key,
    read_changes,
)
from qwenport.accounts.members import MemberRing
from qwenport.core.ids import MemberId, WorkspaceId
from qwenport.storage.records import MemberRecord
from qwenport.testing.account_services import AccountServices as Services

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def customer(services: Services) -> AccountRecord:
    return services.customer()


def add(services: Services, role: str, *, actor: str = "operator", email: str = "", **settings: object) -> NewMember:
    account_id = services.accounts.every()[0].id
    email = email or f"{role}{len(services.members.every())}@example.com"
    return services.members.add(actor, AddMember(account_id=account_id, email=email, role=role, **settings))  # type: ignore[arg-type]  # the rest of the settings


def ring_of(services: Services) -> MemberRing:
    ring = MemberRing(services.clock)
    ring.update(read_changes(services.database, {}).members)
    return ring


def test_a_new_member_has_a_token_that_is_stored_as_its_hash(services: Services, customer: AccountRecord) -> None:
    expires_at = START + timedelta(days=1)
    made = add(
        services, "developer", email=" Dev@X ", name="Dev", workspace_id=WorkspaceId("ws-1"), expires_at=expires_at
    )
    token = made.token.reveal()

    assert (token[:4], len(bytes.fromhex(token[4:]))) == ("qpm-", 32)
    assert services.members.every(customer.id) == [
        MemberRecord(
            id=made.id,
            account_id=customer.id,
            workspace_id=WorkspaceId("ws-1"),
            email="dev@x",
            name="Dev",
            role="developer",
            digest=hash_key(token),
            prefix=f"{token[:8]}...{token[-4:]}",
            created_at=START,
            expires_at=expires_at,
            disabled=False,
            deleted=False,
            revision=1,
        )
    ]
    assert ring_of(services).find(token) == Principal(
        actor=made.id, role=Role.DEVELOPER, account_id=customer.id, workspace_id=WorkspaceId("ws-1")
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"role": "king"}, "'king' is no role; it is one of owner, admin, developer, billing, viewer"),
        ({"email": "x"}, "is no email address"),
        ({"name": "\x00"}, "cannot be shown"),
        ({"expires_at": START}, "is not in the future"),
        ({"expires_at": datetime(2027, 1, 1)}, "names no time zone"),
        ({"role": "owner", "workspace_id": WorkspaceId("ws-1")}, "an owner sees the whole account"),
    ],
)
def test_a_member_that_cannot_be_is_refused(
    services: Services, customer: AccountRecord, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingInvalid) as refusal:
        add(services, **{"role": "viewer", **settings})  # type: ignore[arg-type]  # what is refused

    assert words in str(refusal.value)


def test_workspaces_of_others_are_not_found(services: Services, customer: AccountRecord) -> None:
    services.customer(email="b@example.com")

    for workspace in ("ws-2", "ws-9", "\ud800"):
        with pytest.raises(WorkspaceNotFound):
            add(services, "viewer", workspace_id=WorkspaceId(workspace))


def test_an_address_is_taken_once_in_an_account(services: Services, customer: AccountRecord) -> None:
    other = services.customer(email="b@example.com")
    first = add(services, "viewer", email="m@x")
    second = add(services, "viewer", email="n@x")
    services.members.add("operator", AddMember(account_id=other.id, email="m@x", role="viewer"))

    with pytest.raises(EmailTaken, match=f"`m@x` belongs to the member `{first.id}` already"):
        add(services, "viewer", email="M@X")
    with pytest.raises(EmailTaken):
        services.members.change("operator", second.id, ChangeMember(email="m@x"))
    services.members.remove("operator", first.id)
    assert services.members.change("operator", second.id, ChangeMember(email="m@x")).email == "m@x"


def test_a_token_ends_with_whatever_ends_it(services: Services, customer: AccountRecord) -> None:
    add(services, "owner")
    expiring = add(services, "viewer", expires_at=START + timedelta(hours=1))
    disabled, rotated, removed = add(services, "viewer"), add(services, "viewer"), add(services, "viewer")
    ring = ring_of(services)
    tokens = [each.token.reveal() for each in (expiring, disabled, rotated, removed)]
    before = [ring.find(token) is not None for token in tokens]
    services.members.set_disabled("operator", disabled.id, disabled=True)
    fresh = services.members.rotate("operator", rotated.id)
    services.members.remove("operator", removed.id)
    services.clock.advance(3600)

    ring.update(read_changes(services.database, {"members": 5}).members)

    assert before == [True] * 4
    assert [ring.find(token) for token in tokens] == [None] * 4
    assert ring.find(fresh.token.reveal()) == Principal(actor=rotated.id, role=Role.VIEWER, account_id=customer.id)
    services.members.set_disabled("operator", disabled.id, disabled=False)
    ring.update(read_changes(services.database, {"members": 8}).members)
    assert ring.find(tokens[1]) is not None


def test_a_member_changes(services: Services, customer: AccountRecord) -> None:
    made = add(services, "viewer", expires_at=START + timedelta(days=1))
    wishes = (
        ChangeMember(name="N", role="developer", workspace_id=WorkspaceId("ws-1")),
        ChangeMember(workspace_id=None, expires_at=None),
        ChangeMember(),
    )

    after = [services.members.change("operator", made.id, wish) for wish in wishes]

    assert [(each.name, each.role, each.workspace_id, each.expires_at is None, each.revision) for each in after] == [
        ("N", "developer", "ws-1", False, 2),
        ("N", "developer", None, True, 3),
        ("N", "developer", None, True, 3),
    ]


def test_an_account_keeps_an_owner(services: Services, customer: AccountRecord) -> None:
    owner, temporary = add(services, "owner"), add(services, "owner", expires_at=START + timedelta(days=1))
    words = f"`{owner.id}` is the last owner of the account `{customer.id}`; make another one first"

    for change in (
        lambda: services.members.remove("operator", owner.id),
        lambda: services.members.set_disabled("operator", owner.id, disabled=True),
        lambda: services.members.change(owner.id, owner.id, ChangeMember(role="admin")),
        lambda: services.members.change("operator", owner.id, ChangeMember(expires_at=START + timedelta(days=1))),
    ):
        with pytest.raises(Conflict) as refusal:
            change()
        assert str(refusal.value) == words
    services.members.change("operator", temporary.id, ChangeMember(expires_at=None))
    services.members.remove("operator", owner.id)
    assert [each.id for each in services.members.every(customer.id)] == [temporary.id]


def test_a_closed_account_needs_no_owner(services: Services, customer: AccountRecord) -> None:
    owner = add(services, "owner")
    services.accounts.close("operator", customer.id)
    services.members.remove("operator", owner.id)

    assert services.members.every(customer.id) == []


def test_nobody_makes_or_changes_a_member_above_themselves(services: Services, customer: AccountRecord) -> None:
    owner, admin = add(services, "owner"), add(services, "admin")
    for change in (
        lambda: add(services, "owner", actor=admin.id),
        lambda: services.members.change(admin.id, admin.id, ChangeMember(role="owner")),
        lambda: services.members.change(admin.id, owner.id, ChangeMember(role="viewer")),
        lambda: services.members.rotate(admin.id, owner.id),
        lambda: services.members.set_disabled(admin.id, owner.id, disabled=True),
        lambda: services.members.remove(admin.id, owner.id),
    ):
        with pytest.raises(ChangeDenied, match="the role `owner` is above your own, which is `admin`"):
            change()

    assert [add(services, role, actor=admin.id).id for role in ("admin", "developer", "billing", "viewer")]
    assert add(services, "owner", actor=owner.id).id


@pytest.mark.parametrize("role", ["developer", "billing", "viewer"])
def test_other_roles_change_no_members(services: Services, customer: AccountRecord, role: str) -> None:
    member = add(services, role)

    with pytest.raises(ChangeDenied, match=f"the role `{role}` does not allow changing members"):
        add(services, "viewer", actor=member.id)


def test_whoever_is_out_changes_nothing(services: Services, customer: AccountRecord) -> None:
    other = services.customer(email="b@example.com")
    add(services, "owner")
    foreign = services.members.add("operator", AddMember(account_id=other.id, email="o@x", role="owner"))
    disabled, removed, expired = (
        add(services, "admin"),
        add(services, "admin"),
        add(services, "admin", expires_at=START + timedelta(hours=1)),
    )
    services.members.set_disabled("operator", disabled.id, disabled=True)
    services.members.remove("operator", removed.id)
    services.clock.advance(3600)

    for actor in (foreign.id, disabled.id, removed.id, expired.id, "mem-9"):
        with pytest.raises(ChangeDenied, match="only a valid member of the account, or the operator"):
            add(services, "viewer", actor=actor)


def test_an_admin_of_a_workspace_stays_within_it(services: Services, customer: AccountRecord) -> None:
    team = services.workspaces.create("operator", customer.id, "team").id
    bound = add(services, "admin", workspace_id=team)
    inside = add(services, "viewer", actor=bound.id, workspace_id=team)

    for wish in (ChangeMember(workspace_id=None), ChangeMember(workspace_id=WorkspaceId("ws-1"))):
        with pytest.raises(ChangeDenied, match=f"you are bound to the workspace `{team}`"):
            services.members.change(bound.id, inside.id, wish)
    with pytest.raises(ChangeDenied):
        add(services, "viewer", actor=bound.id)


def test_no_odd_token_is_that_of_a_member(services: Services, customer: AccountRecord) -> None:
    add(services, "owner")
    ring = ring_of(services)

    assert [ring.find(token) for token in ("", "qpm-", "\ud800", "%", "q" * 100_000)] == [None] * 5


def test_a_role_of_a_newer_version_opens_nothing(services: Services, customer: AccountRecord) -> None:
    made = add(services, "viewer")
    [record] = services.members.every()
    ring = MemberRing(services.clock)
    ring.update([MemberRecord(**{**{n: getattr(record, n) for n in record.__struct_fields__}, "role": "emperor"})])

    assert ring.find(made.token.reveal()) is None


def test_an_unknown_member_is_not_found(services: Services) -> None:
    for member_id in ("mem-9", "%", "\ud800"):
        with pytest.raises(MemberNotFound):
            services.members.find(MemberId(member_id))
