"""Books of many calls, as a year of a busy gateway would leave them, to measure on.

Thirteen months of calls of 50 accounts and 400 keys to 25 models, a few of which make most of it; 2 % have failed.
History, postings, balances, usage and free quotas are written as the gateway writes them: `ledger check` passes.
The same seed gives the same books. Run as
`python -m bench.books_generator --calls 10000000 --database PATH_OR_URL`; the database must be new.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from qwenport.core.caller import AccountKind, AccountTerms
from qwenport.core.ids import AccountId, GrantId, KeyId, RandomIds, RequestId, workspace_of
from qwenport.core.secret import Secret
from qwenport.metering.days import Days
from qwenport.metering.entry_of_call import Booked
from qwenport.metering.ledger_accounts import REVENUE, customer
from qwenport.metering.movements import Movements
from qwenport.metering.roll_up import RollUp
from qwenport.storage import account_rows, balance_rows, free_usage_rows, key_rows, months, usage_rows
from qwenport.storage.bulk import append
from qwenport.storage.database import Database
from qwenport.storage.records import AccountRecord, CallRecord, KeyRecord, Posting
from qwenport.storage.transaction import Transaction

MONTHS_BACK = 12
ACCOUNTS = 50
KEYS = 400
MODELS = tuple(f"qwen-model-{number:02d}" for number in range(25))
UNPRICED = MODELS[-1]
FAILED = 0.02
CHUNK = 20_000

_DAY_MS = 86_400_000
_HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 9, 10, 11, 11, 10, 9, 7, 6, 5, 4, 3, 2)
"""How busy the hours of a day are."""
_FACES = ("openai", "openai", "openai", "dashscope", "anthropic")
_FAILURES = ((429, "failed"), (500, "failed"), (503, "failed"), (499, "abandoned"), (400, "failed"))


class Key(Struct, frozen=True):
    """One key and what it is used for."""

    key_id: KeyId
    account_id: AccountId
    currency: str
    models: tuple[str, ...]


class GeneratorClock:
    """Stands where the generator is."""

    def __init__(self) -> None:
        self.at = datetime(2000, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment that is being written."""
        return self.at

    def timestamp(self) -> float:
        """Return the same in seconds."""
        return self.at.timestamp()

    def monotonic(self) -> float:
        """Return the same; nothing is measured with it."""
        return self.at.timestamp()


def accounts() -> list[AccountRecord]:
    """Return the accounts; a fifth of them pays in dollars."""
    return [
        AccountRecord(
            id=AccountId(f"acc-{number:012x}"),
            email=f"account{number}@example.com",
            name=f"Account {number}",
            currency="USD" if number % 5 == 0 else "CNY",
            created_at=datetime(2025, 1, 1, tzinfo=UTC),
            terms=AccountTerms(kind=AccountKind.METERED),
        )
        for number in range(ACCOUNTS)
    ]


def keys(source: random.Random) -> list[Key]:
    """Return the keys, each with a few models of its own."""
    weights = [1 / (number + 1) for number in range(len(MODELS))]
    made = []
    for number in range(KEYS):
        account = number % ACCOUNTS
        count = source.randint(1, 4)
        made.append(
            Key(
                KeyId(f"key-{number:012x}"),
                AccountId(f"acc-{account:012x}"),
                "USD" if account % 5 == 0 else "CNY",
                tuple(dict.fromkeys(source.choices(MODELS, weights, k=count))),
            )
        )
    return made


def record_of(key: Key) -> KeyRecord:
    """Return a key as accounts have it; nobody knows its secret."""
    return KeyRecord(
        id=key.key_id,
        account_id=key.account_id,
        workspace_id=workspace_of(key.account_id),
        name="",
        description="",
        digest=key.key_id,
        prefix="sk-",
        created_at=datetime(2025, 1, 1, tzinfo=UTC),
        expires_at=None,
        disabled=False,
        deleted=False,
        last_used_at=None,
        models=(),
        ip_ranges=(),
        hours=None,
        rotate_after_days=None,
        bodies=None,
        rotates_to=None,
        revision=0,
    )


