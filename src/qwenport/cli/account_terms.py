"""`qwenport accounts`: what an account may use, and what of it is free or cheaper."""

from __future__ import annotations

from typing import Literal

from qwenport.cli.accounts import accounts, address, show_account
from qwenport.cli.arguments import AsJson, Count, Days
from qwenport.cli.context import CommandFailed, with_operator


@accounts.command
def free_quota(id: str, /, *, tokens: Count, days: Days = 90, json: AsJson = False) -> None:
    """Give an account tokens of each model that need not be paid for; a new grant replaces the old one.

    Args:
        id: the account's id.
        tokens: input and output together, of each model; 0 takes the free quota away.
        days: how long they may be used.
        json: print JSON.
    """
    put(id, "free-quota", {"tokens": tokens, "days": days}, json=json)


@accounts.command
def free_tier_only(id: str, on: Literal["on", "off"], /, *, json: AsJson = False) -> None:
    """Refuse calls beyond the free quota, instead of charging for them.

    Args:
        id: the account's id.
        on: `on` or `off`.
        json: print JSON.
    """
    put(id, "free-tier-only", {"on": on == "on"}, json=json)


@accounts.command
def discount(id: str, /, *, model: str, rate: str, json: AsJson = False) -> None:
    """Bill an account a part of the list price.

    Args:
        id: the account's id.
        model: the model's name, or `*` for all that have no discount of their own.
        rate: the part that is billed, such as 0.9; `none` takes the discount away.
        json: print JSON.
    """
    put(id, "discounts", {"models": {model: None if rate == "none" else rate}}, json=json)


@accounts.command
def activate(id: str, /, *, model: str | None = None, region: str | None = None, json: AsJson = False) -> None:
    """Let an account use a model, or the models of a region, again; all are active from the start.

    Args:
        id: the account's id.
        model: the model's name.
        region: the region's name.
        json: print JSON.
    """
    put(id, "activation", activation(model, region, active=True), json=json)


@accounts.command
def deactivate(id: str, /, *, model: str | None = None, region: str | None = None, json: AsJson = False) -> None:
    """Refuse an account a model, or the models of a region.

    Args:
        id: the account's id.
        model: the model's name.
        region: the region's name.
        json: print JSON.
    """
    put(id, "activation", activation(model, region, active=False), json=json)


def activation(model: str | None, region: str | None, *, active: bool) -> dict[str, object]:
    """Return what is switched.

    Raises:
        CommandFailed: nothing is named.
    """
    if model is None and region is None:
        raise CommandFailed("name what is meant with `--model` or `--region`")
    return {
        "models": {} if model is None else {model: active},
        "regions": {} if region is None else {region: active},
    }


def put(id: str, term: str, body: dict[str, object], *, json: bool) -> None:
    """Set a term of an account, and print the account."""
    show_account(with_operator(lambda client: client.put(f"{address(id)}/{term}", body)), json=json)
