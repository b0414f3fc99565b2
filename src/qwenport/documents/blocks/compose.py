"""Blocks of a page from its lines, the regions that a layout model has seen, and its tables."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from statistics import median

from msgspec import Struct

from qwenport.documents.blocks.block import Block, Region, RegionKind
from qwenport.documents.blocks.forms import entry_rows, is_form, lines_of_row, text_of_row, value_left
from qwenport.documents.blocks.headings import is_title, titles
from qwenport.documents.blocks.order import in_order
from qwenport.documents.blocks.paragraphs import PlacedLine, paragraphs
from qwenport.documents.page import Line, Page
from qwenport.documents.reading_order import row_indices
from qwenport.documents.tables import Box, Rules, Table
from qwenport.documents.tables.frame import Frame, frame_of

_INSIDE = 0.5  # share of a line that must lie in a region for it to belong there
_TOUCHING = 0.8  # of a line's height: how far beside running text it may stand for it to belong there
_PICTURES = (RegionKind.FIGURE, RegionKind.EQUATION)
_OF_TEXT = 0.08  # share of a figure that lines cover: what has more is a card or a ticket, taken for a picture
_TITLE = 0.75  # of the largest print in a title: smaller one beside it is no part of it

_Rows = Sequence[Sequence[PlacedLine]]


class _Draft(Struct, frozen=True, kw_only=True):
    kind: RegionKind
    place: Box
    lines: tuple[PlacedLine, ...] = ()
    text: str = ""
    table: Table | None = None

    @property
    def is_large(self) -> bool:
        return self.table is not None or self.kind in _PICTURES or len(self.lines) > 2


def blocks_of(page: Page, regions: tuple[Region, ...], tables: tuple[Table, ...]) -> tuple[Block, ...]:
    """Blocks in reading order. Each line of the page is in exactly one.

    Lines in regions of running text are paragraphs; those of forms, cards and tickets are a block a printed row.
    """
    frame = frame_of(page, Rules())
    in_tables = {index for table in tables for index in table.lines}
    placed = [_line(index, line, frame) for index, line in enumerate(page.lines)]
    shown = [[placed[i] for i in row if i not in in_tables and placed[i].text.strip()] for row in row_indices(page)]
    rows = [row for row in shown if row]
    height = median(line.height for row in rows for line in row) if rows else 20.0
    drafts = [_Draft(kind=RegionKind.TABLE, place=_placed(t.box, frame), table=t) for t in tables]
    drafts += _of_regions(rows, _usable(regions, tables), frame)
    drafts = _with_titles(drafts, rows, page.width)
    drafts += _loose(_without(rows, drafts))
    return tuple(_block(draft, frame) for draft in _ordered(drafts, height))


def _line(index: int, line: Line, frame: Frame) -> PlacedLine:
    return PlacedLine(index=index, text=line.text, box=frame.box(line.quad), value_left=value_left(line, frame))


def _placed(box: Box, frame: Frame) -> Box:
    left, top, right, bottom = box
    return frame.box((left, top, right, top, right, bottom, left, bottom))


def _usable(regions: Iterable[Region], tables: Sequence[Table]) -> list[Region]:
    """Regions but those that tables were found in; what was only taken for a table is text."""
    return [
        region
        for region in regions
        if region.kind is not RegionKind.TABLE and all(_share(region.box, table.box) < _INSIDE for table in tables)
    ]


def _share(box: Box, other: Box) -> float:
    """Which share of a box lies in another."""
    area = _area(box)
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return width * height / area if width > 0 and height > 0 and area > 0 else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _of_regions(rows: _Rows, regions: Sequence[Region], frame: Frame) -> list[_Draft]:
    """Drafts of the regions that are what they are taken for; the lines of the others stand in none."""
    places = [_placed(region.box, frame) for region in regions]
    homes = _homes(rows, regions, places)
    drafts, wrong = [], set[int]()
    for index, (region, place) in enumerate(zip(regions, places, strict=True)):
        held = [row for row in rows if any(homes.get(line.index) == index for line in row)]
        inside = [[line for line in row if homes.get(line.index) == index] for row in held]
        beside = {at for at, row in enumerate(held) if any(line.index not in homes for line in row)}
        within = _running(region.kind, place, inside, beside) if _stands(region.kind, place, rows) else ()
        if inside and not within:
            wrong.add(index)
        elif within or region.kind in _PICTURES:
            box = place if region.kind in _PICTURES else _around(within)
            drafts.append(_Draft(kind=region.kind, place=box, lines=within, text=paragraphs(within)))
    if not wrong:
        return drafts
    # What stood in a wrong region may be beside lines of another, which is shown to be a form by that.
    return _of_regions(rows, [region for index, region in enumerate(regions) if index not in wrong], frame)


def _homes(rows: _Rows, regions: Sequence[Region], places: Sequence[Box]) -> dict[int, int]:
    """In which region each line stands; one that touches running text from above or below stands in it too."""
    homes: dict[int, int] = {}
    for line in (line for row in rows for line in row):
        shares = [_share(line.box, place) for place in places]
        if max(shares, default=0.0) < _INSIDE:
            spare = _TOUCHING * line.height
            grown = [(left, top - spare, right, bottom + spare) for left, top, right, bottom in places]
            text = [region.kind is RegionKind.TEXT for region in regions]
            shares = [_share(line.box, place) if runs else 0.0 for runs, place in zip(text, grown, strict=True)]
        best = max(range(len(places)), key=lambda i: shares[i], default=-1)
        if best >= 0 and shares[best] >= _INSIDE:
            homes[line.index] = best
    return homes


def _stands(kind: RegionKind, place: Box, rows: _Rows) -> bool:
    """Whether a region is where its kind is: nothing stands above the head of a page, and nothing below its foot."""
    match kind:
        case RegionKind.HEADER:
            return all(line.bottom > place[1] for row in rows for line in row)
        case RegionKind.FOOTER:
            return all(line.top < place[3] for row in rows for line in row)
        case _:
            return True


def _running(kind: RegionKind, place: Box, rows: _Rows, beside: Container[int]) -> tuple[PlacedLine, ...]:
    """The lines of a region that are what it is taken for; none where it is a part of a form."""
    lines = tuple(line for row in rows for line in row)
    match kind:
        case RegionKind.TITLE if not is_form(rows, beside):
            largest = max((line.height for line in lines), default=0.0)
            return tuple(line for line in lines if line.height >= _TITLE * largest and is_title(line.text))
        case RegionKind.FIGURE:
            return lines if sum(_area(line.box) for line in lines) < _OF_TEXT * _area(place) else ()
        case RegionKind.EQUATION | RegionKind.REFERENCE:
            return lines
        case _:
            return () if is_form(rows, beside) else lines


def _with_titles(drafts: Sequence[_Draft], rows: _Rows, width: float) -> list[_Draft]:
    """The drafts with titles that are told by their print, for a page on which the model has not seen them."""
    found = titles([line for row in rows for line in row], width)
    if not found or any(draft.kind is RegionKind.TITLE and found & _indices(draft) for draft in drafts):
        return list(drafts)
    lines = [line for row in rows for line in row if line.index in found]
    large = [_Draft(kind=RegionKind.TITLE, place=line.box, lines=(line,), text=line.text.strip()) for line in lines]
    # Running heads stand on pages of a book: a page with a title of its own has none.
    kept = [draft for draft in drafts if draft.kind is not RegionKind.HEADER and not found & _indices(draft)]
    return large + kept


def _indices(draft: _Draft) -> frozenset[int]:
    return frozenset(line.index for line in draft.lines)


def _without(rows: _Rows, drafts: Sequence[_Draft]) -> list[list[PlacedLine]]:
    taken = frozenset[int]().union(*map(_indices, drafts))
    left = [[line for line in row if line.index not in taken] for row in rows]
    return [row for row in left if row]


def _loose(rows: _Rows) -> list[_Draft]:
    """Lines outside all regions: a draft for each printed row, with what goes on below it."""
    return [
        _Draft(kind=RegionKind.TEXT, place=_around(lines_of_row(row)), lines=lines_of_row(row), text=text_of_row(row))
        for row in entry_rows(rows)
    ]


def _around(lines: Sequence[PlacedLine]) -> Box:
    boxes = [line.box for line in lines]
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _ordered(drafts: Sequence[_Draft], text_height: float) -> list[_Draft]:
    """Heads of the page first, feet last, between them as a reader goes."""
    heads = [draft for draft in drafts if draft.kind is RegionKind.HEADER]
    feet = [draft for draft in drafts if draft.kind is RegionKind.FOOTER]
    body = [draft for draft in drafts if draft.kind not in {RegionKind.HEADER, RegionKind.FOOTER}]
    return [part for parts in (heads, body, feet) for part in in_order(parts, 0.8 * text_height)]


def _block(draft: _Draft, frame: Frame) -> Block:
    return Block(
        kind=draft.kind,
        text=draft.text,
        box=draft.table.box if draft.table else frame.page_box(draft.place),
        lines=draft.table.lines if draft.table else tuple(line.index for line in draft.lines),
        table=draft.table,
    )
