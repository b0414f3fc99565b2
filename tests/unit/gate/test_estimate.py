"""How much a call can consume at most."""

from __future__ import annotations

import pytest

from qwenport.core.call import AnyJson, Call, ChatInput, EmbeddingInput, PromptInput, RerankInput, Sampling
from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.content import ImagePart, Message, Role, TextPart
from qwenport.core.model_card import ModelCard
from qwenport.core.tools import Tool, ToolCall
from qwenport.gate.estimate import most_input_tokens, most_output_tokens
from qwenport.pipeline.prepare import complete
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.models import model_card


def card(default_output_tokens: int | None = None, **able: object) -> ModelCard:
    return model_card(
        context_tokens=4096,
        max_input_tokens=3000,
        max_output_tokens=1000,
        default_output_tokens=default_output_tokens,
        capabilities=Capabilities(**able),  # type: ignore[arg-type] # each has its own type
    )


def bounded(max_tokens: int, choices: int = 1) -> Call:
    return chat_call(sampling=Sampling(max_tokens=max_tokens, choices=choices))


@pytest.mark.parametrize(
    ("asked", "default", "bound"),
    [
        (chat_call(), None, 1000),
        (chat_call(), 512, 512),
        (chat_call(), 2000, 1000),
        (bounded(700), 512, 700),
        (chat_call(sampling=Sampling(max_completion_tokens=700)), 512, 700),
        (chat_call(sampling=Sampling(max_tokens=600, max_completion_tokens=700)), 512, 600),
        (chat_call(json=AnyJson()), 512, 1000),
        (chat_call(tools=(Tool(name="f"),)), 512, 1000),
        (call_of(PromptInput(prompt="def f(")), 512, 512),
    ],
)
def test_the_engine_gets_the_bound_that_the_hold_was_taken_for(asked: Call, default: int | None, bound: int) -> None:
    assert most_output_tokens(asked, card(default)) == bound
    assert complete(asked, card(default)).max_tokens == bound


def test_the_hold_covers_every_choice() -> None:
    assert most_output_tokens(bounded(10, choices=3), card()) == 30


@pytest.mark.parametrize(
    ("asked", "bound"),
    [
        (chat_call(thinking=False), 1000),
        (chat_call(), 1000),
        (chat_call(thinking=True), 1000 + 400),
        (chat_call(thinking=True, thinking_budget=50), 1000 + 50),
        (chat_call(thinking=True, thinking_budget=5000), 1000 + 400),
        (chat_call(thinking=True, sampling=Sampling(max_tokens=10)), 10 + 400),
        (chat_call(thinking=True, sampling=Sampling(max_completion_tokens=10)), 10),
    ],
)
def test_the_hold_covers_the_reasoning_that_may_come_before_the_answer(asked: Call, bound: int) -> None:
    hybrid = card(thinking=Thinking.HYBRID, max_thinking_tokens=400)

    assert most_output_tokens(asked, hybrid) == bound


@pytest.mark.parametrize("text", ["", "a", "\u4f60", "x" * 5000])
def test_a_prompt_is_at_most_its_bytes_and_what_a_template_adds(text: str) -> None:
    assert most_input_tokens(chat_call(text), card()) == min(len(text.encode()) + 64 + 16, 3000)


@pytest.mark.parametrize(
    ("asked", "bound"),
    [
        (ChatInput(messages=(), tools=(Tool(name="ab", description="cd", parameters=b"{}"),)), 64 + 512 + 16 + 6),
        (
            ChatInput(
                messages=(
                    Message(
                        role=Role.ASSISTANT,
                        reasoning="abc",
                        tool_calls=(ToolCall(id="1", name="f", arguments="{}"),),
                    ),
                )
            ),
            64 + 16 + 3 + 16 + 3,
        ),
        (
            ChatInput(messages=(Message(role=Role.USER, content=(ImagePart(url="data:,"), TextPart(text="hi"))),)),
            3000,
        ),
        (PromptInput(prompt="ab", suffix="c"), 16 + 3),
        (EmbeddingInput(texts=("a", "bc"), instruct="xx"), 16 + 3 + 16 + 4),
        (EmbeddingInput(texts=("a" * 3000, "b" * 3000)), 6032),
        (EmbeddingInput(texts=("\ufdfa",)), 16 + len("صلى الله عليه وسلم".encode())),
        (EmbeddingInput(texts=("中" * 9_000, "\ufdfa" * 999)), 2 * (16 + 3000)),
        (RerankInput(query="qq", documents=("a", "bcd")), 18 + 1 + 18 + 3),
    ],
)
def test_everything_that_is_read_counts(
    asked: ChatInput | PromptInput | EmbeddingInput | RerankInput, bound: int
) -> None:
    assert most_input_tokens(call_of(asked), card()) == bound
