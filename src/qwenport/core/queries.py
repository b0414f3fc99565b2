"""What a caller asks of the house itself, no model involved: files, tasks, tokens, stored answers.

A face decodes a request into a query and encodes the answer; which part of the house answers is the composition
root's to know. Each kind of query stands in the module of what it is about.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct

from qwenport.core.caller import Caller


class Query(Struct, frozen=True, kw_only=True):
    """Base of every query; the docstring of each names the type of its answer and the errors raised."""


Answering = Callable[[Caller, Any], Awaitable[Any]]
"""Answers one kind of query, for whoever asks; raises errors of the tree."""

Desk = Mapping[type[Query], Answering]
"""Who answers which kind of query."""
