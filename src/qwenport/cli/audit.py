"""`qwenport audit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from qwenport.cli.arguments import ALWAYS, AsJson, Listed, Period, whole
from qwenport.cli.context import with_operator
from qwenport.cli.display import show_json, show_table

COLUMNS = ("id", "at", "actor", "action", "object_kind", "object_id", "account_id", "before", "after")

Row = Annotated[int, whole(1, 2**62)]


def audit(
    *,
    actor: str | None = None,
    action: str | None = None,
    object: str | None = None,
    account: str | None = None,
    period: Period = ALWAYS,
    limit: Listed = 100,
    before: Row | None = None,
    json: AsJson = False,
) -> None:
    """List who changed what, newest first.

    Args:
        actor: only changes by `operator`, or by the member with this id.
        action: only this kind of change, such as key.disable.
        object: only changes of what has this id.
        account: only changes of the account with this id and what belongs to it.
        limit: how many, at most 1000.
        before: only changes before the one with this number.
        period: from when until when.
        json: print JSON.
    """
    query = {"actor": actor, "action": action, "object": object, "account": account, **period.query(), "before": before}
    is_filtered = any(value is not None for value in query.values())
    rows = with_operator(lambda client: client.get("/audit", {**query, "limit": limit}))
    if json:
        show_json(rows)
    else:
        empty = "No change matches." if is_filtered else "Nothing was changed yet."
        show_table([narrowed(row) for row in rows], COLUMNS, empty)


def narrowed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a change with only those fields before and after that differ."""
    before, after = row["before"], row["after"]
    return {**row, "before": differing(before, after), "after": differing(after, before)}


def differing(value: Any, other: Any) -> Any:
    """Return what of an object is different in another one; anything else is returned whole."""
    if not isinstance(value, dict) or not isinstance(other, dict):
        return value
    return {name: differing(each, other.get(name)) for name, each in value.items() if each != other.get(name)}
