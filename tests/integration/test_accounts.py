"""Accounts and all that belongs to them, on SQLite and on PostgreSQL, also from two processes at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from qwenport.accounts import (
    AccountFilter,
    AccountsError,
    AddMember,
    AuditFilter,
    ChangeAccount,
    ChangeKey,
    ChangeLimit,
    ChangeMember,
    CreateAccount,
    CreateKey,
    CreateLimit,
    EmailTaken,
    KeyFilter,
    KeyLimits,
    LimitFilter,
    SettingInvalid,
    VersionConflict,
    hash_key,
    read_changes,
)
from qwenport.accounts.key_ring import KeyRing
from qwenport.accounts.members import MemberRing
from qwenport.core.caller import AccountKind, BodyKeeping
from qwenport.core.ids import AccountId
from qwenport.storage.database import Database
from qwenport.storage.records import KeyHours, RateRecord
from qwenport.storage.tables import AUDIT_LOG
from qwenport.testing.account_services import AccountServices, account_services

SQL = "a'; DROP TABLE accounts;-- % _ \\ \" 测试 🙂"


@pytest.fixture
def services(any_database: Database) -> AccountServices:
    return account_services(any_database)


def do_everything(services: AccountServices) -> list[str]:
    """Make, change and delete one of everything; return all that nobody may find again."""
    secrets: list[str] = []
    admin = services.accounts.bootstrap(None)
    assert admin is not None
    services.levels.create("operator", "gold", SQL)
    account = services.accounts.create("operator", CreateAccount(email="a@example.com", name=SQL, level="gold"))
    workspace = services.workspaces.create("operator", account.id, SQL)
    services.workspaces.rename("operator", workspace.id, f"{SQL}!")
    owner = services.members.add("operator", AddMember(account_id=account.id, email="o@x", name=SQL, role="owner"))
    member = services.members.add(owner.id, AddMember(account_id=account.id, email="m@x", role="viewer"))
    services.members.change(owner.id, member.id, ChangeMember(role="developer", workspace_id=workspace.id))
    services.members.set_disabled(owner.id, member.id, disabled=True)
    other_token = services.members.rotate(owner.id, member.id)
    services.members.remove(owner.id, member.id)
    key = services.keys.create(
        owner.id,
        CreateKey(
            workspace_id=workspace.id,
            name=SQL,
            description=SQL,
            models=(SQL.strip(),),
            ip_ranges=("10.0.0.0/8",),
            hours=KeyHours(begin="08:00", end="20:00", timezone="Asia/Shanghai", days=(1,)),
            rotate_after_days=1,
            bodies=BodyKeeping(most_bytes=4096, days=7),
            limits=KeyLimits(requests_per_minute=60, monthly_spend="5.00"),
        ),
    )
    services.keys.change(owner.id, key.id, ChangeKey(name="new"))
    services.keys.set_disabled(owner.id, key.id, disabled=True)
    services.keys.set_disabled(owner.id, key.id, disabled=False)
    rotated = services.keys.rotate(owner.id, key.id, timedelta(hours=1))
    services.keys.revoke_shown(owner.id, [f"found {rotated.key.reveal()}"], account_id=account.id)
    services.keys.delete(owner.id, rotated.id)
    services.keys.delete(owner.id, key.id)
    services.workspaces.delete(owner.id, workspace.id)
    limit = services.limits.create(
        "operator", CreateLimit(unit="requests", window="day", cap=1, level="gold", name=SQL)
    )
    services.limits.change("operator", limit.limit.id, ChangeLimit(version=1, cap=2))
    services.limits.delete("operator", limit.limit.id)
    services.accounts.change("operator", account.id, ChangeAccount(level="", kind=AccountKind.METERED, name="new"))
    services.accounts.change_discounts("operator", account.id, {"*": "0.9", SQL.strip(): "0.8"})
    services.accounts.change_activation("operator", account.id, models={"m": False}, regions={"beijing": False})
    services.accounts.grant_free_quota("operator", account.id, 5)
    services.accounts.set_free_tier_only("operator", account.id, on=True)
    services.accounts.suspend("operator", account.id)
    services.accounts.put_in_arrears("operator", account.id)
    services.accounts.resume("operator", account.id)
    services.accounts.close("operator", account.id)
    services.levels.delete("operator", "gold")
    services.rates.put("operator", RateRecord(base="USD", quote="CNY", since="2026-01-02", rate="7.1", source=SQL))
    services.house.set_maintenance("operator", on=True, words=SQL)
    for secret in (admin.key, owner.token, member.token, other_token.token, key.key, rotated.key):
        secrets += [secret.reveal(), secret.reveal()[4:], hash_key(secret.reveal())]
    return secrets


EVERYTHING = (
    "account.create key.create level.create account.create workspace.create workspace.rename member.add "
    "member.add member.change member.disable member.rotate member.remove key.create limit.create "
    "limit.create key.change key.disable key.enable key.create limit.create limit.create key.rotate "
    "key.revoke limit.delete limit.delete key.delete limit.delete limit.delete key.delete "
    "workspace.delete limit.create limit.change limit.delete account.change account.discounts "
    "account.activation account.free_quota account.free_tier_only account.suspend account.arrears "
    "account.resume account.close level.delete rate.put house.maintenance"
)


def test_everything_leaves_a_trace_and_no_secret(services: AccountServices, any_database: Database) -> None:
    secrets = do_everything(services)

    with any_database.read() as transaction:
        rows = [tuple(row) for row in transaction.connection.execute(select(AUDIT_LOG).order_by(AUDIT_LOG.c.id))]
    text = json.dumps(rows)
    assert " ".join(row[3] for row in rows) == EVERYTHING
    assert [secret for secret in secrets if secret in text] == []
    assert "digest" not in text


def test_the_log_is_filtered_by_whole_values_and_read_a_page_at_a_time(services: AccountServices) -> None:
    do_everything(services)
    every = services.audit.every()

    def found(**wanted: Any) -> list[str]:
        return [row.action for row in services.audit.every(AuditFilter(**wanted))]

    assert found(actor="mem-n1", object_kind="member") == [
        "member.remove",
        "member.rotate",
        "member.disable",
        "member.change",
        "member.add",
    ]
    assert found(action="key.rotate") == ["key.rotate"]
    assert found(object_id="acc-1") == found(account_id="acc-1", object_kind="account") == ["account.create"]
    assert (
        found(actor="mem-%")
        == found(actor="' OR 1=1 --")
        == found(since=services.clock.now() + timedelta(days=1))
        == []
    )
    assert found(until=services.clock.now()) == []
    assert services.audit.every(AuditFilter(limit=2)) == every[:2]
    assert services.audit.every(AuditFilter(before=every[1].id, limit=2)) == every[2:4]
    for wanted in (AuditFilter(limit=0), AuditFilter(limit=10**9), AuditFilter(actor="\x00")):
        with pytest.raises(SettingInvalid):
            services.audit.every(wanted)


def test_another_gateway_knows_what_was_changed(services: AccountServices, open_again: Callable[[], Database]) -> None:
    other, keys, members = open_again(), KeyRing(), MemberRing(services.clock)
    changes = read_changes(other, {})
    account = services.customer()
    key = services.keys.create("operator", CreateKey(account_id=account.id, name=SQL))
    member = services.members.add("operator", AddMember(account_id=account.id, email="o@x", role="owner"))
    services.limits.create("operator", CreateLimit(unit="requests", window="day", cap=1, per=("key", "model")))

    changes = read_changes(other, changes.seen)
    keys.update(keys=changes.keys, accounts=changes.accounts)
    members.update(changes.members)

    found, principal = keys.find(hash_key(key.key.reveal())), members.find(member.token.reveal())
    assert found is not None
    assert principal is not None
    assert (found.caller.account_id, found.caller.terms, principal.actor) == (account.id, account.terms, member.id)
    assert changes.limits == tuple(each.limit for each in services.limits.every())
    assert read_changes(other, changes.seen).seen == changes.seen


def test_of_two_who_take_one_email_at_once_one_wins_and_the_other_is_told(
    services: AccountServices, open_again: Callable[[], Database]
) -> None:
    together = Barrier(2)
    others = [services, account_services(open_again())]

    def take(number: int) -> str:
        wish = CreateAccount(email="one@example.com")
        # Identifiers of the two must differ, as random ones do.
        for _ in range(number):
            others[number].accounts._ids.account_id()
            others[number].accounts._ids.short_id("grant")
        together.wait()
        try:
            return others[number].accounts.create("operator", wish).email
        except EmailTaken as error:
            return type(error).__name__

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(take, range(2)))

    assert results == ["EmailTaken", "one@example.com"]


def test_of_two_admins_who_edit_one_limit_at_once_the_second_is_told(
    services: AccountServices, open_again: Callable[[], Database]
) -> None:
    limit = services.limits.create("operator", CreateLimit(unit="requests", window="day", cap=1)).limit
    together = Barrier(2)
    others = [services, account_services(open_again())]

    def change(number: int) -> str:
        together.wait()
        try:
            others[number].limits.change("operator", limit.id, ChangeLimit(version=1, cap=10 + number))
        except VersionConflict as error:
            return type(error).__name__
        return "changed"

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(change, range(2)))

    assert results == ["VersionConflict", "changed"]
    assert services.limits.find(limit.id).limit.version == 2


@pytest.mark.parametrize("odd", ["", "%", "_", SQL, "\x00", "\ud800", "x" * 100_000])
def test_odd_texts_find_nothing_and_break_nothing(services: AccountServices, odd: str) -> None:
    account = services.customer()
    services.keys.create("operator", CreateKey(account_id=account.id))
    asked: list[Callable[[], Any]] = [
        lambda: services.accounts.every(AccountFilter(email=odd)),
        lambda: services.accounts.every(AccountFilter(after=AccountId(odd))),
        lambda: services.keys.every(KeyFilter(account_id=AccountId(odd))),
        lambda: services.limits.every(LimitFilter(model=odd)),
        lambda: services.accounts.find(AccountId(odd)),
        lambda: services.workspaces.every(AccountId(odd)),
        lambda: services.levels.delete("operator", odd),
    ]

    answers = [_answer(ask) for ask in asked]

    assert [(answer.isprintable(), len(answer) < 400) for answer in answers] == [(True, True)] * len(asked)


def _answer(ask: Callable[[], Any]) -> str:
    """Return the refusal, or that nothing was found."""
    try:
        return str(list(ask() or ()))
    except AccountsError as error:
        return str(error)


def test_last_use_moves_forward_only(services: AccountServices) -> None:
    key = services.keys.create("operator", CreateKey(account_id=services.customer().id))
    now = services.clock.now()
    services.keys.touch_last_used({key.id: now + timedelta(hours=1)})
    services.keys.touch_last_used({key.id: now})

    assert services.keys.find(key.id).last_used_at == now + timedelta(hours=1)
