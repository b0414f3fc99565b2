"""What a native service reports beyond tokens: images made, characters read, seconds of sound or film.

Names as the official client has them (`dashscope/api_entities/dashscope_response.py`: `ImageSynthesisUsage`,
`VideoSynthesisUsage`, `SpeechSynthesisUsage`, `RecognitionUsage`). A name that is not known here is kept as it came, so
that a price may be given for it.
"""

from __future__ import annotations

import math
import re

from qwenport.engines.upstream.usage import MOST_TOKENS

MOST_ITEMS = 8
"""Names in one report; what comes after these is passed over."""

MOST_COUNT = MOST_TOKENS
"""More than any call can consume; a count above it is a defect of whoever counted."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_TOKENS = re.compile(r"(.*_)?tokens", re.ASCII)

Items = tuple[tuple[str, int], ...]
"""Names and counts, by name."""


def reported_items(usage: object) -> Items:
    """Return the counts of a usage that are no tokens, above 0 and in whole units, a begun unit counting as whole.

    What is no number, is below 0 or cannot be true is left out: nothing is billed by it.
    """
    if type(usage) is not dict:
        return ()
    counts = ((name, _count(value)) for name, value in usage.items() if _is_item(name))
    return tuple(sorted((name, count) for name, count in counts if count)[:MOST_ITEMS])


def _is_item(name: object) -> bool:
    return type(name) is str and _NAME.fullmatch(name) is not None and _TOKENS.fullmatch(name) is None


def _count(value: object) -> int:
    # `True` is an integer to Python; in a report it is a remark and no count.
    if type(value) is int:
        count = value
    elif type(value) is float and math.isfinite(value):
        count = math.ceil(value)
    else:
        return 0
    return count if 0 < count <= MOST_COUNT else 0
