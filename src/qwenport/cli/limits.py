"""`qwenport limits` and `qwenport levels`."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from qwenport.cli.arguments import AsJson, Count, Listed, given, identified, segment, whole
from qwenport.cli.context import CommandFailed, with_operator
from qwenport.cli.display import Row, say, show_json, show_rows, show_table, show_whole
from qwenport.client.admin_client import AdminClient
from qwenport.core.limits import Dimension, Mode, Unit, Window

limits = App(name="limits", help="Make, list, change and delete limits; apply the published ones.")
levels = App(name="levels", help="Make, list and delete levels: named bundles of limits.")

PerUnique = Annotated[tuple[Dimension, ...], Parameter(negative=())]
Burst = Annotated[int, whole(1, 2**62)]

COLUMNS = (
    *("id", "name", "unit", "window", "cap", "currency", "burst_ms", "mode", "level", "account_id", "workspace_id"),
    *("key_id", "model", "per", "version"),
)
LEVELS = ("name", "description", "created_at")
TOP = 1_000
"""Limits in one answer."""


@limits.command(name="list")
def list_(
    *,
    account: str | None = None,
    workspace: str | None = None,
    key: str | None = None,
    model: str | None = None,
    level: str | None = None,
    unit: Unit | None = None,
    limit: Listed = TOP,
    after: str | None = None,
    json: AsJson = False,
) -> None:
    """List the limits.

    Args:
        account: only limits of the account with this id.
        workspace: only limits of the workspace with this id.
        key: only limits of the key with this id.
        model: only limits of this model.
        level: only limits of this level.
        unit: only limits that count this.
        limit: how many, at most 1000.
        after: only those that follow the limit with this id.
        json: print JSON.
    """
    query = {"account": account, "workspace": workspace, "key": key, "model": model, "level": level}
    query |= {"unit": None if unit is None else unit.value}
    is_filtered = any(query.values()) or after is not None
    found = with_operator(lambda client: client.get("/limits", {**query, "limit": limit, "after": after}))
    show_rows(found, COLUMNS, "No limit matches." if is_filtered else "There is no limit yet.", json=json)


@limits.command
def show(id: str, /, *, json: AsJson = False) -> None:
    """Show all that is known of a limit.

    Args:
        id: the limit's id, as `limits list` shows it.
        json: print JSON.
    """
    show_whole(with_operator(lambda client: client.get(address(id))), json=json)


@limits.command
def create(
    *,
    unit: Unit,
    window: Window,
    cap: str,
    mode: Mode = Mode.ENFORCE,
    name: str = "",
    currency: str = "",
    burst_ms: Burst | None = None,
    account: str | None = None,
    workspace: str | None = None,
    key: str | None = None,
    model: str = "",
    level: str = "",
    per: PerUnique = (),
    json: AsJson = False,
) -> None:
    """Make a limit. It binds the calls that fit everything it names; what is left out fits all.

    Args:
        unit: what it counts.
        window: over which time; `at-once` counts calls that run at the same time, days and months are the calendar's.
        cap: how much passes: a whole number, or an amount of money such as 5.00.
        mode: `enforce` refuses calls beyond the cap, `shadow` only counts them.
        name: what you call it.
        currency: of money alone: it binds the accounts of this currency.
        burst_ms: shorter time, in milliseconds, over which only the same share of the cap passes.
        account: only calls of the account with this id.
        workspace: only calls of the workspace with this id.
        key: only calls of the key with this id.
        model: only calls of this model.
        level: only calls of accounts of this level.
        per: each of these has a counter of its own; may be named several times.
        json: print JSON.
    """
    body = given(
        unit=unit.value,
        window=window.value,
        cap=cap,
        mode=mode.value,
        name=name,
        currency=currency,
        burst_ms=burst_ms,
        account_id=account,
        workspace_id=workspace,
        key_id=key,
        model=model,
        level=level,
        per=[each.value for each in per],
    )
    show_limit(with_operator(lambda client: client.post("/limits", body)), json=json)


@limits.command
def change(
    id: str,
    /,
    *,
    cap: str | None = None,
    mode: Mode | None = None,
    name: str | None = None,
    burst_ms: Burst | None = None,
    no_burst: Annotated[bool, Parameter(name="--no-burst", negative=())] = False,
    if_version: Count | None = None,
    json: AsJson = False,
) -> None:
    """Change a limit; what is left out stays.

    Args:
        id: the limit's id, as `limits list` shows it.
        cap: how much passes.
        mode: whether calls beyond the cap are refused, or only counted.
        name: what you call it.
        burst_ms: shorter time, in milliseconds, over which only the same share of the cap passes.
        no_burst: take the shorter time away.
        if_version: change it only if this is still its version; without it, whatever its version is.
        json: print JSON.
    """
    body = given(cap=cap, mode=None if mode is None else mode.value, name=name, burst_ms=burst_ms)
    if no_burst and burst_ms is not None:
        raise CommandFailed("`--burst-ms` and `--no-burst` exclude each other")
    if no_burst:
        body["burst_ms"] = None
    if not body:
        raise CommandFailed("name what is to change, such as `--cap`")
    show_limit(with_operator(lambda client: changed(client, address(id), body, if_version)), json=json)


async def changed(client: AdminClient, where: str, body: dict[str, object], version: int | None) -> Any:
    """Change a limit of this version, or of the one it has now, and return it."""
    if version is None:
        version = (await client.get(where))["version"]
    return await client.patch(where, {**body, "version": version})


@limits.command
def delete(id: str, /, *, json: AsJson = False) -> None:
    """Delete a limit.

    Args:
        id: the limit's id, as `limits list` shows it.
        json: print JSON.
    """
    gone = with_operator(lambda client: client.delete(address(id)))
    show_json(gone) if json else say(f"{id} is deleted.")


@limits.command
def apply_published(
    *,
    account: str | None = None,
    level: str | None = None,
    region: str = "beijing",
    json: AsJson = False,
) -> None:
    """Make limits of the requests and tokens a minute that are published for each model.

    Args:
        account: for the account with this id.
        level: for all accounts of this level.
        region: whose published limits are taken.
        json: print JSON.
    """
    if (account is None) == (level is None):
        raise CommandFailed("name either an account with `--account` or a level with `--level`")
    body = given(account_id=account, level=level, region=region)
    made = with_operator(lambda client: client.post("/limits/apply-published", body))
    show_rows(made, COLUMNS, f"No limits are published for the region {region}.", json=json)


@levels.command(name="list")
def list_levels(*, json: AsJson = False) -> None:
    """List the levels.

    Args:
        json: print JSON.
    """
    found = with_operator(lambda client: client.get("/levels"))
    show_rows(found, LEVELS, "There is no level yet; `qwenport levels create` makes one.", json=json)


@levels.command(name="create")
def create_level(name: str, /, *, description: str = "", json: AsJson = False) -> None:
    """Make a level, to which `limits create --level` gives limits.

    Args:
        name: what it is called.
        description: what it is for.
        json: print JSON.
    """
    made = with_operator(lambda client: client.post("/levels", {"name": name, "description": description}))
    show_json(made) if json else show_table([made], LEVELS, "")


@levels.command(name="delete")
def delete_level(name: str, /, *, json: AsJson = False) -> None:
    """Delete a level that no account has, with its limits.

    Args:
        name: what it is called.
        json: print JSON.
    """
    gone = with_operator(lambda client: client.delete(f"/levels/{segment('level', name)}"))
    show_json(gone) if json else say(f"{name} is deleted.")


def show_limit(limit: Row, *, json: bool) -> None:
    """Print a limit as a list shows it."""
    show_json(limit) if json else show_table([limit], COLUMNS, "")


def address(id: str) -> str:
    """Return where the admin API has a limit.

    Raises:
        CommandFailed: no id looks like this.
    """
    return f"/limits/{identified('limit', id)}"
