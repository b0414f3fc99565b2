"""The words of a page as boxes in the straightened frame, and text made of them again."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from qwenport.documents.page import Line, Page, Quad
from qwenport.documents.printed_rows import printed_rows
from qwenport.documents.tables.frame import Frame

_NARROW = 0.55  # of a Chinese character's width, on the average of Latin fonts
_SPACE = 0.28


class Piece(Struct, frozen=True, kw_only=True, gc=False):
    """A word, or as much of one as stands in one cell."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    line: int
    """Index of the line of the page in which it was recognised."""
    is_spaced: bool = False
    """Whether a space stands before it in that line."""

    @property
    def height(self) -> float:
        """Pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Of its height."""
        return (self.top + self.bottom) / 2

    @property
    def centre(self) -> float:
        """Of its width."""
        return (self.left + self.right) / 2


def pieces_of(page: Page, frame: Frame) -> list[Piece]:
    """All words of the page; those of a line that names none are cut out by the widths of its characters."""
    return [piece for index, line in enumerate(page.lines) for piece in _of_line(index, line, frame)]


def _of_line(index: int, line: Line, frame: Frame) -> list[Piece]:
    words = line.words if line.words and _letters(w.text for w in line.words) == _letters([line.text]) else ()
    if not words or line.bottom - line.top > 2.5 * (line.right - line.left):
        left, top, right, bottom = frame.box(line.quad)
        whole = Piece(text=line.text.strip(), left=left, top=top, right=right, bottom=bottom, line=index)
        return _at_spaces(whole) if right - left > bottom - top else [whole]
    pieces, at = [], 0
    for word in words:
        begins = _skip_spaces(line.text, at)
        left, top, right, bottom = _box(word.quad, line.quad, frame)
        text = word.text.strip()
        if text:
            spaced = begins > at > 0
            pieces.append(
                Piece(text=text, left=left, top=top, right=right, bottom=bottom, line=index, is_spaced=spaced)
            )
        at = _past(line.text, begins, word.text)
    return pieces


def _box(quad: Quad, of_line: Quad, frame: Frame) -> tuple[float, float, float, float]:
    """A word's box, as high as its line: a comma alone is low."""
    left, top, right, bottom = frame.box(quad)
    _, line_top, _, line_bottom = frame.box(of_line)
    return left, min(top, line_top), right, max(bottom, line_bottom)


def _letters(texts: Iterable[str]) -> str:
    return "".join("".join(text.split()) for text in texts)


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _past(text: str, at: int, word: str) -> int:
    """Where the word ends that begins here, spaces not counted."""
    for _ in range(len(_letters([word]))):
        at = _skip_spaces(text, at) + 1
    return at


def _at_spaces(whole: Piece) -> list[Piece]:
    texts = whole.text.split()
    if len(texts) < 2:
        return [whole] if texts else []
    pieces, at = [], 0
    for text in texts:
        at = whole.text.index(text, at)
        left = whole.left + (whole.right - whole.left) * _share(whole.text, at)
        right = whole.left + (whole.right - whole.left) * _share(whole.text, at + len(text))
        pieces.append(replace(whole, text=text, left=left, right=right, is_spaced=at > 0))
        at += len(text)
    return pieces


def cut(piece: Piece, place: float) -> tuple[Piece, Piece] | None:
    """The piece in two, between the characters nearest to a place across; `None` where the place is at its end."""
    width = piece.right - piece.left
    if width <= 0 or not piece.left < place < piece.right:
        return None
    at = min(range(len(piece.text) + 1), key=lambda i: abs(_share(piece.text, i) - (place - piece.left) / width))
    if at in {0, len(piece.text)}:
        return None
    border = piece.left + width * _share(piece.text, at)
    first, second = piece.text[:at], piece.text[at:]
    return replace(piece, text=first, right=border), replace(piece, text=second, left=border, is_spaced=False)


def _share(text: str, end: int) -> float:
    """Which share of the text's width its first characters take."""
    widths = [1.0 if is_wide(character) else _SPACE if character.isspace() else _NARROW for character in text]
    return sum(widths[:end]) / sum(widths)


def is_wide(character: str) -> bool:
    """Whether a character is as wide as a Chinese one."""
    return unicodedata.east_asian_width(character) in {"W", "F"}


def text_of(pieces: Sequence[Piece]) -> str:
    """The text of a cell: its pieces line by line."""
    text = ""
    last: Piece | None = None
    for row in text_lines(pieces):
        for piece in row:
            text += (" " if last is not None and _is_apart(last, piece, text) else "") + piece.text
            last = piece
    return text


def _is_apart(before: Piece, piece: Piece, text: str) -> bool:
    if before.line == piece.line:
        return piece.is_spaced
    return not (is_wide(text[-1]) or is_wide(piece.text[0]))


def text_lines(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Pieces that stand at one height, from top to bottom, and in each of these from left to right."""
    return printed_rows(pieces, apart=0.4, overlap=None)
