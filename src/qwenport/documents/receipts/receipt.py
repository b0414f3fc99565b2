"""What a shop receipt says of itself."""

from __future__ import annotations

from msgspec import Struct

from qwenport.documents.page import Line


class FieldFound(Struct, frozen=True, kw_only=True):
    """One value, as it stands on the page."""

    lines: tuple[Line, ...] = ()
    """Where it stands; none where nothing was found."""
    parts: tuple[str, ...] = ()
    """What of each of these lines is the value, letter by letter."""
    score: float = 0.0
    """How sure the choice is, from 0 to 1."""

    @property
    def text(self) -> str:
        """The whole value, a space between lines; empty where nothing was found."""
        return " ".join(self.parts)


class Receipt(Struct, frozen=True, kw_only=True):
    """The four facts that every receipt has."""

    company: FieldFound = FieldFound()
    """Who sold, without the registration number."""
    date: FieldFound = FieldFound()
    """When, without the time of day."""
    address: FieldFound = FieldFound()
    """Where the shop is; lines joined by spaces."""
    total: FieldFound = FieldFound()
    """What was to be paid, without a currency."""
