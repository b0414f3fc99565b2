"""Letting a text model choose: it is shown the lines of a page by number, and only what stands there is taken from it.

A model that is asked to copy may also invent. So it has to name the lines in which a value stands, and what it gives is
looked up in them: what is found becomes the value as it is printed, with its place; everything else is dropped.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from qwenport.documents.field_question import Question
from qwenport.documents.fields import Fields, Schema
from qwenport.documents.fields.numbers import BEHIND_SIGN, WITHIN_NUMBER
from qwenport.documents.page import Line, Page, Quad

MOST_LINES = 400
"""Lines of a page that a model is shown."""
MOST_LINES_OF_A_VALUE = 4
_LONGEST_VALUE = 300
_TOKENS_A_FIELD = 48
"""Of one field's answer beside its value, with four numbers of lines; printed with indents, which most models do."""
_TOKENS_A_CHARACTER = 1.5
"""Of a value: digits are a token each, and rare Chinese characters two or three."""
_VALUES_A_LINE = 2
"""A line is wholly the value of so many fields at most, such as an address and the recipient's whole entry."""
_INSIDE = re.compile(
    r"(?<=[A-Za-z\u00c0-\u024f])(?=[A-Za-z\u00c0-\u024f])|"
    rf"{WITHIN_NUMBER}|{BEHIND_SIGN}|(?<=[\w?])(?=\?)|(?<=\?)(?=[\w?])"
)
"""A place inside a word of Latin letters, a number or what cannot be read, at which no value begins or ends."""
_INSTRUCTIONS = (
    "These are the lines of a document, each with its number. For every field, name the numbers of the lines in which "
    "its value stands, and copy the value from there character by character. Where the document does not say it, name "
    "no line and leave the value empty. Never guess."
)


class _Said(Struct, frozen=True):
    """What the model says of one field."""

    lines: tuple[int, ...] = ()
    value: str = ""


def question(page: Page, schema: Schema) -> Question | None:
    """Return what to ask for the fields of a schema; None where there is nothing to choose among, or too much."""
    if not page.lines or len(page.lines) > MOST_LINES or not schema.fields:
        return None
    lines = (f"[{number}] {line.text}" for number, line in enumerate(page.lines, start=1))
    fields = (
        f"{name}: {'.'.join(map(str, field.path))}" + (f" ({field.description})" if field.description else "")
        for name, field in _named(schema)
    )
    prompt = "\n".join((_INSTRUCTIONS, "", "Lines:", *lines, "", "Fields:", *fields))
    names, longest = [name for name, _ in _named(schema)], _longest_value(page)
    return Question(
        prompt=prompt,
        shape=_shape(len(page.lines), longest, names),
        most_tokens=_most_tokens(page, longest, len(names)),
    )


def chosen(page: Page, schema: Schema, answer: str, by_rules: Fields) -> Fields:
    """Return the fields with what the model chose; what it left out or what is not on the page stays as it was."""
    try:
        said = msgspec.json.decode(answer, type=dict[str, _Said])
    except (msgspec.DecodeError, RecursionError):
        return by_rules
    values = _copied(by_rules.values)
    places, scores = dict(by_rules.places), dict(by_rules.scores)
    for name, field in _named(schema):
        found = _grounded(page, said.get(name, _Said()))
        if found is None:
            continue
        text, quads, score = found
        _put(values, field.path, text)
        places[field.path], scores[field.path] = quads, score
    return Fields(values=values, places=places, scores=scores)


def _named(schema: Schema) -> Iterator[tuple[str, Any]]:
    return ((f"f{number}", field) for number, field in enumerate(schema.fields, start=1))


def _longest_value(page: Page) -> int:
    """Return how many characters a value has at most: those of the longest lines that it may stand in."""
    lengths = sorted((len(line.text) + 1 for line in page.lines), reverse=True)
    return min(sum(lengths[:MOST_LINES_OF_A_VALUE]), _LONGEST_VALUE)


def _most_tokens(page: Page, longest_value: int, fields: int) -> int:
    copied = min(fields * longest_value, _VALUES_A_LINE * sum(len(line.text) for line in page.lines))
    return fields * _TOKENS_A_FIELD + math.ceil(copied * _TOKENS_A_CHARACTER)


def _shape(line_count: int, longest_value: int, names: Sequence[str]) -> bytes:
    number = {"type": "integer", "minimum": 1, "maximum": line_count}
    field = {
        "type": "object",
        "properties": {
            "lines": {"type": "array", "items": number, "maxItems": MOST_LINES_OF_A_VALUE},
            "value": {"type": "string", "maxLength": longest_value},
        },
        "required": ["lines", "value"],
        "additionalProperties": False,
    }
    shape = {
        "type": "object",
        "properties": dict.fromkeys(names, field),
        "required": list(names),
        "additionalProperties": False,
    }
    return msgspec.json.encode(shape)


def _grounded(page: Page, said: _Said) -> tuple[str, tuple[Quad, ...], float] | None:
    """Return a value as it is printed in the lines that were named, with their places; None where it is not there."""
    numbers = sorted(set(said.lines))[:MOST_LINES_OF_A_VALUE]
    lines = [page.lines[number - 1] for number in numbers if 1 <= number <= len(page.lines)]
    wanted = "".join(_folded(said.value))
    if not lines or not wanted:
        return None
    printed = _joined(lines)
    span = _whole(printed, wanted)
    if span is None:
        return None
    text = printed[slice(*span)].strip()
    return text, tuple(line.quad for line in lines), min(line.score for line in lines)


def _whole(printed: str, wanted: str) -> tuple[int, int] | None:
    """Return where a folded value stands in a text, None where it is no more than a piece of a word or a number."""
    folded = [(each, at) for at, character in enumerate(printed) for each in _folded(character)]
    text = "".join(each for each, _ in folded)
    start = text.find(wanted)
    while start >= 0:
        first, last = folded[start][1], folded[start + len(wanted) - 1][1]
        if not _INSIDE.match(printed, first) and not _INSIDE.match(printed, last + 1):
            return first, last + 1
        start = text.find(wanted, start + 1)
    return None


def _joined(lines: Sequence[Line]) -> str:
    """Return the lines as one text: with a space between Latin ones, as a value that goes on is read."""
    text = lines[0].text
    for line in lines[1:]:
        apart = text[-1:].isascii() and line.text[:1].isascii()
        text += f" {line.text}" if apart else line.text
    return text


def _folded(text: str) -> Iterator[str]:
    """Yield the characters that tell one value from another: width, case and spaces do not."""
    for character in unicodedata.normalize("NFKC", text).casefold():
        if not character.isspace():
            yield character


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, dict) else value for name, value in values.items()}


def _put(values: dict[str, Any], path: Sequence[str | int], text: str) -> None:
    *way, last = path
    for step in way:
        values = values[str(step)]
    values[str(last)] = text