def moments(first: date, last: date, calls: int, source: random.Random) -> Iterator[int]:
    """Yield so many moments in milliseconds in their order, busy hours having more of them."""
    days = (last - first).days + 1
    begin = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1000)
    hours = list(accumulate(_HOURS))
    total = days * hours[-1]
    made = 0
    for day in range(days):
        for hour in range(24):
            due = calls * (day * hours[-1] + hours[hour]) // total
            count = due - made
            made = due
            start = begin + day * _DAY_MS + hour * 3_600_000
            yield from sorted(start + int(source.random() * 3_600_000) for _ in range(count))


class Caller:
    """Makes calls up."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self.keys = keys(source)
        self._weights = list(accumulate(1 / (number + 1) ** 0.9 for number in range(KEYS)))

    def calls(self, at: Sequence[int]) -> Iterator[Booked]:
        """Yield one call for each moment."""
        source = self._source
        chosen = source.choices(self.keys, cum_weights=self._weights, k=len(at))
        for moment, key in zip(at, chosen, strict=True):
            yield self._call(moment, key, int(source.random() * 1_000_000), source.getrandbits(80))

    def _call(self, at: int, key: Key, number: int, digits: int) -> Booked:
        model = key.models[number % len(key.models)]
        status, outcome = 200, "finished"
        consumed = True
        if number < FAILED * 1_000_000:
            status, outcome = _FAILURES[number % len(_FAILURES)]
            consumed = status == 499
        tokens_in, tokens_out = (50 + number % 3_000, 10 + number % 700) if consumed else (0, 0)
        grant = GrantId(f"fq-{key.account_id[4:]}") if number % 97 == 0 and key.currency == "CNY" else GrantId("")
        priced = model != UNPRICED or not consumed
        nanos = 0 if grant or not consumed else tokens_in * 800 + tokens_out * 2_000
        cost = nanos if priced or grant else None
        hexadecimal, moment = f"{digits:020x}", f"{at:012x}"
        request_id = RequestId(f"{moment[:8]}-{moment[8:]}-9{hexadecimal[:3]}-{hexadecimal[3:7]}-{hexadecimal[7:19]}")
        call = CallRecord(
            request_id=request_id,
            at=at,
            key_id=key.key_id,
            account_id=key.account_id,
            workspace_id=workspace_of(key.account_id),
            model=model,
            face=_FACES[number % len(_FACES)],
            operation="chat.completions",
            streams=number % 3 != 0,
            batch=number % 50 == 0,
            served_by=f"bailian/{model}" if number % 4 else "llama/smollm2-135m-instruct",
            outcome=outcome,
            status=status,
            error="" if status == 200 else "failed",
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cached_tokens=tokens_in // 4,
            reasoning_tokens=tokens_out // 3,
            image_tokens=0,
            cache_creation_tokens=0,
            explicitly_cached_tokens=0,
            images=0,
            pages=0,
            usage_source="engine" if consumed else "",
            cost_nanos=cost,
            currency=key.currency,
            price_source="" if not consumed else "free quota" if grant else "beijing 2025-01-03" if priced else "",
            grant_id=grant,
            queue_ms=number % 40,
            first_event_ms=100 + number % 900,
            total_ms=500 + number % 20_000,
        )
        posting = Posting(
            request_id=request_id,
            call_at=at,
            at=at + call.total_ms,
            kind="post" if consumed else "void",
            account_id=key.account_id,
            debit=customer(key.account_id),
            credit=REVENUE,
            currency=key.currency,
            hold_nanos=nanos * 2 if priced else None,
            amount_nanos=cost or 0,
            exchange="",
        )
        return Booked(call, posting, free_tokens=call.input_tokens + call.output_tokens if grant else 0)


def generate(database: Database, calls: int, until: date, seed: int, timezone: str) -> None:
    """Fill an empty database; prints how it goes on."""
    source = random.Random(seed)
    clock = GeneratorClock()
    movements = Movements(database, clock, RandomIds())
    with database.write() as transaction:
        for account in accounts():
            account_rows.add(transaction, account)
    caller, days = Caller(source), Days(timezone)
    with database.write() as transaction:
        for key in caller.keys:
            key_rows.add(transaction, record_of(key))
    first = date(until.year - MONTHS_BACK // 12, until.month, 1)
    at = moments(first, until, calls, source)
    began, written, month, sums = time.monotonic(), 0, "", RollUp(days)
    while chunk := list(islice(at, CHUNK)):
        for name, part in _by_month(chunk):
            if name != month:
                _write_sums(database, sums)
                sums, month = RollUp(days), name
                clock.at = datetime.fromtimestamp(part[0] / 1000, UTC) + timedelta(hours=1)
                for account in accounts():
                    movements.credit("operator", account.id, "10000.00", account.currency, "a top-up")
            booked = list(caller.calls(part))
            for each in booked:
                sums.add(each)
            with database.write(timeout_s=0) as transaction:
                _write_calls(transaction, name, booked)
            written += len(booked)
        print(f"\r{written:,} calls in {time.monotonic() - began:.0f} s", end="", flush=True)
    _write_sums(database, sums)
    _analyze(database)
    print(f"\r{written:,} calls in {time.monotonic() - began:.0f} s")


def _by_month(chunk: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    parts: dict[str, list[int]] = {}
    for moment in chunk:
        parts.setdefault(months.month_of(moment), []).append(moment)
    yield from parts.items()


def _write_calls(transaction: Transaction, month: str, booked: Sequence[Booked]) -> None:
    months.ensure(transaction, month)
    for table, rows in (
        (months.calls_of(month), [each.call for each in booked]),
        (months.postings_of(month), [each.posting for each in booked]),
    ):
        if transaction.connection.dialect.name == "postgresql":
            _copy(transaction, table.name, rows)
        else:
            append(transaction, table, rows)


def _copy(transaction: Transaction, table: str, rows: Sequence[Struct]) -> None:
    driver: Any = transaction.connection.connection.driver_connection
    names = ", ".join(f'"{name}"' for name in rows[0].__struct_fields__)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(structs.astuple(row))


def _write_sums(database: Database, sums: RollUp) -> None:
    with database.write(timeout_s=0) as transaction:
        usage_rows.add_hours(transaction, sums.hours())
        usage_rows.add_days(transaction, sums.days())
        free_usage_rows.add(transaction, sums.free_tokens())
        balance_rows.use(transaction, sums.used())


def _analyze(database: Database) -> None:
    with database.write(timeout_s=0) as transaction:
        transaction.connection.exec_driver_sql("ANALYZE")


def open_database(place: str) -> Database:
    """Open a path, or a PostgreSQL URL."""
    return Database.open(Secret(place) if place.startswith("postgresql") else Path(place))


def version_of(database: Database) -> str:
    """Return the name and version of what holds the books."""
    is_file = database.dialect == "sqlite"
    with database.read() as transaction:
        answer = transaction.connection.exec_driver_sql("SELECT sqlite_version()" if is_file else "SHOW server_version")
        return f"{'SQLite' if is_file else 'PostgreSQL'} {str(answer.scalar_one()).partition(' ')[0]}"


def main() -> None:
    """Read the command line and generate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument(
        "--database", required=True, help="path of a new SQLite file, or URL of an empty PostgreSQL one"
    )
    parser.add_argument("--until", type=date.fromisoformat, default=date(2026, 11, 22), help="the last day with calls")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timezone", default="UTC")
    order = parser.parse_args()
    with open_database(order.database) as database:
        generate(database, order.calls, order.until, order.seed, order.timezone)


if __name__ == "__main__":
    main()
