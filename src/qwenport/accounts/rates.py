"""Exchange rates, each from a day on.

A call keeps the rate by which it was billed, so that nothing here changes what was billed already. A rate whose day has
passed stays as it is, because postings refer to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from qwenport.accounts.audit import note_change
from qwenport.accounts.errors import Conflict, SettingInvalid
from qwenport.accounts.making import Making
from qwenport.accounts.money import plain_decimal
from qwenport.accounts.texts import MAX_NAME_LENGTH, checked_currency, checked_text, shown
from qwenport.core.clock import Clock
from qwenport.core.ids import Ids
from qwenport.storage import rate_rows
from qwenport.storage.database import Database
from qwenport.storage.records import RateRecord
from qwenport.storage.revision_rows import Counter, next_revision

MOST_PLACES = 12
HIGHEST_RATE = 10**6


class Rates:
    """The exchange rates of one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def every(self) -> Sequence[RateRecord]:
        """Return all rates, those of a pair together, oldest first."""
        with self._database.read() as transaction:
            return rate_rows.every(transaction)

    def put(self, actor: str, wish: RateRecord) -> RateRecord:
        """Set what one unit of a currency costs in another from a day on.

        Raises `SettingInvalid`, or `Conflict` where another rate has begun on that day, before today.
        """
        making = Making(actor=actor, at=self._clock.now(), ids=self._ids)
        rate = _checked(wish)
        with self._database.write() as transaction:
            before = rate_rows.find(transaction, rate.base, rate.quote, rate.since)
            if before == rate:
                return rate
            if before is not None and rate.since < making.at.date().isoformat():
                raise Conflict(
                    f"calls were billed by the rate of {rate.base} to {rate.quote} that began on {rate.since}; "
                    "set one that begins today or later"
                )
            next_revision(transaction, Counter.RATES)
            rate_rows.put(transaction, rate, making.at)
            note_change(transaction, making.deed("rate.put", _name(rate)), before, rate)
            return rate


def _name(rate: RateRecord) -> str:
    return f"{rate.base}/{rate.quote} {rate.since}"


def _checked(wish: RateRecord) -> RateRecord:
    base, quote = checked_currency(wish.base), checked_currency(wish.quote)
    if base == quote:
        raise SettingInvalid(f"a rate goes from one currency to another, not from {base} to itself")
    return RateRecord(
        base=base,
        quote=quote,
        since=_day(wish.since),
        rate=_rate(wish.rate),
        source=checked_text("source of a rate", wish.source, MAX_NAME_LENGTH),
    )


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise SettingInvalid(f"{shown(text)} is no day; write it like `2026-01-31`") from error
    return day.isoformat()


def _rate(text: str) -> str:
    """Return a decimal in plain notation, without idle zeros."""
    value = plain_decimal(text, MOST_PLACES)
    if value is None or not 0 < value <= HIGHEST_RATE:
        raise SettingInvalid(
            f"{shown(text)} is no exchange rate; write a decimal above 0 with at most {MOST_PLACES} places, "
            "such as `7.1`"
        )
    return f"{value.normalize():f}"
