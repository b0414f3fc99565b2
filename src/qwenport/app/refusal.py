"""The one error by which a start is refused."""

from __future__ import annotations


class StartRefused(Exception):
    """The server cannot start; the message is one line that says what to do."""
