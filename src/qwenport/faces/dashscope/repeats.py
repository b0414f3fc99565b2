"""`processed_text`: what was read, without the loop into which a model that reads text may fall at its end.

The Qwen-OCR API reference (https://help.aliyun.com/zh/model-studio/qwen-vl-ocr-api-reference) says of the field that
fragments which repeat are removed, and not by which measure; this one leaves whatever may stand on a page.
"""

from __future__ import annotations

LONGEST_FRAGMENT = 200
"""Characters of what repeats."""
FEWEST_TIMES = 5
"""How often it stands there at the least."""
SHORTEST_LOOP = 100
"""Characters that all of them have together: dotted lines and columns of noughts on real pages are shorter."""


def without_repeats(text: str) -> str:
    """Return a text whose end says one thing over and over with that thing said once."""
    body = text.rstrip()
    if len(body) < SHORTEST_LOOP:
        return text
    for length in range(1, min(LONGEST_FRAGMENT, len(body) // FEWEST_TIMES) + 1):
        looped = _looped(body, length)
        if looped >= max(SHORTEST_LOOP, FEWEST_TIMES * length):
            # What is over is the end of the thing, where the text before happens to end as it does, or a cut piece.
            return body[: len(body) - looped + length + looped % length]
    return text


def _looped(body: str, length: int) -> int:
    """Return how many characters at the end are a fragment of this length again and again, the first time included."""
    position = len(body) - 1
    while position >= length and body[position] == body[position - length]:
        position -= 1
    same = len(body) - 1 - position
    return same + length if same else 0
