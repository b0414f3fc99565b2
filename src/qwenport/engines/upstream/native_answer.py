"""What comes back from a native service that is handed on: a JSON object with `output` and `usage`, or an error.

Shapes as in `dashscope/api_entities/dashscope_response.py` of the official client.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.usage import Usage, UsageSource
from qwenport.engines.upstream.native_usage import reported_items
from qwenport.engines.upstream.usage import told

_IMAGES = "image_count"
_CHARACTERS = "characters"


class NativeAnswer(Struct, frozen=True, kw_only=True):
    """What is read of an answer; the rest is the caller's."""

    output: object = None
    usage: object = None
    code: object = None
    message: object = None

    @property
    def is_error(self) -> bool:
        """Whether it says what went wrong in the place of a result."""
        return isinstance(self.code, str) and self.code not in {"", "200", "Success"} and not self.output

    @property
    def task_id(self) -> str:
        """The task that was made; empty for none."""
        return _text(self.output, "task_id")

    @property
    def task_status(self) -> str:
        """How the task is doing; empty where it does not say."""
        return _text(self.output, "task_status")

    def consumed(self, characters: int = 0) -> Usage:
        """Return what is reported; where nothing is, the images that were made, or the characters of the request.

        What is counted so has the source `COUNTED`, also with no characters: the bound that the call was held for is
        billed where nothing counted here has a price.
        """
        said = told(self.usage)
        into, out = said.input_tokens or 0, said.output_tokens or 0
        usage = Usage(
            input_tokens=into,
            output_tokens=out,
            image_tokens=min(said.image_tokens, into),
            cached_tokens=min(said.cached_tokens, into),
            items=reported_items(self.usage),
        )
        if usage.items or usage.total_tokens:
            return usage
        if images := _made_images(self.output):
            return replace(usage, items=((_IMAGES, images),), source=UsageSource.COUNTED)
        if _tells_zero(self.usage) or _made_nothing(self.output):
            return usage
        return replace(usage, items=((_CHARACTERS, characters),), source=UsageSource.COUNTED)


_DECODE = Decoder(NativeAnswer).decode


def read_answer(body: bytes) -> NativeAnswer | None:
    """Return an answer; None for what is none."""
    try:
        return _DECODE(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def latest(known: Usage, said: Usage) -> Usage:
    """Return what a stream consumed after a further piece: what it says, unless it says less than those before it."""
    return said if _weight(said) >= _weight(known) else known


def _weight(usage: Usage) -> int:
    """Return how much a usage says: 2 for a report, 1 for images that were counted, 0 for nothing."""
    if usage.source is UsageSource.ENGINE:
        return 2 if usage.total_tokens or usage.items else 0
    return 1 if any(name == _IMAGES for name, _ in usage.items) else 0


def _text(output: object, name: str) -> str:
    value = output.get(name) if isinstance(output, dict) else None
    return value if isinstance(value, str) else ""


def _made_images(output: object) -> int:
    results = output.get("results") if isinstance(output, dict) else None
    if not isinstance(results, list):
        return 0
    return sum(isinstance(each, dict) and isinstance(each.get("url"), str) for each in results)


def _made_nothing(output: object) -> bool:
    """Tell whether every result is an error."""
    results = output.get("results") if isinstance(output, dict) else None
    return isinstance(results, list) and all(isinstance(each, dict) and _text(each, "code") for each in results)


def _tells_zero(usage: object) -> bool:
    return isinstance(usage, dict) and any(type(value) in (int, float) and value == 0 for value in usage.values())
