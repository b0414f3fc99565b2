"""Which questions a check has answered with yes, so that a result that is polled is not put to it again and again."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

import msgspec

from qwenport.pipeline.inspection.webhook import Question

MOST_REMEMBERED = 512


class Permitted:
    """The questions that were asked last, by their digests; the one that nobody asked for longest is forgotten first.

    A no is not kept: an operator who takes it back is believed at once.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        """Remember so many at most."""
        self._most = most
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def add(self, question: Question) -> None:
        """Take note that all of a question was answered with yes."""
        self._digests[_digest(question)] = None
        if len(self._digests) > self._most:
            self._digests.popitem(last=False)

    def knows(self, question: Question) -> bool:
        """Tell whether the very same was answered with yes."""
        digest = _digest(question)
        if digest not in self._digests:
            return False
        self._digests.move_to_end(digest)
        return True


def _digest(question: Question) -> bytes:
    return sha256(msgspec.json.encode(question)).digest()
