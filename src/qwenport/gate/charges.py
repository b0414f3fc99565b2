"""What a call takes from which counters before it runs, and what it used of them in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from qwenport.core.ids import AccountId, GrantId
from qwenport.core.limit_standing import Standing
from qwenport.core.limits import Limit, Mode, Unit, Window
from qwenport.metering.records import Hold, billed_part

OUTPUT_TOKENS_HELD = 2048
"""Output that windows of an hour and less hold at most: few calls use what they may, and a minute is over soon."""

WINDOW_MS = {Window.SECOND: 1_000, Window.MINUTE: 60_000, Window.HOUR: 3_600_000}
"""Lengths of the windows that slide."""


class Kind(StrEnum):
    """How a counter forgets."""

    SLIDING = "sliding"
    CALENDAR = "calendar"
    AT_ONCE = "at_once"


class Consumed(Struct, frozen=True, kw_only=True, gc=False):
    """What a call consumed, in every unit that a limit counts."""

    requests: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    images: int = 0
    pages: int = 0
    cost_nanos: int = 0
    billed_percent: int = 100
    """Part of the tokens that a free quota pays, where one pays for the call."""

    @property
    def free_tokens(self) -> int:
        """Return what is taken from a free quota that pays for the call."""
        return billed_part(self.total_tokens, self.billed_percent)

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


class Bound(Struct, frozen=True, kw_only=True):
    """One counter of one limit, as it binds the calls of one key to one model."""

    key: str
    """Name of the counter; calls of other keys and models may share it."""
    limit: Limit
    kind: Kind
    window_ms: int = 0
    """Of a sliding counter."""
    cap: int
    is_burst: bool = False
    """Whether it is the shorter time of a limit; there a single call always passes."""
    rank: int
    """Of several that refuse a call the one of the lowest rank is told."""
    held: Callable[[Hold], int]
    used: Callable[[Consumed], int]
    is_requests: bool = False
    is_money: bool = False
    is_shadow: bool = False
    """Whether it only counts."""
    is_shown: bool = False
    """Whether callers are told what is left of it."""


class Charge(Struct, frozen=True, gc=False):
    """What one call takes from one counter."""

    bound: Bound
    amount: int


class Beyond(StrEnum):
    """What becomes of a call that no free quota covers."""

    PAID = "paid"
    """It is paid for, or not priced at all."""
    FREE_TIER_ONLY = "free_tier_only"
    """The account takes no paid calls."""
    NO_PRICE_AFTER_GRANT = "no_price_after_grant"
    """The model cannot be paid for, and its free quota is used up."""
    NO_PRICE = "no_price"
    """The model cannot be paid for."""


class FreeShare(Struct, frozen=True, kw_only=True, gc=False):
    """The free quota that may cover a call."""

    grant: GrantId
    model: str
    tokens: int
    """What was granted."""
    amount: int
    """What the call may use of it at most."""


class Funds(Struct, frozen=True, kw_only=True, gc=False):
    """Out of what a call is paid."""

    account_id: AccountId
    currency: str
    is_checked: bool
    """Whether the balance must cover what the call may cost."""
    cost_nanos: int
    """Upper bound; 0 where the call has no price."""
    free: FreeShare | None = None
    beyond: Beyond = Beyond.PAID


class Ask(Struct, frozen=True, kw_only=True, gc=False):
    """All that a call takes: every part of it, or nothing."""

    hold: Hold
    funds: Funds
    charges: tuple[Charge, ...] = ()
    """By rank."""


class Taken(Struct, frozen=True, kw_only=True, gc=False):
    """What a call has taken."""

    is_covered: bool
    """Whether a free quota pays for it."""
    standings: tuple[Standing, ...] = ()
    """Of the limits that bind the call."""


def charges_of(bounds: tuple[Bound, ...], hold: Hold) -> tuple[Charge, ...]:
    """Return what a call takes from the counters it fits."""
    return tuple([Charge(bound, bound.held(hold)) for bound in bounds])


def counters_of(limit: Limit, key: str) -> list[Bound]:
    """Return the counters of a limit whose calls are told apart by `key`: one, and another one for its burst."""
    name = f"{limit.id}:{limit.unit}:{limit.window}:{key}"
    held = _HELD[limit.unit]
    if limit.window in WINDOW_MS:
        held = _HELD_SHORTLY.get(limit.unit, held)
    kind = _KINDS.get(limit.window, Kind.SLIDING)
    is_shadow = limit.mode is Mode.SHADOW
    main = Bound(
        key=name,
        limit=limit,
        kind=kind,
        window_ms=WINDOW_MS.get(limit.window, 0),
        cap=limit.cap,
        rank=_AT_ONCE_RANK if limit.window is Window.AT_ONCE else _RANKS[limit.unit],
        held=held,
        used=_USED[limit.unit],
        is_requests=limit.unit is Unit.REQUESTS,
        is_money=limit.unit is Unit.MONEY,
        is_shadow=is_shadow,
        is_shown=not is_shadow and kind is not Kind.AT_ONCE and _RANKS[limit.unit] in _SHOWN,
    )
    return [main] if limit.burst_ms is None or main.kind is not Kind.SLIDING else [main, _burst(main, limit.burst_ms)]


def _burst(main: Bound, burst_ms: int) -> Bound:
    return replace(
        main,
        key=f"{main.key}:burst{burst_ms}",
        # A tenth less: a caller that keeps the pace exactly comes a little early now and then.
        window_ms=max(1, burst_ms * 9 // 10),
        cap=min(main.cap, max(1, main.cap * burst_ms // main.window_ms)),
        is_burst=True,
        is_shown=False,
        rank=_BURST_RANK,
    )


_KINDS = {Window.AT_ONCE: Kind.AT_ONCE, Window.DAY: Kind.CALENDAR, Window.MONTH: Kind.CALENDAR}

_BURST_RANK = 1
_AT_ONCE_RANK = 2
_RANKS: Mapping[Unit, int] = {
    Unit.REQUESTS: 0,
    Unit.INPUT_TOKENS: 3,
    Unit.OUTPUT_TOKENS: 3,
    Unit.TOTAL_TOKENS: 3,
    Unit.IMAGES: 4,
    Unit.PAGES: 5,
    Unit.MONEY: 6,
}
_SHOWN = frozenset({_RANKS[Unit.REQUESTS], _RANKS[Unit.TOTAL_TOKENS]})

_HELD: Mapping[Unit, Callable[[Hold], int]] = {
    Unit.REQUESTS: lambda _: 1,
    Unit.INPUT_TOKENS: lambda hold: hold.input_tokens,
    Unit.OUTPUT_TOKENS: lambda hold: hold.output_tokens,
    Unit.TOTAL_TOKENS: lambda hold: hold.input_tokens + hold.output_tokens,
    Unit.IMAGES: lambda hold: hold.images,
    Unit.PAGES: lambda hold: hold.pages,
    Unit.MONEY: lambda hold: hold.cost_nanos or 0,
}

_HELD_SHORTLY: Mapping[Unit, Callable[[Hold], int]] = {
    Unit.OUTPUT_TOKENS: lambda hold: min(hold.output_tokens, OUTPUT_TOKENS_HELD),
    Unit.TOTAL_TOKENS: lambda hold: hold.input_tokens + min(hold.output_tokens, OUTPUT_TOKENS_HELD),
}

_USED: Mapping[Unit, Callable[[Consumed], int]] = {
    Unit.REQUESTS: lambda used: used.requests,
    Unit.INPUT_TOKENS: lambda used: used.input_tokens,
    Unit.OUTPUT_TOKENS: lambda used: used.output_tokens,
    Unit.TOTAL_TOKENS: lambda used: used.total_tokens,
    Unit.IMAGES: lambda used: used.images,
    Unit.PAGES: lambda used: used.pages,
    Unit.MONEY: lambda used: used.cost_nanos,
}
