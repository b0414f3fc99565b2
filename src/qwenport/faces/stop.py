"""`stop`, alike on both faces: texts, or tokens of Qwen's vocabulary, at which an answer ends."""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.core.errors import ParameterInvalid

WireStop = str | list[str | int | list[int]]

_MOST = 64
_LONGEST = 1024
_GREATEST_TOKEN = 2**31 - 1

Stops = tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]
"""Texts, and sequences of tokens; the one or the other is empty."""


def read_stop(wire: WireStop | None) -> Stops:
    """Return where to stop: each number of a list is a token of its own, each list of numbers one sequence.

    Raises:
        ParameterInvalid: too many, too long, a mixture, or numbers that are no tokens.
    """
    given = [wire] if isinstance(wire, str) else wire or []
    if len(given) > _MOST:
        raise _refusal(f"The stop parameter may hold at most {_MOST} texts.")
    if len({type(item) for item in given}) > 1:
        raise _refusal(
            'The "stop" parameter must be of type "str", "list[str]", "list[int]", or "list[list[int]]", and all '
            "elements within the list must be of the same type."
        )
    texts = tuple(item for item in given if isinstance(item, str))
    if any(len(text) > _LONGEST for text in texts):
        raise _refusal(f"A stop text may be at most {_LONGEST} characters long.")
    tokens = tuple(_sequence(item) for item in given if not isinstance(item, str))
    return tuple(text for text in texts if text), tuple(sequence for sequence in tokens if sequence)


def _sequence(item: int | Sequence[int]) -> tuple[int, ...]:
    tokens = (item,) if isinstance(item, int) else tuple(item)
    if len(tokens) > _LONGEST:
        raise _refusal(f"A stop sequence may be at most {_LONGEST} token ids long.")
    if any(not 0 <= token <= _GREATEST_TOKEN for token in tokens):
        raise _refusal(f"The token ids of stop are numbers from 0 to {_GREATEST_TOKEN}.")
    return tokens


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="stop")
