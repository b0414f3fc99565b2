"""The values of a schema's fields on a page: candidates for each, and the best way to give one to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from rapidfuzz import fuzz

from qwenport.documents.fields.folding import fold
from qwenport.documents.fields.forms import as_asked
from qwenport.documents.fields.frame import fragments_of
from qwenport.documents.fields.groups import group_entries
from qwenport.documents.fields.key_search import find_keys
from qwenport.documents.fields.kinds import Kind
from qwenport.documents.fields.labelled import Surroundings
from qwenport.documents.fields.passages import Candidate, Passage, Span, whole
from qwenport.documents.fields.printed_keys import PrintedKey
from qwenport.documents.fields.schema import Field, Path, Schema
from qwenport.documents.fields.sections import Sections
from qwenport.documents.fields.shapes import found_in
from qwenport.documents.fields.shop_receipts import receipt_candidates
from qwenport.documents.fields.targets import Target, ranked, target_of
from qwenport.documents.fields.unlabelled import values_without_keys
from qwenport.documents.fields.vocabulary import Vocabulary
from qwenport.documents.page import Page, Quad

_LEAST = 0.22
"""Below this score a value is left out rather than guessed."""
_TOLD_BY_LOOKS = frozenset(
    {Kind.EMAIL, Kind.WEB, Kind.PERSON, Kind.CARD, Kind.PLATE, Kind.TAX, Kind.PHONE, Kind.DATE, Kind.PERCENT,
     Kind.TRAIN, Kind.FLIGHT, Kind.DATETIME, Kind.WORDS, Kind.PERIOD, Kind.CLASS}
)  # fmt: skip
_FAX = ("fax", "传真")
"""In a key: a number that stands without one is a telephone's, and nothing but a key tells that it is not."""
_PAPERS = frozenset({"identity card", "passport", "driving licence", "vehicle licence", "business licence"})
"""Documents whose keys may be captions below their values, and on which `ID` is the number of a person."""
_MOMENTS = frozenset({Kind.MOMENT, Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.PERIOD})


class Fields(Struct, frozen=True):
    """Values with their places and how sure they are."""

    values: dict[str, Any]
    """Shaped as the schema; strings, empty where nothing was found."""
    places: Mapping[Path, tuple[Quad, ...]]
    """Where each value stands, in pixels of the page."""
    scores: Mapping[Path, float]
    """From 0 to 1, of each value that was found."""


