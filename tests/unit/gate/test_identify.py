"""Whose key the headers show."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from ipaddress import ip_network

import pytest

from qwenport.accounts.key_ring import RingKey
from qwenport.core.caller import Caller
from qwenport.core.errors import KeyInvalid, KeyMissing
from qwenport.core.ids import AccountId, KeyId
from qwenport.gate.identify import Identify, shown_key
from qwenport.testing.clock import FakeClock

KEY = "sk-secret"
CALLER = Caller(key_id=KeyId("key-1"), account_id=AccountId("acc-1"), currency="CNY")


class OneKey:
    """A ring with one key."""

    def __init__(
        self, *, disabled: bool = False, expires_at: datetime | None = None, networks: tuple[str, ...] = ()
    ) -> None:
        self.key = RingKey(
            caller=CALLER,
            disabled=disabled,
            expires_at=expires_at,
            networks=tuple(ip_network(network) for network in networks),
        )
        self.uses: list[tuple[KeyId, datetime]] = []

    def find(self, digest: str) -> RingKey | None:
        return self.key if digest == hashlib.sha256(KEY.encode()).hexdigest() else None

    def note_use(self, key_id: KeyId, at: datetime) -> None:
        self.uses.append((key_id, at))


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
        Identify(OneKey(), FakeClock())(headers, None)


def test_a_known_key_is_its_caller_and_its_use_is_noted() -> None:
    ring, clock = OneKey(), FakeClock()

    assert Identify(ring, clock)({"x-api-key": KEY}, None) == CALLER
    assert ring.uses == [("key-1", clock.now())]


@pytest.mark.parametrize("shown", ["sk-other", "s\u00e9cret", "\udcff", "sk-secret\x00"])
def test_an_unknown_key_is_invalid_whatever_it_is_made_of(shown: str) -> None:
    ring = OneKey()
    with pytest.raises(KeyInvalid):
        Identify(ring, FakeClock())({"x-api-key": shown}, None)
    assert ring.uses == []


def test_a_disabled_key_is_invalid() -> None:
    with pytest.raises(KeyInvalid):
        Identify(OneKey(disabled=True), FakeClock())({"x-api-key": KEY}, None)


def test_a_key_is_invalid_from_the_moment_on_at_which_it_expires() -> None:
    clock = FakeClock()
    identify = Identify(OneKey(expires_at=clock.now() + timedelta(seconds=1)), clock)
    assert identify({"x-api-key": KEY}, None) == CALLER
    clock.advance(1)
    with pytest.raises(KeyInvalid):
        identify({"x-api-key": KEY}, None)


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"])
def test_a_key_may_be_used_from_its_networks(address: str) -> None:
    ring = OneKey(networks=("192.0.2.0/24", "2001:db8::/32"))

    assert Identify(ring, FakeClock())({"x-api-key": KEY}, address) == CALLER


@pytest.mark.parametrize("address", ["192.0.3.7", "::ffff:192.0.3.7", "2001:db9::1", "no address", None])
def test_a_key_is_invalid_from_elsewhere(address: str | None) -> None:
    ring = OneKey(networks=("192.0.2.0/24", "2001:db8::/32"))
    with pytest.raises(KeyInvalid):
        Identify(ring, FakeClock())({"x-api-key": KEY}, address)
