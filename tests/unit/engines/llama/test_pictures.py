"""What a llama host is shown, how its tokens are told apart, and what becomes of pictures that it could not read."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from base64 import b64decode
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image

from qwenport.core.call import ChatInput, JsonSchema
from qwenport.core.capabilities import Capabilities, Coordinates
from qwenport.core.content import ImagePart, Message, Picture, Role, TextPart
from qwenport.core.errors import InputTooLong, ParameterInvalid, QwenportError
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Recognized, Started
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.dialects import TASK_PROMPTS
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.host_address import host_peer
from qwenport.engines.llama.engine import LlamaEngine, Profile
from qwenport.engines.llama.pictures import UNREADABLE_IMAGE, Scaler
from qwenport.engines.llama.request import request_of
from qwenport.engines.llama.scaling_child import scale
from qwenport.testing.calls import call_of
from qwenport.testing.llama_host import FakeLlamaHost, Reply, answer, error

pytestmark = pytest.mark.anyio

SEES = Profile(target="llama/tiny", slots=1, capabilities=Capabilities(vision=True, ocr_tasks=tuple(OcrTask)))
CHAT = "/v1/chat/completions"
COUNT = f"{CHAT}/input_tokens"
QUESTION = TextPart(text="What is it?")


@pytest.fixture
def socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s") / "s"


def encoded(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB", **saved: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 0).save(buffer, kind, **saved)
    return buffer.getvalue()


def picture(data: bytes = b"", **changes: Any) -> Picture:
    plain = Picture(data=data or encoded(), media_type="image/png", width=40, height=20, tokens=5)
    return replace(plain, **changes)


def chat(*parts: Picture | TextPart | ImagePart, **changes: Any) -> ChatInput:
    return ChatInput(messages=(Message(role=Role.USER, content=parts),), **changes)


def prepared(asked: ChatInput, *, max_input_tokens: int = 100) -> PreparedCall:
    return PreparedCall(call=call_of(asked), max_input_tokens=max_input_tokens)


async def ask(
    socket: Path, host: FakeLlamaHost, call: PreparedCall, profile: Profile = SEES
) -> tuple[list[Event], QwenportError | None]:
    engine = LlamaEngine(
        profile,
        peer=host_peer("http://llama", socket=socket, secret="", keeps_connections=False),
        read_condition=lambda: Condition(state=EngineState.READY),
    )
    events: list[Event] = []
    try:
        async with host.listening(socket), aclosing(engine.run(call)) as run:
            async for event in run:
                events.append(event)  # noqa: PERF401 - what came before an error must be kept
    except QwenportError as raised:
        return events, raised
    finally:
        await engine.close()
    return events, None


def shown(host: FakeLlamaHost, request: int = -1) -> list[Any]:
    """Return the content of the last message of a request."""
    messages: Any = host.requests[request]["messages"]
    content: list[Any] = messages[-1]["content"]
    return content


def image_shown(host: FakeLlamaHost) -> Image.Image:
    url = shown(host)[0]["image_url"]["url"]
    return Image.open(io.BytesIO(b64decode(url.partition(",")[2])))


async def test_the_host_counts_the_text_alone_and_the_rest_are_tokens_of_images(socket: Path) -> None:
    host = FakeLlamaHost(answer("A", prompt_tokens=20), text_tokens=8)
    page = picture(page=2)

    events, _ = await ask(socket, host, prepared(chat(picture(), page, QUESTION)))

    assert events == [
        Started(served_by="llama/tiny", input_tokens=20, image_tokens=12),
        Delta(text="A"),
        ChoiceFinished(reason=FinishReason.STOP, tokens=1),
        Finished(usage=Usage(input_tokens=20, output_tokens=2, image_tokens=12, images=1, pages=2)),
    ]
    assert host.paths == [COUNT, CHAT]
    assert shown(host, 0) == [{"type": "text", "text": "What is it?"}]
    assert [part["type"] for part in shown(host)] == ["image_url", "image_url", "text"]
    assert {**host.requests[0], "messages": []} == {**host.requests[1], "messages": []}


@pytest.mark.parametrize(("prompt_tokens", "image_tokens"), [(20, 5), (3, 3)])
async def test_the_model_card_counts_where_the_host_does_not(
    socket: Path, prompt_tokens: int, image_tokens: int
) -> None:
    host = FakeLlamaHost(answer("A", prompt_tokens=prompt_tokens))

    events, _ = await ask(socket, host, prepared(chat(picture(), QUESTION)))

    assert events[0] == Started(served_by="llama/tiny", input_tokens=prompt_tokens, image_tokens=image_tokens)


async def test_images_of_earlier_turns_are_shown_and_counted(socket: Path) -> None:
    host = FakeLlamaHost(answer("A", prompt_tokens=20), text_tokens=8)
    turns = (
        Message(role=Role.USER, content=(picture(),)),
        Message(role=Role.ASSISTANT, content="Red."),
        Message(role=Role.USER, content="Sure?"),
    )

    events, _ = await ask(socket, host, prepared(ChatInput(messages=turns)))

    assert isinstance(events[-1], Finished)
    assert (events[-1].usage.images, events[-1].usage.image_tokens) == (1, 12)
    assert [message["content"] for message in host.requests[0]["messages"]] == [[], "Red.", "Sure?"]  # type: ignore[attr-defined]  # JSON


async def test_what_the_host_can_read_is_passed_on_byte_for_byte(socket: Path) -> None:
    host = FakeLlamaHost(answer("A"), text_tokens=1)
    jpeg = picture(encoded("JPEG"), media_type="image/jpeg", most_pixels=800)

    await ask(socket, host, prepared(chat(jpeg, QUESTION)))

    url = shown(host)[0]["image_url"]["url"]
    assert url.startswith("data:image/jpeg;base64,")
    assert b64decode(url.partition(",")[2]) == jpeg.data


@pytest.mark.parametrize(
    ("most", "sides"), [(799, (38, 19)), (200, (20, 10)), (2, (2, 1)), (800, (40, 20)), (0, (40, 20))]
)
async def test_an_image_has_no_more_pixels_than_its_caller_wants_seen(
    socket: Path, most: int, sides: tuple[int, int]
) -> None:
    host = FakeLlamaHost(answer("A"), text_tokens=1)

    await ask(socket, host, prepared(chat(picture(most_pixels=most), QUESTION)))

    assert image_shown(host).size == sides


@pytest.mark.parametrize(
    "data",
    [
        encoded("WEBP"),
        encoded("GIF"),
        encoded("BMP"),
        encoded("TIFF", mode="CMYK"),
    ],
    ids=["webp", "gif", "bmp", "tiff of inks"],
)
async def test_other_formats_become_a_picture_of_three_colours(socket: Path, data: bytes) -> None:
    host = FakeLlamaHost(answer("A"), text_tokens=1)

    await ask(socket, host, prepared(chat(picture(data), QUESTION)))

    image = image_shown(host)
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (40, 20))


async def test_what_is_no_image_is_refused_before_the_host_is_asked(socket: Path) -> None:
    host = FakeLlamaHost(answer("A"))

    events, raised = await ask(socket, host, prepared(chat(picture(b"rubbish"), QUESTION)))

    assert isinstance(raised, ParameterInvalid)
    assert (events, raised.message, raised.parameter, host.paths) == ([], UNREADABLE_IMAGE, "messages", [])


@pytest.mark.parametrize("words", ["Failed to load image or audio file", "Failed to load image, audio, or video file"])
async def test_what_the_host_cannot_decode_is_refused_whatever_the_answer_is_held_to(socket: Path, words: str) -> None:
    host = FakeLlamaHost(error("400 Bad Request", "invalid_request_error", words))
    held = JsonSchema(name="n", schema=b'{"type":"object"}')

    _, raised = await ask(socket, host, prepared(chat(picture(), QUESTION, json=held)))

    assert isinstance(raised, ParameterInvalid)
    assert (raised.message, raised.parameter) == (UNREADABLE_IMAGE, "messages")


async def test_a_model_that_cannot_see_is_shown_nothing(socket: Path) -> None:
    host = FakeLlamaHost(answer("A"))

    _, raised = await ask(socket, host, prepared(chat(picture())), Profile(target="llama/tiny", slots=1))

    assert isinstance(raised, ParameterInvalid)
    assert raised.message == "The engine `llama/tiny`, which answers for this model here, cannot see images."
    assert host.paths == []


async def test_a_prompt_with_images_is_held_to_the_cards_bound(socket: Path) -> None:
    host = FakeLlamaHost(answer("A", prompt_tokens=101), text_tokens=8)

    events, raised = await ask(socket, host, prepared(chat(picture(), QUESTION)))

    assert events == []
    assert isinstance(raised, InputTooLong)
    assert raised.message == "Range of input length should be [1, 100]"


def test_addresses_are_never_left_to_the_host_to_fetch() -> None:
    asked = chat(ImagePart(url="http://10.0.0.1/secret.png"))

    with pytest.raises(TypeError, match=r"llama\.cpp is shown images, not their addresses"):
        request_of(prepared(asked), SEES.capabilities, template_tools=False)


FIELDS = OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=b'{"total":"","date":""}')
FOUND = '```json\n{"total": "9.50"}\n```'


async def test_a_task_is_asked_for_by_its_prompt_and_its_result_comes_before_the_end(socket: Path) -> None:
    host = FakeLlamaHost(answer(FOUND[:9], FOUND[9:], prompt_tokens=20), text_tokens=8)
    earlier = Message(role=Role.SYSTEM, content="Be brief.")
    asked = ChatInput(messages=(earlier, Message(role=Role.USER, content=(picture(),))), ocr=FIELDS)

    events, _ = await ask(socket, host, prepared(asked))

    assert events[1:5] == [
        Delta(text=FOUND[:9]),
        Delta(text=FOUND[9:]),
        Recognized(result=b'{"kv_result":{"total":"9.50","date":""}}'),
        ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    ]
    assert [part["type"] for part in shown(host)] == ["image_url", "text"]
    assert shown(host)[1]["text"].startswith(TASK_PROMPTS[OcrTask.KEY_INFORMATION_EXTRACTION])
    assert len(host.requests[-1]["messages"]) == 1  # type: ignore[arg-type]  # JSON


async def test_places_are_asked_for_and_read_in_what_the_model_counts_in(socket: Path) -> None:
    said = '[{"bbox_2d": [250, 500, 500, 1000], "text": "Total"}]'
    profile = dataclasses.replace(SEES, capabilities=replace(SEES.capabilities, coordinates=Coordinates.THOUSANDTHS))
    host = FakeLlamaHost(answer(said), text_tokens=1)
    options = OcrOptions(task=OcrTask.ADVANCED_RECOGNITION)

    events, _ = await ask(socket, host, prepared(chat(picture(), ocr=options)), profile)

    # The picture is 40 by 20 pixels.
    place = b'"location":[10,10,20,10,20,20,10,20],"rotate_rect":[15,15,10,10,0]'
    assert [event.result for event in events if isinstance(event, Recognized)] == [
        b'{"words_info":[{"text":"Total",' + place + b"}]}"
    ]
    assert "from 0 to 1000" in shown(host)[1]["text"]


async def test_formulae_are_asked_for_and_answered_as_text(socket: Path) -> None:
    host = FakeLlamaHost(answer("$$", "x^2", "$$"), text_tokens=1)

    events, _ = await ask(socket, host, prepared(chat(picture(), ocr=OcrOptions(task=OcrTask.FORMULA_RECOGNITION))))

    assert "".join(event.text for event in events if isinstance(event, Delta)) == "$$x^2$$"
    assert not any(isinstance(event, Recognized) for event in events)
    assert shown(host)[1]["text"] == TASK_PROMPTS[OcrTask.FORMULA_RECOGNITION]


async def test_a_caller_who_leaves_while_his_image_is_scaled_leaves_room_for_the_next() -> None:
    scaler = Scaler()
    large = chat(picture(encoded(size=(3000, 3000)), width=3000, height=3000, most_pixels=100))
    leaving = [asyncio.create_task(scaler.fitted(large)) for _ in range(4)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    endings = await asyncio.gather(*leaving, return_exceptions=True)

    assert [type(ending) for ending in endings] == [asyncio.CancelledError] * 4
    (scaled,) = (await scaler.fitted(large)).images
    assert isinstance(scaled, Picture)
    assert Image.open(io.BytesIO(scaled.data)).size == (10, 10)


async def test_a_chat_that_fits_is_the_very_same() -> None:
    asked = chat(picture(), QUESTION)

    assert await Scaler().fitted(asked) is asked


def test_an_image_is_scaled_upright_and_on_white() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    lying = Image.open(io.BytesIO(scale(encoded("JPEG", size=(400, 200), exif=turned), 200)))
    clear = Image.open(io.BytesIO(scale(encoded("PNG", mode="RGBA"), 0)))

    assert (lying.size, lying.getexif().get(0x0112)) == ((10, 20), None)
    assert (clear.mode, clear.getpixel((0, 0))) == ("RGB", (255, 255, 255))


async def test_a_reply_that_is_no_count_is_none(socket: Path) -> None:
    host = FakeLlamaHost(Reply(steps=[b"<html>"], status="502 Bad"))

    _, raised = await ask(socket, host, prepared(chat(picture(), QUESTION)))

    assert raised is not None
    assert "answered with status 502" in raised.message
