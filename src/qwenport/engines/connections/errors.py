"""What can go wrong between the gateway and a server that it calls.

CallFailed
├── NotConnected      nothing was sent
├── ConnectionLost    broke after the request was sent
├── AnswerTimedOut    said nothing for too long
└── AnswerInvalid     no HTTP, too large, or encoded in a way that was not asked for
"""

from __future__ import annotations


class CallFailed(Exception):
    """No answer, or no whole one; `reason` says why, in words that hold nothing of the request."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotConnected(CallFailed):
    """Nobody could be reached, so nothing was sent: no such name, refused, TLS, or no connection in time."""


class ConnectionLost(CallFailed):
    """The connection broke after the request was sent."""

    def __init__(self, reason: str, *, answered: bool) -> None:
        super().__init__(reason)
        self.answered = answered
        """Whether a byte of an answer had come."""


class AnswerTimedOut(CallFailed):
    """The server said nothing for longer than it was waited for."""


class AnswerInvalid(CallFailed):
    """What came is no answer that can be read."""
