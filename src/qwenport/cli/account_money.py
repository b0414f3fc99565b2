"""`qwenport accounts`: what an account has paid, used and owes. Amounts are decimal texts, never floats."""

from __future__ import annotations

import re
import sys

from qwenport.cli.accounts import accounts, address
from qwenport.cli.arguments import ALWAYS, AsCsv, AsJson, Listed, Period, given
from qwenport.cli.context import CommandFailed, with_operator
from qwenport.cli.display import show_rows, show_whole

ENTRIES = ("at", "id", "kind", "amount", "currency", "request_id", "note", "actor")
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


@accounts.command
def credit(
    id: str,
    /,
    *,
    amount: str,
    currency: str,
    note: str = "",
    idempotency_key: str | None = None,
    json: AsJson = False,
) -> None:
    """Add money that an account has paid.

    Args:
        id: the account's id.
        amount: how much, such as 10.00, at most 9 places after the point.
        currency: the account's currency.
        note: what stands beside it in the books.
        idempotency_key: a text of your own; however often the command runs with it, the money moves once.
        json: print JSON.
    """
    body = given(amount=amount, currency=currency, note=note, idempotency_key=idempotency_key)
    show_whole(with_operator(lambda client: client.post(f"{address(id)}/credit", body)), json=json)


@accounts.command
def debit(
    id: str,
    /,
    *,
    amount: str,
    currency: str,
    note: str = "",
    idempotency_key: str | None = None,
    json: AsJson = False,
) -> None:
    """Take money from an account, as a correction; it may end in arrears.

    Args:
        id: the account's id.
        amount: how much, such as 10.00, at most 9 places after the point.
        currency: the account's currency.
        note: what stands beside it in the books.
        idempotency_key: a text of your own; however often the command runs with it, the money moves once.
        json: print JSON.
    """
    body = given(amount=amount, currency=currency, note=note, idempotency_key=idempotency_key)
    show_whole(with_operator(lambda client: client.post(f"{address(id)}/debit", body)), json=json)


@accounts.command
def balance(id: str, /, *, json: AsJson = False) -> None:
    """Show what an account has: what was moved, what was used, what is left.

    Args:
        id: the account's id.
        json: print JSON.
    """
    show_whole(with_operator(lambda client: client.get(f"{address(id)}/balance")), json=json)


@accounts.command
def entries(
    id: str,
    /,
    *,
    period: Period = ALWAYS,
    limit: Listed = 100,
    before: str | None = None,
    json: AsJson = False,
) -> None:
    """List the movements of an account that are no calls, newest first.

    Args:
        id: the account's id.
        limit: how many, at most 1000.
        before: only those older than the entry with this id.
        period: from when until when.
        json: print JSON.
    """
    query = {**period.query(), "limit": limit, "before": before}
    found = with_operator(lambda client: client.get(f"{address(id)}/entries", query))
    show_rows(found, ENTRIES, "No entry matches.", json=json)


@accounts.command
def statement(id: str, /, *, month: str, csv: AsCsv = False, json: AsJson = False) -> None:
    """Show the statement of a month: balance before, what was paid and used, balance after.

    Args:
        id: the account's id.
        month: as 2026-11, in the server's time zone.
        csv: print CSV.
        json: print JSON.
    """
    if not MONTH.fullmatch(month):
        raise CommandFailed(f"`--month` is `{month}`; write it like `2026-11`")
    where = f"{address(id)}/statement"
    if csv:
        query = {"month": month, "format": "csv"}
        sys.stdout.write(with_operator(lambda client: client.text(where, query)))
    else:
        show_whole(with_operator(lambda client: client.get(where, {"month": month})), json=json)
