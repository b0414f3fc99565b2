"""Which limits bind a call."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.caller import AccountTerms, Caller
from qwenport.core.ids import AccountId, KeyId, LimitId, WorkspaceId
from qwenport.core.limits import Dimension, Limit, Mode, Unit, Window
from qwenport.gate.limit_book import LimitBook

CALLER = Caller(
    key_id=KeyId("key-1"),
    account_id=AccountId("acc-1"),
    workspace_id=WorkspaceId("ws-1"),
    currency="CNY",
    terms=AccountTerms(level="small"),
)
PLAIN = Limit(id=LimitId("lim-1"), unit=Unit.REQUESTS, window=Window.MINUTE, cap=60)


def keys(limit: Limit, caller: Caller = CALLER, model: str = "qwen-plus") -> list[str]:
    return [bound.key for bound in LimitBook([limit]).fitting(caller, model)]


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"account_id": "acc-1"},
        {"workspace_id": "ws-1"},
        {"key_id": "key-1"},
        {"level": "small"},
        {"model": "qwen-plus"},
        {"account_id": "acc-1", "key_id": "key-1", "model": "qwen-plus", "level": "small"},
        {"unit": Unit.MONEY, "currency": "CNY"},
    ],
    ids=str,
)
def test_a_limit_binds_what_fits_all_that_it_names(named: dict[str, Any]) -> None:
    assert len(keys(replace(PLAIN, **named))) == 1


@pytest.mark.parametrize(
    "named",
    [
        {"account_id": "acc-2"},
        {"workspace_id": "ws-2"},
        {"key_id": "key-2"},
        {"level": "large"},
        {"model": "qwen-max"},
        {"account_id": "acc-1", "key_id": "key-2"},
        {"unit": Unit.MONEY, "currency": "USD"},
    ],
    ids=str,
)
def test_a_limit_does_not_bind_what_differs_in_one_thing(named: dict[str, Any]) -> None:
    assert keys(replace(PLAIN, **named)) == []


@pytest.mark.parametrize(
    ("per", "key"),
    [
        ((), "lim-1:requests:minute:"),
        ((Dimension.KEY,), "lim-1:requests:minute:key-1"),
        ((Dimension.MODEL, Dimension.ACCOUNT), "lim-1:requests:minute:acc-1/qwen-plus"),
        (tuple(Dimension), "lim-1:requests:minute:acc-1/ws-1/key-1/qwen-plus"),
    ],
)
def test_counters_are_told_apart_by_what_the_limit_says(per: tuple[Dimension, ...], key: str) -> None:
    assert keys(replace(PLAIN, per=per)) == [key]


def test_a_burst_is_a_counter_of_its_own_with_the_same_share_of_the_cap() -> None:
    [main, burst] = LimitBook([replace(PLAIN, cap=600, burst_ms=1000)]).fitting(CALLER, "qwen-plus")

    assert (main.cap, main.window_ms, main.is_burst) == (600, 60_000, False)
    assert (burst.cap, burst.window_ms, burst.is_burst) == (10, 900, True)


def test_counters_come_in_the_order_in_which_refusals_are_told() -> None:
    units = [Unit.MONEY, Unit.PAGES, Unit.IMAGES, Unit.TOTAL_TOKENS, Unit.REQUESTS]
    limits = [Limit(id=LimitId(unit), unit=unit, window=Window.HOUR, cap=1, currency="CNY") for unit in units]
    limits.append(Limit(id=LimitId("at_once"), unit=Unit.REQUESTS, window=Window.AT_ONCE, cap=1))
    limits.append(Limit(id=LimitId("burst"), unit=Unit.TOTAL_TOKENS, window=Window.MINUTE, cap=1, burst_ms=1000))
    found = [bound.key.split(":")[0] for bound in LimitBook(limits).fitting(CALLER, "qwen-plus")]

    assert found == ["requests", "burst", "at_once", "total_tokens", "burst", "images", "pages", "money"]


def test_a_change_of_limits_or_of_the_caller_is_in_force_at_once() -> None:
    book = LimitBook([replace(PLAIN, level="small")])
    first = book.fitting(CALLER, "qwen-plus")
    assert book.fitting(CALLER, "qwen-plus") is first
    raised = replace(CALLER, terms=AccountTerms(level="large"))
    assert book.fitting(raised, "qwen-plus") == ()
    book.replace([replace(PLAIN, mode=Mode.SHADOW)])

    assert [bound.is_shadow for bound in book.fitting(raised, "qwen-plus")] == [True]
