"""The events of one answer: several choices, log probabilities, how its tokens are told, and an answer of nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from qwenport.core.errors import EngineFailed
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Reasoning,
    Started,
    TokenLogprob,
    ToolCallDelta,
    TopToken,
)
from qwenport.core.usage import Usage, UsageSource
from qwenport.engines.upstream.answer import Answer, Expected
from qwenport.engines.upstream.errors import Asked

ASKED = Asked(target="up/m", upstream="up", max_input_tokens=100)
Json = dict[str, object]


def answer(*bodies: Json, is_whole: bool = False, **more: object) -> list[Event]:
    """Return the events of an answer that comes in these pieces."""
    expected = msgspec.structs.replace(Expected(asked=ASKED, input_tokens=5, new_call_id=lambda: "call_1"), **more)
    made = Answer(expected)
    events = [event for body in bodies for event in made.events_of(msgspec.json.encode(body), is_whole=is_whole)]
    return [*events, *made.finish()]


def piece(text: str = "", *, index: int = 0, reason: str | None = None, **more: object) -> Json:
    return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": reason, **more}]}


def usage(into: object, out: object, **more: object) -> Json:
    return {"usage": {"prompt_tokens": into, "completion_tokens": out, "total_tokens": 0, **more}}


def tokens_of(events: Iterable[Event]) -> list[int]:
    return [each.tokens for each in events if isinstance(each, Delta | Reasoning | ToolCallDelta | ChoiceFinished)]


def test_choices_end_for_reasons_of_their_own_and_one_usage_counts_them_all() -> None:
    pieces = [piece("a"), piece("b", index=1), piece(reason="length", index=1), piece("c", reason="stop"), usage(7, 6)]

    assert answer(*pieces, choices=2) == [
        Started(served_by="up/m", input_tokens=5),
        Delta(text="a"),
        Delta(text="b", choice=1),
        Delta(text="c"),
        ChoiceFinished(reason=FinishReason.STOP),
        ChoiceFinished(reason=FinishReason.LENGTH, choice=1, tokens=3),
        Finished(usage=Usage(input_tokens=7, output_tokens=6)),
    ]


def test_counts_beside_a_choice_are_those_of_that_choice_where_the_server_means_it_so() -> None:
    pieces = [
        piece("a") | usage(7, 2),
        piece("b", index=1) | usage(7, 3),
        piece("c", reason="stop") | usage(7, 4),
        piece(index=1, reason="stop") | usage(7, 4),
        usage(7, 8),
    ]

    told = answer(*pieces, choices=2, counts_each_choice=True)

    assert told[0] == Started(served_by="up/m", input_tokens=5)
    assert tokens_of(told) == [2, 3, 2, 0, 1]
    assert told[-1] == Finished(usage=Usage(input_tokens=7, output_tokens=8))


def test_usages_that_end_each_choice_are_added() -> None:
    pieces = [piece("a", reason="stop"), usage(7, 3), piece("b", index=1, reason="stop"), usage(7, 4)]

    told = answer(*pieces, choices=2, ends_each_choice=True)

    assert told[-1] == Finished(usage=Usage(input_tokens=7, output_tokens=7))


def test_a_choice_that_never_ends_is_no_answer() -> None:
    with pytest.raises(EngineFailed, match="broke off in the middle"):
        answer(piece("a", reason="stop"), choices=2)


@pytest.mark.parametrize("pieces", [[piece(reason="stop"), usage(7, 1)], [piece("", reason="stop") | usage(7, 1)]])
def test_an_answer_of_nothing_begins_and_ends(pieces: list[Json]) -> None:
    assert answer(*pieces) == [
        Started(served_by="up/m", input_tokens=7),
        ChoiceFinished(reason=FinishReason.STOP, tokens=1),
        Finished(usage=Usage(input_tokens=7, output_tokens=1)),
    ]


def whole(message: Json, told: Json) -> Json:
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **told}


LONG = "word " * 8
CALL = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}


@pytest.mark.parametrize(
    ("message", "out", "split"),
    [
        ({"content": LONG}, 9, [9, 0]),
        ({"content": LONG}, 30, [10, 20]),
        ({"content": LONG}, 1, [1, 0]),
        ({"content": LONG, "reasoning_content": LONG}, 15, [10, 5, 0]),
        ({"content": LONG, "reasoning_content": LONG}, 4, [4, 0, 0]),
        ({"content": "a", **CALL}, 9, [1, 1, 7]),
        ({"content": None}, 2, [2]),
    ],
)
def test_the_tokens_of_a_whole_answer_are_split_and_are_as_many_as_the_upstream_says(
    message: Json, out: int, split: list[int]
) -> None:
    told = answer(whole(message, usage(7, out)), is_whole=True)

    assert tokens_of(told) == split
    assert sum(split) == out
    assert isinstance(told[-1], Finished)
    assert (told[-1].usage.output_tokens, told[-1].usage.source) == (out, UsageSource.ENGINE)


def test_a_whole_answer_without_a_usage_is_counted_by_its_text() -> None:
    told = answer(whole({"content": LONG}, {}), is_whole=True)

    assert told[-1] == Finished(usage=Usage(input_tokens=5, output_tokens=10, source=UsageSource.COUNTED))


@pytest.mark.parametrize("out", [-1, 0, 10**12, "7", None, 1.5, True, {}, []])
def test_a_count_of_tokens_that_cannot_be_true_is_not_believed(out: object) -> None:
    for told in (
        answer(piece("a"), piece(reason="stop"), usage(7, out)),
        answer(whole({"content": "a"}, usage(7, out)), is_whole=True),
    ):
        assert sum(tokens_of(told)) == 1
        assert told[-1] == Finished(usage=Usage(input_tokens=7, output_tokens=1, source=UsageSource.COUNTED))


def test_more_tokens_of_the_cache_or_of_reasoning_than_there_are_cannot_be_true_either() -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 99}, "completion_tokens_details": {"reasoning_tokens": 99}}

    told = answer(piece("a", reason="stop"), usage(7, 3, **details))

    assert told[-1] == Finished(usage=Usage(input_tokens=7, output_tokens=3, cached_tokens=7, reasoning_tokens=3))


A = TokenLogprob(token="a", logprob=-0.5, bytes=(97,), top=(TopToken(token="a", logprob=-0.5, bytes=(97,)),))

ALONE = msgspec.structs.replace(A, top=())
IMPOSSIBLE = msgspec.structs.replace(ALONE, logprob=-9999.0)


def likely(*tokens: str) -> dict[str, Any]:
    top = [{"token": "a", "logprob": -0.5, "bytes": [97]}, {"token": "b", "logprob": None}]
    return {"logprobs": {"content": [{"token": token, "logprob": -0.5, "top_logprobs": top} for token in tokens]}}


def test_log_probabilities_come_with_their_text_and_as_many_alternatives_as_were_asked_for() -> None:
    told = answer(piece("a", **likely("a")), piece("aa", **likely("a", "a")), piece(reason="stop"), top_logprobs=1)

    assert [each.logprobs for each in told if isinstance(each, Delta)] == [(A,), (A, A)]


def test_log_probabilities_that_come_before_their_text_wait_for_it() -> None:
    told = answer(piece("", **likely("a")), piece("aa", **likely("a")), piece(reason="stop"), top_logprobs=1)

    assert [each.logprobs for each in told if isinstance(each, Delta)] == [(A, A)]


def test_log_probabilities_are_those_of_their_own_choice() -> None:
    pieces = [piece("", **likely("a")), piece("b", index=1), piece("a"), piece(reason="stop")]

    told = answer(*pieces, piece(index=1, reason="stop"), choices=2, top_logprobs=1)

    assert [(each.choice, each.logprobs) for each in told if isinstance(each, Delta)] == [(1, ()), (0, (A,))]


def test_log_probabilities_of_a_tool_call_are_not_those_of_the_text_after_it() -> None:
    call: Json = {"choices": [{"index": 0, "delta": CALL, **likely("b")}]}

    told = answer(call, piece("a", **likely("a")), piece(reason="stop"), top_logprobs=1)

    assert [each.logprobs for each in told if isinstance(each, Delta)] == [(A,)]


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5, "b": -1.0}]}, A),
        ({"tokens": ["a"], "token_logprobs": [None], "top_logprobs": None}, IMPOSSIBLE),
        ({"tokens": ["a"], "token_logprobs": [], "top_logprobs": [None]}, IMPOSSIBLE),
        ({"tokens": ["a"], "token_logprobs": [-0.5, -1.0], "top_logprobs": []}, ALONE),
    ],
)
def test_the_lists_of_completions_are_read_however_long_each_is(lists: Json, expected: TokenLogprob) -> None:
    said: Json = {"choices": [{"index": 0, "text": "a", "finish_reason": "stop", "logprobs": lists}]}

    told = answer(said, top_logprobs=1)

    assert [each.logprobs for each in told if isinstance(each, Delta)] == [(expected,)]
