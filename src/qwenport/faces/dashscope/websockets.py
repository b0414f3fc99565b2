"""Addresses at which Model Studio speaks WebSocket, as it does for real-time speech: refused in words.

They are those of `dashscope/common/env.py` of the official client. The offer of another protocol is a GET like any
other; `websocket-client`, which most classes there use, shows the body of an answer that is of no WebSocket.
"""

from __future__ import annotations

from typing import NoReturn

from qwenport.core.errors import PathNotFound
from qwenport.faces.description import Description
from qwenport.faces.face import Cards, LookupOperation, Operation, Request

WEBSOCKET_PREFIX = "/api-ws/v1"

_CHANNELS = ("inference", "realtime")
_WORDS = (
    "Not found! This server takes no WebSocket calls, such as those of real-time speech and recognition: "
    "call a service that answers over HTTP."
)


def refuse_websocket(request: Request, cards: Cards) -> NoReturn:  # noqa: ARG001 - every look-up gets both
    """Raise `PathNotFound`."""
    raise PathNotFound(_WORDS)


WEBSOCKET_OPERATIONS: tuple[Operation, ...] = tuple(
    LookupOperation(
        name=f"websocket.{channel}",
        method="GET",
        path=f"{WEBSOCKET_PREFIX}/{channel}",
        respond=refuse_websocket,
        description=Description(summary="Refuse a WebSocket: services are called over HTTP here"),
    )
    for channel in _CHANNELS
)
