"""The client is no longer there."""

from __future__ import annotations


class ClientGone(Exception):
    """The client closed the connection, or takes no bytes any more; nobody is left to answer."""
