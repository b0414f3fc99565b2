"""Accounts by chance: what is paid out or in, and the balance after each movement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from qwenport.evaluation.rendering.amounts import grouped
from qwenport.evaluation.rendering.made_up import MadeUp


class Movement(NamedTuple):
    """One row of a statement; of the amounts one is blank."""

    day: date
    text: str
    paid_out: str
    paid_in: str
    balance: str
    """After it."""


class Account:
    """An account with a balance on a day, by chance."""

    def __init__(self, made: MadeUp) -> None:
        self._made = made
        self.day = made.day()
        """Of the last movement."""
        self._cents = made.cents(10, 90) * 10_000

    @property
    def balance(self) -> str:
        """As printed."""
        return grouped(self._cents)

    def move(self, later: range, out: Sequence[str], into: Sequence[str]) -> Movement:
        """The next movement, so many days later: paid out for one of `out`, or paid in as one of `into`."""
        amount, is_credit = self._made.cents(500, 90_000), self._made.chance.random() < 0.5
        self._cents += amount if is_credit else -amount
        self.day += timedelta(days=self._made.chance.choice(later))
        return Movement(
            day=self.day,
            text=self._made.pick(*(into if is_credit else out)),
            paid_out="" if is_credit else grouped(amount),
            paid_in=grouped(amount) if is_credit else "",
            balance=self.balance,
        )
