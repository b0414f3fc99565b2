"""What a model answers to a task that it was given as a prompt, as `ocr_result`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import msgspec

from qwenport.core.events import ChoiceFinished, Delta, Event, Recognized
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.engines.dialects.word_places import Place, place_of

_FENCED = re.compile(r"```[A-Za-z]*[ \t]*\r?\n(?P<inside>.*?)(?:```|\Z)", re.DOTALL)
_WITH_RESULT = frozenset({OcrTask.ADVANCED_RECOGNITION, OcrTask.KEY_INFORMATION_EXTRACTION})
_PLACES = ("rotate_rect", "location", "pos_list", "quad", "bbox_2d", "bbox")
"""Names under which a line's place is said: those of Qwen-OCR, then those of Qwen-VL's general models."""
_TEXTS = ("text", "text_content", "label")
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class TaskAnswer:
    """Reads along with the answer to one task, and says what was found before a choice ends."""

    def __init__(self, options: OcrOptions) -> None:
        self._options = options
        self._texts: defaultdict[int, list[str]] = defaultdict(list)

    def before(self, event: Event) -> Recognized | None:
        """Take in the next event; returns what is to be told before it, if anything."""
        if self._options.task not in _WITH_RESULT:
            return None
        if type(event) is Delta:
            self._texts[event.choice].append(event.text)
        elif type(event) is ChoiceFinished:
            result = recognized_in(self._options, "".join(self._texts[event.choice]))
            return Recognized(result=result, choice=event.choice) if result else None
        return None


def recognized_in(options: OcrOptions, text: str) -> bytes:
    """Return the `ocr_result` that an answer stands for; nothing for a task that has none or an answer of no shape."""
    if options.task not in _WITH_RESULT:
        return b""
    fenced = _FENCED.search(text)
    try:
        said = _DECODE(fenced["inside"] if fenced is not None else text)
        fields = _DECODE(options.result_schema) if options.result_schema else None
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return b""
    if options.task is OcrTask.ADVANCED_RECOGNITION:
        words = list(_words(said))
        return _ENCODE({"words_info": words}) if words else b""
    if not isinstance(said, dict) or not said:
        return b""
    if not isinstance(fields, dict):
        return _ENCODE({"kv_result": said})
    return _ENCODE({"kv_result": _shaped(said, fields)}) if not fields.keys().isdisjoint(said) else b""


def _words(said: object) -> Iterator[dict[str, object]]:
    items = said.get("words_info") if isinstance(said, dict) else said
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            text = next((item[name] for name in _TEXTS if isinstance(item.get(name), str)), None)
            place = _first_place(item)
            if text is not None and place is not None:
                yield {"text": text, "location": place.location, "rotate_rect": place.rotate_rect}


def _first_place(item: dict[str, object]) -> Place | None:
    places = (place_of(item[name]) for name in _PLACES if name in item)
    return next((place for place in places if place is not None), None)


def _shaped(said: object, wanted: object) -> object:
    """Return what is said in the shape that was asked for: no field more, none less, every value a text."""
    if isinstance(wanted, dict):
        known = said if isinstance(said, dict) else {}
        return {name: _shaped(known.get(name), each) for name, each in wanted.items()}
    if isinstance(wanted, list):
        listed = said if isinstance(said, list) else []
        return [_shaped(each, wanted[0]) for each in listed] if wanted else listed
    if isinstance(said, str):
        return said
    return "" if said is None else _ENCODE(said).decode()
