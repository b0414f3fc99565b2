"""`qwenport keys`."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any

from cyclopts import App, Parameter

from qwenport.cli.arguments import AsJson, Listed, given, identified, seconds
from qwenport.cli.context import CommandFailed, with_operator
from qwenport.cli.display import Row, say, show_json, show_rows, show_table, show_whole
from qwenport.cli.key_options import CLEARED, NO_LIMITS, NO_OPTIONS, Clearable, KeyLimits, KeyOptions
from qwenport.client.admin_client import AdminClient

keys = App(name="keys", help="Make, list, change, switch off, rotate and delete API keys.")

Cleared = Annotated[tuple[Clearable, ...], Parameter(negative=())]
FromStdin = Annotated[bool, Parameter(name="--stdin", negative=())]

COLUMNS = (
    *("id", "name", "prefix", "account_id", "created_at", "expires_at", "disabled", "last_used_at", "models"),
    "needs_rotation",
)
KEY = re.compile(rb"sk-[A-Za-z0-9_-]{16,512}")
"""What may be a key, in any text."""
LARGEST_TEXT_BYTES = 64 << 20
AT_ONCE = 100
"""Keys in one request, whose body may be 64 KiB large."""


@keys.command
def create(
    *,
    account: str | None = None,
    workspace: str | None = None,
    options: KeyOptions = NO_OPTIONS,
    limits: KeyLimits = NO_LIMITS,
    json: AsJson = False,
) -> None:
    """Make a key; it is shown this once.

    Args:
        account: id of the account; the first one where it is left out.
        workspace: id of the workspace; the account's first one where it is left out.
        options: what it may be used for.
        limits: what binds its calls.
        json: print JSON.
    """
    body = given(account_id=account, workspace_id=workspace) | options.body() | limits.body()
    show_new(with_operator(lambda client: client.post("/keys", body)), json=json)


@keys.command(name="list")
def list_(
    *,
    account: str | None = None,
    workspace: str | None = None,
    limit: Listed = 1_000,
    after: str | None = None,
    json: AsJson = False,
) -> None:
    """List the keys that were not deleted.

    Args:
        account: only the keys of the account with this id.
        workspace: only the keys of the workspace with this id.
        limit: how many, at most 1000.
        after: only those that follow the key with this id.
        json: print JSON.
    """
    query = {"account": account, "workspace": workspace, "limit": limit, "after": after}
    found = with_operator(lambda client: client.get("/keys", query))
    empty = (
        "No key matches." if account or workspace or after else "There is no key yet; `qwenport keys create` makes one."
    )
    show_rows(found, COLUMNS, empty, json=json)


@keys.command
def show(id: str, /, *, json: AsJson = False) -> None:
    """Show all that is known of a key, which is not the key itself.

    Args:
        id: the key's id, as `keys list` shows it.
        json: print JSON.
    """
    show_whole(with_operator(lambda client: client.get(address(id))), json=json)


@keys.command
def change(
    id: str,
    /,
    *,
    options: KeyOptions = NO_OPTIONS,
    clear: Cleared = (),
    json: AsJson = False,
) -> None:
    """Change a key; what is left out stays. Its limits are changed with `limits`.

    Args:
        id: the key's id, as `keys list` shows it.
        options: what is to change.
        clear: a restriction that is taken away; may be named several times.
        json: print JSON.
    """
    named = options.body()
    taken_away = dict(CLEARED[each] for each in clear)
    if not named and not taken_away:
        raise CommandFailed("name what is to change, such as `--name`, or `--clear expires`")
    if both := sorted(named.keys() & taken_away.keys()):
        raise CommandFailed(f"`{both[0]}` cannot be set and cleared at once")
    show_key(with_operator(lambda client: client.patch(address(id), named | taken_away)), json=json)


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
    show_json(gone) if json else say(f"{id} is deleted.")


@keys.command
def revoke(*, stdin: FromStdin = False, json: AsJson = False) -> None:
    """Switch off every key that stands in a text, such as one found in a public place.

    Args:
        stdin: read the text from standard input; a key among the arguments would be seen by other users of the machine.
        json: print JSON.
    """
    if not stdin:
        raise CommandFailed("give the text on standard input: `qwenport keys revoke --stdin < FILE`")
    texts = read_keys()
    done = with_operator(lambda client: revoke_all(client, texts))
    if json:
        show_json(done)
        return
    for revoked in done["revoked"]:
        say(f"{revoked} is disabled.")
    say(f"Disabled: {len(done['revoked'])}. Not of this server: {done['unknown']}.")


def read_keys() -> list[str]:
    """Return what stands on standard input and may be a key; nothing else of it is sent anywhere.

    Raises:
        CommandFailed: there is none, or more than is searched.
    """
    content = sys.stdin.buffer.read(LARGEST_TEXT_BYTES + 1)
    if len(content) > LARGEST_TEXT_BYTES:
        raise CommandFailed(f"the text is larger than {LARGEST_TEXT_BYTES >> 20} MiB; split it")
    found = list(dict.fromkeys(each.decode() for each in KEY.findall(content)))
    if not found:
        raise CommandFailed("no key stands on standard input: one begins with `sk-`")
    return found


async def revoke_all(client: AdminClient, texts: list[str]) -> dict[str, Any]:
    """Disable keys, a part at a time, and return what became of all of them."""
    revoked: list[str] = []
    unknown = 0
    for begin in range(0, len(texts), AT_ONCE):
        done = await client.post("/keys/revoke", {"texts": texts[begin : begin + AT_ONCE]})
        revoked += done["revoked"]
        unknown += done["unknown"]
    return {"revoked": revoked, "unknown": unknown}


def show_new(made: Row, *, json: bool) -> None:
    """Print a key that was just made."""
    if json:
        show_json(made)
        return
    say(f"id   {made['id']}\nkey  {made['key']}")
    say("Keep the key now: it is not stored and cannot be shown again.")


def show_key(key: Row, *, json: bool) -> None:
    """Print a key as a list shows it."""
    show_json(key) if json else show_table([key], COLUMNS, "")


def address(id: str) -> str:
    """Return where the admin API has a key.

    Raises:
        CommandFailed: no id looks like this.
    """
    return f"/keys/{identified('key', id)}"
