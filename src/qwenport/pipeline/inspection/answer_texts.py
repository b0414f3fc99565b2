"""The texts of an answer: what each event says, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from qwenport.core.events import Delta, Event, Reasoning, Recognized, Relayed, ToolCallDelta
from qwenport.core.json_texts import Path, json_texts

_NAMES_NO_TEXT = re.compile(r"(?:\w+_)?(?:id|urls?)")
_BYTES = frozenset({"data", "b64_json"})
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")


class Place(NamedTuple):
    """Which of an answer's texts one is."""

    choice: int
    kind: str
    path: Path = ()
    """Which tool call, or where in a JSON object."""


def texts_of(event: Event) -> tuple[tuple[Place, str], ...]:
    """Return what an event adds to which texts; nothing for one that says none."""
    match event:
        case Delta(choice=choice, text=text):
            return ((Place(choice, "text"), text),)
        case Reasoning(choice=choice, text=text):
            return ((Place(choice, "reasoning"), text),)
        case ToolCallDelta(choice=choice, index=index):
            return ((Place(choice, "tool", (index,)), event.name + event.arguments),)
        case Recognized(choice=choice, result=result):
            return tuple((Place(choice, "recognized", path), text) for path, text in texts_in_answer(result))
        case Relayed(piece=piece):
            return tuple((Place(0, "relayed", path), text) for path, text in texts_in_answer(piece))
        case _:
            return ()


def texts_in_answer(content: bytes) -> Iterator[tuple[Path, str]]:
    """Yield the texts of a service's answer: neither addresses nor ids, which would hit words by chance, nor sound."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        value = content.decode("utf-8", "replace")
    for each in json_texts(value):
        path = each.path
        if not _is_no_text(path, each.text):
            yield path, each.text


def _is_no_text(path: Path, value: str) -> bool:
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if name in _BYTES:
        return _BASE64.fullmatch(value) is not None
    return _NAMES_NO_TEXT.fullmatch(name) is not None
