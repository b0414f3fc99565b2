"""Pages of nothing but text: dense ones to measure speed, plain ones to measure errors."""

from __future__ import annotations

from typing import Final

from qwenport.evaluation.rendering.canvas import Canvas, Pen
from qwenport.evaluation.rendering.layout import Layout, Values, render
from qwenport.evaluation.rendering.made_up import MadeUp
from qwenport.evaluation.rendering.prose import passage
from qwenport.evaluation.rendering.sample import Sample
from qwenport.evaluation.rendering.wrapping import wrap

_COLUMNS, _ROWS = 3, 34
_TITLES: Final = {"zh-Hans": "工作简报", "zh-Hant": "工作簡報", "en": "Work bulletin"}


def dense_page(seed: int, language: str) -> Sample:
    """A page of 1600 by 1200 pixels with 102 lines of text in three columns."""
    return render(_layout("dense", language), seed)


def text_page(seed: int, language: str, *, photo: bool = False) -> Sample:
    """A title and paragraphs, each line an item."""
    return render(_layout("text", language), seed, photo=photo)


def _layout(name: str, language: str) -> Layout:
    def invent(made: MadeUp) -> Values:
        count = 90 if name == "dense" else 4
        passages = {f"passage{place}": passage(language, count, made.chance) for place in range(5)}
        return passages | {"title": f"{_TITLES[language]} {made.digits(2)}"}

    return Layout(
        name=f"{name}-{language}",
        kind="text",
        language=language,
        size=(1600, 1200) if name == "dense" else (1000, 1400),
        invent=invent,
        draw=_draw_dense if name == "dense" else _draw_text,
        looks=("sans", "serif"),
        asks={},
    )


def _draw_dense(canvas: Canvas) -> None:
    pen = Pen(size=21)
    for column in range(_COLUMNS):
        text = canvas.values[f"passage{column}"]
        parts = wrap(text, 490, lambda part: canvas.extent(part, pen))
        canvas.rows((40 + column * 520, 34), 33.5, (part for part, _ in zip(parts, range(_ROWS), strict=False)), pen)


def _draw_text(canvas: Canvas) -> None:
    canvas.put((500, 60), "{title}", Pen(size=42, anchor="m", bold=True))
    y = 150.0
    for place in range(5):
        y = canvas.paragraph((80, y), f"{{passage{place}}}", 840, Pen(size=26)) + 26
