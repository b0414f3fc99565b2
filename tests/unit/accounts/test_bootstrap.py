"""The first start: the account of whoever runs the house, and its first key."""

from __future__ import annotations

import errno
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qwenport.accounts import AccountRecord, KeyRecord, NewKey, SettingInvalid, hash_key
from qwenport.core.caller import AccountKind, AccountTerms
from qwenport.core.ids import AccountId, KeyId, WorkspaceId
from qwenport.core.secret import Secret
from qwenport.testing.account_services import AccountServices as Services

START = datetime(2026, 1, 1, tzinfo=UTC)
CHOSEN = "sk-chosen_by-the-operator-0123"


@pytest.fixture
def key(services: Services) -> NewKey:
    made = services.accounts.bootstrap(None)
    assert made is not None
    return made


def test_first_start_makes_the_admin_account_and_one_key(services: Services, key: NewKey) -> None:
    secret = key.key.reveal()

    assert services.accounts.every() == [
        AccountRecord(
            id=AccountId("acc-1"),
            email="admin@localhost",
            name="admin",
            currency="CNY",
            created_at=START,
            terms=AccountTerms(kind=AccountKind.METERED),
            revision=1,
        )
    ]
    assert services.keys.every() == [
        KeyRecord(
            id=KeyId("key-1"),
            account_id=AccountId("acc-1"),
            workspace_id=WorkspaceId("ws-1"),
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
            hours=None,
            rotate_after_days=None,
            bodies=None,
            rotates_to=None,
            revision=1,
        )
    ]


def test_later_starts_make_nothing(services: Services, key: NewKey) -> None:
    assert services.accounts.bootstrap(None) is None
    assert [each.id for each in services.keys.every()] == ["key-1"]


def test_a_first_key_is_kept_before_the_books_hold_it(services: Services) -> None:
    kept: list[tuple[str, int]] = []
    made = services.accounts.bootstrap(
        None, keep=lambda key: kept.append((key.reveal(), len(services.accounts.every())))
    )

    assert made is not None
    assert kept == [(made.key.reveal(), 0)]


def test_a_first_key_that_cannot_be_kept_leaves_no_account_behind(services: Services) -> None:
    def full(_: Secret) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        services.accounts.bootstrap(None, keep=full)

    assert (services.accounts.every(), services.keys.every()) == ([], [])
    assert services.accounts.bootstrap(None) is not None


def test_a_start_without_keys_but_with_an_account_makes_nothing(services: Services, key: NewKey) -> None:
    services.keys.delete("operator", key.id)

    assert services.accounts.bootstrap(None) is None
    assert services.keys.every() == []


def test_a_chosen_key_is_made_once_and_never_returned(services: Services) -> None:
    assert [
        services.accounts.bootstrap(CHOSEN),
        services.accounts.bootstrap(CHOSEN),
        services.accounts.bootstrap(None),
    ] == [None, None, None]
    assert [(each.name, each.digest, each.prefix) for each in services.keys.every()] == [
        ("bootstrap", hash_key(CHOSEN), "sk-ch...23")
    ]


def test_the_admin_account_takes_the_email_of_the_first_start(services: Services) -> None:
    services.accounts.bootstrap(CHOSEN, email="lead@example.com")
    services.accounts.bootstrap(CHOSEN, email="other@example.com")

    assert [account.email for account in services.accounts.every()] == ["lead@example.com"]


def test_a_chosen_key_is_added_to_the_account_of_an_earlier_start(services: Services, key: NewKey) -> None:
    assert services.accounts.bootstrap(CHOSEN) is None
    assert [(each.id, each.account_id) for each in services.keys.every()] == [("key-1", "acc-1"), ("key-2", "acc-1")]


@pytest.mark.parametrize("state", ["deleted", "disabled"])
def test_a_chosen_key_that_was_switched_off_stays_so_and_the_log_says_it(
    services: Services, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    services.accounts.bootstrap(CHOSEN)
    if state == "deleted":
        services.keys.delete("operator", KeyId("key-1"))
    else:
        services.keys.set_disabled("operator", KeyId("key-1"), disabled=True)
    before = services.keys.every()

    with caplog.at_level(logging.WARNING):
        assert services.accounts.bootstrap(CHOSEN) is None

    assert services.keys.every() == before
    assert caplog.messages == [f"the bootstrap API key was {state} as `key-1` and stays so; choose another one"]


def test_a_chosen_key_of_the_wrong_form_leaves_no_account_behind(services: Services) -> None:
    with pytest.raises(SettingInvalid):
        services.accounts.bootstrap("sk-short")

    assert services.accounts.every() == []


def test_the_key_itself_is_nowhere_in_the_files(services: Services, key: NewKey, tmp_path: Path) -> None:
    services.accounts.bootstrap(CHOSEN)
    contents = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert hash_key(CHOSEN).encode() in contents
    assert [secret in contents for secret in (CHOSEN.encode(), key.key.reveal().encode())] == [False, False]
