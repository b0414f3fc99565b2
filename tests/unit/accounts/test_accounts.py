"""Keys as an operator makes and changes them, on a real database file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qwenport.accounts import (
    AccountNotFound,
    AccountRecord,
    Accounts,
    CreateKey,
    KeyNotFound,
    KeyRecord,
    KeySettingInvalid,
    NewKey,
    hash_key,
)
from qwenport.core.errors import StorageUnavailable
from qwenport.core.ids import AccountId, KeyId
from qwenport.storage.database import Database
from qwenport.testing.clock import CountingIds, FakeClock

START = datetime(2026, 1, 1, tzinfo=UTC)
CHOSEN = "sk-chosen_by-the-operator-0123"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "qwenport.db") as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def accounts(database: Database, clock: FakeClock) -> Accounts:
    return Accounts(database, clock, CountingIds())


@pytest.fixture
def key(accounts: Accounts) -> NewKey:
    made = accounts.bootstrap(None)
    assert made is not None
    return made


def states(accounts: Accounts) -> list[tuple[str, bool, bool]]:
    return [(key.id, key.disabled, key.deleted) for key in accounts.changed_since(0)]


def test_first_start_makes_the_admin_account_and_one_key(accounts: Accounts, key: NewKey) -> None:
    secret = key.key.reveal()

    assert accounts.list_accounts() == [
        AccountRecord(
            id=AccountId("acc-1"),
            email="admin@localhost",
            name="admin",
            kind="metered",
            currency="CNY",
            created_at=START,
        )
    ]
    assert accounts.list_keys() == [
        KeyRecord(
            id=KeyId("key-1"),
            account_id=AccountId("acc-1"),
            currency="CNY",
            name="bootstrap",
            description="",
            digest=hash_key(secret),
            prefix=f"{secret[:7]}...{secret[-4:]}",
            created_at=START,
            expires_at=None,
            disabled=False,
            deleted=False,
            last_used_at=None,
            models=(),
            ip_ranges=(),
            rotates_to=None,
            revision=1,
        )
    ]


def test_later_starts_make_nothing(accounts: Accounts, key: NewKey) -> None:
    assert accounts.bootstrap(None) is None
    assert states(accounts) == [("key-1", False, False)]


def test_a_start_without_keys_but_with_an_account_makes_nothing(accounts: Accounts, key: NewKey) -> None:
    accounts.delete_key(key.id)

    assert accounts.bootstrap(None) is None
    assert accounts.list_keys() == []


def test_a_chosen_key_is_made_once_and_never_returned(accounts: Accounts) -> None:
    assert [accounts.bootstrap(CHOSEN), accounts.bootstrap(CHOSEN), accounts.bootstrap(None)] == [None, None, None]
    assert [(each.name, each.digest, each.prefix) for each in accounts.list_keys()] == [
        ("bootstrap", hash_key(CHOSEN), "sk-ch...23")
    ]


def test_the_admin_account_takes_the_email_of_the_first_start(accounts: Accounts) -> None:
    accounts.bootstrap(CHOSEN, email="lead@example.com")
    accounts.bootstrap(CHOSEN, email="other@example.com")

    assert [account.email for account in accounts.list_accounts()] == ["lead@example.com"]


def test_a_chosen_key_is_added_to_the_account_of_an_earlier_start(accounts: Accounts, key: NewKey) -> None:
    assert accounts.bootstrap(CHOSEN) is None
    assert [(each.id, each.account_id) for each in accounts.list_keys()] == [("key-1", "acc-1"), ("key-2", "acc-1")]


@pytest.mark.parametrize("state", ["deleted", "disabled"])
def test_a_chosen_key_that_was_switched_off_stays_so_and_the_log_says_it(
    accounts: Accounts, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    accounts.bootstrap(CHOSEN)
    if state == "deleted":
        accounts.delete_key(KeyId("key-1"))
    else:
        accounts.set_disabled(KeyId("key-1"), disabled=True)
    before = accounts.changed_since(0)

    with caplog.at_level(logging.WARNING):
        assert accounts.bootstrap(CHOSEN) is None

    assert accounts.changed_since(0) == before
    assert caplog.messages == [f"the bootstrap API key was {state} as `key-1` and stays so; choose another one"]


def test_a_chosen_key_of_the_wrong_form_leaves_no_account_behind(accounts: Accounts) -> None:
    with pytest.raises(KeySettingInvalid):
        accounts.bootstrap("sk-short")

    assert accounts.list_accounts() == []


def test_the_key_itself_is_nowhere_in_the_files(accounts: Accounts, key: NewKey, tmp_path: Path) -> None:
    accounts.bootstrap(CHOSEN)
    contents = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert hash_key(CHOSEN).encode() in contents
    assert [secret in contents for secret in (CHOSEN.encode(), key.key.reveal().encode())] == [False, False]


def test_a_new_key_has_the_settings_asked_for(accounts: Accounts, key: NewKey, clock: FakeClock) -> None:
    clock.advance(0.25)
    expires_at = START + timedelta(days=1)

    made = accounts.create_key(
        CreateKey(
            name="CI", description="nightly", expires_at=expires_at, models=("qwen-max",), ip_ranges=("10.0.0.0/8",)
        )
    )

    assert accounts.changed_since(1) == [
        KeyRecord(
            id=made.id,
            account_id=AccountId("acc-1"),
            currency="CNY",
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
            rotates_to=None,
            revision=2,
        )
    ]


def test_texts_are_stored_as_they_are(accounts: Accounts, key: NewKey) -> None:
    name = "Robert'); DROP TABLE api_keys;-- % _ \\ \" 测试 🙂"
    made = accounts.create_key(CreateKey(name=name, models=('a"b', "c,d")))

    assert [(each.name, each.models) for each in accounts.list_keys() if each.id == made.id] == [(name, ('a"b', "c,d"))]


def test_a_key_for_an_unknown_account_is_refused(accounts: Accounts, key: NewKey) -> None:
    with pytest.raises(AccountNotFound, match="no account has the id `acc-9`; see `qwenport accounts list`"):
        accounts.create_key(CreateKey(account_id=AccountId("acc-9")))


def test_a_key_before_the_first_account_is_refused(accounts: Accounts) -> None:
    with pytest.raises(KeySettingInvalid, match="start the server once"):
        accounts.create_key(CreateKey())


def test_a_wish_that_cannot_be_makes_no_key(accounts: Accounts, key: NewKey) -> None:
    with pytest.raises(KeySettingInvalid):
        accounts.create_key(CreateKey(expires_at=START))

    assert states(accounts) == [("key-1", False, False)]


def test_a_key_is_switched_off_and_on(accounts: Accounts, key: NewKey) -> None:
    changes = [accounts.set_disabled(key.id, disabled=disabled) for disabled in (True, True, False)]

    assert [(change.disabled, change.revision) for change in changes] == [(True, 2), (True, 2), (False, 3)]


def test_a_deleted_key_leaves_the_list_but_not_the_changes(accounts: Accounts, key: NewKey) -> None:
    accounts.delete_key(key.id)

    assert accounts.list_keys() == []
    assert [(each.id, each.deleted, each.revision) for each in accounts.changed_since(1)] == [("key-1", True, 2)]


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("action", ["disable", "rotate", "delete"])
def test_an_unknown_or_deleted_key_is_not_found(accounts: Accounts, key: NewKey, action: str, deleted: bool) -> None:
    key_id = key.id if deleted else KeyId("key-9")
    if deleted:
        accounts.delete_key(key_id)
    before = accounts.changed_since(0)
    actions: dict[str, Callable[[], object]] = {
        "disable": lambda: accounts.set_disabled(key_id, disabled=True),
        "rotate": lambda: accounts.rotate(key_id, timedelta(0)),
        "delete": lambda: accounts.delete_key(key_id),
    }

    with pytest.raises(KeyNotFound) as refusal:
        actions[action]()

    assert str(refusal.value) == f"no API key has the id `{key_id}`; see `qwenport keys list`"
    assert accounts.changed_since(0) == before


def test_rotation_makes_a_like_key_and_lets_the_old_one_expire(accounts: Accounts, key: NewKey) -> None:
    old = accounts.create_key(
        CreateKey(name="CI", description="nightly", models=("qwen-max",), ip_ranges=("10.0.0.0/8",))
    )

    new = accounts.rotate(old.id, timedelta(hours=24))

    rows = {each.id: each for each in accounts.list_keys()}
    settings = [
        (each.account_id, each.name, each.description, each.models, each.ip_ranges)
        for each in (rows[old.id], rows[new.id])
    ]
    assert settings[0] == settings[1]
    assert (rows[old.id].expires_at, rows[old.id].rotates_to) == (START + timedelta(hours=24), new.id)
    assert (rows[new.id].expires_at, rows[new.id].rotates_to) == (None, None)
    assert rows[new.id].digest == hash_key(new.key.reveal()) != rows[old.id].digest
    assert [each.id for each in accounts.changed_since(2)] == [new.id, old.id]


@pytest.mark.parametrize(("overlap_h", "ends_after_h"), [(1, 1), (48, 10)])
def test_rotation_does_not_lengthen_a_life(accounts: Accounts, key: NewKey, overlap_h: int, ends_after_h: int) -> None:
    old = accounts.create_key(CreateKey(expires_at=START + timedelta(hours=10)))

    new = accounts.rotate(old.id, timedelta(hours=overlap_h))

    expiries = {each.id: each.expires_at for each in accounts.list_keys()}
    assert (expiries[old.id], expiries[new.id]) == (
        START + timedelta(hours=ends_after_h),
        START + timedelta(hours=10),
    )


def test_a_key_is_rotated_once(accounts: Accounts, key: NewKey) -> None:
    accounts.rotate(key.id, timedelta(hours=1))

    with pytest.raises(KeySettingInvalid, match="was rotated already; rotate its successor `key-2`"):
        accounts.rotate(key.id, timedelta(hours=1))


def test_a_disabled_key_is_not_rotated(accounts: Accounts, key: NewKey) -> None:
    accounts.set_disabled(key.id, disabled=True)

    with pytest.raises(KeySettingInvalid, match="is disabled"):
        accounts.rotate(key.id, timedelta(hours=1))


def test_an_expired_key_is_not_rotated(accounts: Accounts, key: NewKey, clock: FakeClock) -> None:
    old = accounts.create_key(CreateKey(expires_at=START + timedelta(hours=1)))
    clock.advance(3600)

    with pytest.raises(KeySettingInvalid, match="expired at `2026-01-01T01:00:00"):
        accounts.rotate(old.id, timedelta(hours=1))


@pytest.mark.parametrize(("overlap", "words"), [(timedelta(seconds=-1), "negative"), (timedelta.max, "shorter")])
def test_an_overlap_that_cannot_be_is_refused(accounts: Accounts, key: NewKey, overlap: timedelta, words: str) -> None:
    with pytest.raises(KeySettingInvalid, match=words):
        accounts.rotate(key.id, overlap)


def test_changes_come_in_their_order_and_only_the_later_ones(accounts: Accounts, key: NewKey) -> None:
    second = accounts.create_key(CreateKey(name="second"))
    accounts.set_disabled(key.id, disabled=True)

    assert [[(each.id, each.revision) for each in accounts.changed_since(revision)] for revision in (0, 2, 3)] == [
        [(second.id, 2), (key.id, 3)],
        [(key.id, 3)],
        [],
    ]


def test_last_use_moves_forward_only_and_is_no_change(accounts: Accounts, key: NewKey) -> None:
    later = START + timedelta(minutes=5)
    accounts.touch_last_used({key.id: later, KeyId("key-9"): later})
    accounts.touch_last_used({key.id: START})
    accounts.touch_last_used({})

    assert [(each.last_used_at, each.revision) for each in accounts.list_keys()] == [(later, 1)]


def test_a_record_hides_its_digest_from_print(accounts: Accounts, key: NewKey) -> None:
    [record] = accounts.list_keys()

    assert repr(record) == f"KeyRecord(id='key-1', account_id='acc-1', name='bootstrap', prefix={record.prefix!r})"


def test_a_failing_change_takes_nothing_with_it(accounts: Accounts, key: NewKey, tmp_path: Path) -> None:
    """The successor and its predecessor change together or not at all."""
    raw = sqlite3.connect(tmp_path / "qwenport.db")
    raw.execute("CREATE TRIGGER t BEFORE UPDATE ON api_keys BEGIN SELECT RAISE(ABORT, 'no'); END")
    raw.commit()
    raw.close()
    before = accounts.changed_since(0)

    with pytest.raises(StorageUnavailable, match="refused a statement"):
        accounts.rotate(key.id, timedelta(hours=1))

    assert accounts.changed_since(0) == before
