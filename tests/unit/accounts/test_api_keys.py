"""Keys as people make and change them, on a real database file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from qwenport.accounts import (
    AccountNotFound,
    ChangeKey,
    Conflict,
    CreateKey,
    CreateLimit,
    KeyFilter,
    KeyLimits,
    KeyNotFound,
    KeyRecord,
    LimitFilter,
    NewKey,
    Revoked,
    SettingInvalid,
    WorkspaceNotFound,
    hash_key,
    read_changes,
)
from qwenport.accounts.shown_keys import MOST_SHOWN
from qwenport.core.caller import BodyKeeping
from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId, KeyId, LimitId, WorkspaceId
from qwenport.core.limits import Limit, Unit, Window
from qwenport.storage.audit_log_rows import AuditFilter
from qwenport.storage.records import KeyHours
from qwenport.testing.account_services import AccountServices as Services

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = KeyHours(begin="08:00", end="20:00", timezone="Asia/Shanghai", days=(1, 2, 3, 4, 5))


@pytest.fixture
def key(services: Services) -> NewKey:
    made = services.accounts.bootstrap(None)
    assert made is not None
    return made


def changed_since(services: Services, revision: int) -> list[KeyRecord]:
    return list(read_changes(services.database, {"api_keys": revision, "limits": 0}).keys)


def states(services: Services) -> list[tuple[str, bool, bool]]:
    return [(key.id, key.disabled, key.deleted) for key in changed_since(services, 0)]


def test_a_new_key_has_the_settings_asked_for(services: Services, key: NewKey) -> None:
    services.clock.advance(0.25)
    expires_at = START + timedelta(days=1)

    made = services.keys.create(
        "operator",
        CreateKey(
            name="CI", description="nightly", expires_at=expires_at, models=("qwen-max",), ip_ranges=("10.0.0.0/8",)
        ),
    )

    assert changed_since(services, 1) == [
        KeyRecord(
            id=made.id,
            account_id=AccountId("acc-1"),
            workspace_id=WorkspaceId("ws-1"),
            name="CI",
            description="nightly",
            digest=hash_key(made.key.reveal()),
            prefix=f"{made.key.reveal()[:7]}...{made.key.reveal()[-4:]}",
            created_at=START + timedelta(milliseconds=250),
            expires_at=expires_at,
            disabled=False,
            deleted=False,
            last_used_at=None,
            models=("qwen-max",),
            ip_ranges=("10.0.0.0/8",),
            hours=None,
            rotate_after_days=None,
            bodies=None,
            rotates_to=None,
            revision=2,
        )
    ]


def test_texts_are_stored_as_they_are(services: Services, key: NewKey) -> None:
    name = "Robert'); DROP TABLE api_keys;-- % _ \\ \" 测试\u3000🙂 👨\u200d👩\u200d👧"
    made = services.keys.create("operator", CreateKey(name=name, models=('a"b', "c,d")))

    assert [(each.name, each.models) for each in services.keys.every() if each.id == made.id] == [
        (name, ('a"b', "c,d"))
    ]


def test_a_key_for_an_unknown_account_is_refused(services: Services, key: NewKey) -> None:
    with pytest.raises(AccountNotFound, match="no account has the id `acc-9`; see `qwenport accounts list`"):
        services.keys.create("operator", CreateKey(account_id=AccountId("acc-9")))


def test_a_key_before_the_first_account_is_refused(services: Services) -> None:
    with pytest.raises(SettingInvalid, match="start the server once"):
        services.keys.create("operator", CreateKey())


def test_a_wish_that_cannot_be_makes_no_key(services: Services, key: NewKey) -> None:
    with pytest.raises(SettingInvalid):
        services.keys.create("operator", CreateKey(expires_at=START))

    assert states(services) == [("key-1", False, False)]


def test_a_key_is_switched_off_and_on(services: Services, key: NewKey) -> None:
    changes = [services.keys.set_disabled("operator", key.id, disabled=disabled) for disabled in (True, True, False)]

    assert [(change.disabled, change.revision) for change in changes] == [(True, 2), (True, 2), (False, 3)]


def test_a_deleted_key_leaves_the_list_but_not_the_changes(services: Services, key: NewKey) -> None:
    services.keys.delete("operator", key.id)

    assert services.keys.every() == []
    assert [(each.id, each.deleted, each.revision) for each in changed_since(services, 1)] == [("key-1", True, 2)]


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("action", ["disable", "rotate", "delete"])
def test_an_unknown_or_deleted_key_is_not_found(services: Services, key: NewKey, action: str, deleted: bool) -> None:
    key_id = key.id if deleted else KeyId("key-9")
    if deleted:
        services.keys.delete("operator", key_id)
    before = changed_since(services, 0)
    actions: dict[str, Callable[[], object]] = {
        "disable": lambda: services.keys.set_disabled("operator", key_id, disabled=True),
        "rotate": lambda: services.keys.rotate("operator", key_id, timedelta(0)),
        "delete": lambda: services.keys.delete("operator", key_id),
    }

    with pytest.raises(KeyNotFound) as refusal:
        actions[action]()

    assert str(refusal.value) == f"no API key has the id `{key_id}`; see `qwenport keys list`"
    assert changed_since(services, 0) == before


def test_rotation_makes_a_like_key_and_lets_the_old_one_expire(services: Services, key: NewKey) -> None:
    old = services.keys.create(
        "operator", CreateKey(name="CI", description="nightly", models=("qwen-max",), ip_ranges=("10.0.0.0/8",))
    )

    new = services.keys.rotate("operator", old.id, timedelta(hours=24))

    rows = {each.id: each for each in services.keys.every()}
    settings = [
        (each.account_id, each.name, each.description, each.models, each.ip_ranges)
        for each in (rows[old.id], rows[new.id])
    ]
    assert settings[0] == settings[1]
    assert (rows[old.id].expires_at, rows[old.id].rotates_to) == (START + timedelta(hours=24), new.id)
    assert (rows[new.id].expires_at, rows[new.id].rotates_to) == (None, None)
    assert rows[new.id].digest == hash_key(new.key.reveal()) != rows[old.id].digest
    assert [each.id for each in changed_since(services, 2)] == [new.id, old.id]


@pytest.mark.parametrize(("overlap_h", "ends_after_h"), [(1, 1), (48, 10)])
def test_rotation_does_not_lengthen_a_life(services: Services, key: NewKey, overlap_h: int, ends_after_h: int) -> None:
    old = services.keys.create("operator", CreateKey(expires_at=START + timedelta(hours=10)))

    new = services.keys.rotate("operator", old.id, timedelta(hours=overlap_h))

    expiries = {each.id: each.expires_at for each in services.keys.every()}
    assert (expiries[old.id], expiries[new.id]) == (
        START + timedelta(hours=ends_after_h),
        START + timedelta(hours=10),
    )


def test_a_key_is_rotated_once(services: Services, key: NewKey) -> None:
    services.keys.rotate("operator", key.id, timedelta(hours=1))

    with pytest.raises(SettingInvalid, match="was rotated already; rotate its successor `key-2`"):
        services.keys.rotate("operator", key.id, timedelta(hours=1))


def test_a_disabled_key_is_not_rotated(services: Services, key: NewKey) -> None:
    services.keys.set_disabled("operator", key.id, disabled=True)

    with pytest.raises(SettingInvalid, match="is disabled"):
        services.keys.rotate("operator", key.id, timedelta(hours=1))


def test_an_expired_key_is_not_rotated(services: Services, key: NewKey) -> None:
    old = services.keys.create("operator", CreateKey(expires_at=START + timedelta(hours=1)))
    services.clock.advance(3600)

    with pytest.raises(SettingInvalid, match="expired at `2026-01-01T01:00:00"):
        services.keys.rotate("operator", old.id, timedelta(hours=1))


@pytest.mark.parametrize(("overlap", "words"), [(timedelta(seconds=-1), "negative"), (timedelta.max, "shorter")])
def test_an_overlap_that_cannot_be_is_refused(services: Services, key: NewKey, overlap: timedelta, words: str) -> None:
    with pytest.raises(SettingInvalid, match=words):
        services.keys.rotate("operator", key.id, overlap)


def test_changes_come_in_their_order_and_only_the_later_ones(services: Services, key: NewKey) -> None:
    second = services.keys.create("operator", CreateKey(name="second"))
    services.keys.set_disabled("operator", key.id, disabled=True)

    assert [[(each.id, each.revision) for each in changed_since(services, revision)] for revision in (0, 2, 3)] == [
        [(second.id, 2), (key.id, 3)],
        [(key.id, 3)],
        [],
    ]


def test_last_use_moves_forward_only_and_is_no_change(services: Services, key: NewKey) -> None:
    later = START + timedelta(minutes=5)
    services.keys.touch_last_used({key.id: later, KeyId("key-9"): later})
    services.keys.touch_last_used({key.id: START})
    services.keys.touch_last_used({})

    assert [(each.last_used_at, each.revision) for each in services.keys.every()] == [(later, 1)]


def test_a_record_hides_its_digest_from_print(services: Services, key: NewKey) -> None:
    [record] = services.keys.every()

    assert repr(record) == f"KeyRecord(id='key-1', account_id='acc-1', name='bootstrap', prefix={record.prefix!r})"


def test_a_failing_change_takes_nothing_with_it(services: Services, key: NewKey, tmp_path: Path) -> None:
    """The successor and its predecessor change together or not at all."""
    raw = sqlite3.connect(tmp_path / "qwenport.db")
    raw.execute("CREATE TRIGGER t BEFORE UPDATE ON api_keys BEGIN SELECT RAISE(ABORT, 'no'); END")
    raw.commit()
    raw.close()
    before = changed_since(services, 0)

    with pytest.raises(StorageUnavailable, match="refused a statement"):
        services.keys.rotate("operator", key.id, timedelta(hours=1))

    assert changed_since(services, 0) == before


def test_a_key_carries_hours_rotation_and_bodies(services: Services, key: NewKey) -> None:
    bodies = BodyKeeping(most_bytes=4096, days=7)
    made = services.keys.create("operator", CreateKey(hours=HOURS, rotate_after_days=90, bodies=bodies))

    stored = services.keys.find(made.id)

    assert (stored.hours, stored.rotate_after_days, stored.bodies) == (HOURS, 90, bodies)


def test_limits_asked_for_with_a_key_are_made_with_it(services: Services, key: NewKey) -> None:
    wish = KeyLimits(
        requests_per_minute=60, tokens_per_minute=1000, concurrency=2, daily_requests=0, monthly_spend="5.00"
    )
    made = services.keys.create("operator", CreateKey(limits=wish))

    place: dict[str, Any] = {"account_id": AccountId("acc-1"), "workspace_id": WorkspaceId("ws-1"), "key_id": made.id}
    assert [each.limit for each in services.limits.every()] == [
        Limit(id=LimitId("lim-n1"), unit=Unit.REQUESTS, window=Window.MINUTE, cap=60, **place),
        Limit(id=LimitId("lim-n2"), unit=Unit.TOTAL_TOKENS, window=Window.MINUTE, cap=1000, **place),
        Limit(id=LimitId("lim-n3"), unit=Unit.REQUESTS, window=Window.AT_ONCE, cap=2, **place),
        Limit(id=LimitId("lim-n4"), unit=Unit.REQUESTS, window=Window.DAY, cap=0, **place),
        Limit(id=LimitId("lim-n5"), unit=Unit.MONEY, window=Window.MONTH, cap=5 * 10**9, currency="CNY", **place),
    ]


def test_a_limit_that_cannot_be_makes_no_key(services: Services, key: NewKey) -> None:
    with pytest.raises(SettingInvalid, match="'-1' is no amount"):
        services.keys.create("operator", CreateKey(limits=KeyLimits(requests_per_minute=1, monthly_spend="-1")))

    assert (states(services), services.limits.every()) == ([("key-1", False, False)], [])


def test_a_key_belongs_to_the_workspace_it_names(services: Services, key: NewKey) -> None:
    customer = services.customer()
    workspace = services.workspaces.create("operator", customer.id, "team")
    made = services.keys.create("operator", CreateKey(workspace_id=workspace.id))

    assert [(each.id, each.account_id) for each in services.keys.every(KeyFilter(workspace_id=workspace.id))] == [
        (made.id, customer.id)
    ]
    with pytest.raises(WorkspaceNotFound):
        services.keys.create("operator", CreateKey(account_id=AccountId("acc-1"), workspace_id=workspace.id))


def test_a_closed_account_gets_no_keys_and_keeps_those_it_has_from_being_rotated(services: Services) -> None:
    customer = services.customer()
    made = services.keys.create("operator", CreateKey(account_id=customer.id))
    services.accounts.close("operator", customer.id)

    with pytest.raises(Conflict, match="is closed for good"):
        services.keys.create("operator", CreateKey(account_id=customer.id))
    with pytest.raises(Conflict, match="is closed for good"):
        services.keys.rotate("operator", made.id, timedelta(0))


def test_a_change_touches_only_what_it_names_and_none_clears(services: Services, key: NewKey) -> None:
    made = services.keys.create(
        "operator",
        CreateKey(
            name="CI",
            expires_at=START + timedelta(days=1),
            models=("m",),
            ip_ranges=("10.0.0.0/8",),
            hours=HOURS,
            rotate_after_days=3,
            bodies=BodyKeeping(most_bytes=1, days=1),
        ),
    )
    before = services.keys.find(made.id)

    renamed = services.keys.change("operator", made.id, ChangeKey(name="CD"))
    cleared = services.keys.change(
        "operator",
        made.id,
        ChangeKey(expires_at=None, models=(), ip_ranges=(), hours=None, rotate_after_days=None, bodies=None),
    )

    assert [renamed, cleared] == [
        structs.replace(before, name="CD", revision=before.revision + 1),
        structs.replace(
            before,
            name="CD",
            expires_at=None,
            models=(),
            ip_ranges=(),
            hours=None,
            rotate_after_days=None,
            bodies=None,
            revision=before.revision + 2,
        ),
    ]


def test_an_expired_key_can_be_renamed_and_given_more_time(services: Services, key: NewKey) -> None:
    made = services.keys.create("operator", CreateKey(expires_at=START + timedelta(hours=1)))
    services.clock.advance(7200)

    services.keys.change("operator", made.id, ChangeKey(name="old"))
    later = services.keys.change("operator", made.id, ChangeKey(expires_at=START + timedelta(hours=3)))

    assert (later.name, later.expires_at) == ("old", START + timedelta(hours=3))
    with pytest.raises(SettingInvalid, match="is not in the future"):
        services.keys.change("operator", made.id, ChangeKey(expires_at=START))


def test_a_change_that_changes_nothing_is_none(services: Services, key: NewKey) -> None:
    before, audited = services.keys.find(key.id), services.audited()

    assert services.keys.change("operator", key.id, ChangeKey(name="bootstrap")) == before
    assert services.audited() == audited


def test_a_key_that_replaces_another_one_is_bound_by_the_same_limits(services: Services, key: NewKey) -> None:
    old = services.keys.create("operator", CreateKey(limits=KeyLimits(requests_per_minute=60)))
    new = services.keys.rotate("operator", old.id, timedelta(hours=1))

    caps = [(each.limit.key_id, each.limit.cap) for each in services.limits.every()]
    assert caps == [(old.id, 60), (new.id, 60)]


def test_a_deleted_key_takes_its_limits_with_it(services: Services, key: NewKey) -> None:
    services.limits.create("operator", CreateLimit(unit="requests", window="day", cap=9))
    made = services.keys.create("operator", CreateKey(limits=KeyLimits(requests_per_minute=60)))
    services.keys.delete("operator", made.id)

    assert [each.limit.cap for each in services.limits.every(LimitFilter())] == [9]


def test_keys_are_listed_a_page_at_a_time(services: Services, key: NewKey) -> None:
    made = []
    for _ in range(3):
        services.clock.advance(1)
        made.append(services.keys.create("operator", CreateKey()).id)
    services.keys.set_disabled("operator", made[1], disabled=True)

    pages = [
        [each.id for each in services.keys.every(wanted)]
        for wanted in (
            KeyFilter(limit=2),
            KeyFilter(after=made[0], limit=2),
            KeyFilter(after=made[2]),
            KeyFilter(after=KeyId("key-%")),
            KeyFilter(disabled=True),
            KeyFilter(account_id=AccountId("acc-_")),
        )
    ]

    assert pages == [[key.id, made[0]], [made[1], made[2]], [], [], [made[1]], []]


@pytest.mark.parametrize("wanted", [KeyFilter(limit=0), KeyFilter(account_id=AccountId("\x00"))])
def test_a_filter_that_cannot_be_is_refused(services: Services, wanted: KeyFilter) -> None:
    with pytest.raises(SettingInvalid):
        services.keys.every(wanted)


def test_keys_that_are_too_old_are_reminded_of_until_they_are_rotated(services: Services, key: NewKey) -> None:
    made = services.keys.create("operator", CreateKey(rotate_after_days=90))
    reminded = []
    for days in (89, 1, 0):
        services.clock.advance(days * 86_400)
        if days == 0:
            services.keys.rotate("operator", made.id, timedelta(days=1))
        reminded.append([each.id for each in services.keys.reminders()])

    assert reminded == [[], [made.id], []]


def test_keys_that_stand_in_public_texts_are_switched_off(services: Services, key: NewKey) -> None:
    secrets = [services.keys.create("operator", CreateKey()) for _ in range(5)]
    texts = [made.key.reveal() for made in secrets]
    services.keys.delete("operator", secrets[4].id)

    revoked = services.keys.revoke_shown(
        "operator",
        [
            f"curl -H 'Authorization: Bearer {texts[0]}' …",
            f"KEY={texts[1]}_staging\nsk-{texts[2]}--{texts[0]}",
            f"\ud800 {texts[4]} sk-{'0' * 64} sk-short",
        ],
    )

    assert revoked == Revoked(ids=tuple(secrets[n].id for n in (0, 1, 2, 4)), unknown=2)
    assert [each.disabled for each in services.keys.every()] == [False, True, True, True, False]


def test_a_key_that_is_shown_in_two_ways_is_revoked_once(services: Services, key: NewKey) -> None:
    text = key.key.reveal()

    services.keys.revoke_shown("operator", [f"{text}_one {text}-two"])

    changes = services.audit.every(AuditFilter(action="key.revoke"))
    assert [change.object_id for change in changes] == [key.id]


def test_nobody_keeps_the_books_waiting_with_texts_full_of_what_looks_like_keys(services: Services) -> None:
    many = [f"sk-{number:032x}" for number in range(MOST_SHOWN + 1)]

    assert services.keys.revoke_shown("operator", ["\n".join(many[1:])]).unknown == MOST_SHOWN
    with pytest.raises(SettingInvalid, match="more than 10000 things here look like a key"):
        services.keys.revoke_shown("operator", many)


def test_keys_of_other_accounts_are_unknown_to_whoever_revokes_for_one(services: Services, key: NewKey) -> None:
    customer = services.customer()

    revoked = services.keys.revoke_shown("mem-1", [key.key.reveal()], account_id=customer.id)

    assert (revoked, services.keys.find(key.id).disabled) == (Revoked(ids=(), unknown=1), False)


@pytest.mark.parametrize("key_id", ["", "%", "key-_", "' OR 1=1 --", "\x00", "\ud800", "k" * 100_000])
def test_no_odd_id_is_that_of_a_key(services: Services, key: NewKey, key_id: str) -> None:
    with pytest.raises(KeyNotFound, match="no API key has the id"):
        services.keys.find(KeyId(key_id))
