"""Operations on the money of one account."""

from __future__ import annotations

from qwenport.core.ids import AccountId
from qwenport.metering.movements import BalanceRow, EntryRow
from qwenport.metering.statement import Statement, statement, statement_csv
from qwenport.server.admin.bodies import MovementBody
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked, Plain
from qwenport.server.admin.queries import EntriesQuery, NoQuery, StatementQuery


def credit(desk: Desk, asked: Asked[NoQuery, MovementBody]) -> EntryRow:
    """Put money on an account."""
    body = asked.body
    return desk.movements.credit(
        asked.actor, AccountId(asked.id), body.amount, body.currency, body.note, body.idempotency_key
    )


def debit(desk: Desk, asked: Asked[NoQuery, MovementBody]) -> EntryRow:
    """Take money off an account."""
    body = asked.body
    return desk.movements.debit(
        asked.actor, AccountId(asked.id), body.amount, body.currency, body.note, body.idempotency_key
    )


def show_balance(desk: Desk, asked: Asked[NoQuery, None]) -> BalanceRow:
    """Show what an account has; below 0 it owes."""
    return desk.movements.balance(AccountId(asked.id))


def list_entries(desk: Desk, asked: Asked[EntriesQuery, None]) -> list[EntryRow]:
    """List the movements of an account that are no calls, newest first."""
    query = asked.query
    return [*desk.movements.entries(AccountId(asked.id), query.since, query.until, query.before, query.limit)]


def show_statement(desk: Desk, asked: Asked[StatementQuery, None]) -> Statement | Plain:
    """Give the statement of one month, as JSON or as CSV."""
    account_id, month = AccountId(asked.id), asked.query.month
    made = statement(desk.parts.database, account_id, month, timezone=desk.parts.timezone)
    if asked.query.format == "json":
        return made
    return Plain(
        content=statement_csv(made).encode(), media_type="text/csv", file_name=f"statement-{account_id}-{month}.csv"
    )
