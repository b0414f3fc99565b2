"""Whose key the headers show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.accounts.key_ring import KeyRing
from qwenport.accounts.keys import hash_key
from qwenport.core.caller import AccountState, AccountTerms, Caller
from qwenport.core.errors import KeyInvalid, KeyMissing, WorkspaceDenied
from qwenport.core.ids import AccountId, KeyId, WorkspaceId
from qwenport.gate.identify import Identify, shown_key
from qwenport.storage.records import AccountRecord, KeyHours, KeyRecord
from qwenport.testing.clock import FakeClock

KEY = "sk-secret"


ACCOUNT = AccountRecord(
    id=AccountId("acc-1"), email="a@example.com", name="", currency="CNY", created_at=FakeClock().now()
)
RECORD = KeyRecord(
    id=KeyId("key-1"),
    account_id=ACCOUNT.id,
    workspace_id=WorkspaceId("ws-1"),
    name="",
    description="",
    digest=hash_key(KEY),
    prefix="sk-",
    created_at=FakeClock().now(),
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
CALLER = Caller(key_id=RECORD.id, account_id=ACCOUNT.id, workspace_id=RECORD.workspace_id, currency="CNY")


def ring_of(**changes: Any) -> KeyRing:
    """Return a ring with one key."""
    ring = KeyRing()
    ring.update(accounts=[ACCOUNT], keys=[replace(RECORD, **changes)])
    return ring


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY} "},
        {"x-api-key": KEY},
        {"authorization": "Basic dXNlcjpwYXNz", "x-api-key": f" {KEY} "},
        {"authorization": f"Bearer {KEY}", "x-api-key": "another"},
    ],
)
def test_a_key_is_taken_from_either_header(headers: dict[str, str]) -> None:
    assert shown_key(headers) == KEY


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": f"Basic {KEY}"}, {"x": KEY}]
)
def test_without_a_key_nobody_calls(headers: dict[str, str]) -> None:
    with pytest.raises(KeyMissing):
        Identify(ring_of(), FakeClock())(headers, None)


def test_a_known_key_is_its_caller_and_its_use_is_noted() -> None:
    ring, clock = ring_of(), FakeClock()

    assert Identify(ring, clock)({"x-api-key": KEY}, None) == CALLER
    assert ring.take_uses() == {"key-1": clock.now()}


@pytest.mark.parametrize("shown", ["sk-other", "s\u00e9cret", "\udcff", "sk-secret\x00"])
def test_an_unknown_key_is_invalid_whatever_it_is_made_of(shown: str) -> None:
    ring = ring_of()
    with pytest.raises(KeyInvalid):
        Identify(ring, FakeClock())({"x-api-key": shown}, None)
    assert ring.take_uses() == {}


def test_a_disabled_key_is_invalid() -> None:
    with pytest.raises(KeyInvalid):
        Identify(ring_of(disabled=True), FakeClock())({"x-api-key": KEY}, None)


def test_a_key_is_invalid_from_the_moment_on_at_which_it_expires() -> None:
    clock = FakeClock()
    identify = Identify(ring_of(expires_at=clock.now() + timedelta(seconds=1)), clock)
    assert identify({"x-api-key": KEY}, None) == CALLER
    clock.advance(1)
    with pytest.raises(KeyInvalid):
        identify({"x-api-key": KEY}, None)


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"])
def test_a_key_may_be_used_from_its_networks(address: str) -> None:
    ring = ring_of(ip_ranges=("192.0.2.0/24", "2001:db8::/32"))

    assert Identify(ring, FakeClock())({"x-api-key": KEY}, address) == CALLER


@pytest.mark.parametrize("address", ["192.0.3.7", "::ffff:192.0.3.7", "2001:db9::1", "no address", None])
def test_a_key_is_invalid_from_elsewhere(address: str | None) -> None:
    ring = ring_of(ip_ranges=("192.0.2.0/24", "2001:db8::/32"))
    with pytest.raises(KeyInvalid):
        Identify(ring, FakeClock())({"x-api-key": KEY}, address)


@pytest.mark.parametrize("workspace", ["ws-1", " ws-1 ", ""])
def test_the_keys_own_workspace_may_be_named(workspace: str) -> None:
    headers = {"authorization": f"Bearer {KEY}", "x-dashscope-workspace": workspace}

    assert Identify(ring_of(), FakeClock())(headers, None) == CALLER


@pytest.mark.parametrize("workspace", ["ws-2", "acc-1", "ws-", "WS-1"])
def test_another_workspace_is_refused(workspace: str) -> None:
    headers = {"authorization": f"Bearer {KEY}", "x-dashscope-workspace": workspace}
    with pytest.raises(WorkspaceDenied):
        Identify(ring_of(), FakeClock())(headers, None)


def test_a_key_is_invalid_outside_of_its_hours() -> None:
    clock = FakeClock()
    hours = KeyHours(begin="08:00", end="18:00", timezone="Asia/Shanghai")
    identify = Identify(ring_of(hours=hours), clock)
    assert identify({"x-api-key": KEY}, None) == CALLER
    clock.advance(10 * 3600)
    with pytest.raises(KeyInvalid):
        identify({"x-api-key": KEY}, None)


def test_what_the_account_may_is_what_the_caller_may() -> None:
    ring, terms = ring_of(), AccountTerms(state=AccountState.SUSPENDED)
    ring.update(accounts=[replace(ACCOUNT, terms=terms)])

    assert Identify(ring, FakeClock())({"x-api-key": KEY}, None) == replace(CALLER, terms=terms)
