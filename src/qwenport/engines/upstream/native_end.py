"""When a streamed answer of a native service is complete: it has no last word, and ends where its body does.

Shapes as in `dashscope/api_entities/dashscope_response.py` of the official client (`GenerationOutput`,
`MultiModalConversationOutput`), and `finished` as on
https://www.alibabacloud.com/help/en/model-studio/wan-image-generation-api-reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qwenport.core.native_body import NativeBody
from qwenport.engines.upstream.native_answer import NativeAnswer

_NOT_YET = frozenset({"", "null"})


class NativeEnd:
    """Reads along with the events of a stream."""

    __slots__ = ("_choices", "_ended", "is_complete")

    def __init__(self, asked: NativeBody) -> None:
        self._choices = _choices(asked)
        self._ended: set[int] = set()
        self.is_complete = False
        """Whether every choice has ended and the usage was told, after which nothing need follow."""

    def add(self, answer: NativeAnswer) -> None:
        """Take in what an event says."""
        output = answer.output
        if isinstance(output, dict):
            for index, has_ended in _endings(output):
                (self._ended.add if has_ended else self._ended.discard)(index)
        has_told = isinstance(answer.usage, dict) and bool(answer.usage)
        self.is_complete = len(self._ended) >= self._choices and (has_told or self.is_complete)


def _endings(output: Mapping[str, object]) -> Iterator[tuple[int, bool]]:
    """Yield the choices that an event is about, and whether they have ended with it."""
    # Where text and images alternate, each piece ends; the whole does where this word says so.
    is_over = output.get("finished") is not False
    choices = output.get("choices")
    if not isinstance(choices, list):
        if "finish_reason" in output:
            yield 0, is_over and _is_reason(output["finish_reason"])
        return
    for place, choice in enumerate(choices):
        if isinstance(choice, dict):
            index = choice.get("index")
            yield index if type(index) is int else place, is_over and _is_reason(choice.get("finish_reason"))


def _is_reason(word: object) -> bool:
    return isinstance(word, str) and word not in _NOT_YET


def _choices(asked: NativeBody) -> int:
    count = asked.parameters.get("n") if isinstance(asked.parameters, dict) else None
    return count if type(count) is int and count > 0 else 1