class Reading:
    """A page taken apart for the fields that are asked for."""

    def __init__(self, page: Page, fields: Sequence[Field]) -> None:
        self.page = page
        self.fragments = fragments_of(page)
        text = "".join(fragment.folded.text for fragment in self.fragments)
        self.vocabularies = ranked(text, [field.name for field in fields])
        targets = [target_of(field, self.vocabularies) for field in fields]
        self.targets = _with_moments(targets if self.vocabularies[0].document in _PAPERS else _without_id(targets))
        self.keys = find_keys(
            self.fragments, _known_keys(self.vocabularies, self.targets), _weak_keys(self.vocabularies)
        )
        self.document = self.vocabularies[0].document
        self.surroundings = Surroundings(self.fragments, self.keys, has_captions=self.document in _PAPERS)
        self.sections = Sections(self.fragments, self.keys.all)
        self.is_known = any(marker in text for marker in self.vocabularies[0].markers if marker)
        """Whether the page itself says that it is a document of this kind."""
        self.unlabelled = {
            each.document: values_without_keys(each.document, self.fragments) for each in self.vocabularies[:2]
        }
        self._of_receipt = receipt_candidates(page, self.fragments, self.document)

    def candidates(self, target: Target) -> list[Candidate]:
        """Return everything that may be the value of a target."""
        found = self._labelled(target)
        for document, name in sorted(target.concepts):
            surely = 1.0 if document == self.document else 0.75
            for candidate in self.unlabelled.get(document, {}).get(name, ()):
                # A caption may well have a word of addresses in it: `5 Place of birth`.
                if self._is_key(candidate.passage, 0.5 if target.kind is Kind.ADDRESS else 0.8):
                    continue
                found.append(
                    Candidate(candidate.passage, candidate.score * surely * self._freedom(candidate.passage, target))
                )
            if document == self.document:
                found += self._of_receipt.get(name, ())
        if not any(candidate.score > 0.5 for candidate in found):
            found += self._alone_of_its_kind(target)
        return found

    def _labelled(self, target: Target) -> list[Candidate]:
        found: list[Candidate] = []
        for key in self.keys.all:
            weight = self._key_weight(key, target)
            if weight > 0.0:
                found += [
                    Candidate(each.passage, each.score * weight)
                    for each in self.surroundings.candidates(key, target.kind)
                ]
            if target.kind in {Kind.MONEY, Kind.QUANTITY, Kind.NUMBER} and _asks_for_a_sum(target.own):
                found += self._sums(key, target)
        return found

    def _sums(self, key: PrintedKey, target: Target) -> list[Candidate]:
        """Return the sum below a heading that names what is summed: `合计数量` under `数量` in the row of `合计`."""
        is_named = len(key.text) >= 2 and (key.text in target.own or any(key.text == each.text for each in target.keys))
        return self.surroundings.sum_below(key, target.kind) if is_named else []

    def _key_weight(self, key: PrintedKey, target: Target) -> float:
        """Return how telling a printed key is of a target, 0 where it is another's."""
        best = 0.0
        for known, weight in target.keys.items():
            if known.text == key.text:
                factor = self.sections.factor(key, known.section) if known.section else 1.0
                best = max(best, weight * factor)
        if best == 0.0 and not key.is_known:
            likeness = max((_likeness(key.text, known.text) for known in target.keys), default=0.0)
            best = 0.85 * likeness if likeness >= 0.72 else 0.0
        return best

    def _freedom(self, passage: Passage, target: Target) -> float:
        """Return a lower factor for a value that stands behind another field's key."""
        first = passage.pieces[0]
        owner = None
        for key in self.keys.on(first.fragment):
            if key.fragment is first.fragment and key.after <= first.start and key.strength >= 0.8:
                owner = key if owner is None or key.after > owner.after else owner
        if owner is None and not first.fragment.text[: first.start].strip():
            left = [each for each in self.surroundings.row_of(first.fragment) if each.right <= first.fragment.left + 2]
            near = left[-1:] if left and first.fragment.left - left[-1].right < 8 * first.fragment.height else []
            bare = [key for each in near for key in self.keys.on(each) if not each.text[key.after :].strip()]
            owner = bare[-1] if bare else None
        if owner is None or self._key_weight(owner, target) > 0.0:
            return 1.0
        if target.kind is Kind.TIME and any(word in owner.text for word in ("date", "日期", "时间", "time")):
            return 1.0
        return 0.35 if owner.is_known else 0.7

    def _is_key(self, passage: Passage, least: float = 0.8) -> bool:
        """Whether a printed key, as sure as `least`, is a part of a passage."""
        return any(
            key.strength >= least
            and part.fragment is piece.fragment
            and part.start < piece.end
            and piece.start < part.end
            for piece in passage.pieces
            for key in self.keys.on(piece.fragment)
            for part in key.pieces
        )

    def _alone_of_its_kind(self, target: Target) -> list[Candidate]:
        """Return the one value on the page that looks like the target's kind and is no other field's."""
        if target.kind not in _TOLD_BY_LOOKS or any(word in key.text for key in target.keys for word in _FAX):
            return []
        values: dict[str, Passage] = {}
        for fragment in self.fragments:
            for each in found_in(target.kind, fragment.text):
                passage = whole(fragment).part(each.start, each.end)
                if each.fit >= 0.9 and not self._is_key(passage) and self._freedom(passage, target) == 1.0:
                    values.setdefault(fold(passage.text), passage)
        return [Candidate(passage, 0.33) for passage in values.values()] if len(values) == 1 else []


def extract(page: Page, schema: Schema) -> Fields:
    """Find the values of the schema's fields on a page."""
    wanted = [*schema.fields, *(_under(group.path, field) for group in schema.groups for field in group.fields)]
    reading = Reading(page, wanted)
    chosen = _assigned(reading, reading.targets[: len(schema.fields)])
    values = deepcopy(dict(schema.template))
    places: dict[Path, tuple[Quad, ...]] = {}
    scores: dict[Path, float] = {}
    for target in reading.targets[: len(schema.fields)]:
        candidate = chosen.get(target.path)
        _put(values, target.path, as_asked(candidate.text, target.kind, target.description) if candidate else "")
        if candidate:
            places[target.path] = candidate.passage.quads
            scores[target.path] = round(min(1.0, candidate.score), 4)
    at = len(schema.fields)
    for group in schema.groups:
        targets = reading.targets[at : at + len(group.fields)]
        at += len(group.fields)
        entries = group_entries(reading.fragments, reading.keys, targets)
        _put(values, group.path, [_entry(group.fields, targets, row) for row in entries])
        for number, row in enumerate(entries):
            for field, passage in zip(group.fields, row, strict=True):
                if passage is not None:
                    places[(*group.path, number, *field.path)] = passage.quads
                    scores[(*group.path, number, *field.path)] = 0.7
    return Fields(values, places, scores)


