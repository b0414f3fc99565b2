"""Pages of `qwenport ocr` as they come from whoever reads them: printed in order, each as soon as it is read."""

from __future__ import annotations

import asyncio
import io
import json
from collections import deque
from pathlib import Path

import pytest
from PIL import Image

from qwenport.cli.ocr_desk import Desk, Errand
from qwenport.cli.ocr_output import JsonPrinter, PagePrinter, TextPrinter
from qwenport.cli.progress import RowBar
from qwenport.documents.page import Page
from qwenport.engines.ocr.wire import Failure, PageAnswer, PageFailed, PageOrder, PageReply
from qwenport.media.decoding import Decoded
from qwenport.media.pictures import Header

pytestmark = pytest.mark.anyio

BAD = PageFailed(failure=Failure.TOO_SLOW, reason="it took more than 60 s")


def picture() -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(output, "PNG")
    return output.getvalue()


class ScriptedPool:
    """Answers with the text that a page is; one page is bad, and one waits until it may be read."""

    def __init__(self, *, bad: int = 0, held: int = 0) -> None:
        self.asked: list[PageOrder] = []
        self.go = asyncio.Event()
        self.left = 0
        self._bad = bad
        self._held = held

    async def read(self, order: PageOrder) -> PageReply:
        self.asked.append(order)
        number = len(self.asked)
        if number == self._held:
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.left += 1
                raise
        page = Page(width=40, height=30) if order.wants_page else None
        return BAD if number == self._bad else PageAnswer(text=f"text {number}", page=page)


def pages(count: int) -> deque[Decoded]:
    header = Header("image/png", 40, 30)
    return deque(Decoded(data=picture(), header=header, page=number) for number in range(1, count + 1))


def desk(pool: ScriptedPool, printer: PagePrinter | None = None, drawing: Path | None = None) -> Desk:
    errand = Errand(task=None, schema=b"", is_json=False, drawing=drawing, is_fast=False, turns=False)
    return Desk(errand, printer or TextPrinter(), RowBar(), pool)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


PDF = Path("a.pdf")


async def test_a_bad_page_is_told_and_the_others_stand(capsys: pytest.CaptureFixture[str]) -> None:
    reading = desk(ScriptedPool(bad=2))
    await reading.read(PDF, pages(3), ahead=1, is_headed=False)

    printed = capsys.readouterr()
    assert printed.out == "== a.pdf, page 1\ntext 1\n== a.pdf, page 3\ntext 3\n"
    assert printed.err == "a.pdf: page 2 could not be read (too_slow): it took more than 60 s\n"
    assert reading.failures == 1


async def test_a_page_is_printed_before_the_next_is_read_and_few_are_read_ahead(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pool = ScriptedPool(held=2)
    reading = asyncio.create_task(desk(pool, drawing=tmp_path / "b.png").read(PDF, pages(9), ahead=2, is_headed=True))
    async with asyncio.timeout(10):
        while len(pool.asked) < 4:  # noqa: ASYNC110 - the last of them when a thread has drawn the first page
            await asyncio.sleep(0.001)
    for _ in range(10):
        await asyncio.sleep(0)
    before = capsys.readouterr().out, len(pool.asked), names(tmp_path)
    pool.go.set()
    await reading

    # The first, the one that is waited for, and two ahead of it.
    assert before == ("== a.pdf, page 1\ntext 1\n", 4, ["b.png"])
    assert capsys.readouterr().out == "".join(f"== a.pdf, page {n}\ntext {n}\n" for n in range(2, 10))
    assert names(tmp_path) == sorted(["b.png", *(f"b-{n}.png" for n in range(2, 10))])


async def test_whoever_breaks_off_keeps_what_was_read_as_whole_json(capsys: pytest.CaptureFixture[str]) -> None:
    pool, printer = ScriptedPool(held=3), JsonPrinter()
    reading = asyncio.create_task(desk(pool, printer).read(PDF, pages(5), ahead=1, is_headed=False))
    while len(pool.asked) < 4:  # noqa: ASYNC110 - one step of the loop after another
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    printer.end()

    told = json.loads(capsys.readouterr().out)
    assert [(each["page"], each["text"], each["width"], each["height"]) for each in told] == [
        (1, "text 1", 40, 30),
        (2, "text 2", 40, 30),
    ]
    assert pool.left == 1


async def test_a_disk_that_refuses_a_picture_does_not_end_the_reading(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pool = ScriptedPool()
    reading = desk(pool, drawing=tmp_path / "nowhere" / "b.png")
    await reading.read(PDF, pages(3), ahead=0, is_headed=False)

    printed = capsys.readouterr()
    assert [line for line in printed.out.splitlines() if not line.startswith("==")] == ["text 1", "text 2", "text 3"]
    assert printed.err == f"{tmp_path}/nowhere/b.png cannot be written: No such file or directory\n"
    assert reading.failures == 1
    assert [order.wants_page for order in pool.asked] == [True, False, False]


async def test_json_of_nothing_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    JsonPrinter().end()

    assert capsys.readouterr().out == "[]\n"
