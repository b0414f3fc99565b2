"""What an upstream says of itself, made fit to be shown: printable, bounded, without anything like a key."""

from __future__ import annotations

import re

from qwenport.core.printable import printable
from qwenport.core.secret import Secret

LONGEST_WORDS = 400
_SHORTEST_KEY = 4
"""What is shorter is no secret, and to take it out would leave holes in every word."""
_PREFIX = re.compile(r"^(?:<\d{3}> )?(?:InternalError\.Algo(?:\.\w+)*: ?)?")
"""Model Studio's name of the stage that refused, such as `<400> InternalError.Algo.InvalidParameter: `."""
_LIKE_A_KEY = re.compile(
    r"(?i)\bbearer[\s_-]+\S+|\b(?:sk|ak|hf|pk|gsk|ghp|xai)[-_][A-Za-z0-9._~+/*=-]{4,}|\beyJ[A-Za-z0-9_.-]{8,}"
)
"""Keys of others, such as those of what stands behind an upstream; the upstream's own is known, and taken out by
`without_key`."""


def without_key(text: str, key: Secret | None) -> str:
    """Return what an upstream says without the key that it was shown, whatever that looks like."""
    shown = "" if key is None else key.reveal()
    return text if len(shown) < _SHORTEST_KEY else text.replace(shown, "…")


def shown_words(text: str, longest: int = LONGEST_WORDS) -> str:
    """Return words of an upstream that may reach a client, of so many characters at most."""
    words = _PREFIX.sub("", " ".join(text[: 8 * longest].split()), count=1)
    words = printable(_LIKE_A_KEY.sub("…", words))
    return words if len(words) <= longest else f"{words[:longest]}…"
