"""`qwenport members`: who manages an account through the admin API."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from qwenport.cli import accounts
from qwenport.cli.arguments import AsJson, Yes, confirm, given, identified, moment
from qwenport.cli.context import CommandFailed, with_operator
from qwenport.cli.display import Row, say, show_json, show_rows, show_table, show_whole

members = App(name="members", help="Add, list, change and remove who manages an account.")

RoleName = Literal["owner", "admin", "developer", "billing", "viewer"]
Clearable = Literal["workspace", "expires"]

Cleared = Annotated[tuple[Clearable, ...], Parameter(negative=())]

COLUMNS = ("id", "email", "name", "role", "workspace_id", "prefix", "disabled", "expires_at", "created_at")


@members.command(name="list")
def list_(account: str, /, *, json: AsJson = False) -> None:
    """List the members of an account.

    Args:
        account: the account's id.
        json: print JSON.
    """
    found = with_operator(lambda client: client.get(f"{accounts.address(account)}/members"))
    show_rows(found, COLUMNS, "The account has no member; the operator manages it.", json=json)


@members.command
def add(
    account: str,
    /,
    *,
    email: str,
    role: RoleName,
    name: str = "",
    workspace: str | None = None,
    expires: str | None = None,
    json: AsJson = False,
) -> None:
    """Add a member; the token is shown this once.

    Args:
        account: the account's id.
        email: the member's address.
        role: what the member may do.
        name: the member's name.
        workspace: id of the only workspace that the member may see.
        expires: when the membership ends, as ISO 8601 with a time zone, such as 2027-01-31T00:00:00Z.
        json: print JSON.
    """
    body = given(
        email=email,
        role=role,
        name=name,
        workspace_id=workspace,
        expires_at=None if expires is None else moment(expires),
    )
    show_new(with_operator(lambda client: client.post(f"{accounts.address(account)}/members", body)), json=json)


@members.command
def role(id: str, role: RoleName, /, *, json: AsJson = False) -> None:
    """Give a member another role.

    Args:
        id: the member's id, as `members list` shows it.
        role: what the member may do from now on.
        json: print JSON.
    """
    show_member(with_operator(lambda client: client.patch(address(id), {"role": role})), json=json)


@members.command
def change(
    id: str,
    /,
    *,
    name: str | None = None,
    email: str | None = None,
    workspace: str | None = None,
    expires: str | None = None,
    clear: Cleared = (),
    json: AsJson = False,
) -> None:
    """Change a member; what is left out stays.

    Args:
        id: the member's id, as `members list` shows it.
        name: the member's name.
        email: the member's address.
        workspace: id of the only workspace that the member may see.
        expires: when the membership ends, as ISO 8601 with a time zone.
        clear: what is taken away: `workspace` for all workspaces, `expires` for no end; may be named twice.
        json: print JSON.
    """
    body = given(
        name=name,
        email=email,
        workspace_id=workspace,
        expires_at=None if expires is None else moment(expires),
    )
    fields = {"workspace": "workspace_id", "expires": "expires_at"}
    if not body and not clear:
        raise CommandFailed("name what is to change, such as `--name`")
    body |= {fields[each]: None for each in clear}
    show_member(with_operator(lambda client: client.patch(address(id), body)), json=json)


@members.command
def disable(id: str, /, *, json: AsJson = False) -> None:
    """Refuse a member's token.

    Args:
        id: the member's id, as `members list` shows it.
        json: print JSON.
    """
    show_member(with_operator(lambda client: client.post(f"{address(id)}/disable")), json=json)


@members.command
def enable(id: str, /, *, json: AsJson = False) -> None:
    """Take a member's token again.

    Args:
        id: the member's id, as `members list` shows it.
        json: print JSON.
    """
    show_member(with_operator(lambda client: client.post(f"{address(id)}/enable")), json=json)


@members.command
def rotate(id: str, /, *, json: AsJson = False) -> None:
    """Give a member a new token, shown this once; the old one ends at once.

    Args:
        id: the member's id, as `members list` shows it.
        json: print JSON.
    """
    show_new(with_operator(lambda client: client.post(f"{address(id)}/rotate")), json=json)


@members.command
def remove(id: str, /, *, yes: Yes = False, json: AsJson = False) -> None:
    """Remove a member for good.

    Args:
        id: the member's id, as `members list` shows it.
        yes: do not ask.
        json: print JSON.
    """
    where = address(id)
    confirm(f"removing the member {id} cannot be undone", yes=yes)
    gone = with_operator(lambda client: client.delete(where))
    show_json(gone) if json else say(f"{id} is removed.")


@members.command
def me(*, json: AsJson = False) -> None:
    """Show as whom this command line works, and what it may do.

    Args:
        json: print JSON.
    """
    show_whole(with_operator(lambda client: client.get("/me")), json=json)


def show_new(made: Row, *, json: bool) -> None:
    """Print a token that was just made."""
    if json:
        show_json(made)
        return
    say(f"id     {made['id']}\ntoken  {made['token']}")
    say("Keep the token now: it is not stored and cannot be shown again. It goes into QWENPORT_ADMIN_TOKEN.")


def show_member(member: Row, *, json: bool) -> None:
    """Print a member as a list shows it."""
    show_json(member) if json else show_table([member], COLUMNS, "")


def address(id: str) -> str:
    """Return where the admin API has a member.

    Raises:
        CommandFailed: no id looks like this.
    """
    return f"/members/{identified('member', id)}"
