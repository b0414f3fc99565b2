"""Text that does not run, as in forms: a printed row is a line, and what goes on below stays with its beginning."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from qwenport.documents.blocks.paragraphs import PlacedLine, joined
from qwenport.documents.page import Line
from qwenport.documents.printed_rows import row_text
from qwenport.documents.tables.chunks import is_number, letters
from qwenport.documents.tables.evidence import has_key
from qwenport.documents.tables.frame import Frame
from qwenport.documents.tables.pieces import is_wide

_LATEST = 8  # rows above that may still go on
_CLOSE = 0.7  # of a line's height: how much space is between it and the one that goes on with it, at most
_BACK = -0.5
_ALIKE = 1.35  # times as high, one of both is at most
_FLUSH = 0.6  # of a line's height: how exactly lines of one text begin below one another
_LONGER = 2.0  # of a line's height: how much longer than the line before it a line may be
_WIDE = 6.0  # of its height: what is narrower is no line of running text
_LONGEST_KEY = 24  # letters; a colon behind more is one of a sentence
_FORM = 0.4  # of the rows of a part that is a form


class Entry(Struct, frozen=True, kw_only=True):
    """A key, a value, or a paragraph: lines that go on with one another."""

    lines: tuple[PlacedLine, ...]
    key: PlacedLine | None = None
    """What stands beside its first line, to the left."""
    after: PlacedLine | None = None
    """What stands beside it to the right."""

    @property
    def value_left(self) -> float:
        """Where lines begin that go on with its value; NaN where its first line has no key."""
        if self.key is not None:
            return self.left
        within = self.lines[0].value_left
        return math.nan if within is None else within

    @property
    def key_reach(self) -> tuple[float, float]:
        """From where to where the key stands."""
        return (self.left, self.value_left) if self.key is None else (self.key.left, self.key.right)

    @property
    def text(self) -> str:
        """Its lines joined."""
        text = self.lines[0].text.strip()
        for line in self.lines[1:]:
            text = joined(text, line.text.strip())
        return text

    @property
    def left(self) -> float:
        """Of its first line, as the others."""
        return self.lines[0].left

    @property
    def top(self) -> float:
        """Smallest height."""
        return self.lines[0].top

    @property
    def right(self) -> float:
        """Largest place across."""
        return self.lines[0].right

    @property
    def bottom(self) -> float:
        """Largest height."""
        return self.lines[0].bottom


EntryRow = tuple[Entry, ...]


def entry_rows(rows: Sequence[Sequence[PlacedLine]]) -> list[EntryRow]:
    """Printed rows of lines as rows of entries; a line that goes on with an entry above stands in none of its own."""
    margin = max((line.right for row in rows for line in row), default=0.0)
    entries: dict[int, Entry] = {}
    begun: list[list[int]] = []
    for row in rows:
        latest = [first for firsts in begun[-_LATEST:] for first in firsts]
        firsts: list[int] = []
        for place, line in enumerate(row):
            home = next((first for first in latest if _goes_on(entries[first], line, row, margin)), None)
            if home is not None:
                entries[home] = replace(entries[home], lines=(*entries[home].lines, line))
                continue
            before, after = row[place - 1] if place else None, row[place + 1] if place + 1 < len(row) else None
            entries[line.index] = Entry(lines=(line,), key=before, after=after)
            firsts.append(line.index)
        begun += [firsts] if firsts else []
    return [tuple(entries[first] for first in firsts) for firsts in begun]


def text_of_row(row: EntryRow) -> str:
    """Its entries beside each other; wide gaps are several spaces."""
    return row_text(row)


def lines_of_row(row: EntryRow) -> tuple[PlacedLine, ...]:
    """All lines of its entries."""
    return tuple(line for entry in row for line in entry.lines)


def is_form(rows: Sequence[Sequence[PlacedLine]], beside: Container[int]) -> bool:
    """Whether rows are those of a form: many have more than one text in them, a key, or lines beside them.

    Args:
        rows: lines of one region.
        beside: rows, by their place in `rows`, in which a line stands that is in no region.
    """
    found = [len(row) > 1 or at in beside or _begins_with_key(row[0].text) for at, row in enumerate(rows)]
    return sum(found) >= _FORM * len(rows)


def _goes_on(entry: Entry, line: PlacedLine, row: Sequence[PlacedLine], margin: float) -> bool:
    """Whether a line goes on with an entry above it; `margin` is how far to the right the text of all rows reaches."""
    before = entry.lines[-1]
    height = min(before.height, line.height)
    if not _BACK * height < line.top - before.bottom < _CLOSE * height or _begins_with_key(line.text):
        return False
    # Figures below figures are a column of them, of which some rows may leave those beside them blank.
    is_column = is_number(before.text) and is_number(line.text)
    is_longer = line.right > before.right + _LONGER * height
    if is_column or is_longer or max(before.height, line.height) > _ALIKE * height:
        return False
    others = [other for other in row if other is not line]
    if abs(line.left - entry.value_left) <= _FLUSH * height:
        start, end = entry.key_reach
        has_key_too = any(start < other.right and other.left < end for other in others)
        has_same_after = any(entry.after and abs(other.left - entry.after.left) <= height for other in others)
        return not has_key_too and not has_same_after
    if others or abs(line.left - before.left) > _FLUSH * height:
        return False
    has_key_inside = not math.isnan(entry.value_left) or _begins_with_key(entry.lines[0].text)
    if has_key_inside and before.right < margin - _LONGER * height:
        return False
    return before.right - before.left > _WIDE * before.height and not (_is_code(before.text) or _is_code(line.text))


def _is_code(text: str) -> bool:
    """Whether a text is a number or the like, and no part of a sentence."""
    is_word = all(character.isalpha() or character in ".,;!?'\"()-" for character in text.strip())
    return not is_word and not any(character.isspace() or is_wide(character) for character in text.strip())


def _begins_with_key(text: str) -> bool:
    end = next((place for place, character in enumerate(text) if character in ":\uff1a"), 0)
    return has_key(text) and letters(text[:end]) <= _LONGEST_KEY


def value_left(line: Line, frame: Frame) -> float | None:
    """Where a value begins that was read in one line with its key; None where the line has none."""
    key = ""
    for word, following in pairwise(line.words):
        key += word.text
        is_spaced_out = key == word.text and all(map(is_wide, key)) and line.text.startswith(f"{key} ")
        if is_spaced_out or (key.endswith((":", "\uff1a")) and letters(key) <= _LONGEST_KEY):
            return frame.box(following.quad)[0]
    return None
