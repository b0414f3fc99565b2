"""Blocks of a page from its lines, the regions that a layout model has seen, and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from qwenport.documents.blocks.block import Block, Region, RegionKind
from qwenport.documents.blocks.order import in_order
from qwenport.documents.blocks.paragraphs import PlacedLine, paragraphs
from qwenport.documents.page import Page
from qwenport.documents.tables import Box, Rules, Table
from qwenport.documents.tables.frame import Frame, frame_of

_INSIDE = 0.5  # share of a line that must lie in a region for it to belong there
_PICTURES = (RegionKind.FIGURE, RegionKind.EQUATION)


class _Draft(Struct, frozen=True, kw_only=True):
    kind: RegionKind
    place: Box
    lines: tuple[PlacedLine, ...] = ()
    table: Table | None = None

    @property
    def is_large(self) -> bool:
        return self.table is not None or self.kind in _PICTURES or len(self.lines) > 2


def blocks_of(page: Page, regions: tuple[Region, ...], tables: tuple[Table, ...]) -> tuple[Block, ...]:
    """Blocks in reading order. Each line of the page is in exactly one; those outside all regions make their own."""
    frame = frame_of(page, Rules())
    in_tables = {index for table in tables for index in table.lines}
    lines = [
        PlacedLine(index=index, text=line.text, box=frame.box(line.quad))
        for index, line in enumerate(page.lines)
        if index not in in_tables and line.text.strip()
    ]
    height = median(line.height for line in lines) if lines else 20.0
    drafts = [_Draft(kind=RegionKind.TABLE, place=_placed(t.box, frame), table=t) for t in tables]
    drafts += _of_regions(lines, _usable(regions, tables), frame)
    taken = {line.index for draft in drafts for line in draft.lines}
    drafts += _loose([line for line in lines if line.index not in taken])
    return tuple(_block(draft, frame) for draft in _ordered(drafts, height))


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
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return width * height / area if width > 0 and height > 0 and area > 0 else 0.0


def _of_regions(lines: Sequence[PlacedLine], regions: Sequence[Region], frame: Frame) -> list[_Draft]:
    places = [_placed(region.box, frame) for region in regions]
    held: dict[int, list[PlacedLine]] = {}
    for line in lines:
        shares = [_share(line.box, place) for place in places]
        best = max(range(len(places)), key=lambda i: shares[i], default=-1)
        if best >= 0 and shares[best] >= _INSIDE:
            held.setdefault(best, []).append(line)
    drafts = []
    for index, (region, place) in enumerate(zip(regions, places, strict=True)):
        within = _read(held.get(index, ()))
        if within or region.kind in _PICTURES:
            box = place if region.kind in _PICTURES else _around(within)
            drafts.append(_Draft(kind=region.kind, place=box, lines=within))
    return drafts


def _read(lines: Sequence[PlacedLine]) -> tuple[PlacedLine, ...]:
    """Lines of one region from top to bottom, fragments of one printed row from left to right."""
    rows: list[list[PlacedLine]] = []
    for line in sorted(lines, key=lambda one: one.box[1] + one.box[3]):
        if rows and line.box[1] + line.box[3] - rows[-1][-1].box[1] - rows[-1][-1].box[3] < 0.8 * line.height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(line for row in rows for line in sorted(row, key=lambda one: one.box[0]))


def _around(lines: Sequence[PlacedLine]) -> Box:
    boxes = [line.box for line in lines]
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _loose(lines: Sequence[PlacedLine]) -> list[_Draft]:
    """Lines outside all regions, those that follow one another closely and begin alike together."""
    groups: list[list[PlacedLine]] = []
    for line in sorted(lines, key=lambda one: one.box[1]):
        home = next((group for group in reversed(groups) if _goes_on(group[-1], line)), None)
        if home is None:
            groups.append([line])
        else:
            home.append(line)
    return [_Draft(kind=RegionKind.TEXT, place=_around(group), lines=tuple(group)) for group in groups]


def _goes_on(before: PlacedLine, line: PlacedLine) -> bool:
    height = min(before.height, line.height)
    gap = line.box[1] - before.box[3]
    return (
        -0.5 * height < gap < 0.7 * height
        and max(before.height, line.height) < 1.35 * height
        and abs(before.box[0] - line.box[0]) < 2.5 * height
    )


def _ordered(drafts: Sequence[_Draft], text_height: float) -> list[_Draft]:
    """Heads of the page first, feet last, between them as a reader goes."""
    heads = [draft for draft in drafts if draft.kind is RegionKind.HEADER]
    feet = [draft for draft in drafts if draft.kind is RegionKind.FOOTER]
    body = [draft for draft in drafts if draft.kind not in {RegionKind.HEADER, RegionKind.FOOTER}]
    return [part for parts in (heads, body, feet) for part in in_order(parts, 0.8 * text_height)]


def _block(draft: _Draft, frame: Frame) -> Block:
    return Block(
        kind=draft.kind,
        text=paragraphs(draft.lines),
        box=draft.table.box if draft.table else frame.page_box(draft.place),
        lines=draft.table.lines if draft.table else tuple(line.index for line in draft.lines),
        table=draft.table,
    )
