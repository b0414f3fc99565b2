"""What a model's card allows to ask, in the words of the service."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from qwenport.core.call import AnyJson, Call, EmbeddingInput, JsonSchema, PromptInput, RerankInput, Sampling
from qwenport.core.capabilities import Ability, Capabilities, Thinking
from qwenport.core.content import FilePart, ImagePart, Message, Part, Role, VideoPart
from qwenport.core.errors import ModelNotServedHere, ParameterInvalid
from qwenport.core.model_card import ModelCard
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.tools import Tool, ToolChoice, ToolUse
from qwenport.gate.abilities import check_abilities
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.models import model_card

TOOLS = (Tool(name="f"),)


def card(**able: Any) -> ModelCard:
    return model_card(
        capabilities=Capabilities(**able),
    )


HYBRID = card(thinking=Thinking.HYBRID, max_thinking_tokens=80)
ALWAYS = card(thinking=Thinking.ALWAYS)
EMBEDDING = card(abilities=(Ability.EMBEDDING,), dimensions=(1024, 512), max_texts=2)
RERANK = card(abilities=(Ability.RERANK,), max_texts=2)


def said(part: Part) -> Call:
    return chat_call(messages=(Message(role=Role.USER, content=(part,)),))


def thinking(**chat: Any) -> Call:
    return chat_call(streams=True, thinking=True, **chat)


@pytest.mark.parametrize(
    ("asked", "model", "parameter", "words"),
    [
        (
            chat_call(thinking=True),
            HYBRID,
            "enable_thinking",
            "parameter.enable_thinking must be set to false for non-streaming calls",
        ),
        (
            chat_call(),
            card(thinking=Thinking.HYBRID, thinks_by_default=True),
            "enable_thinking",
            "parameter.enable_thinking must be set to false for non-streaming calls",
        ),
        (chat_call(), ALWAYS, "enable_thinking", "parameter.enable_thinking only support stream call"),
        (
            chat_call(streams=True, thinking=False),
            ALWAYS,
            "enable_thinking",
            "The value of the enable_thinking parameter is restricted to True.",
        ),
        (thinking(), card(), "enable_thinking", "The model qwen-plus does not support enable_thinking."),
        (
            chat_call(),
            card(stream_only=True),
            "stream",
            "This model only support stream mode, please enable the stream parameter to access the model.",
        ),
        (
            thinking(thinking_budget=81),
            HYBRID,
            "thinking_budget",
            "The thinking_budget parameter must be a positive integer and not greater than 80",
        ),
        (
            thinking(thinking_budget=0),
            HYBRID,
            "thinking_budget",
            "The thinking_budget parameter must be a positive integer and not greater than 80",
        ),
        (
            thinking(json=AnyJson()),
            HYBRID,
            "response_format",
            "Json mode response is not supported when enable_thinking is true",
        ),
        (
            thinking(tools=TOOLS, tool_choice=ToolChoice(use=ToolUse.NAMED, name="f")),
            HYBRID,
            "tool_choice",
            "The tool_choice parameter does not support being set to required or object in thinking mode",
        ),
        (chat_call(tools=TOOLS), card(tool_uses=()), "tools", "The tool call is not supported."),
        (
            chat_call(tools=TOOLS, tool_choice=ToolChoice(use=ToolUse.REQUIRED)),
            card(),
            "tool_choice",
            'tool_choice is one of the strings that should be ["none", "auto"]',
        ),
        (
            chat_call(tools=TOOLS, sampling=Sampling(choices=2)),
            card(),
            "n",
            "Range of n should be [1, 1] when tools are given",
        ),
        (
            chat_call(sampling=Sampling(choices=2)),
            card(several_choices=False),
            "n",
            "Range of n should be [1, 1]",
        ),
        (
            chat_call("json", json=AnyJson()),
            card(json_object=False),
            "response_format",
            "The response_format parameter is not supported by this model.",
        ),
        (
            chat_call(json=JsonSchema(name="a", schema=b"{}")),
            card(json_schema=False),
            "response_format",
            "The response_format parameter is not supported by this model.",
        ),
        (
            chat_call(sampling=Sampling(logprobs=0)),
            card(logprobs=False),
            "logprobs",
            "The logprobs parameter is not supported by this model.",
        ),
        (
            said(ImagePart(url="data:,")),
            card(),
            "messages",
            "An error during model pre-process. (this model reads text only, and an image was given)",
        ),
        (
            said(VideoPart(urls=("http://a/b.mp4",), is_frames=False)),
            card(),
            "messages",
            "Unexpected item type in content: video is not served by this model",
        ),
        (
            said(FilePart(id="file-fe-1")),
            card(),
            "messages",
            "Unexpected item type in content: `fileid://` is not served by this model",
        ),
        (
            chat_call(messages=(Message(role=Role.ASSISTANT, content="a", is_partial=True),)),
            card(partial=False),
            "messages",
            "The partial parameter is not supported by this model.",
        ),
        (
            call_of(EmbeddingInput(texts=("a", "b", "c"))),
            EMBEDDING,
            "input",
            (
                "<400> InternalError.Algo.InvalidParameter: Value error, "
                "batch size is invalid, it should not be larger than 2.: input.contents"
            ),
        ),
        (
            call_of(EmbeddingInput(texts=("a",), dimension=3)),
            EMBEDDING,
            "dimension",
            "The dimension parameter is 3; this model makes [1024, 512]",
        ),
        (
            call_of(RerankInput(query="q", documents=("a", "b", "c"))),
            RERANK,
            "documents",
            "Range of the number of documents should be [1, 2]",
        ),
    ],
)
def test_what_the_card_does_not_allow_is_refused(asked: Call, model: ModelCard, parameter: str, words: str) -> None:
    with pytest.raises(ParameterInvalid) as refusal:
        check_abilities(asked, model)

    assert (refusal.value.parameter, refusal.value.message) == (parameter, words)


READS = card(vision=True, ocr_tasks=(OcrTask.TABLE_PARSING,))
NOT_SUPPORTED = "The ocr_options parameter is not supported by this model."
NO_IMAGE = "The ocr_options parameter requires an image in the last message of the user."
SEEN = ImagePart(url="https://example.com/a.png")


def task(name: OcrTask, *messages: Message) -> Call:
    return chat_call(messages=messages, ocr=OcrOptions(task=name))


def user(*parts: Part) -> Message:
    return Message(role=Role.USER, content=parts)


@pytest.mark.parametrize(
    ("asked", "model", "words"),
    [
        (task(OcrTask.TABLE_PARSING, user(SEEN)), card(vision=True), NOT_SUPPORTED),
        (task(OcrTask.TEXT_RECOGNITION, user(SEEN)), READS, NOT_SUPPORTED),
        (task(OcrTask.TABLE_PARSING, Message(role=Role.USER, content="Hi")), READS, NO_IMAGE),
        (task(OcrTask.TABLE_PARSING, user(SEEN), Message(role=Role.USER, content="And this?")), READS, NO_IMAGE),
        (task(OcrTask.TABLE_PARSING, Message(role=Role.SYSTEM, content="Hi")), READS, NO_IMAGE),
    ],
)
def test_a_task_needs_a_model_that_knows_it_and_an_image(asked: Call, model: ModelCard, words: str) -> None:
    with pytest.raises(ParameterInvalid) as refused:
        check_abilities(asked, model)

    assert (refused.value.parameter, refused.value.message) == ("ocr_options", words)


def test_a_task_that_the_model_knows_is_let_through() -> None:
    check_abilities(task(OcrTask.TABLE_PARSING, user(SEEN)), READS)


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        (thinking(thinking_budget=80), HYBRID),
        (thinking(tools=TOOLS), HYBRID),
        (thinking(json=JsonSchema(name="a", schema=b"{}")), HYBRID),
        (chat_call(thinking=False, tools=TOOLS, tool_choice=ToolChoice(use=ToolUse.NAMED, name="f")), HYBRID),
        (chat_call(thinking=False), card()),
        (chat_call(streams=True), ALWAYS),
        (chat_call(streams=True), card(stream_only=True)),
        (said(ImagePart(url="data:,")), card(vision=True)),
        (said(VideoPart(urls=("http://a/b.mp4",), is_frames=False)), card(video=True)),
        (said(FilePart(id="file-fe-1")), card(documents=True)),
        (call_of(PromptInput(prompt="def f(")), card(abilities=(Ability.CHAT, Ability.COMPLETION))),
        (call_of(EmbeddingInput(texts=("a", "b"), dimension=512)), EMBEDDING),
        (call_of(EmbeddingInput(texts=("a",), dimension=384)), replace(EMBEDDING, stands_in=True)),
        (call_of(RerankInput(query="q", documents=("a", "b"))), RERANK),
    ],
)
def test_what_the_card_allows_is_let_through(asked: Call, model: ModelCard) -> None:
    check_abilities(asked, model)


@pytest.mark.parametrize(
    "asked",
    [
        call_of(PromptInput(prompt="a")),
        call_of(EmbeddingInput(texts=("a",))),
        call_of(RerankInput(query="q", documents=("a",))),
    ],
)
def test_a_chat_model_does_no_other_kind_of_work(asked: Call) -> None:
    with pytest.raises(ModelNotServedHere) as refusal:
        check_abilities(asked, card())

    assert refusal.value.model == "qwen-plus"


@pytest.mark.parametrize(("address", "vision"), [("text-generation", True), ("multimodal-generation", False)])
def test_a_native_address_is_for_models_of_one_kind(address: str, vision: bool) -> None:
    asked = replace(chat_call(), operation=address)

    check_abilities(asked, card(vision=not vision))
    with pytest.raises(ModelNotServedHere):
        check_abilities(asked, card(vision=vision))
