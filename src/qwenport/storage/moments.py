"""Times as the tables hold them: milliseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

HOUR_MS = 3_600_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """Return an aware moment as whole milliseconds, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(milliseconds_utc: int) -> datetime:
    """Return the aware moment, in UTC, that a table holds as milliseconds."""
    return _EPOCH + milliseconds_utc * _MILLISECOND


def optional_milliseconds(at: datetime | None) -> int | None:
    """Return `milliseconds` of a moment that may be absent."""
    return None if at is None else milliseconds(at)


def optional_moment(milliseconds_utc: int | None) -> datetime | None:
    """Return `moment` of a column that may be empty."""
    return None if milliseconds_utc is None else moment(milliseconds_utc)
