"""`qwenport keys`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from cyclopts import App, Parameter

from qwenport.cli.context import OUT, CommandFailed, show_json, show_table, with_operator

keys = App(name="keys", help="Make, list, switch off, rotate and delete API keys.")

AsJson = Annotated[bool, Parameter(name="--json", negative=())]

COLUMNS = ("id", "name", "prefix", "created_at", "expires_at", "disabled", "last_used_at", "models")

KEY_ID = re.compile(r"[\w-]+", re.ASCII)
DURATION = re.compile(r"(\d{1,6})([smhd])")
ISO_8601 = "write it as ISO 8601 with a time zone, such as `2027-01-31T00:00:00Z`"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@keys.command
def create(
    *,
    account: str | None = None,
    name: str = "",
    description: str = "",
    expires: str | None = None,
    models: str = "",
    ip: str = "",
    json: AsJson = False,
) -> None:
    """Make a key; it is shown this once.

    Args:
        account: id of the account; the first one where it is left out.
        name: what you call the key.
        description: what it is for.
        expires: when it ends, as ISO 8601 with a time zone, such as 2027-01-31T00:00:00Z.
        models: names of the models that it is restricted to, with commas.
        ip: addresses or ranges that it may be used from, with commas.
        json: print JSON.
    """
    body = {
        "account_id": account,
        "name": name,
        "description": description,
        "expires_at": None if expires is None else moment(expires),
        "models": separated(models),
        "ip_ranges": separated(ip),
    }
    made = with_operator(lambda client: client.post("/keys", {k: v for k, v in body.items() if v is not None}))
    show_new(made, json=json)


@keys.command(name="list")
def list_(*, json: AsJson = False) -> None:
    """List the keys that were not deleted.

    Args:
        json: print JSON.
    """
    found = with_operator(lambda client: client.get("/keys"))
    show_json(found) if json else show_table(found, COLUMNS, "There is no key yet; `qwenport keys create` makes one.")


@keys.command
def disable(id: str, /, *, json: AsJson = False) -> None:
    """Switch a key off; calls with it get a 401 within a second.

    Args:
        id: the key's id, as `keys list` shows it.
        json: print JSON.
    """
    show_key(with_operator(lambda client: client.post(f"{address(id)}/disable")), json=json)


@keys.command
def enable(id: str, /, *, json: AsJson = False) -> None:
    """Switch a key on again.

    Args:
        id: the key's id, as `keys list` shows it.
        json: print JSON.
    """
    show_key(with_operator(lambda client: client.post(f"{address(id)}/enable")), json=json)


@keys.command
def rotate(id: str, /, *, overlap: str = "24h", json: AsJson = False) -> None:
    """Make a successor of a key; the old one stays valid for the overlap.

    Args:
        id: the key's id, as `keys list` shows it.
        overlap: how long both are valid: a number and s, m, h or d.
        json: print JSON.
    """
    body = {"overlap_s": seconds(overlap)}
    show_new(with_operator(lambda client: client.post(f"{address(id)}/rotate", body)), json=json)


@keys.command
def delete(id: str, /, *, json: AsJson = False) -> None:
    """Delete a key for good.

    Args:
        id: the key's id, as `keys list` shows it.
        json: print JSON.
    """
    gone = with_operator(lambda client: client.delete(address(id)))
    show_json(gone) if json else OUT.print(f"{id} is deleted.", markup=False, soft_wrap=True)


def show_new(made: dict[str, str], *, json: bool) -> None:
    """Print a key that was just made."""
    if json:
        show_json(made)
        return
    OUT.print(f"id   {made['id']}\nkey  {made['key']}", markup=False, soft_wrap=True)
    OUT.print("Keep the key now: it is not stored and cannot be shown again.", markup=False, soft_wrap=True)


def show_key(key: dict[str, object], *, json: bool) -> None:
    """Print a key as a list shows it."""
    show_json(key) if json else show_table([key], COLUMNS, "")


def separated(text: str) -> list[str]:
    """Return the parts of a text with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def address(id: str) -> str:
    """Return where the admin API has a key.

    Raises:
        CommandFailed: no id looks like this.
    """
    if not KEY_ID.fullmatch(id):
        raise CommandFailed(f"`{id}` is no key id; see `qwenport keys list`")
    return f"/keys/{id}"


def moment(text: str) -> str:
    """Return a moment as the admin API takes it.

    Raises:
        CommandFailed: it is none, or names no time zone.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(f"the expiry is `{text}`; {ISO_8601}") from error
    if found.tzinfo is None:
        raise CommandFailed(f"the expiry `{text}` names no time zone; {ISO_8601}")
    return found.isoformat()


def seconds(text: str) -> int:
    """Return a duration such as `24h` in seconds.

    Raises:
        CommandFailed: it is none.
    """
    found = DURATION.fullmatch(text)
    if found is None:
        raise CommandFailed(f"the overlap is `{text}`; write a number and s, m, h or d, such as `24h`")
    return int(found[1]) * SECONDS[found[2]]
