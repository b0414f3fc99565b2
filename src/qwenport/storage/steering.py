"""Keeps a search for the newest calls to the index that leads past the fewest of them (`months.calls_of`).

Neither database can tell by itself. SQLite knows too little of the values: it would look for failed calls among all
those of a busy key. PostgreSQL takes filters for independent, and would look for a key's calls to a model that it never
called from the newest call of all on. So SQLite is shown only the right columns: it takes no index for `+column`,
<https://www.sqlite.org/optoverview.html>. PostgreSQL is asked for an order by the first column too, which only such an
index has; it would pass over that where it knew the column to be constant, and therefore the value is one of a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, any_, literal, literal_column
from sqlalchemy.dialects.postgresql import ARRAY

Given = Mapping[str, object]
"""Values by the names of their columns."""


def leading(given: Given, *, failed: bool) -> Sequence[str]:
    """Return the columns before the moment in the index to use: of key, account, model and status."""
    named = [name for name in ("key_id", "account_id", "model") if name in given]
    return (*named[:1], "status") if failed else named[:1]


def equalities(calls: Table, dialect: str, given: Given, leads: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the conditions that columns have given values."""
    if dialect == "sqlite":
        return [_shown(calls, name, name in leads) == value for name, value in given.items()]
    return [
        calls.c[name] == (any_(literal([value], ARRAY(calls.c[name].type))) if name in leads[:1] else value)
        for name, value in given.items()
    ]


def newest_first(calls: Table, dialect: str, leads: Sequence[str]) -> list[ColumnElement[Any]]:
    """Return the order of the search."""
    names = [*(() if dialect == "sqlite" else leads[:1]), "at", "request_id"]
    return [calls.c[name].desc() for name in names]


def _shown(calls: Table, name: str, is_leading: bool) -> ColumnElement[Any]:
    return calls.c[name] if is_leading else literal_column(f"+{calls.name}.{name}", calls.c[name].type)
