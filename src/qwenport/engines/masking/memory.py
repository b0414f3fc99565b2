"""The placeholders of one call: given out while the call is masked, put back while it is answered."""

from __future__ import annotations

import re

from qwenport.engines.masking.personal_data import Kind, personal_data

_LOOKS_LIKE_ONE = re.compile(rf"\[(?:{'|'.join(Kind)})_[0-9]+\]")


class Memory:
    """What each placeholder of a call stands for; the same value has the same placeholder throughout."""

    def __init__(self, reserved: frozenset[str] = frozenset()) -> None:
        """Give out none of the reserved placeholders: the call's own texts hold them."""
        self._reserved = reserved
        self._placeholders: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._last = dict.fromkeys(Kind, 0)
        self._pattern: re.Pattern[str] | None = None
        self._longest = 0

    def __bool__(self) -> bool:
        """Tell whether anything was masked."""
        return bool(self._values)

    def mask(self, text: str) -> str:
        """Return the text with a placeholder for each piece of personal data."""
        found = personal_data(text)
        if not found:
            return text
        pieces: list[str] = []
        done = 0
        for each in found:
            pieces += (text[done : each.begin], self._placeholder(text[each.begin : each.end], each.kind))
            done = each.end
        return "".join((*pieces, text[done:]))

    def unmask(self, text: str) -> str:
        """Return the text with what the placeholders stand for; those of nobody stay."""
        if "[" not in text or not self._values:
            return text
        return self._given_out().sub(lambda match: self._values[match[0]], text)

    def first(self, text: str) -> tuple[str, str] | None:
        """Return what the placeholder that a text begins with stands for, and the text behind it; None for none."""
        found = self._given_out().match(text) if self._values else None
        return None if found is None else (self._values[found[0]], text[found.end() :])

    def open_end(self, text: str) -> int:
        """Return where the end of a text begins that may be the beginning of a placeholder; its length for none."""
        begin = text.rfind("[", max(0, len(text) - self._longest + 1))
        if begin < 0 or "]" in text[begin:]:
            return len(text)
        tail = text[begin:]
        return begin if any(each.startswith(tail) for each in self._values) else len(text)

    def _given_out(self) -> re.Pattern[str]:
        if self._pattern is None:
            self._pattern = re.compile("|".join(re.escape(each) for each in self._values))
        return self._pattern

    def _placeholder(self, value: str, kind: Kind) -> str:
        known = self._placeholders.get(value)
        if known is not None:
            return known
        while True:
            self._last[kind] += 1
            placeholder = f"[{kind}_{self._last[kind]}]"
            if placeholder not in self._reserved:
                break
        self._placeholders[value] = placeholder
        self._values[placeholder] = value
        self._longest = max(self._longest, len(placeholder))
        self._pattern = None
        return placeholder


def placeholders_in(text: str) -> list[str]:
    """Return what a text holds already that looks like a placeholder."""
    return _LOOKS_LIKE_ONE.findall(text)
