"""What may be asked of the books, and in which words it is refused."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from qwenport.storage.moments import milliseconds

_Text = TypeVar("_Text", bound=str | None)


class ReportInvalid(ValueError):
    """What was asked of a report cannot be; the words are for the operator."""


def readable(name: str, value: _Text) -> _Text:
    """Return a filter's value; raises `ReportInvalid` for what no database takes.

    A command line can hold bytes that are no text, and an address a character that PostgreSQL has no place for.
    """
    try:
        str(value).encode()
    except UnicodeEncodeError as error:
        raise ReportInvalid(f"the {name} {value!a} is no text in UTF-8") from error
    if value is not None and "\0" in value:
        raise ReportInvalid(f"the {name} {value!a} holds the character 0, which no name has")
    return value


def check_range(since: datetime | None, until: datetime | None) -> None:
    """Raise `ReportInvalid` for a range that ends before it begins."""
    aware = since is not None and until is not None and since.utcoffset() is not None and until.utcoffset() is not None
    if aware and since is not None and until is not None and since >= until:
        raise ReportInvalid(f"`since` ({since.isoformat()}) is not before `until` ({until.isoformat()})")


def moment_bound(name: str, bound: datetime | None) -> int | None:
    """Return an end of a range in milliseconds; raises `ReportInvalid` for one without a time zone."""
    if bound is None:
        return None
    if bound.utcoffset() is None:
        raise ReportInvalid(f"`{name}` is `{bound.isoformat()}` and names no time zone; add one, such as `Z`")
    return milliseconds(bound)
