"""A limit is data: what is counted, over which time, for whom, how much of it, and what happens beyond."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.core.ids import AccountId, KeyId, LimitId, WorkspaceId


class Unit(StrEnum):
    """What a limit counts."""

    REQUESTS = "requests"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    TOTAL_TOKENS = "total_tokens"
    IMAGES = "images"
    PAGES = "pages"
    MONEY = "money"
    """Nano-units of the limit's currency."""


class Window(StrEnum):
    """The time over which is counted.

    Seconds, minutes and hours slide: in any such time at most the cap passes. Days and months are those of the
    calendar in the server's time zone.
    """

    AT_ONCE = "at_once"
    """Calls that run at the same time; goes with requests alone."""
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Mode(StrEnum):
    """What happens to a call beyond the cap."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    """It passes, and is counted as one that would have been refused."""


class Dimension(StrEnum):
    """By what a limit's counters are told apart."""

    ACCOUNT = "account"
    WORKSPACE = "workspace"
    KEY = "key"
    MODEL = "model"


class Limit(Struct, frozen=True, kw_only=True):
    """One limit. It binds the calls that fit everything it names; what it leaves empty fits all."""

    id: LimitId
    unit: Unit
    window: Window
    cap: int
    """How much passes; 0 lets nothing pass. Money in nano-units."""
    mode: Mode = Mode.ENFORCE
    name: str = ""
    currency: str = ""
    """Of money alone: the limit binds accounts of this currency."""
    burst_ms: int | None = None
    """Shorter time, in milliseconds, over which only the same share of the cap passes, at least one unit."""
    level: str = ""
    """Accounts of this level."""
    account_id: AccountId | None = None
    workspace_id: WorkspaceId | None = None
    key_id: KeyId | None = None
    model: str = ""
    per: tuple[Dimension, ...] = ()
    """Each value of these has a counter of its own; empty for one counter for all calls that fit."""
    version: int = 1
    """Grows with every change, so that of two who change it at once the second is told."""
