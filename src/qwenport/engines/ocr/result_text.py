"""What an answer says: its text made of the result, fences around it, results of several pages put together.

Shapes as in the samples of the Qwen-OCR API reference of Model Studio.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from qwenport.engines.ocr.value_places import RESULT_MEMBER, ValuePlace, going_on, told_places
from qwenport.engines.ocr.wire import PageAnswer

_INDENT = 4
_WITH_PLACES = ("words_info", RESULT_MEMBER)


def fenced(text: str, fence: str) -> str:
    """Return a text within a fence of this language; as it is where there is none."""
    return f"```{fence}\n{text}\n```" if fence else text


def result_text(result: bytes) -> str:
    """Return the JSON that an answer with such a result says: places and texts, or fields and values."""
    decoded = msgspec.json.decode(result)
    if "kv_result" in decoded:
        return _pretty(decoded["kv_result"])
    lines = ({"rotate_rect": each["rotate_rect"], "text": each["text"]} for each in decoded["words_info"])
    inside = ",\n".join("    " + msgspec.json.encode(line).decode() for line in lines)
    return f"[\n{inside}\n]" if inside else "[]"


def joined(answers: Sequence[PageAnswer]) -> PageAnswer:
    """Return the answers for all pages as one.

    Lines of several pages tell their page, from 1; a field has the value of the first page that has one.
    """
    if len(answers) == 1:
        return answers[0]
    first = answers[0]
    if not first.result:
        text = "\n\n".join(fenced(answer.text, answer.fence) for answer in answers)
        return PageAnswer(text=text)
    results = [msgspec.json.decode(answer.result) for answer in answers]
    if "kv_result" in results[0]:
        return _joined_fields(answers, [result["kv_result"] for result in results])
    paged = ({**line, "page": page} for page, result in enumerate(results, 1) for line in result["words_info"])
    together = msgspec.json.encode({"words_info": list(paged)})
    return PageAnswer(text=result_text(together), fence=first.fence, result=together)


def with_places(result: bytes, places: Iterable[ValuePlace]) -> bytes:
    """Return a result of fields that says where their values stand."""
    told = msgspec.json.decode(result, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**told, RESULT_MEMBER: told_places(places)})


def with_fields(result: bytes, values: Mapping[str, Any], places: Iterable[ValuePlace]) -> bytes:
    """Return a result with other fields, and their places where it tells places."""
    told = msgspec.json.decode(result, type=dict[str, msgspec.Raw])
    changed = msgspec.json.encode({**told, "kv_result": values})
    return with_places(changed, places) if RESULT_MEMBER in told else changed


def with_pages(result: bytes, sizes: Sequence[Mapping[str, int]]) -> bytes:
    """Return a result of places with the sizes of the pages that they are on as `pages`; any other as it is."""
    if not sizes or not result:
        return result
    told = msgspec.json.decode(result, type=dict[str, msgspec.Raw])
    return result if told.keys().isdisjoint(_WITH_PLACES) else msgspec.json.encode({**told, "pages": sizes})


def _joined_fields(answers: Sequence[PageAnswer], values: Sequence[Any]) -> PageAnswer:
    merged: Any = {}
    places: list[ValuePlace] = []
    for page, (answer, found) in enumerate(zip(answers, values, strict=True), 1):
        places += going_on(answer.places, merged, page)
        merged = _merged(merged, found)
    together = msgspec.json.encode({"kv_result": merged})
    return PageAnswer(text=result_text(together), fence=answers[0].fence, result=together, places=tuple(places))


def _merged(mine: Any, further: Any) -> Any:
    if isinstance(mine, Mapping) and isinstance(further, Mapping):
        return {key: _merged(mine.get(key, ""), further.get(key, "")) for key in {**mine, **further}}
    if isinstance(mine, list) and isinstance(further, list):
        return [*mine, *further]
    return mine or further


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=_INDENT).decode()
