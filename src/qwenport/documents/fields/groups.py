"""Fields that repeat, such as the items of an invoice: columns under a row of headings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwenport.documents.fields.frame import Fragment, same_row
from qwenport.documents.fields.kinds import Kind
from qwenport.documents.fields.passages import Passage, whole
from qwenport.documents.fields.printed_keys import PrintedKey, PrintedKeys
from qwenport.documents.fields.shapes import found_in
from qwenport.documents.fields.targets import Target

_END = re.compile(
    r"^\W*(?:合\s*[计計]|[总總]\s*[计計]|小\s*[计計]|[价價]税合|sub\s?-?total|"
    r"total|grand total|tax|gst|vat|cash|change|amount due|"
    r"balance|discount|rounding|[应應][付收]|[实實][收付]|[备備]注|remarks?|notes?|大写|[优優]惠|折扣|[税稅][额額]|件[数數])",
    re.IGNORECASE,
)
_MOST_ENTRIES = 200
_NUMBERS = frozenset({Kind.MONEY, Kind.NUMBER, Kind.QUANTITY, Kind.PERCENT})

Entry = tuple[Passage | None, ...]


def group_entries(fragments: Sequence[Fragment], keys: PrintedKeys, targets: Sequence[Target]) -> list[Entry]:
    """Return the entries of a repeated group, from top to bottom: for each target its passage or None."""
    headings = _headings(keys, targets)
    if not any(headings):
        return []
    found = [heading for heading in headings if heading is not None]
    body = _body(fragments, found)
    edges = _column_edges(fragments, found)
    entries: list[list[list[Fragment]]] = []
    lead = _lead(targets, headings, body, edges)
    previous: Fragment | None = None
    for row in _rows(body):
        cells: list[list[Fragment]] = [[] for _ in targets]
        for fragment in row:
            number = _column_of(fragment, headings, edges)
            if number is not None:
                cells[number].append(fragment)
        if not any(cells):
            continue
        goes_on = (
            previous is not None
            and lead is not None
            and not cells[lead]
            and row[0].top - previous.bottom < previous.height
        )
        if goes_on and entries and not any(cells[at] for at, each in enumerate(targets) if each.kind in _NUMBERS):
            for at, cell in enumerate(cells):
                entries[-1][at] += cell
        else:
            entries.append(cells)
        previous = row[-1]
        if len(entries) >= _MOST_ENTRIES:
            break
    return [tuple(_passage(cell, target) for cell, target in zip(cells, targets, strict=True)) for cells in entries]


def _headings(keys: PrintedKeys, targets: Sequence[Target]) -> list[PrintedKey | None]:
    """Return the heading of each target in the row that has the most of them."""
    candidates = [
        [(key, weight) for key in keys.all if not key.has_colon
         for known, weight in target.keys.items() if known.text == key.text]
        for target in targets
    ]  # fmt: skip
    best: list[PrintedKey | None] = [None] * len(targets)
    best_score = 0.0
    for anchor in [key for each in candidates for key, _ in each]:
        row: list[PrintedKey | None] = []
        score = 0.0
        for each in candidates:
            beside = [
                (weight, key)
                for key, weight in each
                if (key.fragment is anchor.fragment or same_row(key.fragment, anchor.fragment)) and key not in row
            ]
            choice = max(beside, key=lambda pair: pair[0], default=None)
            row.append(choice[1] if choice else None)
            score += choice[0] if choice else 0.0
        if score > best_score + 1e-9:
            best, best_score = row, score
    return best


def _body(fragments: Sequence[Fragment], headings: Sequence[PrintedKey]) -> list[Fragment]:
    """Return what stands below the headings, down to a sum, a note or a wide gap."""
    bottom = max(heading.fragment.bottom for heading in headings)
    height = max(heading.fragment.height for heading in headings)
    body: list[Fragment] = []
    lowest = bottom
    for fragment in fragments:
        if fragment.middle <= bottom or not any(mark.isalnum() or mark in "-*" for mark in fragment.text):
            continue
        if _END.match(fragment.text) or fragment.top - lowest > 5 * height:
            break
        body.append(fragment)
        lowest = max(lowest, fragment.bottom)
    last = body[-1] if body else None
    ended = next((each for each in fragments if each.middle > bottom and _END.match(each.text)), None)
    if last is not None and ended is not None:
        body = [each for each in body if not same_row(each, ended)]
    return body


def _rows(body: Sequence[Fragment]) -> list[list[Fragment]]:
    rows: list[list[Fragment]] = []
    for fragment in body:
        if rows and same_row(rows[-1][0], fragment):
            rows[-1].append(fragment)
        else:
            rows.append([fragment])
    return [sorted(row, key=lambda each: each.left) for row in rows]


def _column_edges(fragments: Sequence[Fragment], headings: Sequence[PrintedKey]) -> list[tuple[float, float]]:
    """Return left and right of everything that heads a column, the unasked headings included."""
    first = headings[0].fragment
    spans = {(heading.left, heading.right) for heading in headings}
    covered = {heading.fragment.number for heading in headings}
    spans |= {(each.left, each.right) for each in fragments if each.number not in covered and same_row(each, first)}
    return sorted(spans)


def _column_of(
    fragment: Fragment, headings: Sequence[PrintedKey | None], edges: Sequence[tuple[float, float]]
) -> int | None:
    """Return the number of the target in whose column a fragment stands, or None for an unasked column."""

    def distance(edge: tuple[float, float]) -> float:
        gap = max(edge[0] - fragment.right, fragment.left - edge[1], 0.0)
        aside = min(
            abs(edge[0] - fragment.left),
            abs(edge[1] - fragment.right),
            abs(sum(edge) - fragment.left - fragment.right) / 2,
        )
        return gap * 2 + aside

    nearest = min(edges, key=distance)
    for number, heading in enumerate(headings):
        if heading is not None and (heading.left, heading.right) == nearest:
            return number
    return None


def _lead(
    targets: Sequence[Target],
    headings: Sequence[PrintedKey | None],
    body: Sequence[Fragment],
    edges: Sequence[tuple[float, float]],
) -> int | None:
    """Return the column which has a value in every entry: one of numbers if there is any, the last of them."""
    counts = [0] * len(targets)
    for fragment in body:
        number = _column_of(fragment, headings, edges)
        if number is not None:
            counts[number] += 1
    numbers = [at for at, target in enumerate(targets) if target.kind in _NUMBERS and counts[at]]
    if numbers:
        return max(numbers, key=lambda at: (counts[at], at))
    return next((at for at, count in enumerate(counts) if count), None)


def _passage(cell: Sequence[Fragment], target: Target) -> Passage | None:
    if not cell:
        return None
    passage = Passage([piece for fragment in cell for piece in whole(fragment).stripped("").pieces])
    if target.kind in _NUMBERS:
        found = found_in(target.kind, passage.text)
        if found:
            return passage.part(found[0].start, found[0].end)
    return passage
