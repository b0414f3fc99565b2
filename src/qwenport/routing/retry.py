"""What may be tried again, after which pause, and what the caller hears when nothing helped."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from qwenport.core.call import Call, NativeInput
from qwenport.core.errors import (
    EngineFailed,
    EngineTimedOut,
    ModelUnavailable,
    Overloaded,
    QwenportError,
    UpstreamThrottled,
)
from qwenport.routing.lane import Lane
from qwenport.settings.configuration_file import RetryTable

RETRIED = (UpstreamThrottled, EngineFailed, EngineTimedOut, Overloaded, ModelUnavailable)
"""Errors after which another try may help; `UpstreamKeyRefused` is one of them by its class alone."""


LONGEST_WAIT_S = 60
"""For how long a call waits for one target that asked for time; whoever asked for more is not asked again."""


def may_have_made(error: QwenportError, call: Call) -> bool:
    """Tell whether a failed try may have made what nobody got, so that another one might make, and cost, it twice.

    A native service makes images, sounds and tasks; only what is known not to have been worked on is tried again: where
    nobody was reached, or the service itself said that it takes no more at present.
    """
    return isinstance(call.input, NativeInput) and isinstance(error, EngineFailed | EngineTimedOut)


def is_hopeless(error: QwenportError, lane: Lane) -> bool:
    """Tell whether the same target would only say the same again, or asked for more time than a call waits for it.

    What an engine of the house tells of itself stays.
    """
    if (asked_to_wait_s(error) or 0) > LONGEST_WAIT_S:
        return True
    if isinstance(error, EngineTimedOut | EngineFailed):
        return not error.passes
    return isinstance(error, ModelUnavailable) and (not error.passes or lane.is_of_the_house)


def asked_to_wait_s(error: QwenportError) -> float | None:
    """Return for how long the target itself asked not to be asked again; None where it did not."""
    if error.told_s is None and isinstance(error, UpstreamThrottled):
        return error.retry_after_s
    return error.told_s


def pause_s(rules: RetryTable, retries: int, chance: Random) -> float:
    """Return the pause before a retry, of which there were so many: exponential with full jitter."""
    return chance.random() * min(rules.longest_pause_s, rules.first_pause_s * 2.0**retries)


def final_error(errors: Sequence[QwenportError]) -> QwenportError:
    """Return what the caller hears after these: the last of them, and when to come back where all were throttled."""
    last = errors[-1]
    if isinstance(last, UpstreamThrottled) and all(isinstance(error, UpstreamThrottled) for error in errors):
        told = [error.retry_after_s for error in errors if error.retry_after_s is not None]
        last.retry_after_s = max(1, min(told, default=1))
    return last
