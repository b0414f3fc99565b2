"""How much a call can consume at most."""

from __future__ import annotations

import pytest

from qwenport.core.call import AnyJson, Call, ChatInput, EmbeddingInput, JsonSchema, PromptInput, RerankInput, Sampling
from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.content import FilePart, ImagePart, Message, Part, Picture, Role, TextPart
from qwenport.core.model_card import ModelCard
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.tools import Tool, ToolCall
from qwenport.engines.dialects import TASK_PROMPTS
from qwenport.gate.estimate import loaded_media, most_input_tokens, most_output_tokens, sent_media
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


PNG = ImagePart(url="data:image/png;base64,iVBORw0KGgo=")
PDF = ImagePart(url="data:application/pdf;base64,JVBERi0=")
STORED = ImagePart(url="fileid://file-fe-1")
LINKED = ImagePart(url="https://example.com/a.png")


@pytest.mark.parametrize(
    ("parts", "images", "pages"),
    [
        ((PNG, LINKED), 2, 2),
        ((PDF,), 1, 50),
        ((PNG, PDF, STORED, FilePart(id="file-fe-2")), 3, 52),
        ((STORED,) * 60, 60, 60),
        ((TextPart(text="x"),), 0, 0),
    ],
)
def test_documents_are_held_as_the_pages_that_a_call_may_have(parts: tuple[Part, ...], images: int, pages: int) -> None:
    asked = chat_call(messages=(Message(role=Role.USER, content=parts),))

    assert sent_media(asked, 50) == (images, pages)
    assert sent_media(call_of(PromptInput(prompt="x")), 50) == (0, 0)


@pytest.mark.parametrize(("part", "tokens"), [(PNG, 16_386 + 80), (PDF, 90_000), (STORED, 90_000), (LINKED, 90_000)])
def test_what_may_have_pages_is_held_for_all_that_the_model_reads(part: Part, tokens: int) -> None:
    seeing = model_card(family="qwen-vl", max_input_tokens=90_000)
    asked = chat_call(messages=(Message(role=Role.USER, content=(part,)),))

    assert most_input_tokens(asked, seeing) == tokens


def test_what_was_loaded_is_counted_by_its_pictures() -> None:
    def page(number: int) -> Picture:
        return Picture(data=b"x", media_type="image/png", width=9, height=9, tokens=9, page=number)

    sent = chat_call(messages=(Message(role=Role.USER, content=(PNG, STORED, FilePart(id="file-fe-2"))),))
    text = TextPart(text="a document")
    loaded = chat_call(messages=(Message(role=Role.USER, content=(page(0), page(1), page(2), text)),))

    assert loaded_media(sent, loaded) == (1, 4)
    assert loaded_media(chat_call(), chat_call()) == (0, 0)
    assert loaded_media(call_of(PromptInput(prompt="x")), call_of(PromptInput(prompt="x"))) == (0, 0)


def test_a_task_is_held_for_its_own_words() -> None:
    def most(ocr: OcrOptions | None) -> int:
        seeing = model_card(family="qwen-vl", max_input_tokens=90_000)
        return most_input_tokens(chat_call(messages=(Message(role=Role.USER, content=(PNG,)),), ocr=ocr), seeing)

    options = OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=b'{"a":""}')
    longest = max(len(prompt.encode()) for prompt in TASK_PROMPTS.values())
    assert most(options) - most(None) - len(options.result_schema) > longest + 300


def test_the_schema_of_an_answer_is_held_for() -> None:
    schema = JsonSchema(name="bill", schema=b'{"type":"object"}')

    assert most_input_tokens(chat_call(json=schema), card()) - most_input_tokens(chat_call(), card()) == len(
        schema.schema
    )


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
