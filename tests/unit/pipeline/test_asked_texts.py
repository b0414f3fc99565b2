"""What of a call is looked through: every text that an engine gets by its caller's will, however it is written."""

from __future__ import annotations

import pytest

from qwenport.core.call import EmbeddingInput, Input, JsonSchema, NativeInput, PromptInput, RerankInput, Sampling
from qwenport.core.content import ImagePart, Message, Role, TextPart
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.tools import Tool, ToolCall
from qwenport.pipeline.inspection.asked_texts import texts_of
from qwenport.testing.calls import call_of, chat_call


def test_every_text_of_a_conversation_is_read() -> None:
    picture = ImagePart(url="https://pictures/1")
    asked_for = ToolCall(id="call-1", name="ring", arguments='{"who":"Jane"}')
    call = chat_call(
        messages=(
            Message(role=Role.USER, content=(TextPart(text="one"), picture)),
            Message(role=Role.ASSISTANT, reasoning="two", tool_calls=(asked_for,)),
            Message(role=Role.TOOL, content="three", tool_call_id="call-1"),
        ),
        tools=(Tool(name="four", description="five", parameters=b'{"enum":["six"]}'),),
        json=JsonSchema(name="seven", schema=b'{"const":"eight"}'),
        ocr=OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=b'{"nine":""}'),
        sampling=Sampling(stop=("ten",)),
    )

    assert texts_of(call) == (
        *("one", "two", "call-1", "ring", '{"who":"Jane"}', "three", "call-1"),
        *("four", "five", '{"enum":["six"]}', "seven", '{"const":"eight"}', '{"nine":""}', "ten"),
    )


def test_what_escapes_hide_in_a_schema_is_read_as_it_is_meant() -> None:
    schema = r'{"\u0066orbidden":8964,"b":"a \"word\"","c":"half \ud83d","plain":"x"}'
    call = chat_call(tools=(Tool(name="t", parameters=schema.encode()),))

    assert texts_of(call) == ("Hi", "t", schema, "forbidden", 'a "word"', r"half \ud83d")


def test_arguments_that_are_no_json_are_read_as_they_stand() -> None:
    made = ToolCall(id="c", name="t", arguments='{"a": "not closed \\u0041')

    assert texts_of(chat_call(messages=(Message(role=Role.ASSISTANT, tool_calls=(made,)),))) == (
        *("c", "t", '{"a": "not closed \\u0041', "not closed A"),
    )


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        (PromptInput(prompt="one", suffix="two"), ("one", "two", "stop")),
        (EmbeddingInput(texts=("one", "", "two"), instruct="three"), ("one", "two", "three", "stop")),
        (
            RerankInput(query="one", documents=("two", "three"), instruct="four"),
            ("one", "two", "three", "four", "stop"),
        ),
    ],
)
def test_other_work_is_read_too(asked: Input, texts: tuple[str, ...]) -> None:
    assert texts_of(call_of(asked, sampling=Sampling(stop=("stop",)))) == texts


def native(body: str) -> tuple[str, ...]:
    return texts_of(call_of(NativeInput(service="aigc/x/y", body=body.encode())))


def test_the_whole_body_of_a_service_is_read_but_for_its_model() -> None:
    body = '{"model":"forbidden","input":{"prompt":"one"},"parameters":{"negative":["two",{"three":4}]},"other":"five"}'

    assert native(body) == ("input", "prompt", "one", "parameters", "negative", "two", "three", "other", "five")


def test_of_two_members_of_one_name_both_are_read() -> None:
    assert native('{"input":{"prompt":"one","prompt":"two"}}') == ("input", "prompt", "one", "prompt", "two")


def test_nothing_lies_too_deep_to_be_read() -> None:
    assert native('{"input":' + "[" * 100_000 + '"one"' + "]" * 100_000 + "}") == ("input", "one")


def test_media_that_a_body_carries_are_no_texts_and_what_only_begins_so_is_one() -> None:
    picture = "data:image/png;base64,iVBORw0KGgo+/w=="

    assert native(f'{{"input":["{picture}","{picture} one","data:,two"]}}') == (
        *("input", f"{picture} one", "data:,two"),
    )


def test_a_body_that_is_no_object_is_read_as_it_stands() -> None:
    assert native('["one", two"') == ("one",)
