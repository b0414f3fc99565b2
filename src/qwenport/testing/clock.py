"""A clock that moves only when told to, and identifiers that count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from qwenport.core.ids import AccountId, KeyId, RequestId


class FakeClock:
    """Starts at 2026-01-01 00:00 UTC and stands still until `advance`."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._monotonic = 1000.0

    def advance(self, seconds: float) -> None:
        """Move both clocks on."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock alone forward, or back, as an operator or a time server does."""
        self._now += timedelta(seconds=seconds)

    def now(self) -> datetime:
        """Return the present moment of this clock."""
        return self._now

    def timestamp(self) -> float:
        """Return `now` as seconds since 1970."""
        return self._now.timestamp()

    def monotonic(self) -> float:
        """Return this clock's monotonic seconds."""
        return self._monotonic


class CountingIds:
    """Identifiers 1, 2, 3 … of each kind."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def _next(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]

    def request_id(self) -> RequestId:
        """Return `00000000-0000-9000-8000-000000000001`, then …2, and so on."""
        return RequestId(f"00000000-0000-9000-8000-{self._next('request'):012d}")

    def key_id(self) -> KeyId:
        """Return `key-1`, `key-2` …."""
        return KeyId(f"key-{self._next('key')}")

    def account_id(self) -> AccountId:
        """Return `acc-1`, `acc-2` …."""
        return AccountId(f"acc-{self._next('account')}")

    def short_id(self, kind: str) -> str:
        """Return the kind and a number: `ws-1`, `ws-2` …."""
        return f"{kind}-{self._next(kind)}"
