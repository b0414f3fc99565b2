"""A list of words that neither questions nor answers may hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ahocorasick_rs import AhoCorasick

LONGEST_WORD = 256

_UNSEEN = dict.fromkeys(
    (
        0x00AD,
        0x034F,
        0x061C,
        0x115F,
        0x1160,
        0x3164,
        0xFEFF,
        0xFFA0,
        *range(0x17B4, 0x17B6),
        *range(0x180B, 0x1810),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
        *range(0xE0000, 0xE0200),
    )
)
"""Characters without width: format characters and variation selectors."""
_SPACES = {ord(space): " " for space in "\t\n\v\f\r\x85\u2028\u2029"}
_FORM = {**_UNSEEN, **_SPACES}


class WordsInvalid(ValueError):
    """A list of words cannot be used; the message says why."""


def normal_form(text: str) -> str:
    """Return a text as words are compared: compatibility form, without case and without what has no width."""
    if text.isascii():
        return text.lower().translate(_SPACES)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.translate(_UNSEEN)).casefold()).translate(
        _FORM
    )


class WordList:
    """The words, and how a text is looked through for all of them in one pass.

    A word that begins or ends with a letter or digit of ASCII must stand alone there: `ass` is not found in `class`.
    Lists of the same words are equal.
    """

    def __init__(self, words: Iterable[str]) -> None:
        """Raise `WordsInvalid` for a list without words and for a word that is too long."""
        self._words = tuple(sorted({form for word in words if (form := normal_form(word).strip())}))
        if not self._words:
            raise WordsInvalid("the list holds no word; write one word or phrase a line")
        self._longest = max(map(len, self._words))
        if self._longest > LONGEST_WORD:
            raise WordsInvalid(f"a word has {self._longest} characters; {LONGEST_WORD} are the most")
        self._beginnings = frozenset(word[:end] for word in self._words for end in range(1, len(word)))
        self._whole = frozenset(self._words)
        self._search = AhoCorasick(self._words)

    def __eq__(self, other: object) -> bool:
        return self._words == other._words if isinstance(other, WordList) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._words)

    @classmethod
    def read(cls, path: Path) -> WordList:
        """Read a file of UTF-8 text with one word or phrase a line; raises `WordsInvalid`."""
        try:
            return cls(path.read_text("utf-8-sig").splitlines())
        except OSError as error:
            raise WordsInvalid(f"the list of words `{path}` cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise WordsInvalid(f"the list of words `{path}` is not text in UTF-8: {error}") from error

    def is_in(self, text: str, *, before: str = "", ends: bool = True) -> bool:
        """Tell whether a text holds a word.

        Args:
            text: in normal form.
            before: the character that came before the text.
            ends: whether nothing follows; a word that must stand alone is not found at an end that is open.
        """
        found = self._search.find_matches_as_indexes(text, overlapping=True)
        return any(_stands_alone(text, begin, end, before, ends=ends) for _, begin, end in found)

    def open_characters(self, text: str) -> int:
        """Return how many characters at the end of a text may become a word by what follows."""
        tail = text[-self._longest :]
        for begin in range(len(tail)):
            if tail[begin:] in self._beginnings or (_is_plain(tail[-1]) and tail[begin:] in self._whole):
                return len(tail) - begin
        return 0


def _stands_alone(text: str, begin: int, end: int, before: str, *, ends: bool) -> bool:
    previous = text[begin - 1] if begin else before
    if _is_plain(text[begin]) and _is_plain(previous):
        return False
    if not _is_plain(text[end - 1]):
        return True
    return ends if end == len(text) else not _is_plain(text[end])


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()
