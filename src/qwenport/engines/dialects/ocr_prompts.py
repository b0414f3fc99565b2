"""The built-in OCR tasks as prompts, for models that see and know no tasks.

What each task is to answer is in the Qwen-OCR guide (https://www.alibabacloud.com/help/en/model-studio/qwen-vl-ocr),
the words are our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from qwenport.core.call import ChatInput
from qwenport.core.capabilities import Coordinates
from qwenport.core.content import Message, Part, Role, TextPart
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.engines.dialects.image_frames import Frame, frames_of, last_images

_AS_PRINTED = "Copy everything exactly as it is printed, in its own language; translate, correct and add nothing."

TASK_PROMPTS: Mapping[OcrTask, str] = MappingProxyType(
    {
        OcrTask.TEXT_RECOGNITION: (
            f"Read all the text in the image, in reading order and line by line. {_AS_PRINTED} "
            "Answer with the text alone, without any description or formatting."
        ),
        OcrTask.MULTI_LANGUAGE: (
            "Read all the text in the image, whatever its languages and scripts, in reading order and line by line. "
            f"{_AS_PRINTED} Answer with the text alone, without any description or formatting."
        ),
        OcrTask.ADVANCED_RECOGNITION: (
            f"Find every line of text in the image and its place. {_AS_PRINTED} "
            "Answer with a JSON array in a ```json block and nothing else, in which each line is an object, in "
            "reading order."
        ),
        OcrTask.KEY_INFORMATION_EXTRACTION: (
            f"Find the fields of the document in the image and their values. {_AS_PRINTED} "
            "Answer with one JSON object in a ```json block and nothing else. Put ? for each character that cannot be "
            'read, and "" for a field that is not in the image.'
        ),
        OcrTask.TABLE_PARSING: (
            f"Read the tables in the image. {_AS_PRINTED} "
            "Answer with HTML in a ```html block and nothing else: a <table> with <tr> and <td> for each, cells that "
            "span several rows or columns with rowspan and colspan, and no styles."
        ),
        OcrTask.DOCUMENT_PARSING: (
            f"Set the page in the image as LaTeX. {_AS_PRINTED} "
            "Answer with LaTeX in a ```latex block and nothing else: titles as \\section or \\subsection, paragraphs "
            "as text, tables as tabular, formulae between $ or $$, figures as \\includegraphics with their captions."
        ),
        OcrTask.FORMULA_RECOGNITION: (
            "Read the formulae in the image. Answer with LaTeX alone, each formula between $$ and $$, and nothing else."
        ),
    }
)
"""What a model is told for each task."""

_PLACED: Mapping[Coordinates, str] = MappingProxyType(
    {
        Coordinates.PIXELS: (
            'It has the form {"rotate_rect": [x, y, width, height, angle], "text": "…"}, where x and y are the centre '
            "of the line, all four are whole pixels, and the angle is in degrees from -90 to 90, clockwise."
        ),
        Coordinates.SCALED_PIXELS: (
            'It has the form {"bbox_2d": [left, top, right, bottom], "text": "…"}, where all four are whole pixels.'
        ),
        Coordinates.THOUSANDTHS: (
            'It has the form {"bbox_2d": [left, top, right, bottom], "text": "…"}, where all four are whole numbers '
            "from 0 to 1000, relative to the width and the height of the image."
        ),
    }
)
"""How a place is to be said; for `SCALED_PIXELS` and `THOUSANDTHS` as these models were trained to."""
_PAGED = 'Each object also has "page", the number of the image that the line is in, from 1.'


def asked_for_task(asked: ChatInput, coordinates: Coordinates = Coordinates.PIXELS) -> ChatInput:
    """Return a chat that asks for the task of another: the pictures of its last user, and the prompt.

    A chat without a task is returned as it is. `coordinates` are those of the model that is asked.
    """
    if asked.ocr is None:
        return asked
    prompt = _prompt(asked.ocr, frames_of(asked, coordinates), coordinates)
    parts: tuple[Part, ...] = (*last_images(asked), TextPart(text=prompt))
    return replace(asked, messages=(Message(role=Role.USER, content=parts),), ocr=None)


def _prompt(options: OcrOptions, frames: Sequence[Frame], coordinates: Coordinates) -> str:
    prompt = TASK_PROMPTS[options.task]
    if options.task is OcrTask.ADVANCED_RECOGNITION:
        sentences = [prompt, _PLACED[coordinates]]
        if len(frames) > 1:
            sentences.append(_PAGED)
        if coordinates is not Coordinates.THOUSANDTHS:
            # Models scale what they see; the size says in which pixels they are to count.
            sentences += map(_size, frames)
        return " ".join(sentences)
    if options.result_schema:
        return (
            f"{prompt} The object has these fields and no others, in this shape; a value that stands there says what "
            f"is meant by its field:\n{options.result_schema.decode()}"
        )
    return prompt


def _size(frame: Frame) -> str:
    return f"The image is {frame.told_width} pixels wide and {frame.told_height} pixels high."
