"""Values beside printed keys: on the same line, to the right, below, and carried on over several lines."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re
from collections.abc import Sequence

from qwenport.documents.fields.folding import is_chinese
from qwenport.documents.fields.frame import Fragment, same_row, share_columns
from qwenport.documents.fields.kinds import Found, Kind
from qwenport.documents.fields.numbers import is_broken
from qwenport.documents.fields.passages import Candidate, Passage, Piece, whole
from qwenport.documents.fields.printed_keys import PrintedKey, PrintedKeys
from qwenport.documents.fields.shapes import address_fit, company_fit, found_in, is_phone_line, looks_like_name

_CARRIED_ON = {Kind.ADDRESS: 4, Kind.LONG: 14, Kind.COMPANY: 2, Kind.WORDS: 2, Kind.TEXT: 2}
"""How many lines a value of a kind may have."""
_WHOLE_LINE = frozenset({Kind.ADDRESS, Kind.LONG, Kind.COMPANY, Kind.TEXT, Kind.NAME, Kind.NATION})
_UNMISTAKABLE = frozenset(
    {
        Kind.DATE,
        Kind.TIME,
        Kind.DATETIME,
        Kind.MOMENT,
        Kind.PERIOD,
        Kind.EMAIL,
        Kind.WEB,
        Kind.FLIGHT,
        Kind.CARD,
        Kind.PERSON,
        Kind.WORDS,
    }
)
_SUMMED = frozenset({Kind.MONEY, Kind.NUMBER, Kind.QUANTITY})
_SUM = re.compile(r"(?:合计|总计|总数|共计|小计|totals?$|grandtotal)")
_BREAKS_OFF = re.compile(r"(?:[&\-,、(（]|\b(?:and|by|of|the))\s*$", re.IGNORECASE)
"""At the end of a line: the value goes on in the next one."""
_TELLS_PHONE = re.compile(r"电话|phone")
"""In the key of an address: its value is both."""
_FIT_OF_BROKEN = 0.6
"""Of an amount within which something is missing: given whole, as it is printed."""
_WEIGHT_OF_CAPTION = 0.7
"""Of what stands above a key that has nothing beside or below it."""
_HEIGHT_OF_CAPTION = 1.1
"""At most, of the height of what stands above it; boxes are as high as the letters in them."""
_BELOW_LINES = 3.2
"""How many line heights below a key its value may begin."""


class Surroundings:
    """A page's fragments and keys, asked for what stands beside a key."""

    def __init__(self, fragments: Sequence[Fragment], keys: PrintedKeys, *, has_captions: bool = False) -> None:
        """Take a page apart; `has_captions` where a key may stand below its value."""
        self.fragments = fragments
        self.keys = keys
        self.has_captions = has_captions
        self.right = max((each.right for each in fragments), default=0.0)
        self._candidates: dict[tuple[int, Kind], list[Candidate]] = {}
        self._rows: dict[int, list[Fragment]] = {}

    def row_of(self, fragment: Fragment) -> list[Fragment]:
        """Return the fragments beside one, itself included, from left to right."""
        row = self._rows.get(fragment.number)
        if row is None:
            row = sorted((each for each in self.fragments if same_row(each, fragment)), key=lambda each: each.left)
            self._rows[fragment.number] = row
        return row

    def candidates(self, key: PrintedKey, kind: Kind) -> list[Candidate]:
        """Return what may be the value of `key`, were it of `kind`; found once for all fields of that kind."""
        known = self._candidates.get((id(key), kind))
        if known is None:
            known = self._candidates[id(key), kind] = self._find(key, kind)
        return known

    def _find(self, key: PrintedKey, kind: Kind) -> list[Candidate]:
        inline = self._inline(key)
        found: list[Candidate] = []
        if inline is not None:
            found += self._judged(key, inline, kind, 1.0)
        is_header = self._is_header(key)
        if (inline is None or not found) and not self._heads_columns(key):
            for passage, weight in self._to_the_right(key):
                found += self._judged(key, passage, kind, weight * (0.7 if is_header else 1.0))
        if inline is None:
            is_taken = any(each.score > 0.8 for each in found)
            for fragment, weight in self._below(key, kind):
                passage = Passage((Piece(fragment, 0, self.keys.value_end(fragment, 0)),))
                found += self._judged(key, passage, kind, weight * (1.12 if is_header else 0.95 if is_taken else 1.0))
            if kind in _SUMMED and self._heads_columns(key) and len(found) > 1:
                found = [Candidate(each.passage, 0.5 * each.score) for each in found]
            if not found and self.has_captions and (above := self._above(key)) is not None:
                found = self._judged(key, whole(above), kind, _WEIGHT_OF_CAPTION)
        return found

    def _inline(self, key: PrintedKey) -> Passage | None:
        """Return what stands behind a key on its own line, or None."""
        fragment = key.fragment
        end = self.keys.value_end(fragment, max(key.after, key.start + 1))
        passage = Passage((Piece(fragment, key.after, end),)).stripped()
        if not any(mark.isalnum() for mark in passage.text):
            return None
        return self._with_neighbours(passage, fragment) if end == len(fragment.text) else passage

    def _with_neighbours(self, passage: Passage, last: Fragment) -> Passage:
        """Add fragments that follow so closely that they were printed as one."""
        pieces = list(passage.pieces)
        for each in self.row_of(last):
            if each.left < last.right - 0.5 * last.height or each is last:
                continue
            if each.left - last.right > 0.9 * last.height or self.keys.begins_with_key(each):
                break
            pieces.append(Piece(each, 0, self.keys.value_end(each, 0)))
            last = each
        return Passage(pieces)

    def _row_of_key(self, key: PrintedKey) -> list[Fragment]:
        """Return the fragments beside a key, which may have several lines."""
        if len(key.pieces) == 1:
            return self.row_of(key.fragment)
        beside = [
            each
            for each in self.fragments
            if min(each.bottom, key.bottom) - max(each.top, key.top) >= 0.4 * min(each.height, key.bottom - key.top)
        ]
        return sorted(beside, key=lambda each: each.left)

    def _to_the_right(self, key: PrintedKey) -> list[tuple[Passage, float]]:
        """Return the passages right of a key up to the next key, the nearest first, with weights."""
        found: list[tuple[Passage, float]] = []
        height = key.fragment.height
        edge = key.right
        for each in self._row_of_key(key):
            if each.left < edge - 0.5 * height or any(each is piece.fragment for piece in key.pieces):
                continue
            if self.keys.begins_with_key(each):
                break
            if not any(mark.isalnum() for mark in each.text):
                continue
            if found and each.left < found[-1][0].pieces[-1].fragment.right + 0.2 * height:
                continue
            gap = max(0.0, each.left - edge) / height
            weight = 0.97 / (1 + gap / 120) - 0.12 * len(found)
            first = self._line_above(key, each) if not found else each
            found.append(
                (self._with_neighbours(Passage((Piece(first, 0, self.keys.value_end(first, 0)),)), first), weight)
            )
            if len(found) >= 4:
                break
        return found or self._centred_around(key)

    def _line_above(self, key: PrintedKey, line: Fragment) -> Fragment:
        """Return the first line of a value whose key stands level with the middle of its lines."""
        middle = (key.top + key.bottom) / 2
        for each in self.fragments:
            is_first = (
                each.middle < middle - 0.3 * key.fragment.height
                and middle - each.middle < 0.95 * key.fragment.height
                and each.bottom <= line.top + 0.5 * line.height
                and abs(each.left - line.left) < 0.8 * line.height
                and line.middle > middle
            )
            others = [other for other in self.row_of(each) if other.right < each.left and other is not key.fragment]
            if is_first and not self.keys.begins_with_key(each) and not any(map(self._is_bare_key, others[-1:])):
                return each
        return line

    def _centred_around(self, key: PrintedKey) -> list[tuple[Passage, float]]:
        """Return the first of two lines right of a key that stands level with the gap between them."""
        height = key.fragment.height
        near = [
            each
            for each in self.fragments
            if -0.5 * height <= each.left - key.right <= 12 * height
            and abs(each.middle - (key.top + key.bottom) / 2) < 0.95 * height
            and not self.keys.begins_with_key(each)
        ]
        if not near:
            return []
        first = min(near, key=lambda each: (each.middle, each.left))
        return [(self._with_neighbours(Passage((Piece(first, 0, self.keys.value_end(first, 0)),)), first), 0.85)]

    def _below(self, key: PrintedKey, kind: Kind) -> list[tuple[Fragment, float]]:
        """Return the fragments below a key, the nearest first, with weights.

        Kinds that cannot be mistaken are looked for further down.
        """
        reach, most, step = _BELOW_LINES, 3, 0.22
        if kind in _UNMISTAKABLE:
            reach, most, step = 9.0, 6, 0.05
        elif kind is Kind.ADDRESS:
            reach, most, step = 5.0, 4, 0.04
        key_fragment = key.fragment
        height = key_fragment.height
        middle = (key.left + key.right) / 2
        found: list[tuple[Fragment, float]] = []
        for each in self.fragments:
            drop = each.top - key_fragment.bottom
            if not -0.35 * height <= drop <= reach * height or each is key_fragment:
                continue
            shared = min(each.right, key.right) - max(each.left, key.left)
            is_aligned = abs(each.left - key.left) < 1.2 * height or abs((each.left + each.right) / 2 - middle) < height
            if shared <= 0 or (shared < 0.3 * (key.right - key.left) and not is_aligned):
                continue
            if self.keys.begins_with_key(each):
                break
            weight = (0.86 if is_aligned else 0.76) - 0.05 * max(0.0, drop / height - 0.5) - step * len(found)
            found.append((each, weight))
            if len(found) >= most:
                break
        return found

    def _above(self, key: PrintedKey) -> Fragment | None:
        """Return what stands right above a key, which is no larger: a name over `Registrar`."""
        if key.has_colon:
            return None
        height = key.fragment.height
        near = [
            each
            for each in self.fragments
            if -0.35 * height <= key.top - each.bottom < height
            and min(abs(each.left - key.left), abs(each.right - key.right)) < height
            and height <= _HEIGHT_OF_CAPTION * each.height
            and each.text.strip()[:1] not in ("(", "（")
            and not self.keys.on(each)
        ]
        return near[0] if len(near) == 1 and not self._captions_above(near[0]) else None

    def _captions_above(self, fragment: Fragment) -> bool:
        """Whether a fragment is the value below another key."""
        return any(
            -0.35 * key.fragment.height <= fragment.top - key.bottom < key.fragment.height
            and abs(fragment.left - key.left) < key.fragment.height
            for key in self.keys.all
        )

    def sum_below(self, key: PrintedKey, kind: Kind) -> list[Candidate]:
        """Return what stands in the column of a heading in the row of the sums."""
        if not self._heads_columns(key):
            return []
        for each in self.fragments:
            if each.top < key.bottom or not _SUM.match(each.folded.text):
                continue
            for beside in self.row_of(each):
                middle = (beside.left + beside.right) / 2
                is_under = (
                    key.left - key.fragment.height < middle < key.right + key.fragment.height
                    or abs(beside.right - key.right) < key.fragment.height
                )
                if beside is not each and is_under:
                    return [
                        Candidate(whole(beside).part(found.start, found.end), 0.9 * max(found.fit, 0.9))
                        for found in found_in(kind, beside.text)[:1]
                    ]
        return []

    def _heads_columns(self, key: PrintedKey) -> bool:
        """Whether a key stands in a row of nothing but headings."""
        row = self._row_of_key(key)
        if key.has_colon or len(row) < 3 or any(mark.isdigit() for each in row for mark in each.text):
            return False
        return sum(self._is_bare_key(each) for each in row) >= 0.6 * len(row)

    def _is_header(self, key: PrintedKey) -> bool:
        """Whether a key heads a column: no colon, keys beside it, and none of its values to the right."""
        if key.has_colon:
            return False
        row = self._row_of_key(key)
        others = [each for each in row if each is not key.fragment and self.keys.on(each)]
        following = next((each for each in row if each.left > key.right), None)
        preceding = next((each for each in reversed(row) if each.right < key.left), None)
        beside_key = (following is None or self.keys.begins_with_key(following)) and (
            preceding is None or self._is_bare_key(preceding)
        )
        return len(others) >= 1 and beside_key

    def _is_bare_key(self, fragment: Fragment) -> bool:
        return any(
            key.strength >= 0.8 and not fragment.text[key.after :].strip()
            for key in self.keys.on(fragment)
            if key.fragment is fragment
        )

    def _judged(self, key: PrintedKey, passage: Passage, kind: Kind, weight: float) -> list[Candidate]:
        """Return the parts of a passage which suit the kind, scored."""
        passage = passage.part(len(passage.text) - len(passage.text.lstrip(" :：|")), len(passage.text))
        if kind in _CARRIED_ON:
            passage = self._carried_on(key, passage, _CARRIED_ON[kind], kind)
        found: list[Candidate] = []
        is_whole = kind is Kind.MONEY and key.has_colon and is_broken(passage.text)
        parts = (Found(0, len(passage.text), _FIT_OF_BROKEN),) if is_whole else found_in(kind, passage.text)[:3]
        for order, each in enumerate(parts):
            part = passage.part(each.start, each.end).stripped()
            if part.text:
                share = len(part.text) / max(1, len(passage.text.strip()))
                closeness = 1.0 if kind in _WHOLE_LINE else 0.85 + 0.15 * share
                found.append(Candidate(part, key.strength * weight * each.fit * closeness * (1 - 0.1 * order)))
        return found

    def _carried_on(self, key: PrintedKey, passage: Passage, most: int, kind: Kind) -> Passage:
        """Add the lines on which a value goes on below its first one."""
        if not passage.pieces:
            return passage
        if (
            kind is Kind.ADDRESS
            and address_fit(passage.text) < 1.0
            and (company_fit(passage.text) == 1.0 or looks_like_name(passage.text))
        ):
            return passage
        first, last = passage.pieces[0], passage.pieces[-1].fragment
        left = first.fragment.x_at(first.start)
        pieces = list(passage.pieces)
        lines = 1
        while lines < most:
            following = self._next_line(key, last, left, kind)
            if following is None:
                break
            joined = self._with_neighbours(
                Passage((Piece(following, 0, self.keys.value_end(following, 0)),)), following
            )
            pieces += joined.pieces
            last = following
            lines += 1
        return Passage(pieces)

    def _next_line(self, key: PrintedKey, last: Fragment, left: float, kind: Kind) -> Fragment | None:
        """Return the line that goes on with a value whose lines begin at `left`."""
        height = last.height
        limit = 1.1 if kind in {Kind.ADDRESS, Kind.LONG} else 0.7
        for each in self.fragments:
            drop = each.top - last.bottom
            if not -0.45 * height <= drop <= limit * height or each is last or same_row(each, last):
                continue
            if abs(each.left - left) > 1.3 * height and not (
                kind in {Kind.ADDRESS, Kind.LONG}
                and abs(each.left - key.left) < height
                and (kind is Kind.LONG or last.right > self.right - 3.5 * height)
            ):
                continue
            if abs(each.height - height) > 0.45 * height or self.keys.on(each):
                return None
            before = [other for other in self.row_of(each) if other.right < each.left]
            if before and self._is_other_key(before[-1], key):
                return None
            goes_on = _goes_on(last.text, each.text, kind, share_columns(last, each))
            if kind is Kind.ADDRESS and is_phone_line(each.text):
                goes_on = _TELLS_PHONE.search(key.text) is not None
            return each if goes_on else None
        return None

    def _is_other_key(self, fragment: Fragment, key: PrintedKey) -> bool:
        return fragment not in {piece.fragment for piece in key.pieces} and self._is_bare_key(fragment)


def _goes_on(before: str, after: str, kind: Kind, shared: float) -> bool:
    """Whether `after` may be the rest of a value that begins with `before`."""
    if shared <= 0:
        return False
    if kind in {Kind.ADDRESS, Kind.LONG}:
        for other in (Kind.EMAIL, Kind.DATE, Kind.WEB):
            if any(each.fit == 1.0 and each.end - each.start > 0.7 * len(after) for each in found_in(other, after)):
                return False
        if re.fullmatch(r"\d{5,6}", after.strip()):
            return kind is Kind.ADDRESS and not before.rstrip()[-1:].isdigit()
        digits = sum(mark.isdigit() for mark in after)
        return digits < 0.8 * len(after.replace(" ", ""))
    # A name goes on where the line was full or breaks off: in brackets, with a joining word, or in running Chinese.
    opens = before.count("(") + before.count("（") > before.count(")") + before.count("）")
    breaks_off = _BREAKS_OFF.search(before) is not None
    if kind is Kind.COMPANY:
        return (
            opens
            or breaks_off
            or (len(after) <= 8 and is_chinese(after[0]) and after.endswith(("公司", "司", "店", "部")))
        )
    return opens or breaks_off
