"""The real child processes with the models that ship, behind their socket."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.core.call import AnyJson, JsonSchema, Sampling
from qwenport.core.content import ImagePart, Message, Part, Picture, Role, TextPart
from qwenport.core.errors import InputTooLong, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Recognized, Started
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.engine import Site
from qwenport.engines.ocr.asked import Asked
from qwenport.engines.ocr.kind import OcrKind
from qwenport.engines.ocr.reading_models import shipped_model
from qwenport.settings.configuration_file import OcrTable
from qwenport.testing.calls import chat_call
from qwenport.testing.engine_host import RunningHost, running_host

pytestmark = [pytest.mark.anyio, pytest.mark.engine]

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
TEXT = "Hello world, this is page 1\nDate: 2024-05-20\nTotal: 553.00"


def picture(*rows: tuple[int, int, str], size: tuple[int, int] = (640, 240), **fields: object) -> Picture:
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(FONT, 28)
    for x, y, text in rows:
        draw.text((x, y), text, font=font, fill="black")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    known = {"media_type": "image/png", "width": size[0], "height": size[1], "tokens": 332}
    return msgspec.structs.replace(Picture(data=buffer.getvalue(), **known), **fields)  # type: ignore[arg-type]


PAGE = picture((30, 30, "Hello world, this is page 1"), (30, 90, "Date: 2024-05-20"), (30, 150, "Total: 553.00"))
SECOND = picture((30, 30, "Invoice No: A123"), (30, 90, "Total: 12.50"), page=2)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        yield Site(
            runtime_dir=Path(folder), models_dir=Path(folder), secret="hush", ocr=OcrTable(workers=1, recycle_pages=50)
        )


@pytest.fixture(scope="module")
async def host(site: Site) -> AsyncIterator[RunningHost]:
    async with running_host(OcrKind(), shipped_model("pp-ocrv6-small"), site) as host:
        yield host


def prepared(*parts: Part, sampling: Sampling | None = None, most: int = 30_000, **chat: Any) -> PreparedCall:
    messages = chat.pop("messages", (Message(role=Role.USER, content=parts),))
    call = chat_call(sampling=sampling or Sampling(), messages=messages, **chat)
    return PreparedCall(call=call, max_input_tokens=most)


async def all_of(host: RunningHost, call: PreparedCall) -> list[Event]:
    async with aclosing(host.engine.run(call)) as events:
        return [event async for event in events]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


async def test_a_picture_without_a_task_is_told_line_by_line_as_text(host: RunningHost) -> None:
    assert await all_of(host, prepared(PAGE)) == [
        Started(served_by="ocr/pp-ocrv6-small", input_tokens=332, image_tokens=332),
        Delta(text="Hello world, this is page 1\n", tokens=7),
        Delta(text="Date: 2024-05-20\n", tokens=5),
        Delta(text="Total: 553.00", tokens=3),
        ChoiceFinished(reason=FinishReason.STOP, tokens=0),
        Finished(usage=Usage(input_tokens=332, output_tokens=15, image_tokens=332, images=1, pages=1)),
    ]


async def test_advanced_recognition_tells_each_line_with_its_place(host: RunningHost) -> None:
    events = await all_of(host, prepared(PAGE, ocr=OcrOptions(task=OcrTask.ADVANCED_RECOGNITION)))

    (found,) = [event for event in events if isinstance(event, Recognized)]
    words = msgspec.json.decode(found.result)["words_info"]
    fence, body = text_of(events).split("\n", 1)
    assert fence == "```json"
    assert msgspec.json.decode(body.removesuffix("\n```")) == [
        {"rotate_rect": each["rotate_rect"], "text": each["text"]} for each in words
    ]
    assert [each["text"] for each in words] == TEXT.split("\n")
    for each, top in zip(words, (30, 90, 150), strict=True):
        left, y = each["location"][:2]
        assert abs(left - 30) < 12
        assert abs(y - top) < 12
        assert abs(each["rotate_rect"][4]) <= 1


async def test_fields_of_a_schema_are_told_in_its_shape(host: RunningHost) -> None:
    options = OcrOptions(
        task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=b'{"Date": "", "Total": "", "Plate": ""}'
    )

    events = await all_of(host, prepared(PAGE, ocr=options))

    (found,) = [event for event in events if isinstance(event, Recognized)]
    values = {"Date": "2024-05-20", "Total": "553.00", "Plate": ""}
    assert msgspec.json.decode(found.result) == {"kv_result": values}
    said = text_of(events)
    assert said.startswith("```json\n")
    assert said.endswith("\n```")
    assert msgspec.json.decode(said[8:-4]) == values


async def test_fields_of_several_pages_are_put_together_first_found(host: RunningHost) -> None:
    options = OcrOptions(task=OcrTask.KEY_INFORMATION_EXTRACTION, result_schema=b'{"Invoice No": "", "Total": ""}')

    events = await all_of(host, prepared(msgspec.structs.replace(PAGE, page=1), SECOND, ocr=options))

    (found,) = [event for event in events if isinstance(event, Recognized)]
    assert msgspec.json.decode(found.result) == {"kv_result": {"Invoice No": "A123", "Total": "553.00"}}
    assert events[-1] == Finished(usage=Usage(input_tokens=672, output_tokens=16, image_tokens=664, images=0, pages=2))


async def test_pages_are_parted_by_a_blank_line_and_only_the_last_message_counts(host: RunningHost) -> None:
    earlier = Message(role=Role.USER, content=(picture((30, 30, "not this")),))
    last = Message(role=Role.USER, content=(PAGE, SECOND))

    events = await all_of(host, prepared(messages=(earlier, Message(role=Role.ASSISTANT, content="x"), last)))

    assert text_of(events) == TEXT + "\n\nInvoice No: A123\nTotal: 12.50"


async def test_an_answer_ends_at_its_bound_and_says_so(host: RunningHost) -> None:
    events = await all_of(host, prepared(PAGE, sampling=Sampling(max_tokens=3)))

    assert events[1:] == [
        Delta(text="Hello world,", tokens=3),
        ChoiceFinished(reason=FinishReason.LENGTH, tokens=0),
        Finished(usage=Usage(input_tokens=332, output_tokens=3, image_tokens=332, images=1, pages=1)),
    ]


async def test_json_of_a_schema_has_its_types(host: RunningHost) -> None:
    shape = {"type": "object", "properties": {"Date": {"type": "string"}, "Total": {"type": "number"}}}

    events = await all_of(host, prepared(PAGE, json=JsonSchema(name="bill", schema=msgspec.json.encode(shape))))

    assert msgspec.json.decode(text_of(events)) == {"Date": "2024-05-20", "Total": 553.0}
    assert not any(isinstance(event, Recognized) for event in events)


async def test_any_json_is_all_pairs(host: RunningHost) -> None:
    events = await all_of(host, prepared(PAGE, json=AnyJson()))

    assert msgspec.json.decode(text_of(events)) == {"Date": "2024-05-20", "Total": "553.00"}


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (prepared(TextPart(text="Hi")), ParameterInvalid),
        (prepared(PAGE, most=300), InputTooLong),
        (prepared(msgspec.structs.replace(PAGE, data=PAGE.data[:40])), ParameterInvalid),
        (prepared(msgspec.structs.replace(PAGE, data=b"")), ParameterInvalid),
    ],
    ids=["no image", "too long", "truncated", "empty"],
)
async def test_what_cannot_be_read_is_refused_and_the_next_page_is_read(
    host: RunningHost, call: PreparedCall, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await all_of(host, call)

    assert text_of(await all_of(host, prepared(PAGE))) == TEXT


async def test_a_reader_that_is_killed_is_replaced(host: RunningHost) -> None:
    await all_of(host, prepared(PAGE))
    before = children_of(host.process.pid)
    for pid in before:
        os.kill(pid, signal.SIGKILL)

    assert text_of(await all_of(host, prepared(PAGE))) == TEXT
    assert not set(children_of(host.process.pid)) & set(before)


async def test_a_caller_who_leaves_ends_the_page(host: RunningHost) -> None:
    await all_of(host, prepared(PAGE))
    (before,) = children_of(host.process.pid)
    large = picture(*((20, 30 * row, "word " * 30) for row in range(60)), size=(2600, 1900))
    asked = asyncio.create_task(all_of(host, prepared(large)))
    await at_work(before)

    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked

    async with asyncio.timeout(20):
        while before in children_of(host.process.pid):  # noqa: ASYNC110 - the operating system tells no event
            await asyncio.sleep(0.01)


async def test_twenty_pages_in_a_row_take_no_more_and_more_memory(host: RunningHost) -> None:
    sizes = [(640, 240), (500, 300), (900, 200), (420, 420)]
    pages = [picture((30, 30, f"Total {number}"), size=sizes[number % 4]) for number in range(20)]
    held: list[int] = []
    for page in pages:
        await all_of(host, prepared(page))
        held.append(sum(resident_of(pid) for pid in children_of(host.process.pid)))

    # By the eighth page each size was seen twice.
    assert max(held[8:]) < 1.1 * max(held[:8])
    assert max(held) < 1_300 << 20


async def at_work(pid: int) -> None:
    """Wait until a process has computed for a tenth of a second."""
    begun = ticks_of(pid)
    async with asyncio.timeout(20):
        while ticks_of(pid) < begun + 10:  # noqa: ASYNC110 - the operating system tells no event
            await asyncio.sleep(0.01)


def ticks_of(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_of(pid: int) -> int:
    """Return how many bytes of memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(child) for child in text.split()]


def test_an_image_that_was_not_fetched_is_none() -> None:
    """The engine is given pictures; whoever forgets to fetch them is told."""
    unfetched = Message(role=Role.USER, content=(ImagePart(url="https://x/y.png"),))

    with pytest.raises(ParameterInvalid, match="There is no image in the last message of the user"):
        Asked(chat_call(messages=(unfetched,)))
