"""Parts of a page which repeat the same keys: buyer and seller, sender and receiver."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qwenport.documents.fields.folding import fold
from qwenport.documents.fields.frame import Fragment, same_row
from qwenport.documents.fields.printed_keys import PrintedKey

_MARKERS: Mapping[str, tuple[str, ...]] = {
    "buyer": tuple(
        fold(each)
        for each in ("购买方", "购方", "买方", "购货单位", "付款方", "付款单位", "客户", "需方", "甲方",
                     "bill to", "billed to",
                     "sold to", "buyer", "customer", "invoice to", "purchaser")
    ),
    "seller": tuple(
        fold(each)
        for each in ("销售方", "销方", "卖方", "销货单位", "收款方", "收款单位", "供方", "供应商", "乙方",
                     "seller", "vendor",
                     "supplier", "from", "sold by")
    ),
}  # fmt: skip
_LONGEST_MARKER = 14


class Sections:
    """Which keys stand in which part of the page."""

    def __init__(self, fragments: Sequence[Fragment], keys: Sequence[PrintedKey]) -> None:
        self._keys = keys
        self._markers = {name: _marked(fragments, words) for name, words in _MARKERS.items()}

    def factor(self, key: PrintedKey, section: str) -> float:
        """Return how likely it is, from 0 to 1, that a key stands in a section."""
        alike = [each for each in self._keys if each.text == key.text]
        is_told = len(alike) < 2 or len({self._nearest(each) for each in alike}) > 1
        if self._markers["buyer"] and self._markers["seller"] and is_told:
            return 1.0 if self._nearest(key) == section else 0.3
        if len(alike) < 2:
            return 0.85 if not any(self._markers.values()) or self._nearest(key) == section else 0.5
        is_one_row = all(same_row(alike[0].fragment, each.fragment) for each in alike)
        alike.sort(key=lambda each: each.left if is_one_row else each.top)
        wanted = alike[0] if section == "buyer" else alike[-1]
        return 1.0 if wanted is key else 0.3

    def _nearest(self, key: PrintedKey) -> str:
        """Return the section whose mark is the nearest to the left of a key or above it."""
        distances = [(_distance(marker, key), name) for name, markers in self._markers.items() for marker in markers]
        return min(distances, default=(0.0, ""))[1]


def _marked(fragments: Sequence[Fragment], words: Sequence[str]) -> list[Fragment]:
    return [
        each
        for each in fragments
        if len(each.folded.text) <= _LONGEST_MARKER or ":" in each.text or "：" in each.text
        if any(each.folded.text.startswith(word) for word in words)
    ]


def _distance(marker: Fragment, key: PrintedKey) -> float:
    fragment = key.fragment
    if marker is fragment:
        return 0.0
    beside = key.left - marker.right
    above = fragment.top - marker.bottom
    is_beside = (
        beside > -fragment.height
        and marker.top - fragment.height < fragment.middle < marker.bottom + 3 * fragment.height
    )
    if is_beside:
        return max(0.0, beside)
    if above < -fragment.height:
        return 1e9
    shift = max(0.0, marker.left - key.right, key.left - marker.right)
    return max(0.0, above) + 2.0 * shift
