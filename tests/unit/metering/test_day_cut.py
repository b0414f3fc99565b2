"""The days of the books after the server's time zone has changed, as if they had always been cut in the new one."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qwenport.core.ids import GrantId, KeyId
from qwenport.metering.day_cut import cut_days_anew
from qwenport.metering.flush import Books
from qwenport.metering.ledger import check
from qwenport.metering.records import Settlement
from qwenport.metering.retention import retain
from qwenport.storage.database import Database
from qwenport.testing.settlements import books_prices, settlement, table_rows

# The clocks of Havana and New York change in this time, and half hours of Kolkata and Kathmandu cut hours in parts.
ZONES = ("UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "America/Havana", "Pacific/Kiritimati")
FIRST = datetime(2025, 10, 30, 1, 10, tzinfo=UTC)


def calls() -> list[Settlement]:
    """Return calls of six days around the end of a month, one every 37 minutes, and one of ten in vain."""
    return [
        settlement(
            number,
            at=(FIRST + number * timedelta(minutes=37)).timestamp(),
            held={
                "key_id": KeyId(f"key-{number % 3}"),
                "model": "unknown" if number % 7 == 0 else "qwen-max",
                "grant": GrantId("fq-1" if number % 5 == 0 else ""),
            },
            **({} if number % 10 else {"input_tokens": 0, "output_tokens": 0, "cached_tokens": 0}),
        )
        for number in range(230)
    ]


def days(database: Database) -> list[dict[str, Any]]:
    return table_rows(database, "usage_days")


def cut_in(zone: str, folder: Path) -> list[dict[str, Any]]:
    """Return the days of books that know no other zone."""
    with Database.open(folder / f"{zone.replace('/', '-')}.db") as database:
        Books(database, books_prices(), timezone=zone).post(calls())
        return days(database)


@pytest.mark.parametrize("old", ["UTC", "Asia/Kathmandu", "America/Havana"])
def test_days_are_those_of_the_new_zone_and_the_books_balance(any_database: Database, tmp_path: Path, old: str) -> None:
    cut_days_anew(any_database, old)
    Books(any_database, books_prices(), timezone=old).post(calls())

    for zone in (zone for zone in (*ZONES, old) if zone != old):
        assert cut_days_anew(any_database, zone) is True
        assert days(any_database) == cut_in(zone, tmp_path)
    assert check(any_database).differences == ()


def test_days_of_the_same_zone_are_left_alone(any_database: Database, caplog: pytest.LogCaptureFixture) -> None:
    Books(any_database, books_prices(), timezone="UTC").post(calls())
    before = days(any_database)

    with caplog.at_level(logging.INFO):
        assert cut_days_anew(any_database, "UTC") is False
        cut_days_anew(any_database, "Asia/Shanghai")
        assert cut_days_anew(any_database, "Asia/Shanghai") is False
        assert cut_days_anew(any_database, "UTC") is True

    assert days(any_database) == before
    assert len(caplog.messages) == 4
    assert "cut in UTC and are cut anew in Asia/Shanghai" in caplog.messages[0]


def test_new_books_take_their_zone_without_a_word(any_database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        cut_days_anew(any_database, "Asia/Shanghai")

    assert cut_days_anew(any_database, "Asia/Shanghai") is False
    assert caplog.messages == []


def test_days_of_months_that_are_no_longer_kept_stay(any_database: Database) -> None:
    Books(any_database, books_prices(), timezone="UTC").post(calls())
    october = [row for row in days(any_database) if row["day"] < "2025-10-31"]
    retain(any_database, 0, datetime(2025, 11, 20, tzinfo=UTC))

    cut_days_anew(any_database, "America/New_York")

    assert [row for row in days(any_database) if row["day"] < "2025-10-31"] == october
    assert check(any_database).differences == ()


def test_an_unknown_zone_changes_nothing(any_database: Database) -> None:
    Books(any_database, books_prices(), timezone="UTC").post(calls())
    before = days(any_database)

    with pytest.raises(ValueError, match="is no known time zone"):
        cut_days_anew(any_database, "Mars/Olympus")

    assert days(any_database) == before
    assert cut_days_anew(any_database, "UTC") is False
