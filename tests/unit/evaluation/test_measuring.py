"""Measuring with a pool that says what it is told to."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageDraw

from qwenport.core.ocr import OcrTask
from qwenport.documents.page import Line, Page
from qwenport.engines.ocr.scaling import MOST_PIXELS
from qwenport.engines.ocr.wire import Failure, PageAnswer, PageFailed, PageOrder, PageReply
from qwenport.evaluation.case import Case
from qwenport.evaluation.measuring import measure, measurement
from qwenport.evaluation.metrics.cells import GridCell
from qwenport.evaluation.metrics.characters import CharacterCounts
from qwenport.evaluation.metrics.fields import FieldCounts
from qwenport.evaluation.pace import PaceResult, Pair, compare_pace
from qwenport.evaluation.page_cache import PageCache
from qwenport.evaluation.reading import Answering, ReadingFailed
from qwenport.evaluation.rendering import layouts
from qwenport.evaluation.scores import FIVE_KINDS, Answer, CaseScore, WrongField, by_group, score
from qwenport.evaluation.soak import MOST_BYTES, SoakResult, soak
from qwenport.evaluation.soak_orders import soak_orders
from qwenport.evaluation.worker_memory import peak_bytes
from qwenport.settings.configuration_file import OcrTable

TASKS = (
    OcrTask.KEY_INFORMATION_EXTRACTION,
    OcrTask.TABLE_PARSING,
    OcrTask.DOCUMENT_PARSING,
    OcrTask.ADVANCED_RECOGNITION,
)
UNREADABLE = PageFailed(failure=Failure.IMAGE_UNREADABLE, reason="it is no image")


class ScriptedPool:
    """Gives the page that belongs to a picture, and fails for every other."""

    def __init__(self, pages: dict[bytes, Page], processes: Sequence[tuple[int, ...]] = ((),)) -> None:
        self.pages = pages
        self.orders: list[PageOrder] = []
        self._processes = processes

    @property
    def processes(self) -> tuple[int, ...]:
        return self._processes[min(len(self.orders), len(self._processes)) - 1]

    async def read(self, order: PageOrder) -> PageReply:
        self.orders.append(order)
        page = self.pages.get(order.image)
        return UNREADABLE if page is None else PageAnswer(text="", page=page, seconds=2.0)


def line(text: str, left: float, top: float, width: float = 100) -> Line:
    quad = (left, top, left + width, top, left + width, top + 20, left, top + 20)
    return Line(text=text, quad=quad, score=1.0)


def ruled_picture() -> bytes:
    """Return a grid of two columns and four rows, 300 by 40 pixels each."""
    image = Image.new("RGB", (660, 220), "white")
    pen = ImageDraw.Draw(image)
    for y in range(30, 191, 40):
        pen.line((30, y, 630, y), "black", 2)
    for x in (30, 330, 630):
        pen.line((x, 30, x, 190), "black", 2)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def measured(
    cases: Sequence[Case], pool: ScriptedPool, cache: PageCache | None = None, after: Callable[[], object] = list
) -> tuple[tuple[CaseScore, ...], int]:
    return asyncio.run(measure(cases, Answering(pool, cache), pool, 2, after))


LINES = (line("Invoice No: A-17", 20, 20, 200), line("Amount Due: 12.00", 20, 60, 200))
CASE = Case(
    name="one",
    group="bills",
    load=lambda: b"picture",
    fields={"Invoice No": "A-17", "Amount Due": "12.50"},
    schema=b'{"Invoice No": "", "Amount Due": ""}',
    lines=(line("Invoice No: A-17", 20, 20, 200), line("Amount Due: 12.50", 20, 60, 200)),
)
PAGE = Page(width=600, height=300, lines=LINES)


def test_a_document_is_scored_on_text_places_and_fields() -> None:
    pool = ScriptedPool({b"picture": PAGE})
    done: list[int] = []

    (score,), _ = measured([CASE], pool, after=lambda: done.append(1))

    assert (score.name, score.group, score.seconds, score.is_kept, score.failure) == ("one", "bills", 2.0, False, "")
    assert score.characters == CharacterCounts(errors=1, characters=29, exact_items=1, items=2)
    assert score.boxes is not None
    assert (score.boxes.hits, score.boxes.items) == (2, 2)
    assert score.strict == score.normalised == FieldCounts(right=1, given=2, wanted=2)
    assert score.wrong == (WrongField(field="Amount Due", wanted="12.50", given="12.00"),)
    assert score.cells is None
    assert done == [1]


def test_case_does_not_count_where_the_truth_is_in_capitals() -> None:
    lines = tuple(line(each.text.upper(), each.left, each.top, 200) for each in LINES)
    case = msgspec.structs.replace(CASE, lines=lines)
    pool = ScriptedPool({b"picture": PAGE})

    (cased,), _ = measured([case], pool)
    in_capitals = msgspec.structs.replace(case, in_capitals=True)
    (folded,), _ = measured([in_capitals], pool)

    assert cased.characters is not None
    assert cased.characters.errors > 0
    assert folded.characters == CharacterCounts(errors=0, characters=29, exact_items=2, items=2)


def test_a_picture_that_is_not_read_misses_all_of_its_truth() -> None:
    pool = ScriptedPool({})

    (score,), _ = measured([CASE], pool)
    (figures,) = by_group([score])

    assert score.failure == "image_unreadable it is no image"
    assert score.normalised == FieldCounts(right=0, given=0, wanted=2)
    assert (figures.documents, figures.failed) == (1, 1)
    assert figures.character_error_rate is not None
    assert figures.character_error_rate.figure == 1.0


def test_kept_pages_are_answered_anew_without_being_read_again(tmp_path: Path) -> None:
    pool = ScriptedPool({b"picture": PAGE})
    cache = PageCache(tmp_path, "reader")

    first, _ = measured([CASE], pool, cache)
    second, _ = measured([CASE], pool, cache)

    assert len(pool.orders) == 1
    assert second == (msgspec.structs.replace(first[0], is_kept=True),)


def test_tables_are_compared_cell_by_cell() -> None:
    image = ruled_picture()
    rows = [("Name", "Pieces"), ("Apple", "3"), ("Pear", "14"), ("Plum", "15")]
    lines = tuple(line(text, 50 + 300 * x, 40 + 40 * y, 80) for y, row in enumerate(rows) for x, text in enumerate(row))
    truth = tuple(GridCell(row=y, column=x, text=text) for y, row in enumerate(rows) for x, text in enumerate(row))
    case = Case(name="table", group="tables", load=lambda: image, tables=(truth,))
    pool = ScriptedPool({image: Page(width=660, height=220, lines=lines)})

    (score,), _ = measured([case], pool)

    assert score.cells == FieldCounts(right=8, given=8, wanted=8)
    assert score.normalised is None


def test_figures_stand_for_each_group_and_for_all() -> None:
    other = msgspec.structs.replace(CASE, name="two", group="letters", fields={}, schema=b"")
    pool = ScriptedPool({b"picture": PAGE})

    scores, peak = measured([CASE, other], pool)
    whole = measurement("a folder", OcrTable(), 2, scores, peak)

    assert [(one.group, one.documents) for one in whole.figures] == [("bills", 1), ("letters", 1), ("all", 2)]
    assert whole.figures[1].f1_normalised is None
    assert whole.figures[2].f1_normalised == whole.figures[0].f1_normalised
    assert whole.figures[2].documents_exact == 0.0
    assert json.loads(msgspec.json.encode(whole))["versions"].keys() == {"qwenport", "rapidocr", "onnxruntime"}


def test_tickets_invoices_cards_licences_and_receipts_have_figures_of_their_own() -> None:
    answer = Answer(page=Page(width=9, height=9))
    groups = ("train ticket", "contract", "shop receipt", "train ticket")
    scores = [score(msgspec.structs.replace(CASE, group=each), answer) for each in groups]

    rows = [(one.group, one.documents) for one in by_group(scores)]
    of_kinds_alone = [one.group for one in by_group([each for each in scores if each.group != "contract"])]

    assert rows == [("train ticket", 2), ("contract", 1), ("shop receipt", 1), ("five kinds", 3), ("all", 4)]
    assert of_kinds_alone == ["train ticket", "shop receipt", "all"]
    assert {layout.kind for layout in layouts().values()} > FIVE_KINDS


def test_a_soak_reads_pictures_over_and_over() -> None:
    pool = ScriptedPool({b"a": PAGE, b"b": PAGE})
    done: list[int] = []

    orders = [PageOrder(image=b"a"), PageOrder(image=b"b", task=OcrTask.TABLE_PARSING)]
    result = asyncio.run(soak(pool, orders, 10, lambda: done.append(1)))

    assert pool.orders == orders * 5
    assert (result.pages, result.failed, result.replaced, len(result.samples), len(done)) == (10, 0, False, 10, 10)
    assert result.problems == ()


def test_a_soak_tells_of_pages_that_failed_and_of_processes_that_were_replaced() -> None:
    pool = ScriptedPool({b"a": PAGE}, processes=[(2**22 + 1,)] * 5 + [(2**22 + 2,)])

    result = asyncio.run(soak(pool, [PageOrder(image=b"a"), PageOrder(image=b"gone")], 10, list))

    assert result.problems == (
        "5 of 10 pages were not read",
        "the reading process ended on the way and was replaced",
    )


def test_what_a_process_held_while_it_read_counts_as_what_it_held_at_most() -> None:
    """This process has given this back long ago."""
    bytearray(64 << 20)
    pool = ScriptedPool({b"a": PAGE}, processes=[(os.getpid(),)])

    result = asyncio.run(soak(pool, [PageOrder(image=b"a")], 10, list))

    assert result.most_bytes >= max(result.samples) > 0
    assert result.most_bytes == peak_bytes((os.getpid(),))


def test_a_soak_does_every_task_and_reads_a_page_on_its_side_and_one_of_the_largest_size() -> None:
    picture = ruled_picture()
    cases = [
        Case(name="bill", group="", load=lambda: picture, schema=b'{"No": ""}'),
        Case(name="page", group="", load=lambda: picture),
    ]

    *tasks, turned, large = soak_orders(cases)

    assert [order.task for order in tasks] == [None, *list(TASKS)] * 2
    assert [order.result_schema for order in tasks if order.task is OcrTask.KEY_INFORMATION_EXTRACTION] == [
        b"",
        b'{"No": ""}',
    ]
    assert {order.image for order in tasks} == {picture}
    sizes = [Image.open(io.BytesIO(order.image)).size for order in (turned, large)]
    assert sizes[0] == (220, 660)
    assert 0.99 * MOST_PIXELS < sizes[1][0] * sizes[1][1] <= MOST_PIXELS
    assert (turned.rotates, large.rotates) == (True, False)


@pytest.mark.parametrize(
    ("early", "late", "most", "problems"),
    [
        (1_000, 1_099, 1_200, ()),
        (1_000, 1_110, 1_200, ("the reading process grew by 11%; 10% are allowed",)),
        (MOST_BYTES, MOST_BYTES, MOST_BYTES + 1_000_000, ("the reading process held 1301 MB; 1300 MB are allowed",)),
    ],
)
def test_a_soak_has_bounds(early: int, late: int, most: int, problems: tuple[str, ...]) -> None:
    result = SoakResult(
        pages=10, failed=0, replaced=False, early_bytes=early, late_bytes=late, most_bytes=most, samples=()
    )

    assert result.problems == problems


def test_runs_of_one_and_two_processes_take_turns() -> None:
    runs: list[str] = []

    class NamedPool(ScriptedPool):
        def __init__(self, name: str) -> None:
            super().__init__({b"a": PAGE, b"b": PAGE})
            self._name = name

        async def read(self, order: PageOrder) -> PageReply:
            runs.append(self._name)
            return await super().read(order)

    result = asyncio.run(compare_pace(NamedPool("one"), NamedPool("two"), [b"a", b"b"], 2, list))

    # First each is woken; then the pairs, every other one the other way round.
    assert runs == ["one", "two", "two", *["one"] * 2, *["two"] * 2, *["two"] * 2, *["one"] * 2]
    assert (len(result.pairs), result.pages_of_a_run) == (2, 2)


def test_the_ratio_is_the_middle_of_the_pairs() -> None:
    pairs = tuple(Pair(one_pages_s=1.0, two_pages_s=two) for two in (1.5, 9.0, 1.7))

    assert PaceResult(pairs=pairs, pages_of_a_run=8).median_ratio == 1.7


def test_a_pace_of_pages_that_fail_is_none() -> None:
    with pytest.raises(ReadingFailed, match="1 of 1 pages were not read: it is no image"):
        asyncio.run(compare_pace(ScriptedPool({}), ScriptedPool({}), [b"a"], 1, list))
