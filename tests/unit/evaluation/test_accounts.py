"""Movements of made-up accounts."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from qwenport.evaluation.rendering.accounts import Account, Movement
from qwenport.evaluation.rendering.made_up import MadeUp


def _cents(printed: str) -> int:
    return int(printed.replace(",", "").replace(".", "") or "0")


def test_each_balance_is_the_one_before_it_and_what_was_paid_in_or_out() -> None:
    account = Account(MadeUp(Random(1)))
    before = account.balance
    for _ in range(20):
        movement = account.move(range(3), ("Rent", "Fee"), ("Salary", "Interest"))

        assert movement == Movement(account.day, movement.text, movement.paid_out, movement.paid_in, account.balance)
        assert bool(movement.paid_out) != bool(movement.paid_in)
        assert movement.text in (("Rent", "Fee") if movement.paid_out else ("Salary", "Interest"))
        assert _cents(movement.balance) == _cents(before) + _cents(movement.paid_in) - _cents(movement.paid_out)
        before = movement.balance


def test_movements_come_in_the_order_of_their_days() -> None:
    account = Account(MadeUp(Random(2)))
    days = [account.day, *(account.move(range(2, 4), ("Rent",), ("Salary",)).day for _ in range(20))]

    assert {(later - earlier).days for earlier, later in pairwise(days)} == {2, 3}
