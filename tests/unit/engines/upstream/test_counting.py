"""Tokens that are counted by the text are never more than the upstream was allowed."""

from __future__ import annotations

import pytest

from qwenport.core.call import ChatInput, Sampling
from qwenport.core.content import Message, Role
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.upstream.counting import NO_BOUND, TokenCount, most_output_tokens
from qwenport.testing.calls import call_of

LONG = "many letters in one piece"


def test_long_pieces_are_several_tokens_up_to_the_bound() -> None:
    free, bound = TokenCount(), TokenCount(8)

    assert [free.add(LONG, 0) for _ in range(3)] == [6, 6, 6]
    assert [bound.add(LONG, 0) for _ in range(3)] == [6, 2, 0]
    assert (free.counted, bound.counted) == (18, 8)


def test_what_an_upstream_says_is_believed_beyond_the_bound() -> None:
    count = TokenCount(8)

    assert (count.add(LONG, 20), count.counted) == (20, 20)


@pytest.mark.parametrize(
    ("asked", "sampling", "most"),
    [
        pytest.param({}, Sampling(max_tokens=16), 16, id="answer"),
        pytest.param({"thinking": True, "thinking_budget": 50}, Sampling(max_tokens=16), 66, id="reasoning beside it"),
        pytest.param(
            {"thinking": True, "thinking_budget": 50},
            Sampling(max_tokens=16, max_completion_tokens=16),
            16,
            id="reasoning within it",
        ),
        pytest.param({"thinking": True}, Sampling(max_tokens=16), NO_BOUND, id="reasoning without a bound"),
        pytest.param({}, Sampling(max_completion_tokens=9), 9, id="one bound alone"),
        pytest.param({}, Sampling(), NO_BOUND, id="no bound"),
    ],
)
def test_the_bound_of_a_choice_holds_its_reasoning(asked: dict[str, object], sampling: Sampling, most: int) -> None:
    question = ChatInput(messages=(Message(role=Role.USER, content="Hi"),), **asked)  # type: ignore[arg-type] # as named
    prepared = PreparedCall(call=call_of(question, sampling=sampling), max_input_tokens=100)

    assert most_output_tokens(prepared) == most
