"""Accounts as an operator makes and changes them, on a real database file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from qwenport.accounts import (
    AccountFilter,
    AccountNotFound,
    AccountRecord,
    ChangeAccount,
    ChangeDenied,
    Conflict,
    CreateAccount,
    EmailTaken,
    LevelNotFound,
    SettingInvalid,
    StillInUse,
    read_changes,
)
from qwenport.core.caller import AccountKind, AccountState, AccountTerms, FreeQuota
from qwenport.core.ids import AccountId, GrantId, WorkspaceId
from qwenport.storage import balance_rows
from qwenport.storage.balance_rows import Moved
from qwenport.storage.records import WorkspaceRecord
from qwenport.testing.account_services import AccountServices as Services

START = datetime(2026, 1, 1, tzinfo=UTC)


def move(services: Services, account: AccountRecord, nanos: int) -> None:
    with services.database.write() as transaction:
        moved = Moved(ledger_account=f"customer:{account.id}", currency=account.currency, moved_nanos=nanos)
        balance_rows.move(transaction, [moved], 1)


def test_a_new_prepaid_account_has_a_free_quota_and_a_workspace(services: Services) -> None:
    made = services.accounts.create(
        "operator", CreateAccount(email=" Lead@Example.com ", name="测试 🙂", currency="USD")
    )

    free = FreeQuota(grant=GrantId("grant-n1"), tokens=1_000_000, until=START + timedelta(days=90))
    assert made == services.accounts.find(made.id)
    assert made == AccountRecord(
        id=AccountId("acc-1"),
        email="lead@example.com",
        name="测试 🙂",
        currency="USD",
        created_at=START,
        terms=AccountTerms(kind=AccountKind.PREPAID, free_quota=free),
        revision=1,
    )
    assert services.workspaces.every(made.id) == [
        WorkspaceRecord(id=WorkspaceId("ws-1"), account_id=made.id, name="default", created_at=START)
    ]


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({"kind": AccountKind.METERED}, None),
        ({"kind": AccountKind.METERED, "free_tokens": 5}, 5),
        ({"free_tokens": 0}, None),
        ({"free_tokens": 7, "free_days": 1}, 7),
    ],
)
def test_the_free_quota_is_as_wished(services: Services, settings: dict[str, Any], tokens: int | None) -> None:
    free = services.customer(**settings).terms.free_quota

    assert (None if free is None else free.tokens) == tokens


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"email": "nobody"}, "'nobody' is no email address; write it like `name@example.com`"),
        ({"email": ""}, "'' is no email address"),
        ({"email": "a b@c"}, "is no email address"),
        ({"email": "a@b\x00"}, "is no email address"),
        ({"email": "a@\ud800"}, "is no email address"),
        ({"email": f"{'a' * 250}@b.cd"}, "an email address may hold 254 characters, not 255"),
        ({"name": "n" * 201}, "the name of an account may hold 200 characters, not 201"),
        ({"name": "a\x00b"}, "holds a character that cannot be shown"),
        ({"name": "\udfff"}, "holds a character that cannot be shown"),
        ({"currency": "cny"}, "'cny' is no currency; write three capital letters"),
        ({"currency": "¥"}, "is no currency"),
        ({"kind": "free"}, "'free' is no kind of account; it is `prepaid` or `metered`"),
        ({"free_tokens": -1}, "the number of free tokens must be a whole number from 0 to"),
        ({"free_tokens": 10**5000}, "not one of more than 90 digits"),
        ({"free_tokens": True}, "the number of free tokens must be a whole number"),
        ({"free_days": 0}, "the number of days of the free quota must be a whole number from 1 to 36500, not '0'"),
    ],
)
def test_an_account_that_cannot_be_is_refused_in_words(
    services: Services, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingInvalid) as refusal:
        services.customer(**settings)

    assert words in str(refusal.value)
    assert services.accounts.every() == []


def test_one_email_belongs_to_one_account(services: Services) -> None:
    first, second = services.customer(), services.customer(email="b@example.com")

    with pytest.raises(EmailTaken, match=f"`a@example.com` belongs to the account `{first.id}` already"):
        services.customer(email="A@Example.COM")
    with pytest.raises(EmailTaken):
        services.accounts.change("operator", second.id, ChangeAccount(email="a@example.com"))
    assert services.accounts.change("operator", first.id, ChangeAccount(email="A@example.com")) == first


def test_a_level_must_exist(services: Services) -> None:
    services.levels.create("operator", "gold")
    made = services.customer(level="gold")

    with pytest.raises(LevelNotFound, match="no level has the id `silver`"):
        services.customer(email="b@example.com", level="silver")
    with pytest.raises(LevelNotFound):
        services.accounts.change("operator", made.id, ChangeAccount(level="\ud800"))
    assert services.accounts.change("operator", made.id, ChangeAccount(level="")).terms.level == ""


def test_a_change_touches_only_what_it_names(services: Services) -> None:
    services.levels.create("operator", "gold")
    before = services.customer(name="old")

    after = [
        services.accounts.change("operator", before.id, wish)
        for wish in (
            ChangeAccount(name="new"),
            ChangeAccount(kind=AccountKind.METERED, level="gold"),
            ChangeAccount(email="b@example.com"),
        )
    ]

    assert [(each.name, each.email, each.terms.kind, each.terms.level, each.revision) for each in after] == [
        ("new", "a@example.com", "prepaid", "", 2),
        ("new", "a@example.com", "metered", "gold", 3),
        ("new", "b@example.com", "metered", "gold", 4),
    ]
    assert {each.terms.free_quota for each in after} == {before.terms.free_quota}


def test_members_do_not_set_the_terms_of_their_account(services: Services) -> None:
    made = services.customer()

    assert services.accounts.change("mem-1", made.id, ChangeAccount(name="ours")).name == "ours"
    for wish in (ChangeAccount(kind=AccountKind.METERED), ChangeAccount(level="")):
        with pytest.raises(ChangeDenied, match="the kind and the level of an account are the operator's to set"):
            services.accounts.change("mem-1", made.id, wish)


def test_an_account_is_suspended_put_in_arrears_and_resumed(services: Services) -> None:
    made = services.customer()

    states = [
        step("operator", made.id).terms.state
        for step in (services.accounts.suspend, services.accounts.put_in_arrears, services.accounts.resume)
    ]

    assert states == [AccountState.SUSPENDED, AccountState.IN_ARREARS, AccountState.ACTIVE]
    assert [action for _, action, *_ in services.audited()][1:] == [
        "account.suspend",
        "account.arrears",
        "account.resume",
    ]


def test_a_closed_account_stays_closed_and_changes_no_more(services: Services) -> None:
    made = services.customer()
    closed = services.accounts.close("operator", made.id)

    assert (closed.terms.state, services.accounts.close("operator", made.id)) == (AccountState.CLOSED, closed)
    changes: list[Callable[[], object]] = [
        lambda: services.accounts.resume("operator", made.id),
        lambda: services.accounts.change("operator", made.id, ChangeAccount(name="x")),
        lambda: services.accounts.grant_free_quota("operator", made.id, 1),
        lambda: services.workspaces.create("operator", made.id, "team"),
    ]
    for change in changes:
        with pytest.raises(Conflict, match="is closed for good"):
            change()


@pytest.mark.parametrize(
    ("nanos", "words"),
    [
        (12_500_000_000, "has a balance of 12.50 CNY; debit it once it is paid out, then close the account"),
        (-1, "has a balance of -0.000000001 CNY; credit it once it is paid, then close the account"),
    ],
)
def test_an_account_with_money_is_not_closed(services: Services, nanos: int, words: str) -> None:
    made = services.customer()
    move(services, made, nanos)

    with pytest.raises(StillInUse) as refusal:
        services.accounts.close("operator", made.id)

    assert words in str(refusal.value)
    move(services, made, -nanos)
    assert services.accounts.close("operator", made.id).terms.state is AccountState.CLOSED


def test_a_free_quota_is_granted_anew_and_taken_away(services: Services) -> None:
    made = services.customer(free_tokens=5)
    services.clock.advance(86_400)

    granted = services.accounts.grant_free_quota("operator", made.id, 10, 2).terms.free_quota
    taken = services.accounts.grant_free_quota("operator", made.id, 0).terms.free_quota

    assert (granted, taken) == (
        FreeQuota(grant=GrantId("grant-n2"), tokens=10, until=START + timedelta(days=3)),
        None,
    )


def test_only_the_free_tier_may_be_used(services: Services) -> None:
    made = services.customer()

    switched = [
        services.accounts.set_free_tier_only("operator", made.id, on).terms.free_tier_only for on in (True, False)
    ]

    assert switched == [True, False]


def test_discounts_are_merged_and_removed(services: Services) -> None:
    made = services.customer()
    rates: list[dict[str, str | None]] = [
        {"qwen-max": "0.9", "*": "0.95"},
        {"qwen-max": None, "m'--%": "0.000001"},
        {"*": "10"},
        {"*": None, "m'--%": None, "never": None},
    ]

    after = [services.accounts.change_discounts("operator", made.id, each).terms.discounts for each in rates]

    assert after == [
        (("*", 950_000), ("qwen-max", 900_000)),
        (("*", 950_000), ("m'--%", 1)),
        (("*", 10_000_000), ("m'--%", 1)),
        (),
    ]


@pytest.mark.parametrize(
    "rate", ["0", "-0.5", "10.000001", "0.1234567", "NaN", "1e-3", "", "0,9", "\u0660.\u0669", "1_0", "\ud800"]
)
def test_a_discount_that_is_none_is_refused(services: Services, rate: str) -> None:
    made = services.customer()

    with pytest.raises(SettingInvalid, match="of a discount is no decimal above 0 and up to 10"):
        services.accounts.change_discounts("operator", made.id, {"qwen-max": rate})


@pytest.mark.parametrize("model", ["", " qwen-max", "a\x00", "\ud800", "m" * 201])
def test_what_is_no_name_of_a_model_is_refused(services: Services, model: str) -> None:
    made = services.customer()

    with pytest.raises(SettingInvalid):
        services.accounts.change_discounts("operator", made.id, {model: "0.9"})
    with pytest.raises(SettingInvalid):
        services.accounts.change_activation("operator", made.id, models={model: False}, regions={})
    assert services.accounts.find(made.id) == made


def test_models_and_regions_are_switched_off_and_on(services: Services) -> None:
    made = services.customer()
    steps = [
        ({"qwen-max": False, "qwen-plus": False}, {"beijing": False}),
        ({"qwen-max": True, "never": True}, {}),
        ({}, {"beijing": True}),
    ]

    after = [
        services.accounts.change_activation("operator", made.id, models=models, regions=regions).terms
        for models, regions in steps
    ]

    assert [(terms.deactivated_models, terms.deactivated_regions) for terms in after] == [
        (("qwen-max", "qwen-plus"), ("beijing",)),
        (("qwen-plus",), ("beijing",)),
        (("qwen-plus",), ()),
    ]


def test_accounts_are_filtered_by_whole_values_and_listed_a_page_at_a_time(services: Services) -> None:
    made = [services.customer(email=f"{name}@example.com") for name in ("a", "b_c", "bxc", "%")]
    services.accounts.suspend("operator", made[1].id)
    services.accounts.change("operator", made[2].id, ChangeAccount(kind=AccountKind.METERED))

    def listed(**wanted: Any) -> list[int]:
        return [made.index(each) for each in map(services.accounts.find, _ids(services, **wanted))]

    made = [services.accounts.find(each.id) for each in made]
    assert [
        listed(),
        listed(email="B_C@example.com"),
        listed(email="%@example.com"),
        listed(state=AccountState.SUSPENDED),
        listed(kind=AccountKind.METERED),
        listed(level="gold"),
        listed(limit=2),
        listed(after=made[1].id, limit=1),
        listed(after=AccountId("acc-9")),
    ] == [[0, 1, 2, 3], [1], [3], [1], [2], [], [0, 1], [2], []]


def _ids(services: Services, **wanted: Any) -> list[AccountId]:
    return [each.id for each in services.accounts.every(AccountFilter(**wanted))]


def test_thousands_of_accounts_are_paged_through_without_gaps(services: Services) -> None:
    for number in range(250):
        services.customer(email=f"{number}@example.com")
        services.clock.advance(number % 2)
    seen: list[AccountId] = []
    while page := _ids(services, after=seen[-1] if seen else None, limit=99):
        seen += page

    assert sorted(seen) == sorted(f"acc-{number + 1}" for number in range(250))


@pytest.mark.parametrize("account_id", ["", "%", "acc-_", "' OR 1=1 --", "\x00", "\ud800", "k" * 100_000])
def test_no_odd_id_is_that_of_an_account(services: Services, account_id: str) -> None:
    services.customer()

    with pytest.raises(AccountNotFound, match="no account has the id"):
        services.accounts.find(AccountId(account_id))


def test_every_change_is_in_the_log_with_what_differs(services: Services) -> None:
    made = services.customer(name="old", free_tokens=0)
    services.accounts.change("mem-7", made.id, ChangeAccount(name="new"))
    services.accounts.change("mem-7", made.id, ChangeAccount(name="new"))
    services.accounts.suspend("operator", made.id)

    terms: dict[str, Any] = {
        "kind": "prepaid",
        "state": "active",
        "level": "",
        "deactivated_models": [],
        "deactivated_regions": [],
        "free_quota": None,
        "free_tier_only": False,
        "discounts": [],
    }
    created = {
        "id": "acc-1",
        "email": "a@example.com",
        "name": "old",
        "currency": "CNY",
        "created_at": "2026-01-01T00:00:00Z",
        "terms": terms,
    }
    assert services.audited() == [
        ("operator", "account.create", "acc-1", None, created),
        ("mem-7", "account.change", "acc-1", {"name": "old"}, {"name": "new"}),
        ("operator", "account.suspend", "acc-1", {"terms": terms}, {"terms": {**terms, "state": "suspended"}}),
    ]


def test_gateways_learn_of_a_changed_account(services: Services) -> None:
    made = services.customer()
    seen = read_changes(services.database, {}).seen
    suspended = services.accounts.suspend("operator", made.id)

    assert list(read_changes(services.database, seen).accounts) == [suspended]
