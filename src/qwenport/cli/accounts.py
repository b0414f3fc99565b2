"""`qwenport accounts`: who pays."""

from __future__ import annotations

from cyclopts import App

from qwenport.cli.arguments import AsJson, Count, Days, Listed, Yes, confirm, given, identified
from qwenport.cli.context import with_operator
from qwenport.cli.display import Row, say, show_json, show_rows, show_table, show_whole
from qwenport.core.caller import AccountKind, AccountState

accounts = App(name="accounts", help="Make, list and change the accounts: state, terms and money.")

COLUMNS = ("id", "email", "name", "kind", "state", "currency", "level", "created_at")


@accounts.command
def create(
    *,
    email: str,
    name: str = "",
    kind: AccountKind = AccountKind.PREPAID,
    currency: str = "CNY",
    level: str = "",
    free_tokens: Count | None = None,
    free_days: Days | None = None,
    json: AsJson = False,
) -> None:
    """Make an account.

    Args:
        email: address of whoever answers for it; no other account has it.
        name: what you call the account.
        kind: prepaid calls need a balance, metered ones are billed afterwards.
        currency: its one currency, as ISO 4217.
        level: name of the bundle of limits that binds it.
        free_tokens: tokens of each model that are free; 1,000,000 for a prepaid account where it is left out.
        free_days: how long they are, 90 where it is left out.
        json: print JSON.
    """
    body = given(
        email=email,
        name=name,
        kind=kind.value,
        currency=currency,
        level=level,
        free_tokens=free_tokens,
        free_days=free_days,
    )
    made = with_operator(lambda client: client.post("/accounts", body))
    show_json(made) if json else say(f"id  {made['id']}")


@accounts.command(name="list")
def list_(
    *,
    state: AccountState | None = None,
    kind: AccountKind | None = None,
    level: str | None = None,
    email: str | None = None,
    limit: Listed = 1_000,
    after: str | None = None,
    json: AsJson = False,
) -> None:
    """List the accounts; the first start makes one.

    Args:
        state: only accounts in this state.
        kind: only accounts of this kind.
        level: only accounts of this level.
        email: only the account with this address.
        limit: how many, at most 1000.
        after: only those that follow the account with this id.
        json: print JSON.
    """
    query = {
        "state": None if state is None else state.value,
        "kind": None if kind is None else kind.value,
        "level": level,
        "email": email,
        "limit": limit,
        "after": after,
    }
    found = with_operator(lambda client: client.get("/accounts", query))
    is_filtered = any(value is not None for value in (state, kind, level, email, after))
    show_rows(found, COLUMNS, "No account matches." if is_filtered else "There is no account yet.", json=json)


@accounts.command
def show(id: str, /, *, json: AsJson = False) -> None:
    """Show all that is known of an account, with its balance and what is left of its free quota.

    Args:
        id: the account's id.
        json: print JSON.
    """
    show_whole(with_operator(lambda client: client.get(address(id))), json=json)


@accounts.command
def change(
    id: str,
    /,
    *,
    name: str | None = None,
    email: str | None = None,
    kind: AccountKind | None = None,
    json: AsJson = False,
) -> None:
    """Change an account; what is left out stays.

    Args:
        id: the account's id.
        name: what you call the account.
        email: address of whoever answers for it.
        kind: prepaid or metered.
        json: print JSON.
    """
    show_changed(id, given(name=name, email=email, kind=None if kind is None else kind.value), json=json)


@accounts.command
def level(id: str, name: str = "", /, *, json: AsJson = False) -> None:
    """Give an account the limits of a level.

    Args:
        id: the account's id.
        name: the level's name, as `levels list` shows it; without it, the account has no level any more.
        json: print JSON.
    """
    show_changed(id, {"level": name}, json=json)


@accounts.command
def suspend(id: str, /, *, json: AsJson = False) -> None:
    """Refuse the calls of an account until it is resumed.

    Args:
        id: the account's id.
        json: print JSON.
    """
    put_into_state(id, "suspend", json=json)


@accounts.command
def resume(id: str, /, *, json: AsJson = False) -> None:
    """Let a suspended account, or one in arrears, call again.

    Args:
        id: the account's id.
        json: print JSON.
    """
    put_into_state(id, "resume", json=json)


@accounts.command
def arrears(id: str, /, *, json: AsJson = False) -> None:
    """Refuse the calls of an account because it owes money.

    Args:
        id: the account's id.
        json: print JSON.
    """
    put_into_state(id, "arrears", json=json)


@accounts.command
def close(id: str, /, *, yes: Yes = False, json: AsJson = False) -> None:
    """Close an account for good; its books are kept.

    Args:
        id: the account's id.
        yes: do not ask.
        json: print JSON.
    """
    address(id)
    confirm(f"closing the account {id} cannot be undone", yes=yes)
    put_into_state(id, "close", json=json)


def put_into_state(id: str, verb: str, *, json: bool) -> None:
    """Change the state of an account, and print the account."""
    show_account(with_operator(lambda client: client.post(f"{address(id)}/{verb}")), json=json)


def show_changed(id: str, body: dict[str, object], *, json: bool) -> None:
    """Change fields of an account, and print the account."""
    show_account(with_operator(lambda client: client.patch(address(id), body)), json=json)


def show_account(account: Row, *, json: bool) -> None:
    """Print an account as a list shows it."""
    show_json(account) if json else show_table([account], COLUMNS, "")


def address(id: str) -> str:
    """Return where the admin API has an account.

    Raises:
        CommandFailed: no id looks like this.
    """
    return f"/accounts/{identified('account', id)}"
