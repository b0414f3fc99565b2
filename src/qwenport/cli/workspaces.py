"""`qwenport workspaces`: parts of an account, with keys of their own."""

from __future__ import annotations

from cyclopts import App

from qwenport.cli import accounts
from qwenport.cli.arguments import AsJson, Yes, confirm, identified
from qwenport.cli.context import with_operator
from qwenport.cli.display import say, show_json, show_rows, show_table

workspaces = App(name="workspaces", help="Make, list, rename and delete the workspaces of an account.")

COLUMNS = ("id", "name", "account_id", "created_at")


@workspaces.command(name="list")
def list_(account: str, /, *, json: AsJson = False) -> None:
    """List the workspaces of an account.

    Args:
        account: the account's id.
        json: print JSON.
    """
    found = with_operator(lambda client: client.get(f"{accounts.address(account)}/workspaces"))
    show_rows(found, COLUMNS, "The account has no workspace.", json=json)


@workspaces.command
def create(account: str, name: str, /, *, json: AsJson = False) -> None:
    """Make a workspace.

    Args:
        account: the account's id.
        name: what you call the workspace.
        json: print JSON.
    """
    made = with_operator(lambda client: client.post(f"{accounts.address(account)}/workspaces", {"name": name}))
    show_json(made) if json else say(f"id  {made['id']}")


@workspaces.command
def rename(id: str, name: str, /, *, json: AsJson = False) -> None:
    """Call a workspace something else.

    Args:
        id: the workspace's id, as `workspaces list` shows it.
        name: its new name.
        json: print JSON.
    """
    changed = with_operator(lambda client: client.patch(address(id), {"name": name}))
    show_json(changed) if json else show_table([changed], COLUMNS, "")


@workspaces.command
def delete(id: str, /, *, yes: Yes = False, json: AsJson = False) -> None:
    """Delete a workspace that has no keys any more.

    Args:
        id: the workspace's id, as `workspaces list` shows it.
        yes: do not ask.
        json: print JSON.
    """
    where = address(id)
    confirm(f"deleting the workspace {id} cannot be undone", yes=yes)
    gone = with_operator(lambda client: client.delete(where))
    show_json(gone) if json else say(f"{id} is deleted.")


def address(id: str) -> str:
    """Return where the admin API has a workspace.

    Raises:
        CommandFailed: no id looks like this.
    """
    return f"/workspaces/{identified('workspace', id)}"
