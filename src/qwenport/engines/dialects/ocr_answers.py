"""What a model answers to a task that it was given as a prompt, as `ocr_result`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from qwenport.core.events import ChoiceFinished, Delta, Event, Recognized
from qwenport.core.ocr import OcrOptions, OcrTask, page_sizes
from qwenport.engines.dialects.image_frames import Frame
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

    def __init__(self, options: OcrOptions, frames: Sequence[Frame]) -> None:
        self._options = options
        self._frames = frames
        self._texts: defaultdict[int, list[str]] = defaultdict(list)

    def before(self, event: Event) -> Recognized | None:
        """Take in the next event; returns what is to be told before it, if anything."""
        if self._options.task not in _WITH_RESULT:
            return None
        if type(event) is Delta:
            self._texts[event.choice].append(event.text)
        elif type(event) is ChoiceFinished:
            result = recognized_in(self._options, self._frames, "".join(self._texts[event.choice]))
            return Recognized(result=result, choice=event.choice) if result else None
        return None


def recognized_in(options: OcrOptions, frames: Sequence[Frame], text: str) -> bytes:
    """Return the `ocr_result` that an answer stands for; nothing for a task that has none or an answer of no shape.

    Places become pixels of the images that the frames are of.
    """
    if options.task not in _WITH_RESULT:
        return b""
    fenced = _FENCED.search(text)
    try:
        said = _DECODE(fenced["inside"] if fenced is not None else text)
        fields = _DECODE(options.result_schema) if options.result_schema else None
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return b""
    if options.task is OcrTask.ADVANCED_RECOGNITION:
        words = list(_words(said, frames))
        return _ENCODE({"words_info": words, **_pages(frames)}) if words else b""
    if not isinstance(said, dict) or not said:
        return b""
    if not isinstance(fields, dict):
        return _ENCODE({"kv_result": said})
    return _ENCODE({"kv_result": _shaped(said, fields)}) if not fields.keys().isdisjoint(said) else b""


def _words(said: object, frames: Sequence[Frame]) -> Iterator[dict[str, object]]:
    items = said.get("words_info") if isinstance(said, dict) else said
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            text = next((item[name] for name in _TEXTS if isinstance(item.get(name), str)), None)
            page = _page(item, frames)
            place = _first_place(item, frames[page - 1]) if page else None
            if text is not None and place is not None:
                number = {"page": page} if len(frames) > 1 else {}
                yield {"text": text, "location": place.location, "rotate_rect": place.rotate_rect, **number}


def _pages(frames: Sequence[Frame]) -> dict[str, object]:
    sizes = page_sizes([frame.picture for frame in frames])
    return {"pages": sizes} if sizes else {}


def _page(item: dict[str, object], frames: Sequence[Frame]) -> int:
    """Return which of the images a line is in, from 1; 0 where it does not say."""
    if len(frames) == 1:
        return 1
    page = item.get("page")
    return page if type(page) is int and 1 <= page <= len(frames) else 0


def _first_place(item: dict[str, object], frame: Frame) -> Place | None:
    places = (place_of(item[name], frame) for name in _PLACES if name in item)
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
