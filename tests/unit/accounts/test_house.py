"""Levels, exchange rates and maintenance: what belongs to the whole house."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from qwenport.accounts import Conflict, MaintenanceState, NameTaken, SettingInvalid, read_changes
from qwenport.storage.records import LevelRecord, RateRecord
from qwenport.testing.account_services import AccountServices as Services

START = datetime(2026, 1, 1, tzinfo=UTC)


def rate(base: str = "USD", quote: str = "CNY", since: str = "2026-01-01", number: str = "7.1") -> RateRecord:
    return RateRecord(base=base, quote=quote, since=since, rate=number, source="bank")


def test_levels_are_listed_by_name(services: Services) -> None:
    services.levels.create("operator", "b'; DROP TABLE 🙂", "for\nfriends")
    services.levels.create("operator", " a% ")

    assert services.levels.every() == [
        LevelRecord(name="a%", description="", created_at=START),
        LevelRecord(name="b'; DROP TABLE 🙂", description="for\nfriends", created_at=START),
    ]
    with pytest.raises(NameTaken, match="there is a level `a%` already"):
        services.levels.create("operator", "a%")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x00", "\ud800", "n" * 201])
def test_a_level_without_a_proper_name_is_refused(services: Services, name: str) -> None:
    with pytest.raises(SettingInvalid):
        services.levels.create("operator", name)


def test_rates_are_kept_by_day_in_plain_notation(services: Services) -> None:
    services.rates.put("operator", rate(number="7.10"))
    services.rates.put("operator", rate(since="20260301", number="0007.2"))
    services.rates.put("operator", rate(since="2025-06-01", number="100"))
    services.rates.put("operator", rate("CNY", "USD", number="0.14"))

    assert services.rates.every() == [
        rate("CNY", "USD", number="0.14"),
        rate(since="2025-06-01", number="100"),
        rate(),
        rate(since="2026-03-01", number="7.2"),
    ]
    assert read_changes(services.database, {}).rates == tuple(services.rates.every())


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (rate("usd"), "'usd' is no currency"),
        (rate("CNY"), "not from CNY to itself"),
        (rate(since="yesterday"), "'yesterday' is no day; write it like `2026-01-31`"),
        (rate(since="2026-02-30"), "is no day"),
        (rate(since="\ud800"), "is no day"),
        (rate(number="0"), "'0' is no exchange rate"),
        (rate(number="-1"), "is no exchange rate"),
        (rate(number="1e3"), "is no exchange rate"),
        (rate(number="Infinity"), "is no exchange rate"),
        (rate(number="1000001"), "is no exchange rate"),
        (rate(number="0.1234567890123"), "with at most 12 places"),
        (RateRecord(base="USD", quote="CNY", since="2026-01-01", rate="7", source="\x00"), "cannot be shown"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(services: Services, wish: RateRecord, words: str) -> None:
    with pytest.raises(SettingInvalid) as refusal:
        services.rates.put("operator", wish)

    assert words in str(refusal.value)


def test_a_rate_changes_until_its_day_is_over(services: Services) -> None:
    services.rates.put("operator", rate())
    services.rates.put("operator", rate(number="7.2"))
    services.clock.advance(86_400)

    with pytest.raises(Conflict, match="calls were billed by the rate of USD to CNY that began on 2026-01-01"):
        services.rates.put("operator", rate(number="7.4"))
    assert services.rates.put("operator", rate(number="7.20")) == rate(number="7.2")
    assert services.rates.every() == [rate(number="7.2")]


def test_maintenance_is_switched_on_and_off(services: Services) -> None:
    steps = [services.house.maintenance()]
    for on, words in ((True, "back at noon"), (True, "back at one"), (True, "back at one"), (False, "")):
        services.clock.advance(60)
        steps.append(services.house.set_maintenance("operator", on=on, words=words))

    began, ended = START + timedelta(minutes=1), START + timedelta(minutes=4)
    assert steps == [
        MaintenanceState(),
        MaintenanceState(on=True, words="back at noon", since=began),
        MaintenanceState(on=True, words="back at one", since=began),
        MaintenanceState(on=True, words="back at one", since=began),
        MaintenanceState(on=False, since=ended),
    ]
    assert services.house.maintenance() == steps[-1]
    assert [action for _, action, *_ in services.audited()] == ["house.maintenance"] * 3


@pytest.mark.parametrize("words", ["w" * 501, "\x00", "\ud800"])
def test_words_that_callers_cannot_be_told_are_refused(services: Services, words: str) -> None:
    with pytest.raises(SettingInvalid):
        services.house.set_maintenance("operator", on=True, words=words)
