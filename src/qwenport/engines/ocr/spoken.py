"""An answer as events: line by line, within the caller's bound and up to the text at which it is to stop."""

from __future__ import annotations

from collections.abc import Iterator

from qwenport.core.call import Sampling
from qwenport.core.events import Delta, FinishReason

BYTES_A_TOKEN = 4
"""Of UTF-8, as Qwen's vocabulary cuts text in English and in Chinese alike."""


def text_tokens(text: str) -> int:
    """Return about how many tokens a text is; one at the least, if it says anything."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_A_TOKEN)


class Spoken:
    """One answer; holds no more than how long it is so far."""

    def __init__(self, sampling: Sampling) -> None:
        bounds = [bound for bound in (sampling.max_tokens, sampling.max_completion_tokens) if bound is not None]
        self._most_bytes = min(bounds) * BYTES_A_TOKEN if bounds else None
        self._stops = sampling.stop
        self._bytes = 0
        self._told = 0
        self._has_stopped = False
        self.reason = FinishReason.STOP

    @property
    def tokens(self) -> int:
        """Return how many tokens were said."""
        return self._told

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing more is said, whatever there would be."""
        return self._has_stopped or self.reason is FinishReason.LENGTH

    def deltas(self, text: str) -> Iterator[Delta]:
        """Yield a further part of the answer, a line at a time, as far as it may be said."""
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        until = text[: min(places)] if places else text
        for line in until.splitlines(keepends=True):
            if self.has_ended:
                return
            said = self._within_bound(line)
            if said:
                yield self._delta(said)
        self._has_stopped = self._has_stopped or bool(places)

    def _within_bound(self, line: str) -> str:
        encoded = line.encode("utf-8", "surrogatepass")
        if self._most_bytes is None or self._bytes + len(encoded) <= self._most_bytes:
            return line
        self.reason = FinishReason.LENGTH
        return encoded[: self._most_bytes - self._bytes].decode("utf-8", "ignore")

    def _delta(self, text: str) -> Delta:
        self._bytes += len(text.encode("utf-8", "surrogatepass"))
        total = -(-self._bytes // BYTES_A_TOKEN)
        tokens, self._told = total - self._told, total
        return Delta(text=text, tokens=tokens)
