"""Limits as data: made, changed, refused in words, and read whole."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from qwenport.accounts import (
    AccountNotFound,
    AddMember,
    ChangeAccount,
    ChangeDenied,
    ChangeLimit,
    CreateKey,
    CreateLimit,
    KeyNotFound,
    LevelNotFound,
    LimitFilter,
    LimitNotFound,
    LimitUnknown,
    PublishedFor,
    SettingInvalid,
    StillInUse,
    VersionConflict,
    WorkspaceNotFound,
    read_changes,
)
from qwenport.accounts.limit_making import MOST_LIMITS
from qwenport.accounts.limits import load_limits
from qwenport.core.ids import AccountId, KeyId, LimitId, WorkspaceId
from qwenport.core.limits import Dimension, Limit, Mode, Unit, Window
from qwenport.core.model_card import ModelCard, PublishedLimit
from qwenport.storage.records import LimitRecord
from qwenport.storage.tables import LIMITS
from qwenport.testing.account_services import AccountServices as Services

START = datetime(2026, 1, 1, tzinfo=UTC)


def wish(**settings: Any) -> CreateLimit:
    return CreateLimit(**{"unit": "requests", "window": "minute", "cap": 60, **settings})


def member(services: Services, account_id: AccountId, workspace_id: WorkspaceId | None = None) -> str:
    """Return the id of a new admin of an account, or of one of its workspaces."""
    email = f"{workspace_id or 'all'}@example.com"
    wish = AddMember(account_id=account_id, email=email, role="admin", workspace_id=workspace_id)
    return services.members.add("operator", wish).id


def test_a_limit_is_stored_as_it_is(services: Services) -> None:
    services.levels.create("operator", "gold")
    made = services.limits.create(
        "operator",
        wish(
            unit="money",
            window="hour",
            cap="0.000000001",
            currency="USD",
            mode="shadow",
            name="a'; DROP TABLE %_ 测试 🙂",
            burst_ms=1500,
            level="gold",
            model="qwen'--max",
            per=("account", "model"),
        ),
    )

    assert [made] == [services.limits.find(made.limit.id)] == list(services.limits.every())
    assert made == LimitRecord(
        limit=Limit(
            id=LimitId("lim-n1"),
            unit=Unit.MONEY,
            window=Window.HOUR,
            cap=1,
            mode=Mode.SHADOW,
            name="a'; DROP TABLE %_ 测试 🙂",
            currency="USD",
            burst_ms=1500,
            level="gold",
            model="qwen'--max",
            per=(Dimension.ACCOUNT, Dimension.MODEL),
        ),
        created_at=START,
    )


@pytest.mark.parametrize(
    ("settings", "cap"),
    [
        ({"cap": 0}, 0),
        ({"cap": "60"}, 60),
        ({"cap": 2**62}, 2**62),
        ({"unit": "money", "window": "month", "currency": "CNY", "cap": "5.00"}, 5_000_000_000),
        ({"unit": "money", "window": "day", "currency": "CNY", "cap": 5}, 5_000_000_000),
        ({"unit": "money", "window": "day", "currency": "CNY", "cap": "0"}, 0),
        ({"window": "at_once"}, 60),
    ],
)
def test_caps_are_kept_exactly(services: Services, settings: dict[str, Any], cap: int) -> None:
    assert services.limits.create("operator", wish(**settings)).limit.cap == cap


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"unit": "smiles"}, "the unit 'smiles' of a limit is none of `requests`, `input_tokens`"),
        ({"window": "year"}, "the window 'year' of a limit is none of `at_once`, `second`"),
        ({"mode": "maybe"}, "the mode 'maybe' of a limit is none of `enforce`, `shadow`"),
        ({"per": ("colour",)}, "the dimension 'colour' of a limit is none of `account`"),
        ({"per": ("key", "key")}, "a limit names each dimension once, not `key, key`"),
        ({"unit": "total_tokens", "window": "at_once"}, "it goes with `requests`, not `total_tokens`"),
        ({"unit": "money"}, "a limit of money needs a currency"),
        ({"unit": "money", "currency": "yen"}, "'yen' is no currency"),
        ({"currency": "CNY"}, "a limit of `requests` has no currency; leave `CNY` out"),
        ({"cap": -1}, "the cap of a limit must be a whole number from 0 to"),
        ({"cap": 2**62 + 1}, "the cap of a limit must be a whole number from 0 to"),
        ({"cap": True}, "the cap of a limit must be a whole number"),
        ({"cap": 1.5}, "the cap of a limit must be a whole number"),
        ({"cap": float("nan")}, "the cap of a limit must be a whole number"),
        ({"cap": "1.5"}, "the cap '1.5' of a limit of `requests` is no whole number"),
        ({"cap": "9" * 5000}, "is no whole number"),
        ({"unit": "money", "currency": "CNY", "cap": "-1"}, "'-1' is no amount that a limit can have"),
        ({"unit": "money", "currency": "CNY", "cap": "0.0000000001"}, "with at most 9 places"),
        ({"unit": "money", "currency": "CNY", "cap": "5000000000"}, "from 0 to 4611686018"),
        ({"unit": "money", "currency": "CNY", "cap": "NaN"}, "is no amount"),
        ({"burst_ms": 60_000}, "the burst in milliseconds must be a whole number from 10 to 59999"),
        ({"burst_ms": 9}, "the burst in milliseconds must be a whole number from 10 to 59999"),
        ({"window": "day", "burst_ms": 1000}, "a burst goes with a limit by second, minute or hour, not `day`"),
        ({"window": "at_once", "burst_ms": 1000}, "not `at_once`"),
        ({"name": "n" * 201}, "the name of a limit may hold 200 characters"),
        ({"name": "\x00"}, "cannot be shown"),
        ({"model": " m"}, "is no name of a model"),
        ({"model": "\ud800"}, "cannot be shown"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_in_words(services: Services, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingInvalid) as refusal:
        services.limits.create("operator", wish(**settings))

    assert words in str(refusal.value)
    assert services.limits.every() == []


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"level": "gold"}, LevelNotFound),
        ({"account_id": AccountId("acc-9")}, AccountNotFound),
        ({"workspace_id": WorkspaceId("ws-9")}, WorkspaceNotFound),
        ({"key_id": KeyId("\ud800")}, KeyNotFound),
    ],
)
def test_what_a_limit_names_must_exist(services: Services, settings: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        services.limits.create("operator", wish(**settings))


def test_a_limit_of_a_key_is_one_of_its_account_and_workspace(services: Services) -> None:
    first, second = services.customer(), services.customer(email="b@example.com", currency="USD")
    key = services.keys.create("operator", CreateKey(account_id=first.id))

    limit = services.limits.create("operator", wish(key_id=key.id)).limit
    team = services.limits.create("operator", wish(workspace_id=WorkspaceId("ws-2"))).limit

    assert (limit.account_id, limit.workspace_id, team.account_id) == (first.id, "ws-1", second.id)
    for settings, words in (
        ({"key_id": key.id, "account_id": second.id}, "names the account `acc-2`, but the key or workspace belongs to"),
        ({"key_id": key.id, "workspace_id": WorkspaceId("ws-2")}, "names the workspace `ws-2`"),
        ({"unit": "money", "currency": "CNY", "account_id": second.id}, "pays in USD; a limit of CNY would never bind"),
    ):
        with pytest.raises(SettingInvalid, match=words):
            services.limits.create("operator", wish(**settings))


def test_members_bind_keys_and_workspaces_but_not_whole_accounts(services: Services) -> None:
    customer = services.customer()
    admin = member(services, customer.id)
    own = services.limits.create(admin, wish(workspace_id=WorkspaceId("ws-1"))).limit
    whole = services.limits.create("operator", wish(account_id=customer.id)).limit

    services.limits.change(admin, own.id, ChangeLimit(version=1, cap=9))
    services.limits.delete(admin, own.id)
    for change in (
        lambda: services.limits.create(admin, wish(account_id=customer.id)),
        lambda: services.limits.create(admin, wish()),
        lambda: services.limits.change(admin, whole.id, ChangeLimit(version=1, cap=9)),
        lambda: services.limits.delete(admin, whole.id),
    ):
        with pytest.raises(ChangeDenied, match="limits of a whole account are the operator's to set"):
            change()
    assert [each.limit for each in services.limits.every()] == [whole]


def test_members_of_one_workspace_bind_its_keys_but_do_not_lift_what_binds_all_of_it(services: Services) -> None:
    customer = services.customer()
    team = services.workspaces.create("operator", customer.id, "team").id
    bound = member(services, customer.id, team)
    key = services.keys.create("operator", CreateKey(workspace_id=team)).id
    budget = services.limits.create(member(services, customer.id), wish(workspace_id=team)).limit

    own = services.limits.create(bound, wish(key_id=key)).limit
    services.limits.change(bound, own.id, ChangeLimit(version=1, cap=9))
    services.limits.delete(bound, own.id)
    for change in (
        lambda: services.limits.create(bound, wish(workspace_id=team)),
        lambda: services.limits.change(bound, budget.id, ChangeLimit(version=1, cap=10**9)),
        lambda: services.limits.delete(bound, budget.id),
    ):
        with pytest.raises(
            ChangeDenied, match=f"limits of the whole workspace `{team}` are set by members of the whole"
        ):
            change()
    assert [each.limit for each in services.limits.every()] == [budget]


def test_nobody_makes_calls_slow_by_limits_without_number(services: Services) -> None:
    services.customer()
    workspace_id = WorkspaceId("ws-1")
    one, other = (services.keys.create("operator", CreateKey(workspace_id=workspace_id)).id for _ in range(2))
    for _ in range(MOST_LIMITS):
        services.limits.create("operator", wish(key_id=one))
        services.limits.create("operator", wish(workspace_id=workspace_id))

    with pytest.raises(SettingInvalid, match=f"the key `{one}` has 50 limits"):
        services.limits.create("operator", wish(key_id=one))
    with pytest.raises(SettingInvalid, match="the workspace `ws-1` has 50 limits"):
        services.limits.create("operator", wish(workspace_id=workspace_id))
    services.limits.create("operator", wish(key_id=other))


def test_of_two_who_change_a_limit_the_second_is_told(services: Services) -> None:
    made = services.limits.create("operator", wish()).limit
    changed = services.limits.change(
        "operator", made.id, ChangeLimit(version=1, cap="90", mode="shadow", name="n", burst_ms=500)
    )

    with pytest.raises(VersionConflict, match="it is at version 2, your change was made from version 1"):
        services.limits.change("operator", made.id, ChangeLimit(version=1, cap=1))
    assert changed.limit == Limit(
        id=made.id,
        unit=Unit.REQUESTS,
        window=Window.MINUTE,
        cap=90,
        mode=Mode.SHADOW,
        name="n",
        burst_ms=500,
        version=2,
    )
    assert services.limits.change("operator", made.id, ChangeLimit(version=2, burst_ms=None)).limit.burst_ms is None
    assert services.limits.change("operator", made.id, ChangeLimit(version=3, cap=90)).limit.version == 3
    with pytest.raises(SettingInvalid):
        services.limits.change("operator", made.id, ChangeLimit(version=3, cap=-1))


def test_a_deleted_limit_is_gone(services: Services) -> None:
    made = services.limits.create("operator", wish()).limit
    services.limits.delete("operator", made.id)

    for limit_id in (made.id, LimitId("%"), LimitId("\ud800")):
        with pytest.raises(LimitNotFound):
            services.limits.delete("operator", limit_id)
    assert [action for _, action, *_ in services.audited()] == ["limit.create", "limit.delete"]


def test_limits_are_filtered_by_whole_values_and_listed_a_page_at_a_time(services: Services) -> None:
    customer = services.customer()
    services.levels.create("operator", "gold")
    made = [
        services.limits.create("operator", wish(**settings)).limit.id
        for settings in ({}, {"account_id": customer.id}, {"model": "a_b"}, {"model": "axb"}, {"level": "gold"})
    ]
    services.limits.create("operator", wish(unit="images"))

    def listed(**wanted: Any) -> list[int]:
        found = services.limits.every(LimitFilter(**wanted))
        return [made.index(each.limit.id) if each.limit.id in made else 5 for each in found]

    assert [
        listed(),
        listed(account_id=customer.id),
        listed(model="a_b"),
        listed(model="%"),
        listed(level="gold"),
        listed(unit="images"),
        listed(limit=2),
        listed(after=made[3]),
    ] == [[0, 1, 2, 3, 4, 5], [1], [2], [], [4], [5], [0, 1], [4, 5]]
    with pytest.raises(SettingInvalid):
        listed(model="\x00")


def card(name: str, *limits: PublishedLimit) -> ModelCard:
    return ModelCard(
        name=name,
        description="",
        family="qwen",
        released=START.date(),
        context_tokens=1,
        max_input_tokens=1,
        max_output_tokens=1,
        published_limits=limits,
    )


CARDS = (
    card(
        "qwen-max",
        PublishedLimit(region="beijing", source="page", requests_per_minute=1200, tokens_per_minute=1_000_000),
        PublishedLimit(region="singapore", source="page", requests_per_minute=600),
    ),
    card("qwen-plus"),
)


def test_published_limits_become_limits_of_an_account_and_follow_the_catalog(services: Services) -> None:
    customer = services.customer()
    wanted = PublishedFor(region="beijing", account_id=customer.id)
    first = services.limits.apply_published("operator", CARDS, wanted)
    again = services.limits.apply_published("operator", CARDS, wanted)
    newer = card("qwen-max", PublishedLimit(region="beijing", source="page", requests_per_minute=2400))
    changed = services.limits.apply_published("operator", [newer], wanted)

    shared = {
        "window": Window.MINUTE,
        "name": "published for beijing",
        "account_id": customer.id,
        "model": "qwen-max",
        "per": (Dimension.ACCOUNT,),
    }
    rpm = Limit(id=LimitId("lim-n1"), unit=Unit.REQUESTS, cap=1200, burst_ms=1000, **shared)  # type: ignore[arg-type]  # shared
    tpm = Limit(id=LimitId("lim-n2"), unit=Unit.TOTAL_TOKENS, cap=1_000_000, **shared)  # type: ignore[arg-type]  # shared
    assert [[each.limit for each in limits] for limits in (first, again)] == [[rpm, tpm]] * 2
    assert [(each.limit.id, each.limit.cap, each.limit.version) for each in changed] == [("lim-n1", 2400, 2)]


def test_published_limits_bind_the_accounts_of_a_level(services: Services) -> None:
    services.levels.create("operator", "gold")
    made = services.limits.apply_published("operator", CARDS, PublishedFor(region="singapore", level="gold"))

    assert [(each.limit.level, each.limit.account_id, each.limit.cap) for each in made] == [("gold", None, 600)]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (PublishedFor(region="beijing"), "either an account or a level; name one of them"),
        (PublishedFor(region="beijing", account_id=AccountId("acc-1"), level="gold"), "either an account or a level"),
        (PublishedFor(region="mars", level="gold"), "region 'mars'; they are for `beijing`, `singapore`"),
        (PublishedFor(region="\ud800", level="gold"), "cannot be looked for"),
    ],
)
def test_published_limits_for_nobody_or_nowhere_are_refused(
    services: Services, wanted: PublishedFor, words: str
) -> None:
    with pytest.raises(SettingInvalid, match=words):
        services.limits.apply_published("operator", CARDS, wanted)


@pytest.mark.parametrize(
    ("column", "value"), [("unit", "smiles"), ("window", "year"), ("mode", "later"), ("per", ["account", "planet"])]
)
def test_a_limit_of_a_newer_version_stops_the_start_and_leaves_a_running_gateway_as_it_is(
    services: Services, caplog: pytest.LogCaptureFixture, column: str, value: object
) -> None:
    made = services.limits.create("operator", wish()).limit
    seen = read_changes(services.database, {}).seen
    with services.database.write() as transaction:
        transaction.connection.execute(update(LIMITS).values({column: value}))
    services.house.set_maintenance("operator", on=True)
    services.limits.create("operator", wish())

    with pytest.raises(LimitUnknown) as refusal, services.database.read() as transaction:
        load_limits(transaction)
    with pytest.raises(LimitUnknown):
        read_changes(services.database, {})
    with caplog.at_level(logging.ERROR):
        changes = read_changes(services.database, seen)

    shown = value if isinstance(value, str) else "planet"
    assert f"the limit `{made.id}` has the" in str(refusal.value)
    assert f"`{shown}`, which this version of qwenport does not know (it knows `" in str(refusal.value)
    assert (changes.limits, changes.maintenance and changes.maintenance.on) == (None, True)
    assert caplog.messages == [f"the limits stay as they were: {refusal.value}"]
    assert read_changes(services.database, changes.seen).limits is None


def test_a_level_is_deleted_with_its_limits_once_no_account_has_it(services: Services) -> None:
    services.levels.create("operator", "gold", "for friends")
    customer = services.customer(level="gold")
    services.limits.create("operator", wish(level="gold"))

    with pytest.raises(StillInUse, match=f"is that of accounts, such as `{customer.id}`"):
        services.levels.delete("operator", "gold")
    services.accounts.change("operator", customer.id, ChangeAccount(level=""))
    services.levels.delete("operator", "gold")

    assert (services.levels.every(), services.limits.every()) == ([], [])
    for name in ("gold", "%", "\ud800"):
        with pytest.raises(LevelNotFound):
            services.levels.delete("operator", name)
