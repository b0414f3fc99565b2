"""Counting by Qwen's vocabulary; the official package's own tokenizer is the judge."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from dashscope.tokenizers.qwen_tokenizer import QwenTokenizer
from hypothesis import given, settings
from hypothesis import strategies as st

from qwenport.catalog.catalog import Catalog
from qwenport.catalog.vocabulary import QWEN_VOCABULARY, Vocabulary
from qwenport.catalog.weights import WeightsStore
from qwenport.core.content import Message, Role
from qwenport.core.errors import InputTooLong, ModelNotFound, ModelUnavailable
from qwenport.core.tokens import CountTokens, Tokenize, Tokens
from qwenport.core.tools import Tool, ToolCall
from qwenport.testing.calls import CALLER

pytestmark = pytest.mark.anyio

SHIPPED = Path(str(files("dashscope") / "resources" / "qwen.tiktoken"))
RESOLVE = Catalog.load().resolve


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> WeightsStore:
    """Return a store that holds the vocabulary, as `qwenport models pull` leaves it."""
    pulled = WeightsStore(tmp_path_factory.mktemp("models"))
    pulled.path(QWEN_VOCABULARY).write_bytes(SHIPPED.read_bytes())
    return pulled


@pytest.fixture(scope="module")
def vocabulary(store: WeightsStore) -> Vocabulary:
    return Vocabulary(store, RESOLVE)


@cache
def judge() -> QwenTokenizer:
    return QwenTokenizer(str(SHIPPED))  # type: ignore[no-untyped-call]  # the package has no types


async def tokens(vocabulary: Vocabulary, text: str, *, model: str = "qwen-plus") -> Tokens:
    return await vocabulary.tokenize(CALLER, Tokenize(model=model, text=text))


def test_the_pinned_file_is_the_one_that_the_package_ships() -> None:
    content = SHIPPED.read_bytes()

    pinned = QWEN_VOCABULARY.weights
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (pinned.sha256, pinned.size_bytes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "How do you do?",
        "通义千问是阿里云自主研发的大语言模型。",
        "  spaces\n\nand\tlines \r\n",
        "<|im_start|>user\nHi<|im_end|>",
        "e\u0301",
        "\U0001f469\u200d\U0001f4bb 1234567890",
        "def f(x):\n    return x ** 2\n",
    ],
)
async def test_a_text_has_the_tokens_of_the_official_tokenizer(vocabulary: Vocabulary, text: str) -> None:
    assert list((await tokens(vocabulary, text)).ids) == judge().encode(text)


@settings(max_examples=50)
@given(text=st.text(max_size=200))
def test_any_text_has_the_tokens_of_the_official_tokenizer(vocabulary: Vocabulary, text: str) -> None:
    import asyncio

    assert list(asyncio.run(tokens(vocabulary, text)).ids) == judge().encode(text)


async def test_tokens_are_told_as_text_with_a_mark_for_parts_of_characters(vocabulary: Vocabulary) -> None:
    assert (await tokens(vocabulary, "Hi\ua66e")).texts == ("Hi", "\ufffd", "\ufffd")


@pytest.mark.parametrize("text", [" " * 300_000, "a" * 300_000, "好" * 100_000, "a\n" * 50_000, "1" * 100_000])
async def test_a_long_run_without_a_break_is_counted_too(vocabulary: Vocabulary, text: str) -> None:
    found = await tokens(vocabulary, text)

    assert await vocabulary.text_of(found.ids) == text


@pytest.mark.parametrize("text", ["e\u0301" * 20 + " e\u0301" * 2_000, "\u1112\u1161\u11ab " * 2_000])
async def test_a_long_text_in_parts_of_characters_has_the_tokens_of_the_official_tokenizer(
    vocabulary: Vocabulary, text: str
) -> None:
    assert list((await tokens(vocabulary, text)).ids) == judge().encode(text)


async def test_marks_are_put_in_order_only_as_far_as_that_takes_no_time(vocabulary: Vocabulary) -> None:
    # To order 40,000 of them at once takes seconds, in which the whole process stands still.
    found = await tokens(vocabulary, "a" + "\u0301\u0316" * 1_000)

    text = await vocabulary.text_of(found.ids)
    assert text.rindex("\u0316") > text.index("\u0301")


async def test_more_tokens_than_the_model_reads_are_not_told(vocabulary: Vocabulary) -> None:
    most = RESOLVE("qwen-max").max_input_tokens
    assert len((await tokens(vocabulary, "1" * most, model="qwen-max")).ids) == most

    with pytest.raises(InputTooLong, match=rf"\[1, {most}\]"):
        await tokens(vocabulary, "1" * (most + 1), model="qwen-max")


async def test_more_tokens_than_fit_one_answer_are_not_told(vocabulary: Vocabulary) -> None:
    with pytest.raises(InputTooLong, match="262144"):
        await tokens(vocabulary, "1" * 262_145, model="qwen-long")


async def test_messages_are_counted_in_the_chat_template(vocabulary: Vocabulary) -> None:
    messages = (
        Message(role=Role.SYSTEM, content="Be brief."),
        Message(role=Role.ASSISTANT, tool_calls=(ToolCall(id="1", name="f", arguments='{"a": 1}'),)),
    )
    said = '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>assistant\n\nf {"a": 1}<|im_end|>\n'

    found = await vocabulary.tokenize(CALLER, Tokenize(model="qwen-plus", messages=messages))
    assert list(found.ids) == judge().encode(said)
    count = await vocabulary.count(CALLER, CountTokens(model="qwen-plus", messages=messages))
    assert count == len(judge().encode(said + "<|im_start|>assistant\n"))


async def test_tools_count(vocabulary: Vocabulary) -> None:
    messages = (Message(role=Role.USER, content="Hi"),)
    tool = Tool(name="weather", description="Tells the weather.", parameters=b'{"type":"object"}')
    without = await vocabulary.count(CALLER, CountTokens(model="qwen-plus", messages=messages))
    with_tool = await vocabulary.count(CALLER, CountTokens(model="qwen-plus", messages=messages, tools=(tool,)))

    assert with_tool > without


async def test_tokens_that_are_none_have_no_text(vocabulary: Vocabulary) -> None:
    assert await vocabulary.text_of([13048, -1, 10**9, 151_645]) == "Hi<|im_end|>"


async def test_a_model_that_nobody_knows_is_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(ModelNotFound):
        await vocabulary.tokenize(CALLER, Tokenize(model="qwen-none", text="Hi"))


async def test_without_the_file_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as missing:
        await tokens(Vocabulary(WeightsStore(tmp_path), RESOLVE), "Hi")

    assert missing.value.message == (
        "Model is unavailable, please try again later. "
        "(Qwen's vocabulary is not on this machine: run `qwenport models pull`)"
    )
    assert missing.value.passes is False


async def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    damaged = WeightsStore(tmp_path)
    damaged.path(QWEN_VOCABULARY).write_bytes(b"x" * QWEN_VOCABULARY.weights.size_bytes)
    with pytest.raises(ModelUnavailable):
        await tokens(Vocabulary(damaged, RESOLVE), "Hi")
