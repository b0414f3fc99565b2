"""Where keys are printed on a page: known ones, also with one wrong character, and any text before a colon."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from rapidfuzz.distance import Levenshtein

from qwenport.documents.fields.folding import fold, is_chinese
from qwenport.documents.fields.frame import Fragment, same_row
from qwenport.documents.fields.key_parts import split_keys, stacked
from qwenport.documents.fields.passages import Piece
from qwenport.documents.fields.printed_keys import COLONS, PrintedKey, PrintedKeys

_LONGEST_KEY = 44
_SPACED_OUT = re.compile(r"^[\u3400-\u9fff](?:\s+[\u3400-\u9fff]){2,}$")
_BETWEEN_NUMBERS = re.compile(r"^\s+\d\S*.*?\|\W{1,3}\S*\d")
_BRACKETED = re.compile(r"\s*[（(\[【][^（()）\]】]{1,24}[)）\]】]")
_OF_WHAT = re.compile(r"\s+of(?:\s+[A-Za-z]+){1,3}\s*$", re.IGNORECASE)
"""What makes a longer key of one: `Status of Company`."""
_STRENGTH_OF_WHAT = 0.6
"""`Name of Father` is not as good a name as `Name`."""
_INSTITUTIONS = frozenset({"bank", "clinic", "department", "hospital", "office", "store"})
"""Keys of which `of` makes a name: `Bank of Samples`."""
_GENERIC = re.compile(r"(?:^|(?<=\s)|(?<=[,，;；|]))([^\s:：\d][^:：]{0,38}?)\s*(?:(?<!\d)[:：]|[:：](?!\d))(?!//)")


def find_keys(fragments: Sequence[Fragment], known: Collection[str], weak: Collection[str] = ()) -> PrintedKeys:
    """Find the keys of `known` (folded) and whatever else stands before a colon.

    Keys of `weak` count within running Chinese text too ("张三性别男").
    """
    by_length = _fuzzy_table(known)
    colons = [fragment for fragment in fragments if fragment.text.lstrip()[:1] in tuple(COLONS)]
    found: list[PrintedKey] = []
    for fragment in fragments:
        on_line = _known_on(fragment, known, weak)
        found += on_line
        found += _generic_on(fragment, on_line, by_length) or _before_colon(fragment, on_line, colons, fragments)
    split = split_keys(fragments, known)
    parts = {piece.fragment.number for key in split for piece in key.pieces}
    return PrintedKeys(stacked([*(key for key in found if key.fragment.number not in parts), *split]))


def _known_on(fragment: Fragment, known: Collection[str], weak: Collection[str]) -> list[PrintedKey]:
    """Find known keys on one line, the longest first from left to right."""
    text, places = fragment.folded.text, fragment.folded.places
    found: list[PrintedKey] = []
    at = 0
    while at < len(text):
        key = None
        for length in range(min(_LONGEST_KEY, len(text) - at), 0, -1):
            if text[at : at + length] in known:
                key = _judged(fragment, at, at + length, text[at : at + length] in weak, bool(found))
                if key is not None:
                    break
        if key is None:
            at += 1
            continue
        key, end = _with_translation(fragment, key, at + len(key.text), known)
        found.append(key)
        at = next((each for each in range(end, len(text)) if places[each] >= key.after), len(text))
    return found


def _judged(fragment: Fragment, start: int, end: int, is_weak: bool, follows_key: bool) -> PrintedKey | None:
    """Return the key between two places of the folded text, or None where it is a part of something else."""
    places, text = fragment.folded.places, fragment.text
    first, last = places[start], places[end - 1] + 1
    if (start > 0 and places[start - 1] == first) or (end < len(places) and places[end] == last - 1):
        return None
    key = fragment.folded.text[start:end]
    if key == "id" and text[:first].strip():
        return None  # the number of something else: `Visit ID`
    of_what = None if text[:first].strip() else _OF_WHAT.match(text, last)
    if of_what:
        if key in _INSTITUTIONS:
            return None
        last = of_what.end()
    after, has_colon = _after(text, last)
    bracketed = _BRACKETED.match(text, last)
    end_of_note = bracketed.end() if bracketed and bracketed.end() <= after else last
    strength = _strength(key, text, first, last, has_colon)
    if strength == 0.0 and is_weak and follows_key:
        strength = 0.55
    if strength == 0.0:
        return None
    if of_what:
        strength = min(strength, _STRENGTH_OF_WHAT)
    return PrintedKey(
        text=key, pieces=(Piece(fragment, first, end_of_note),), after=after, strength=strength, has_colon=has_colon
    )


def _strength(key: str, text: str, first: int, last: int, has_colon: bool) -> float:
    """Return how sure it is that what stands between two places is a key, by what stands around it."""
    after = text[last : last + 1]
    begins = not text[:first].strip(" *•·(（[【<-—|/")
    is_alone = begins and not text[last:].strip(" :：*.)）]】>")
    if _is_part_of_a_word(key, text, first, last) or (
        len(key) == 1 and not has_colon and not (is_alone or (begins and after in " /"))
    ):
        return 0.0
    if has_colon:
        return 1.0 if begins else 0.97
    if is_alone:
        return 0.95 if len(key) > 1 else 0.8
    is_cut = not (after and is_chinese(key[-1]) and is_chinese(after))
    if begins:
        return (0.88 if is_cut else 0.66) if len(key) > 1 else 0.6
    return _strength_within(key, text, first, last) if is_cut else 0.0


def _is_part_of_a_word(key: str, text: str, first: int, last: int) -> bool:
    """Whether the letters before or behind a key belong to it, so that it means something else."""
    before, after = text[first - 1 : first] if first else "", text[last : last + 1]
    if _SPACED_OUT.match(text.rstrip(" :：")) and text[:first].strip() + text[last:].strip(" :：").strip():
        return True
    if is_chinese(key[0]):
        is_joined = bool(before) and is_chinese(before)
    else:
        is_joined = before.isalnum() and not is_chinese(before)
        is_code = bool(re.match(r"(?:[-/]\s?[A-Za-z]*)?[\d?]", text[last:]))
        is_joined = is_joined or (len(key) <= 4 and is_code)
    return is_joined or (not is_chinese(key[-1]) and after.isalpha() and not is_chinese(after))


def _strength_within(key: str, text: str, first: int, last: int) -> float:
    """Return how sure a key without a colon is that stands behind other text."""
    if not is_chinese(key[0]):
        return 0.8 if _BETWEEN_NUMBERS.match(text[:first][::-1] + "|" + text[last:]) else 0.5
    return 0.8 if text[first - 1] in " )）/|" and len(key) > 1 else 0.5


def _after(text: str, last: int) -> tuple[int, bool]:
    """Return where the value begins behind a key: past a note in brackets, a full stop and a colon."""
    bracketed = _BRACKETED.match(text, last)
    at = bracketed.end() if bracketed and not any(mark.isdigit() for mark in bracketed.group()) else last
    rest = text[at:]
    trimmed = rest.lstrip(" .#")
    if trimmed[:1] and trimmed[0] in COLONS:
        return len(text) - len(trimmed) + 1, True
    if bracketed and rest[:1] in COLONS and rest:
        return at + 1, True
    return (len(text) - len(trimmed) if rest[:1] in ".#" and rest else at), False


def _with_translation(fragment: Fragment, key: PrintedKey, end: int, known: Collection[str]) -> tuple[PrintedKey, int]:
    """Take in the same key in another language right behind it: `姓名/Name`, `Name of passenger 旅客姓名`."""
    text, places = fragment.folded.text, fragment.folded.places
    if key.has_colon:
        return key, end
    begin = next((each for each in range(end, len(text)) if places[each] >= key.after), len(text))
    between = fragment.text[key.after : places[begin]] if begin < len(text) else "x"
    if between.strip(" /|（(·.") or begin >= len(text) or is_chinese(text[begin]) == is_chinese(key.text[0]):
        return key, end
    for length in range(min(_LONGEST_KEY, len(text) - begin), 2, -1):
        if text[begin : begin + length] not in known:
            continue
        last = places[begin + length - 1] + 1
        if last < len(fragment.text) and fragment.text[last].isalpha() and not is_chinese(fragment.text[last]):
            continue
        while last < len(fragment.text) and fragment.text[last] in ")） ":
            last += 1
        after, has_colon = _after(fragment.text, last)
        piece = Piece(fragment, key.pieces[0].start, last)
        joined = PrintedKey(
            text=key.text, pieces=(piece,), after=after, strength=1.0 if has_colon else 0.95, has_colon=has_colon
        )
        return joined, begin + length
    return key, end


def _generic_on(
    fragment: Fragment, known: Sequence[PrintedKey], by_length: Mapping[int, Sequence[str]]
) -> list[PrintedKey]:
    """Find what stands before a colon and is in no table; a key with one wrong character counts as known."""
    found: list[PrintedKey] = []
    for match in _GENERIC.finditer(fragment.text):
        start, end = match.span(1)
        if any(key.after > start and key.start < match.end() for key in known):
            continue
        folded = fold(match.group(1))
        meant = _misread(folded, by_length)
        found.append(
            PrintedKey(
                text=meant or folded,
                pieces=(Piece(fragment, start, end),),
                after=match.end(),
                strength=0.9,
                has_colon=True,
                is_known=bool(meant),
            )
        )
    if not known and not found and (meant := _misread(fragment.folded.text, by_length)):
        piece = Piece(fragment, 0, len(fragment.text))
        found.append(PrintedKey(text=meant, pieces=(piece,), after=piece.end, strength=0.85))
    return found


def _before_colon(
    fragment: Fragment, known: Sequence[PrintedKey], colons: Sequence[Fragment], fragments: Sequence[Fragment]
) -> list[PrintedKey]:
    """Find a key whose colon was read in the next box of its row: `Principal Activities` `:` `Retail sale`.

    `colons` are the fragments that begin with one.
    """
    text = fragment.text.strip()
    if known or not 2 <= len(text) <= _LONGEST_KEY or any(mark.isdigit() or mark in COLONS for mark in text):
        return []
    following = min(
        (each for each in colons if each.left >= fragment.right and same_row(fragment, each)),
        key=lambda each: each.left,
        default=None,
    )
    if following is None or any(_is_between(each, following, fragment.right) for each in fragments):
        return []
    left = [each for each in fragments if each.right <= fragment.left and same_row(fragment, each)]
    before = max(left, key=lambda each: each.right, default=None)
    if before is not None and any(mark in COLONS for mark in before.text.strip()[:1] + before.text.strip()[-1:]):
        return []
    piece = Piece(fragment, 0, len(fragment.text))
    return [PrintedKey(text=fold(text), pieces=(piece,), after=piece.end, strength=0.9, is_known=False)]


def _is_between(each: Fragment, right: Fragment, edge: float) -> bool:
    """Whether a fragment stands level with a part of `right`, between it and an edge left of it."""
    if each is right or not edge <= each.left < right.left:
        return False
    return min(each.bottom, right.bottom) > max(each.top, right.top)


def _fuzzy_table(known: Collection[str]) -> dict[int, list[str]]:
    table: dict[int, list[str]] = {}
    for key in known:
        if len(key) >= (4 if is_chinese(key[0]) else 6):
            table.setdefault(len(key), []).append(key)
    return table


def _misread(text: str, by_length: Mapping[int, Sequence[str]]) -> str:
    """Return the known key that `text` is but for one character, or empty."""
    if len(text) < 4:
        return ""
    for length in (len(text), len(text) - 1, len(text) + 1):
        for key in by_length.get(length, ()):
            if Levenshtein.distance(text, key, score_cutoff=1) <= 1:
                return key
    return ""
