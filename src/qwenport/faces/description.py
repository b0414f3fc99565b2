"""What the OpenAPI document says of an operation: one value beside what the operation does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter, header or field of a form."""

    name: str
    meaning: str
    type: Any = str
    """A type that msgspec knows; `bytes` for a file of a form."""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Description:
    """What goes in and what comes out, as types that msgspec knows; it is one with itself alone."""

    summary: str = ""
    """One line; empty for an operation that its face does not describe."""
    body: Any = None
    """Type of the JSON body; None where there is none."""
    required: tuple[str, ...] = ()
    """Members of the body that the operation refuses to go without."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """A body that is answered with 200, as the page shows it."""
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    """Headers that change what comes back, beside those of every operation."""
    form: tuple[Parameter, ...] = ()
    """Fields of a multipart form; empty where the body is none."""
    answer: Any = None
    """Type of a whole answer; `bytes` for a file, None for an operation that always refuses."""
    piece: Any = None
    """Type of the data of each event of a streamed answer; None where nothing is streamed."""


UNDESCRIBED = Description()
"""What is known of an operation by its address alone."""

RESOLVES_UPLOADS = Parameter(
    name="X-DashScope-OssResourceResolve", meaning="`enable` allows `oss://` addresses of files that were uploaded."
)
"""What chat operations of every face look at."""
