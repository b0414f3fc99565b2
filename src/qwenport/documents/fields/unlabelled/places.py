"""Looking for values by their looks and place, without a key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from qwenport.documents.fields.frame import Fragment, same_row
from qwenport.documents.fields.kinds import Kind, find, with_unreadable
from qwenport.documents.fields.numbers import WITHIN_DIGITS
from qwenport.documents.fields.passages import Candidate, Passage, whole
from qwenport.documents.unreadable import Pattern

_WITHIN = re.compile(WITHIN_DIGITS)
Finds = dict[str, list[Candidate]]
"""Candidates by the name of the concept."""


def add(finds: Finds, name: str, passage: Passage, score: float) -> None:
    """Note a candidate for a concept."""
    finds.setdefault(name, []).append(Candidate(passage, score))


def of_kind(fragments: Sequence[Fragment], kind: Kind, least: float = 0.9) -> Iterator[Passage]:
    """Yield what surely looks like a kind, from top to bottom."""
    for fragment in fragments:
        for found in sorted(find(kind, fragment.text), key=lambda each: each.start):
            if found.fit >= least:
                yield whole(fragment).part(found.start, found.end)


def matching(fragments: Sequence[Fragment], pattern: str) -> Iterator[Passage]:
    """Yield what matches a pattern and is no piece of a number; the group `it` alone where there is one."""
    compiled = _compiled(pattern)
    group = "it" if compiled.has_part else 0
    for fragment in fragments:
        for match in compiled.finditer(fragment.text):
            start, end = with_unreadable(fragment.text, *match.span(group))
            if not _WITHIN.match(fragment.text, start) and not _WITHIN.match(fragment.text, end):
                yield whole(fragment).part(start, end).stripped()


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Pattern:
    return Pattern(pattern)


def beside(fragment: Fragment, fragments: Sequence[Fragment]) -> tuple[list[Fragment], list[Fragment]]:
    """Return what stands left and right of a fragment in its row, each the nearest first."""
    row = [each for each in fragments if each is not fragment and same_row(each, fragment)]
    left = [each for each in row if (each.left + each.right) < (fragment.left + fragment.right)]
    right = [each for each in row if each not in left]
    return sorted(left, key=lambda each: -each.right), sorted(right, key=lambda each: each.left)


def extent(fragments: Sequence[Fragment]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of all text."""
    return (
        min(each.left for each in fragments),
        min(each.top for each in fragments),
        max(each.right for each in fragments),
        max(each.bottom for each in fragments),
    )