def _entry(fields: Sequence[Field], targets: Sequence[Target], row: Sequence[Passage | None]) -> Any:
    """Return one entry of a list, shaped as its example."""
    entry: dict[str, Any] = {}
    for field, target, passage in zip(fields, targets, row, strict=True):
        value = as_asked(passage.text, target.kind, target.description) if passage else ""
        if not field.path:
            return value
        _put(entry, field.path, value)
    return entry


def _under(path: Path, field: Field) -> Field:
    """Return a field of an entry with the whole way to it."""
    return Field((*path, *field.path), field.description)


def _put(values: dict[str, Any], path: Path, value: Any) -> None:
    for step in path[:-1]:
        values = values.setdefault(str(step), {})
    values[str(path[-1])] = value


def _with_moments(targets: list[Target]) -> list[Target]:
    """Let a `时间` have its date too where no field asks for a date."""
    if any(target.kind in {Kind.DATE, Kind.DATETIME} for target in targets):
        return targets
    return [
        replace(target, kind=Kind.MOMENT) if target.kind is Kind.TIME and "时间" in target.own else target
        for target in targets
    ]


def _without_id(targets: Sequence[Target]) -> list[Target]:
    """Leave the key `ID` to fields of that very name: elsewhere it is of a patient, a member, a till."""
    return [
        target
        if target.own == "id"
        else replace(target, keys={key: weight for key, weight in target.keys.items() if key.text != "id"})
        for target in targets
    ]


def _assigned(reading: Reading, targets: Sequence[Target]) -> dict[Path, Candidate]:
    """Give each target the best candidate that no better one has taken."""
    offers = sorted(
        (
            (candidate.score, -order, target, candidate)
            for order, target in enumerate(targets)
            for candidate in reading.candidates(target)
            if candidate.score >= _LEAST
        ),
        key=lambda offer: (-offer[0], -offer[1]),
    )
    chosen: dict[Path, Candidate] = {}
    given: list[tuple[Target, Candidate]] = []
    for may_share in (False, True):
        for _, _, target, candidate in offers:
            if target.path in chosen or any(_clash(target, candidate, *other, may_share=may_share) for other in given):
                continue
            chosen[target.path] = candidate
            given.append((target, candidate))
    return chosen


def _clash(target: Target, candidate: Candidate, other: Target, taken: Candidate, *, may_share: bool) -> bool:
    """Whether two fields cannot both have their values: they overlap, and are not two ways to ask for one thing."""
    shared = [
        (one, two)
        for one in candidate.passage.spans
        for two in taken.passage.spans
        if one.line == two.line and one.start < two.end and two.start < one.end
    ]
    if not shared:
        return False
    is_same = candidate.passage.spans == taken.passage.spans
    if is_same:
        return not may_share or (target.meaning != other.meaning and target.own != other.own)
    is_moment = target.kind in _MOMENTS and other.kind in _MOMENTS
    return not (is_moment or (target.kind is not other.kind and len(shared) == 1 and _is_within(*shared[0])))


def _is_within(one: Span, two: Span) -> bool:
    return bool((one.start >= two.start and one.end <= two.end) or (two.start >= one.start and two.end <= one.end))


def _known_keys(vocabularies: Sequence[Vocabulary], targets: Sequence[Target]) -> frozenset[str]:
    near = {
        key.text
        for vocabulary in (*vocabularies[:2], *(each for each in vocabularies if each.document == "any document"))
        for concept in vocabulary.concepts
        for key in concept.keys
    }
    return frozenset(near | {key.text for target in targets for key in target.keys})


def _weak_keys(vocabularies: Sequence[Vocabulary]) -> frozenset[str]:
    """Return keys that count within running text, on cards where nothing stands between key and value."""
    if vocabularies[0].document not in _PAPERS - {"passport"}:
        return frozenset()
    return frozenset(key.text for concept in vocabularies[0].concepts for key in concept.keys if len(key.text) >= 2)


def _asks_for_a_sum(name: str) -> bool:
    return name.startswith(("合计", "总", "共")) or name.endswith(("合计", "总额", "总数")) or "total" in name


def _likeness(one: str, other: str) -> float:
    return fuzz.ratio(one, other) / 100 if min(len(one), len(other)) >= 3 else 0.0
