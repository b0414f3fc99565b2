"""Keys in several boxes: spaced out, broken over lines, or in two languages one above the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from msgspec import structs

from qwenport.documents.fields.folding import fold
from qwenport.documents.fields.frame import Fragment, same_row, share_columns
from qwenport.documents.fields.passages import Piece
from qwenport.documents.fields.printed_keys import COLONS, PrintedKey


def stacked(keys: Sequence[PrintedKey]) -> list[PrintedKey]:
    """Join a key with the same in another language right below it, so that what stands beside either is beside it."""
    joined: list[PrintedKey] = []
    used: set[int] = set()
    bare = [key for key in keys if key.is_known and not key.has_colon and key.after >= len(key.fragment.text)]
    for upper in bare:
        for lower in bare:
            if upper is lower or id(upper) in used or id(lower) in used or upper.is_chinese == lower.is_chinese:
                continue
            height = upper.fragment.height
            if -0.3 * height <= lower.top - upper.bottom < height and abs(lower.left - upper.left) < height:
                used |= {id(upper), id(lower)}
                joined += [
                    structs.replace(key, pieces=(*upper.pieces, *lower.pieces), after=lower.after)
                    for key in (upper, lower)
                ]
    return [*(key for key in keys if id(key) not in used), *joined]


def split_keys(fragments: Sequence[Fragment], known: Collection[str]) -> list[PrintedKey]:
    """Find keys that were read as several boxes: `名` `称` in a row, or `统一社会信用` above `代码`."""
    found: list[PrintedKey] = []
    used: set[int] = set()
    beginnings = {key[:length] for key in known for length in range(1, len(key))}
    for first in fragments:
        if first.number in used:
            continue
        for following in (_beside, _under):
            key = _chained(first, [each for each in fragments if each.number not in used], following, known, beginnings)
            if key is not None:
                found.append(key)
                used.update(piece.fragment.number for piece in key.pieces)
                break
    return found


_Following = Callable[[Fragment, Sequence[Fragment]], "Fragment | None"]


def _chained(
    first: Fragment,
    fragments: Sequence[Fragment],
    following: _Following,
    known: Collection[str],
    beginnings: Collection[str],
) -> PrintedKey | None:
    """Return the key of which `first` is the first part, with its further parts, or None."""
    start = _key_part_start(first, beginnings)
    if start is None:
        return None
    chain = [first]
    text = fold(first.text[start:])
    while text in beginnings and len(chain) < 8:
        part = following(chain[-1], fragments)
        if part is None:
            return None
        colon = next((at for at, mark in enumerate(part.text) if mark in COLONS), None)
        end = len(part.text) if colon is None else colon
        chain.append(part)
        text += fold(part.text[:end])
        if text in known:
            pieces = [Piece(first, 0, len(first.text)), *(Piece(each, 0, len(each.text)) for each in chain[1:-1])]
            pieces.append(Piece(part, 0, end))
            after = end if colon is None else colon + 1
            return PrintedKey(text=text, pieces=tuple(pieces), after=after, strength=0.95, has_colon=colon is not None)
        if colon is not None:
            return None
    return None


def _key_part_start(fragment: Fragment, beginnings: Collection[str]) -> int | None:
    """Return where a key begins that goes on in the next fragment: at the start, or after Chinese (`名稱 Name of`)."""
    if fragment.folded.text in beginnings:
        return 0
    latin = re.search(r"(?<=[\u4e00-\u9fff])[\s/]*[A-Za-z][A-Za-z\s/.']*$", fragment.text)
    if latin and fold(latin.group()) in beginnings and len(fold(latin.group())) > 3:
        return latin.start()
    return None


def _beside(part: Fragment, fragments: Sequence[Fragment]) -> Fragment | None:
    """Return the nearest fragment right of `part`."""
    near = [
        each
        for each in fragments
        if each is not part and each.left >= part.right - part.height * 0.3
        and same_row(part, each) and each.left - part.right < 3.2 * part.height and _alike_in_height(part, each)
    ]  # fmt: skip
    return min(near, key=lambda each: each.left, default=None)


def _alike_in_height(one: Fragment, other: Fragment) -> bool:
    return max(one.height, other.height) < 1.7 * min(one.height, other.height)


def _under(part: Fragment, fragments: Sequence[Fragment]) -> Fragment | None:
    """Return the fragment right below `part` that begins where it does."""
    near = [
        each
        for each in fragments
        if each is not part and 0 <= each.top - part.bottom + 0.3 * part.height < 0.9 * part.height
        and share_columns(part, each) > 0 and abs(each.left - part.left) < 1.2 * part.height
        and _alike_in_height(part, each)
    ]  # fmt: skip
    return min(near, key=lambda each: each.top, default=None)
