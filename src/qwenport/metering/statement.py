"""The statement of one account for one month: what there was, what moved, what was used, what is left."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date

from msgspec import Struct

from qwenport.accounts.errors import AccountNotFound
from qwenport.core.ids import AccountId
from qwenport.core.money import decimal_amount
from qwenport.metering.days import Days
from qwenport.metering.ledger_accounts import customer
from qwenport.metering.queries import ReportInvalid, readable
from qwenport.storage import account_rows, entry_rows, usage_rows
from qwenport.storage.database import Database
from qwenport.storage.entry_rows import EntryFilter
from qwenport.storage.records import LedgerEntry
from qwenport.storage.transaction import Transaction
from qwenport.storage.usage_rows import Dimension, UsageFilter, UsageSum

MOST_ENTRIES = 100_000
"""Movements of one account in one month; more than this is a defect of whoever makes them."""

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


class StatementLine(Struct, frozen=True, kw_only=True):
    """One movement, or the use of one model on one day; amounts are exact decimals, below 0 for what was taken."""

    day: str
    """Of the server's time zone, as `2026-01-31`."""
    kind: str
    """`credit`, `debit`, `refund`, `correction`, or `usage`."""
    description: str
    """The note of a movement, or the model."""
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    amount: str
    balance: str
    """What is left after this line."""


class Statement(Struct, frozen=True, kw_only=True):
    """A month of one account, in days of the server's time zone; a call belongs to the day of its admission."""

    account_id: AccountId
    month: str
    """As `2026-01`."""
    timezone: str
    currency: str
    opening_balance: str
    closing_balance: str
    lines: tuple[StatementLine, ...]


def statement(database: Database, account_id: AccountId, month: str, *, timezone: str = "UTC") -> Statement:
    """Return an account's statement; that of the present month ends with the balance of the ledger.

    Raises:
        ReportInvalid: the month is none.
        AccountNotFound: no account has this id.
        StorageUnavailable: the database fails.
    """
    first, after = _bounds(month)
    days = Days(timezone)
    with database.read() as transaction:
        account = account_rows.find(transaction, readable("account", account_id))
        if account is None:
            raise AccountNotFound(account_id)
        opening = entry_rows.moved_before(transaction, account_id, customer(account_id), days.begin(first))
        opening -= usage_rows.cost_before(transaction, account_id, account.currency, first.isoformat())
        entries = _entries(transaction, account_id, days.begin(first), days.begin(after))
        usage = usage_rows.sums_of_days(
            transaction,
            (Dimension.DAY, Dimension.MODEL),
            UsageFilter(account_id=account_id, since=first.isoformat(), until=after.isoformat()),
        )
    running = _Running(account_id, account.currency, days, opening)
    lines = tuple(running.lines(entries, [each for each in usage if each.currency == account.currency]))
    return Statement(
        account_id=account_id,
        month=month,
        timezone=timezone,
        currency=account.currency,
        opening_balance=decimal_amount(opening),
        closing_balance=decimal_amount(running.balance),
        lines=lines,
    )


COLUMNS = (*StatementLine.__struct_fields__, "currency")
"""Columns of a statement as CSV."""


def statement_csv(what: Statement) -> str:
    """Return a statement as CSV, the opening and the closing balance as its first and last line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerow((f"{what.month}-01", "opening balance", "", 0, 0, 0, 0, "", what.opening_balance, what.currency))
    for line in what.lines:
        values = [getattr(line, name) for name in StatementLine.__struct_fields__]
        writer.writerow((*(_plain(value) for value in values), what.currency))
    writer.writerow((_last_day(what.month), "closing balance", "", 0, 0, 0, 0, "", what.closing_balance, what.currency))
    return text.getvalue()


class _Running:
    """Goes through a month with the balance in hand."""

    def __init__(self, account_id: AccountId, currency: str, days: Days, opening: int) -> None:
        self._customer = customer(account_id)
        self._currency = currency
        self._days = days
        self.balance = opening

    def lines(self, entries: Sequence[LedgerEntry], usage: Sequence[UsageSum]) -> Iterator[StatementLine]:
        """Yield the lines day by day: first what moved, then what was used."""
        moved = [(self._days.of(entry.at), entry) for entry in entries if entry.currency == self._currency]
        for day in sorted({day for day, _ in moved} | {str(each.groups[0]) for each in usage}):
            for at, entry in moved:
                if at == day:
                    yield self._entry(day, entry)
            for each in usage:
                if each.groups[0] == day:
                    yield self._usage(day, each)

    def _entry(self, day: str, entry: LedgerEntry) -> StatementLine:
        nanos = entry.amount_nanos if entry.credit == self._customer else -entry.amount_nanos
        described = " ".join(filter(None, (entry.request_id, entry.note)))
        return self._line(day, entry.kind, described, nanos, None)

    def _usage(self, day: str, used: UsageSum) -> StatementLine:
        return self._line(day, "usage", str(used.groups[1]), -used.cost_nanos, used)

    def _line(self, day: str, kind: str, description: str, nanos: int, used: UsageSum | None) -> StatementLine:
        self.balance += nanos
        return StatementLine(
            day=day,
            kind=kind,
            description=description,
            requests=0 if used is None else used.requests,
            unpriced_requests=0 if used is None else used.unpriced_requests,
            input_tokens=0 if used is None else used.input_tokens,
            output_tokens=0 if used is None else used.output_tokens,
            amount=decimal_amount(nanos),
            balance=decimal_amount(self.balance),
        )


def _entries(transaction: Transaction, account_id: AccountId, since: int, until: int) -> Sequence[LedgerEntry]:
    wanted = EntryFilter(account_id=account_id, since=since, until=until)
    return entry_rows.newest(transaction, wanted, MOST_ENTRIES)[::-1]


def _bounds(month: str) -> tuple[date, date]:
    """Return the first day of a month and that of the next; raises `ReportInvalid`."""
    if not _MONTH.fullmatch(month) or not "0001" < month[:4] < "9999":
        raise ReportInvalid(f"{month[:20]!a} is no month; write it as `2026-01`")
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)


def _last_day(month: str) -> str:
    _, after = _bounds(month)
    return date.fromordinal(after.toordinal() - 1).isoformat()


def _plain(value: object) -> object:
    """Keep a note from being taken for a formula by a spreadsheet; amounts may begin with a minus."""
    if isinstance(value, str) and value[:1] in {"=", "+", "@", "\t", "\r"}:
        return f"'{value}"
    return value
