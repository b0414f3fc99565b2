"""`qwenport accounts`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from qwenport.cli.context import show_json, show_table, with_operator

accounts = App(name="accounts", help="List the accounts.")

AsJson = Annotated[bool, Parameter(name="--json", negative=())]

COLUMNS = ("id", "email", "name", "kind", "currency", "state", "workspace_id", "created_at")


@accounts.command(name="list")
def list_(*, json: AsJson = False) -> None:
    """List the accounts; the first start makes one.

    Args:
        json: print JSON.
    """
    found = with_operator(lambda client: client.get("/accounts"))
    show_json(found) if json else show_table(found, COLUMNS, "There is no account yet.")
