"""All keys of a page with their values, where no schema says which are wanted."""

from __future__ import annotations

from typing import Any

from qwenport.documents.fields.extraction import Fields, Reading
from qwenport.documents.fields.kinds import Kind
from qwenport.documents.fields.naming import names_for
from qwenport.documents.fields.passages import Candidate, Passage, Span
from qwenport.documents.fields.printed_keys import PrintedKey
from qwenport.documents.fields.schema import Path
from qwenport.documents.fields.vocabulary import Vocabulary
from qwenport.documents.page import Page, Quad

_LEAST = 0.45
_LEAST_UNLABELLED = 0.7
_MOST_PAIRS = 400


def all_pairs(page: Page) -> Fields:
    """Return every printed key with its value, and what a known kind of document shows without keys."""
    reading = Reading(page, ())
    offers = [
        (candidate.score, -order, key, candidate)
        for order, key in enumerate(sorted(reading.keys.all, key=lambda key: (key.fragment.middle, key.left)))
        for candidate in reading.surroundings.candidates(key, _kind_of(key, reading.vocabularies[0]))
        if candidate.score >= _LEAST
    ]
    taken: list[Span] = []
    chosen: dict[int, tuple[PrintedKey, Candidate]] = {}
    for _, order, key, candidate in sorted(offers, key=lambda offer: (-offer[0], -offer[1])):
        if order in chosen or _overlaps(candidate.passage, taken):
            continue
        chosen[order] = (key, candidate)
        taken += candidate.passage.spans
    values: dict[str, Any] = {}
    places: dict[Path, tuple[Quad, ...]] = {}
    scores: dict[Path, float] = {}
    named = [(key.printed, candidate) for _, (key, candidate) in sorted(chosen.items(), reverse=True)]
    called = names_for((line.text for line in page.lines), reading.vocabularies[0])
    unlabelled = [(called.get(name, name), candidate) for name, candidate in _without_keys(reading, taken)]
    for name, candidate in [*named, *unlabelled][:_MOST_PAIRS]:
        unique = _unique(name, values)
        values[unique] = candidate.text
        places[(unique,)] = candidate.passage.quads
        scores[(unique,)] = round(min(1.0, candidate.score), 4)
    return Fields(values, places, scores)


def _kind_of(key: PrintedKey, vocabulary: Vocabulary) -> Kind:
    """Return the kind that the page's vocabulary gives a key; text where it does not know it."""
    for concept in vocabulary.concepts:
        if any(known.text == key.text for known in concept.keys):
            return concept.kind
    return Kind.TEXT


def _without_keys(reading: Reading, taken: list[Span]) -> list[tuple[str, Candidate]]:
    """Return the best value of each field that the kind of document shows without a key; none where it is not clear."""
    found: list[tuple[str, Candidate]] = []
    if not reading.is_known:
        return found
    for name, candidates in reading.unlabelled[reading.document].items():
        best = max(candidates, key=lambda each: each.score)
        if best.score >= _LEAST_UNLABELLED and not _overlaps(best.passage, taken):
            taken += best.passage.spans
            found.append((name, best))
    return found


def _overlaps(passage: Passage, taken: list[Span]) -> bool:
    return any(
        one.line == two.line and one.start < two.end and two.start < one.end for one in passage.spans for two in taken
    )


def _unique(name: str, values: dict[str, Any]) -> str:
    if name not in values:
        return name
    return next(f"{name} {number}" for number in range(2, len(values) + 3) if f"{name} {number}" not in values)
