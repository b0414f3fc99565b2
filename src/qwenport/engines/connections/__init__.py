"""The HTTP client towards engine hosts and upstreams."""

from qwenport.engines.connections.answer import HttpAnswer
from qwenport.engines.connections.connections import Calls, Connections
from qwenport.engines.connections.errors import (
    AnswerInvalid,
    AnswerTimedOut,
    CallFailed,
    ConnectionLost,
    NotConnected,
)
from qwenport.engines.connections.peer import Peer, PeerInvalid
from qwenport.engines.connections.replicas import Replicas
from qwenport.engines.connections.request import RequestInvalid

__all__ = [
    "AnswerInvalid",
    "AnswerTimedOut",
    "CallFailed",
    "Calls",
    "ConnectionLost",
    "Connections",
    "HttpAnswer",
    "NotConnected",
    "Peer",
    "PeerInvalid",
    "Replicas",
    "RequestInvalid",
]
