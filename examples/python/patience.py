"""Another try where it can help: after a pause with full jitter, and never for what a pause cannot change."""

import random
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

TRIES = 4
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
AGAIN = {408, 409, 429, 500, 502, 503, 504}
NEVER_AGAIN = (
    *("insufficient_quota", "AllocationQuota", "Arrearage", "CommodityNotPurchased", "BillOverdue"),
    "billing_error",  # Anthropic's word for the last three
)
"""Of the codes of a 429, those that say that the money or the quota is used up."""

T = TypeVar("T")


class Refusal(Exception):
    """What came instead of an answer; no status where nobody answered."""

    def __init__(
        self, message: str, status: int | None = None, code: str | None = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{message} (status {status}, code {code})" if status else message)
        self.status, self.code, self.headers = status, code or "", headers or {}

    @property
    def may_pass(self) -> bool:
        """Tell whether another try may succeed."""
        if self.headers.get("x-should-retry") == "false" or any(word in self.code for word in NEVER_AGAIN):
            return False
        return self.status is None or self.status in AGAIN

    def pause_s(self, number: int) -> float:
        """Return how long to wait after the try of this number: what the server told, and some jitter."""
        told = self.headers.get("retry-after", "")
        least = min(float(told), LONGEST_PAUSE_S) if told.isdigit() else 0.0
        return least + random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number))


def patiently(ask: Callable[[], T]) -> T:
    """Ask until there is an answer or no hope; a stream that has begun is not asked for again."""
    for number in range(1, TRIES + 1):
        try:
            return ask()
        except Refusal as refusal:
            if number == TRIES or not refusal.may_pass:
                raise
            time.sleep(refusal.pause_s(number))
    raise AssertionError(TRIES)
