"""A JSON Schema as the fields that are asked of a page, and what was found there as JSON of its types."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, assert_never

import msgspec

from qwenport.engines.ocr.json_schema import ListShape, ObjectShape, Shape, ValueShape
from qwenport.engines.ocr.printed_number import printed_number

_YES = frozenset({"true", "yes", "y", "是", "有", "√", "✓", "✔", "☑"})
_NO = frozenset({"false", "no", "n", "否", "不是", "无", "無", "没有", "沒有", "☐"})

_encode = msgspec.json.Encoder(decimal_format="number").encode


def template(shape: Shape) -> Any:
    """Return a shape as a `result_schema` has it: descriptions where it has values, one entry where it has a list.

    What the schema itself says, and objects whose members nobody names, are not asked of the page.
    """
    match shape:
        case ObjectShape():
            return {name: template(member) for name, member in shape.members.items() if _is_asked(member)}
        case ListShape():
            return [template(shape.entry)]
        case ValueShape():
            return shape.description
    assert_never(shape)


def shaped(result: bytes, shape: ObjectShape) -> str:
    """Return the fields of a `kv_result` as JSON of a shape; one without members takes them as they are.

    What is not printed, or not as what is wanted, is null, since none is invented; also where the schema has no null,
    except for texts, which are empty.
    """
    values = msgspec.json.decode(result)["kv_result"]
    typed = _typed(values, shape) if shape.members else values
    return msgspec.json.format(_encode(typed), indent=4).decode()


def _is_asked(shape: Shape) -> bool:
    match shape:
        case ObjectShape():
            return any(_is_asked(member) for member in shape.members.values())
        case ListShape():
            return _is_asked(shape.entry)
        case ValueShape():
            return not shape.is_fixed
    assert_never(shape)


def _typed(value: Any, shape: Shape) -> Any:
    match shape:
        case ObjectShape():
            given = value if isinstance(value, Mapping) else {}
            if shape.is_nullable and not _says(given):
                return None
            return {name: _typed(given.get(name, ""), member) for name, member in shape.members.items()}
        case ListShape():
            return [_typed(each, shape.entry) for each in value] if isinstance(value, list) else []
        case ValueShape():
            return _scalar(value if isinstance(value, str) else "", shape)
    assert_never(shape)


def _says(value: Any) -> bool:
    """Tell whether anything of a value was found."""
    if isinstance(value, Mapping):
        return any(map(_says, value.values()))
    return any(map(_says, value)) if isinstance(value, list) else bool(value)


def _scalar(text: str, shape: ValueShape) -> Any:
    if shape.choices is not None:
        return _choice(text, shape)
    if not text and shape.is_nullable:
        return None
    if "string" in shape.kinds or not shape.kinds & {"number", "integer", "boolean"}:
        return text
    number = printed_number(text)
    if number is not None and "number" in shape.kinds:
        return number
    if number is not None and "integer" in shape.kinds and number == int(number):
        return Decimal(int(number))
    return _truth(text) if "boolean" in shape.kinds else None


def _choice(text: str, shape: ValueShape) -> Any:
    """Return which of its choices a text is, in the schema's own writing; null for none of them."""
    choices = shape.choices or ()
    if shape.is_fixed:
        return next(iter(choices), None)
    return next((choice for choice in choices if _is_same(text, choice)), None)


def _is_same(text: str, choice: object) -> bool:
    if isinstance(choice, str):
        return _folded(text) == _folded(choice)
    if isinstance(choice, bool):
        return _truth(text) is choice
    return isinstance(choice, int | float) and printed_number(text) == Decimal(str(choice))


def _truth(text: str) -> bool | None:
    folded = _folded(text)
    return True if folded in _YES else False if folded in _NO else None


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
