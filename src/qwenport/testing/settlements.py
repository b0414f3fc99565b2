"""Settled calls as a journal hands them to the books, and what the books hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import structs

from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.core.model_card import ModelCard, Price
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.storage.database import Database

NINE = 1_767_258_000.0
"""2026-01-01 09:00 UTC, the admission of every such call that says no other."""


def books_card(name: str = "qwen-max") -> ModelCard:
    """Return a model at 2.4 and 9.6 CNY, or half as many USD, a million tokens in and out, cached or not."""
    regions = (("beijing", "CNY", Decimal("2.4"), Decimal("9.6")), ("singapore", "USD", Decimal("1.2"), Decimal("4.8")))
    return ModelCard(
        name=name,
        description="",
        family=name,
        released=date(2024, 1, 1),
        context_tokens=32_768,
        max_input_tokens=30_720,
        max_output_tokens=8_192,
        prices=tuple(
            Price(
                region=region,
                currency=currency,
                input=into,
                output=out,
                per_tokens=1_000_000,
                since=date(2025, 1, 3),
                source="a price list",
            )
            for region, currency, into, out in regions
        ),
    )


def books_prices() -> PriceBook:
    """Return prices of `qwen-max` and `qwen-plus`; every other model has none."""
    return PriceBook({name: books_card(name) for name in ("qwen-max", "qwen-plus")})


def settlement(number: int = 1, *, at: float = NINE, held: Mapping[str, Any] | None = None, **said: Any) -> Settlement:
    """Return a finished call to `qwen-max` of 10 tokens in, of which 4 were cached, and 5 out; it says no price."""
    hold = Hold(
        id=RequestId(f"request-{number:05d}"),
        at=at,
        expires_at=at + 600,
        key_id=KeyId("key-1"),
        account_id=AccountId("acc-1"),
        currency="CNY",
        model="qwen-max",
        face="openai",
        operation="chat.completions",
        streams=True,
        input_tokens=100,
        output_tokens=100,
    )
    finished = Settlement(
        hold=structs.replace(hold, **(held or {})),
        at=at + 2.5,
        outcome=Outcome.FINISHED,
        status=200,
        served_by="scripted/model",
        input_tokens=10,
        output_tokens=5,
        cached_tokens=4,
        usage_source="engine",
        first_event_ms=120,
        total_ms=2500,
    )
    return structs.replace(finished, **said)


def table_rows(database: Database, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table in the order of its first columns, with whole numbers for true and false."""
    with database.read() as transaction:
        found = transaction.connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()  # noqa: S608 - our own names
        rows = [
            {name: int(value) if isinstance(value, bool) else value for name, value in row.items()} for row in found
        ]
    return sorted(rows, key=lambda row: str(list(row.values())))
