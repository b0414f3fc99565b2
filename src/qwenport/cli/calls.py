"""`qwenport calls`: the history."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

from cyclopts import App, Parameter

from qwenport.cli.arguments import ALWAYS, AsJson, Listed, Period, identified, whole
from qwenport.cli.context import with_operator
from qwenport.cli.display import say, show_json, show_rows, show_whole

calls = App(name="calls", help="List, show and export the calls.")

Status = Annotated[int, whole(100, 599)]

COLUMNS = (
    "at",
    "request_id",
    "key_id",
    "model",
    "face",
    "served_by",
    "status",
    "input_tokens",
    "output_tokens",
    "cost",
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class CallFilters:
    """Which calls are meant; values are compared whole."""

    account: str | None = None
    """only the account with this id."""
    workspace: str | None = None
    """only the workspace with this id."""
    key: str | None = None
    """only the key with this id."""
    model: str | None = None
    """only this model."""
    face: str | None = None
    """only calls of this face: openai, dashscope or anthropic."""
    outcome: str | None = None
    """only calls that ended like this, such as finished, failed or abandoned."""
    status: Status | None = None
    """only calls that ended with this HTTP status."""
    served_by: str | None = None
    """only calls that this engine and model answered, such as llama/smollm2-135m-instruct."""
    upstream: str | None = None
    """only calls that this engine or upstream answered, with whichever model."""
    least_cost: str | None = None
    """only calls that cost at least this much, such as 0.50, in their own currency."""

    def query(self) -> dict[str, object]:
        """Return it as the admin API is asked for it."""
        return {
            "account": self.account,
            "workspace": self.workspace,
            "key": self.key,
            "model": self.model,
            "face": self.face,
            "outcome": self.outcome,
            "status": self.status,
            "served_by": self.served_by,
            "upstream": self.upstream,
            "least_cost": self.least_cost,
        }


ALL_CALLS = CallFilters()
"""No bounds."""


@calls.default
@calls.command(name="list")
def list_(
    *,
    limit: Listed = 20,
    filters: CallFilters = ALL_CALLS,
    period: Period = ALWAYS,
    before: str | None = None,
    json: AsJson = False,
) -> None:
    """List the last calls, newest first.

    Args:
        limit: how many, at most 1000.
        before: only calls before the one with this request id.
        period: from when until when.
        filters: which calls.
        json: print JSON.
    """
    query = {**filters.query(), **period.query(), "before": before}
    is_filtered = any(value is not None for value in query.values())
    rows = with_operator(lambda client: client.get("/calls", {**query, "limit": limit}))
    show_rows(rows, COLUMNS, "No call matches." if is_filtered else "There was no call yet.", json=json)


@calls.command
def show(id: str, /, *, json: AsJson = False) -> None:
    """Show all that is known of a call.

    Args:
        id: the call's request id.
        json: print JSON.
    """
    show_whole(with_operator(lambda client: client.get(address(id))), json=json)


@calls.command
def body(id: str, /, *, json: AsJson = False) -> None:
    """Show what a call said, where its key keeps that.

    Args:
        id: the call's request id.
        json: print JSON.
    """
    kept = with_operator(lambda client: client.get(f"{address(id)}/body"))
    if json:
        show_json(kept)
        return
    for part in ("request", "answer"):
        say(f"{part}, {kept[f'{part}_bytes']:,} bytes before it was cut to what the key keeps:")
        text = "".join(each if each.isprintable() or each in "\n\t" else "?" for each in kept[part])
        sys.stdout.write(f"{text}\n\n")


def address(id: str) -> str:
    """Return where the admin API has a call.

    Raises:
        CommandFailed: no request id looks like this.
    """
    return f"/calls/{identified('call', id)}"
