"""What is left of the limits, in the header lines of the protocols that have such."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from qwenport.core.limit_standing import Standing
from qwenport.faces.anthropic import ANTHROPIC
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.openai import OPENAI
from qwenport.faces.openai.limit_headers import duration_text

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OVERDRAWN = Standing(is_requests=False, cap=10, left=-3, reset_s=0.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, b"0ms"),
        (0.0, b"0ms"),
        (0.02, b"20ms"),
        (0.9996, b"1s"),
        (1.0, b"1s"),
        (1.5, b"1.5s"),
        (59.9999, b"1m0s"),
        (61.25, b"1m1.25s"),
        (360.0, b"6m0s"),
        (3600.0, b"1h0m0s"),
        (90_061.0, b"25h1m1s"),
    ],
)
def test_times_are_written_as_the_service_writes_them(seconds: float, text: bytes) -> None:
    assert duration_text(seconds) == text


def test_what_is_overdrawn_is_told_as_nothing_left() -> None:
    assert OPENAI.limit_headers is not None
    assert OPENAI.limit_headers((OVERDRAWN,), NOW) == (
        (b"x-ratelimit-limit-tokens", b"10"),
        (b"x-ratelimit-remaining-tokens", b"0"),
        (b"x-ratelimit-reset-tokens", b"0ms"),
    )
    assert ANTHROPIC.limit_headers is not None
    assert ANTHROPIC.limit_headers((OVERDRAWN,), NOW) == (
        (b"anthropic-ratelimit-tokens-limit", b"10"),
        (b"anthropic-ratelimit-tokens-remaining", b"0"),
        (b"anthropic-ratelimit-tokens-reset", b"2026-01-01T00:00:00Z"),
    )


def test_the_native_protocol_has_no_such_lines() -> None:
    assert DASHSCOPE.limit_headers is None
