"""The request body of `chat/completions`; unknown fields are ignored, as production ignores them."""

from __future__ import annotations

from msgspec import Struct

from qwenport.faces.messages import WireMessage
from qwenport.faces.parameters import WireParameters


class StreamOptions(Struct, frozen=True, kw_only=True):
    """What `stream_options` holds; without `stream` it means nothing."""

    include_usage: bool | None = None


class ChatCompletionRequest(WireParameters, frozen=True, kw_only=True):
    """The body: parameters stand beside the model and the messages."""

    model: str | None = None
    messages: list[WireMessage] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
