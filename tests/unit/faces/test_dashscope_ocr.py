"""Answers of built-in OCR tasks: their bytes, and what the official client in both its interfaces makes of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import dashscope
import msgspec
import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.core.call import ChatInput
from qwenport.core.content import ImagePart, Message, Role
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Recognized, Started
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.usage import Usage
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.dashscope.answers import OcrResult
from qwenport.faces.dashscope.decode import decode_multimodal_generation
from qwenport.faces.face import Exchange, Request
from qwenport.testing.face_socket import FaceSocket
from qwenport.testing.scripted_face import ScriptedFace

ID = "00000000-0000-9000-8000-000000000001"
URL = "https://example.com/ticket.png"
CARDS = Catalog.load().cards
KEY_VALUES = {"kv_result": {"车次": "G1948", "票价": "¥553.0", "旅客": {"姓名": ""}}}
WORDS = {"words_info": [{"text": "发票", "location": [1, 2, 9, 2, 9, 6, 1, 6], "rotate_rect": [5, 4, 8, 4, 0]}]}
PLACED = {
    **KEY_VALUES,
    "kv_places": [{"path": ["车次"], "locations": [[1, 2, 9, 2, 9, 6, 1, 6]], "score": 0.9, "page": 2}],
    "pages": [{"page": 1, "width": 1654, "height": 2339}, {"page": 2, "width": 60, "height": 40}],
}
"""What stands there for who asks where values are."""
ANSWERS: dict[OcrTask, tuple[str, dict[str, Any] | None]] = {
    OcrTask.TEXT_RECOGNITION: ("第一行\nline two", None),
    OcrTask.MULTI_LANGUAGE: ("первая\n二行", None),
    OcrTask.ADVANCED_RECOGNITION: ('```json\n[{"rotate_rect":[5,4,8,4,0],"text":"发票"}]\n```', WORDS),
    OcrTask.KEY_INFORMATION_EXTRACTION: ('```json\n{"车次":"G1948"}\n```', KEY_VALUES),
    OcrTask.TABLE_PARSING: ("```html\n<table><tr><td>1</td></tr></table>\n```", None),
    OcrTask.DOCUMENT_PARSING: ("```latex\n\\section{Title}\n```", None),
    OcrTask.FORMULA_RECOGNITION: ("$$\\frac{a}{b}$$", None),
}
"""What is said, and what stands beside it, for each task."""

Converse = Callable[..., Any]
Decode = Callable[..., Exchange]
Encode = Callable[[Exchange, Iterable[Event]], bytes]


def script(task: OcrTask, result: dict[str, Any] | None = None) -> tuple[Event, ...]:
    text, usual = ANSWERS[task]
    result = result or usual
    half = len(text) // 2
    # As an engine may write it, over several lines.
    found = () if result is None else (Recognized(result=json.dumps(result, indent=1).encode()),)
    return (
        Started(served_by="scripted/model", input_tokens=926, image_tokens=754),
        Delta(text=text[:half], tokens=30),
        Delta(text=text[half:], tokens=40),
        *found,
        ChoiceFinished(reason=FinishReason.STOP, tokens=2),
        Finished(usage=Usage(input_tokens=926, output_tokens=72, image_tokens=754)),
    )


def part(task: OcrTask) -> dict[str, Any]:
    """Return what `content[0]` of the answer to a task is."""
    text, result = ANSWERS[task]
    return {"text": text} if result is None else {"text": text, "ocr_result": result}


@pytest.fixture
def decode(make_request: Callable[..., Request]) -> Decode:
    def read(task: OcrTask, model: str = "qwen-vl-ocr", *, stream: bool = False, **parameters: Any) -> Exchange:
        messages = [{"role": "user", "content": [{"image": URL}]}]
        told = {"ocr_options": {"task": task.value}, **parameters}
        body = {"model": model, "input": {"messages": messages}, "parameters": told}
        request = make_request(body, headers={"x-dashscope-sse": "enable"} if stream else {})
        return decode_multimodal_generation(request, CARDS)

    return read


@pytest.fixture
def ocr_face() -> ScriptedFace:
    return ScriptedFace(DASHSCOPE, CARDS)


@pytest.fixture
def url(ocr_face: ScriptedFace) -> Iterator[str]:
    with FaceSocket(ocr_face) as socket:
        thread = threading.Thread(target=socket.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"{socket.url}/api/v1"
        socket.shutdown()
        thread.join()


@pytest.fixture
def converse(url: str, ocr_face: ScriptedFace) -> Converse:
    """Return the call of the official client for one task, whose answer is scripted."""

    def call(task: OcrTask, model: str = "qwen-vl-ocr", *, places: bool = False, **parameters: Any) -> Any:
        ocr_face.script = script(task, PLACED if places else None)
        config = {"task_config": {"result_places": True}} if places else {}
        return dashscope.MultiModalConversation.call(
            model=model,
            messages=[{"role": "user", "content": [{"image": URL, "enable_rotate": True}]}],
            api_key="sk-test",
            base_address=url,
            ocr_options={"task": task.value, **config},
            **parameters,
        )

    return call


def test_a_whole_answer_carries_what_was_found_beside_its_text(decode: Decode, encode: Encode) -> None:
    task = OcrTask.KEY_INFORMATION_EXTRACTION
    body = encode(decode(task), script(task))

    assert body.decode() == (
        '{"output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":'
        '[{"text":"```json\\n{\\"车次\\":\\"G1948\\"}\\n```",'
        '"ocr_result":{"kv_result":{"\\u8f66\\u6b21":"G1948","\\u7968\\u4ef7":"\\u00a5553.0",'
        '"\\u65c5\\u5ba2":{"\\u59d3\\u540d":""}}}}]}}]},'
        '"usage":{"input_tokens":926,"output_tokens":72,"total_tokens":998,"image_tokens":754,'
        '"input_tokens_details":{"text_tokens":172,"image_tokens":754},"output_tokens_details":{"text_tokens":72}},'
        f'"request_id":"{ID}"}}'
    )


@pytest.mark.parametrize("task", OcrTask)
def test_the_official_client_reads_every_task(task: OcrTask, converse: Converse, ocr_face: ScriptedFace) -> None:
    response = converse(task)

    assert response.status_code == 200
    assert response.output.choices[0].message.content == [part(task)]
    assert dict(response.usage) == {
        "input_tokens": 926,
        "output_tokens": 72,
        "total_tokens": 998,
        "image_tokens": 754,
        "input_tokens_details": {"text_tokens": 172, "image_tokens": 754},
        "output_tokens_details": {"text_tokens": 72},
        "characters": 0,
    }
    assert ocr_face.calls[0].input == ChatInput(
        messages=(Message(role=Role.USER, content=(ImagePart(url=URL, rotates=True),)),), ocr=OcrOptions(task=task)
    )


def test_the_official_client_reads_the_places_of_values_whole_and_streamed(
    converse: Converse, ocr_face: ScriptedFace
) -> None:
    task = OcrTask.KEY_INFORMATION_EXTRACTION
    response = converse(task, places=True)
    *_, last = converse(task, places=True, stream=True)

    expected = [{"text": ANSWERS[task][0], "ocr_result": PLACED}]
    assert [each.output.choices[0].message.content for each in (response, last)] == [expected] * 2
    asked = ocr_face.calls[0].input
    assert isinstance(asked, ChatInput)
    assert asked.ocr == OcrOptions(task=task, result_places=True)
    # The published shape knows every member.
    assert msgspec.to_builtins(msgspec.convert(PLACED, OcrResult)) == PLACED


@pytest.mark.parametrize("task", OcrTask)
def test_a_cumulative_stream_ends_with_the_whole_answer(task: OcrTask, converse: Converse) -> None:
    contents = [each.output.choices[0].message.content for each in converse(task, stream=True)]

    text = ANSWERS[task][0]
    assert contents == [[{"text": text[: len(text) // 2]}], [{"text": text}], [part(task)]]


@pytest.mark.parametrize("task", OcrTask)
def test_deltas_end_with_what_was_found(task: OcrTask, converse: Converse) -> None:
    stream = converse(task, stream=True, incremental_output=True)
    contents = [each.output.choices[0].message.content for each in stream]

    text = ANSWERS[task][0]
    half = len(text) // 2
    assert contents == [[{"text": text[:half]}], [{"text": text[half:]}], [{**part(task), "text": ""}]]


def test_the_client_that_joins_deltas_itself_keeps_the_text_alone(converse: Converse) -> None:
    # Its `merge_multimodal_single_response` knows no other member of a part than the text.
    task = OcrTask.KEY_INFORMATION_EXTRACTION
    last = list(converse(task, stream=True, incremental_output=False))[-1]

    assert last.output.choices[0].message.content == [{"text": ANSWERS[task][0]}]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "is_told"), [("qwen3.5-ocr", True), ("qwen-vl-ocr-latest", True), ("qwen-vl-ocr", False)]
)
def test_the_newest_models_say_the_text_without_its_loop_too(
    stream: bool, model: str, is_told: bool, decode: Decode, encode: Encode
) -> None:
    exchange = decode(OcrTask.TEXT_RECOGNITION, model, stream=stream, incremental_output=True)
    said = (Delta(text="A "), Delta(text="loop " * 30), ChoiceFinished(reason=FinishReason.LENGTH))
    body = encode(exchange, (Started(served_by="scripted/model", input_tokens=9), *said, Finished(usage=Usage())))

    last = json.loads(body.decode().rpartition("data:")[2])
    [content] = last["output"]["choices"][0]["message"]["content"]
    text = "" if stream else "A " + "loop " * 30
    assert content == ({"text": text, "processed_text": "A loop"} if is_told else {"text": text})


@pytest.mark.parametrize("result", [KEY_VALUES, PLACED])
def test_the_newer_client_reads_the_text_of_a_task(url: str, ocr_face: ScriptedFace, result: dict[str, Any]) -> None:
    task = OcrTask.KEY_INFORMATION_EXTRACTION
    ocr_face.script = script(task, result)
    with dashscope.Client(api_key="sk-test", base_url=url, protocol="native", max_retries=0) as client:
        answer: Any = client.multimodal.chat.create(
            model="qwen-vl-ocr",
            messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": URL}}]}],
            parameters={"ocr_options": {"task": task.value}},
        )

    asked = ocr_face.calls[0].input
    assert isinstance(asked, ChatInput)
    assert asked.ocr == OcrOptions(task=task)
    assert answer.choices[0].message.content == ANSWERS[task][0]
