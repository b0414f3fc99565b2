"""What a field of a schema means: its kind, and the keys under which it may be printed."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct
from rapidfuzz import fuzz

from qwenport.documents.fields.folding import fold, has_chinese
from qwenport.documents.fields.kinds import Kind
from qwenport.documents.fields.schema import Field, Path
from qwenport.documents.fields.vocabulary import VOCABULARIES, Concept, Key, Vocabulary, spellings

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-\s./]+")
_SMALL_WORDS = frozenset({"of", "the", "a", "an", "and", "or", "in", "on", "for", "s"})
_TAILS: tuple[tuple[str, Kind], ...] = (
    (r"(?:日期|日|datum|date)$", Kind.DATE),
    (r"(?:时间|时刻|time)$", Kind.TIME),
    (r"(?:大写|inwords)$", Kind.WORDS),
    (r"(?:税率|费率|比例|percentage|percent|taxrate)$", Kind.PERCENT),
    (r"(?:金额|价|费|总额|合计|税额|价格|款|amount|price|total|fee|cost|tax|fare|charge|balance)$", Kind.MONEY),
    (r"(?:手机号?|电话|手机号码|电话号码|传真|phone|tel|mobile|fax)$", Kind.PHONE),
    (r"(?:邮箱|email|mail)$", Kind.EMAIL),
    (r"(?:网址|网站|website|url)$", Kind.WEB),
    (r"(?:身份证号?码?|idnumber)$", Kind.PERSON),
    (r"(?:税号|纳税人识别号|信用代码|taxid)$", Kind.TAX),
    (r"(?:车牌号?码?|号牌|plate)$", Kind.PLATE),
    (r"(?:地址|住址|住所|address)$", Kind.ADDRESS),
    (r"(?:公司|单位|company)$", Kind.COMPANY),
    (r"(?:姓名|人|员|person)$", Kind.NAME),
    (r"(?:号|号码|编号|代码|单号|code|no|number|id)$", Kind.CODE),
    (r"(?:数量|件数|quantity|qty|count)$", Kind.QUANTITY),
    (r"(?:范围|内容|描述|说明)$", Kind.LONG),
)


class Target(Struct, frozen=True, kw_only=True):
    """A field with what is known of it."""

    path: Path
    description: str
    kind: Kind
    meaning: str
    """The concept that it is most likely, with its document; empty where no table knows it."""
    concepts: frozenset[tuple[str, str]]
    """Document and name of every concept that it may be."""
    keys: Mapping[Key, float]
    """Folded keys with how telling they are, up to 1.03 for the caller's own words."""
    own: str
    """Its own name, folded."""


def ranked(page_text: str, names: Sequence[str]) -> tuple[Vocabulary, ...]:
    """Return the vocabularies, the one of this page (folded text) and these names first."""
    asked = [_folded_name(name) for name in names]
    scores: dict[str, float] = {}
    for vocabulary in VOCABULARIES:
        markers = sum(1.0 + 0.15 * (len(marker) > 3) for marker in vocabulary.markers if marker and marker in page_text)
        known = sum(any(name in concept.asked for concept in vocabulary.concepts) for name in asked)
        scores[vocabulary.document] = min(markers, 8.0) + (8.0 * known / len(asked) if asked else 0.0)
    return tuple(sorted(VOCABULARIES, key=lambda each: -scores[each.document]))


def target_of(field: Field, vocabularies: Sequence[Vocabulary]) -> Target:
    """Find out what a field means; `vocabularies` with the likeliest first."""
    spoken = _ways_of_asking(field)
    matches = _matches(spoken, vocabularies)
    keys: dict[Key, float] = {}
    for concept, level in matches:
        telling = level if concept.document == matches[0][0].document else 0.88 * level
        for order, key in enumerate(concept.keys):
            keys[key] = max(keys.get(key, 0.0), telling - 0.004 * min(order, 40))
    for order, name in enumerate(spoken[:2]):
        for spelling in spellings(name) or (fold(name),):
            if spelling and not any(spelling == key.text and key.section for key in keys):
                keys[Key(spelling)] = max(keys.get(Key(spelling), 0.0), 1.03 - 0.05 * order)
    own = _folded_name(field.name)
    return Target(
        path=field.path,
        description=field.description,
        kind=matches[0][0].kind if matches else _kind_by_name(own, field.description),
        meaning=f"{matches[0][0].document}: {matches[0][0].name}" if matches else "",
        concepts=frozenset((concept.document, concept.name) for concept, level in matches if level > 0.7),
        keys=keys,
        own=own,
    )


def _ways_of_asking(field: Field) -> list[str]:
    """Return the names under which a field is asked for, the fullest first."""
    steps = [" ".join(_words(str(step))) for step in field.path if isinstance(step, str)]
    name = steps[-1] if steps else ""
    ways = [name]
    if len(steps) > 1:
        parent = steps[-2]
        joined = parent + name if has_chinese(parent + name) else f"{parent} {name}"
        ways.insert(0, joined)
    parts = re.split(r"[,，;；、。()（）/|\n]|例如|格式|如：|such as|e\.g\.", field.description)
    ways += [" ".join(_words(part)) for part in parts if 1 < len(part.strip()) <= 30][:4]
    return [way for way in dict.fromkeys(ways) if way]


def _words(name: str) -> list[str]:
    return [word for word in _CAMEL.split(name) if word]


@lru_cache(maxsize=4096)
def _folded_name(name: str) -> str:
    words = _words(name)
    kept = [word for word in words if word.lower() not in _SMALL_WORDS]
    return fold("".join(kept or words))


def _matches(spoken: Sequence[str], vocabularies: Sequence[Vocabulary]) -> list[tuple[Concept, float]]:
    """Return the concepts that are meant, with how surely, the surest first."""
    for order, way in enumerate(spoken):
        names = {fold(way), _folded_name(way)} - {""}
        exact = [
            (concept, (1.0 - 0.03 * min(rank, 6)) * (1.0 if order < 2 else 0.9))
            for rank, vocabulary in enumerate(vocabularies)
            for concept in vocabulary.concepts
            if names & concept.asked
        ]
        if exact:
            kind = exact[0][0].kind
            same = [each for each in exact if each[0].document == exact[0][0].document or each[0].kind is kind]
            return same[:6]
    near = [
        (concept, likeness * (0.85 - 0.03 * min(rank, 6)))
        for rank, vocabulary in enumerate(vocabularies[:8])
        for concept in vocabulary.concepts
        for likeness in [max((_likeness(fold(way), concept) for way in spoken[:2]), default=0.0)]
        if likeness > 0.0
    ]
    return sorted(near, key=lambda each: -each[1])[:2]


def _likeness(name: str, concept: Concept) -> float:
    """Return how much a name is like one of a concept's, 0 where it is not."""
    best = 0.0
    for known in concept.asked:
        if len(known) < 2 or len(name) < 2:
            continue
        ratio = fuzz.ratio(name, known) / 100
        if ratio >= 0.8 and min(len(name), len(known)) >= 4:
            best = max(best, ratio)
        elif len(known) >= (3 if has_chinese(known) else 8) and known in name:
            best = max(best, 0.65 + 0.3 * len(known) / len(name))
    return best


def _kind_by_name(name: str, description: str) -> Kind:
    """Return the kind that a name's ending tells."""
    for text in (name, fold(description)):
        for pattern, kind in _TAILS:
            if re.search(pattern, text):
                return kind
    return Kind.TEXT
