"""What an account can spend: money, and tokens that are given to it."""

from __future__ import annotations


class Purse:
    """Money of one account in nano-units of its currency."""

    __slots__ = ("held", "moved", "used")

    def __init__(self) -> None:
        self.moved = 0
        """By credits and other movements that are no calls."""
        self.used = 0
        """By calls that have ended."""
        self.held = 0
        """What calls under way may cost at most."""

    @property
    def balance(self) -> int:
        """Return what there is, calls under way left aside; below 0 for what is owed."""
        return self.moved - self.used


class FreeTokens:
    """Tokens of one grant and one model."""

    __slots__ = ("held", "used")

    def __init__(self) -> None:
        self.used = 0
        self.held = 0
        """What calls under way may use at most."""
