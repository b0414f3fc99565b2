"""A secret that shows itself only to who asks for it by name."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn, final

_MASK: Final = "**********"


@final
class Secret:
    """A string that is masked in `repr`, `str` and formatting, and that neither pickles nor encodes as JSON."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def matches(self, shown: str) -> bool:
        """Compare in constant time with what somebody shows."""
        # Bytes of an environment that are no text come as surrogates.
        return hmac.compare_digest(*(text.encode("utf-8", "surrogateescape") for text in (self._value, shown)))

    def __repr__(self) -> str:
        return f"Secret('{_MASK}')"

    def __str__(self) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self.matches(other._value)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied; call `reveal` where the value itself is needed")
