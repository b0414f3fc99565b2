"""One stream of text that is looked through as it comes: what may become a word is held back until it is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from qwenport.pipeline.inspection.words import WordList, normal_form

T = TypeVar("T")


class WordFound(Exception):
    """The text holds a word of the list."""


class HeldText(Generic[T]):
    """Pieces of one text, each with whatever carries it; pieces are given out whole and in their order."""

    def __init__(self, words: WordList) -> None:
        self._words = words
        self._pieces: list[tuple[T, str]] = []
        self._before = ""

    def add(self, carrier: T, text: str) -> Sequence[T]:
        """Return what can be given out now that this piece has come; raises `WordFound`."""
        if not text and not self._pieces:
            return (carrier,)
        self._pieces.append((carrier, text))
        form = normal_form("".join(text for _, text in self._pieces))
        if self._words.is_in(form, before=self._before, ends=False):
            raise WordFound
        return self._give_out(self._words.open_characters(form))

    def end(self) -> Sequence[T]:
        """Return what is held back, as nothing follows; raises `WordFound`."""
        form = normal_form("".join(text for _, text in self._pieces))
        if self._words.is_in(form, before=self._before):
            raise WordFound
        return self._give_out(0)

    def _give_out(self, open_characters: int) -> Sequence[T]:
        """Take out the pieces before those that hold the open end."""
        keep = len(self._pieces)
        tail = ""
        while keep and len(normal_form(tail)) < open_characters:
            keep -= 1
            tail = self._pieces[keep][1] + tail
        given, self._pieces = self._pieces[:keep], self._pieces[keep:]
        form = normal_form("".join(text for _, text in given))
        self._before = form[-1] if form else self._before
        return [carrier for carrier, _ in given]


class ToldText(Generic[T]):
    """A text of which each piece either says all of it anew or goes on with it: both are looked for, nobody says which.

    Pieces are given out as those of a `HeldText`.
    """

    def __init__(self, words: WordList) -> None:
        self._words = words
        self._held = HeldText[T](words)
        self._last = ""
        self._is_told_anew = False

    def add(self, carrier: T, text: str) -> Sequence[T]:
        """Return what can be given out now that this piece has come; raises `WordFound`."""
        if text:
            is_told_anew = bool(self._last) and text.startswith(self._last)
            if is_told_anew:
                self._search(text, ends=False)
            else:
                self._search_last()
            self._last, self._is_told_anew = text, is_told_anew
        return self._held.add(carrier, text)

    def end(self) -> Sequence[T]:
        """Return what is held back, as nothing follows; raises `WordFound`."""
        self._search_last()
        return self._held.end()

    def _search_last(self) -> None:
        if self._is_told_anew:
            self._search(self._last, ends=True)

    def _search(self, text: str, *, ends: bool) -> None:
        if self._words.is_in(normal_form(text), ends=ends):
            raise WordFound
