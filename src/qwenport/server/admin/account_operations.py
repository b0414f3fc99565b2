"""Operations on accounts and their terms."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import structs

from qwenport.accounts.account_settings import FREE_DAYS, ChangeAccount, CreateAccount
from qwenport.accounts.roles import Permission
from qwenport.core.caller import EVERY_MODEL, FULL_PRICE_PPM
from qwenport.core.ids import AccountId, workspace_of
from qwenport.core.model_card import REGIONS
from qwenport.server.admin.answers import AccountAnswer, AccountDetailAnswer, FreeLeftAnswer, FreeQuotaAnswer
from qwenport.server.admin.bodies import (
    ActivationBody,
    ChangeAccountBody,
    DiscountsBody,
    FreeQuotaBody,
    NewAccountBody,
    SwitchBody,
)
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import AccountsQuery, NoQuery
from qwenport.server.admin.refusals import AdminRefused
from qwenport.storage import free_usage_rows
from qwenport.storage.account_rows import AccountFilter
from qwenport.storage.records import AccountRecord


def list_accounts(desk: Desk, asked: Asked[AccountsQuery, None]) -> list[AccountAnswer]:
    """List accounts, in the order in which they were made."""
    query = asked.query
    wanted = AccountFilter(
        account_id=query.account,
        email=query.email,
        state=query.state,
        kind=query.kind,
        level=query.level,
        after=query.after,
        limit=query.limit,
    )
    return [_shown(account) for account in desk.accounts.every(wanted)]


def create_account(desk: Desk, asked: Asked[NoQuery, NewAccountBody]) -> AccountAnswer:
    """Make an account with its first workspace."""
    body = asked.body
    wish = CreateAccount(
        email=body.email,
        name=body.name,
        kind=body.kind,
        currency=body.currency,
        level=body.level,
        free_tokens=body.free_tokens,
        free_days=FREE_DAYS if body.free_days is None else body.free_days,
    )
    return _shown(desk.accounts.create(asked.actor, wish))


def show_account(desk: Desk, asked: Asked[NoQuery, None]) -> AccountDetailAnswer:
    """Show an account with its balance and what is left of its free quota."""
    account = desk.accounts.find(AccountId(asked.id))
    may_see_money = asked.principal.may(Permission.MONEY_READ, account.id)
    balance = desk.movements.balance(account.id).balance if may_see_money else None
    detail = structs.asdict(_shown(account))
    return AccountDetailAnswer(**detail, balance=balance, free_left=tuple(_free_left(desk, account)))


def change_account(desk: Desk, asked: Asked[NoQuery, ChangeAccountBody]) -> AccountAnswer:
    """Change the name, email, kind or level of an account; kind and level are the operator's to set."""
    wish = ChangeAccount(**structs.asdict(asked.body))
    return _shown(desk.accounts.change(asked.actor, AccountId(asked.id), wish))


def suspend_account(desk: Desk, asked: Asked[NoQuery, None]) -> AccountAnswer:
    """Refuse the calls of an account until it is resumed."""
    return _shown(desk.accounts.suspend(asked.actor, AccountId(asked.id)))


def resume_account(desk: Desk, asked: Asked[NoQuery, None]) -> AccountAnswer:
    """Let an account call again."""
    return _shown(desk.accounts.resume(asked.actor, AccountId(asked.id)))


def put_in_arrears(desk: Desk, asked: Asked[NoQuery, None]) -> AccountAnswer:
    """Refuse the calls of an account because it owes money."""
    return _shown(desk.accounts.put_in_arrears(asked.actor, AccountId(asked.id)))


def close_account(desk: Desk, asked: Asked[NoQuery, None]) -> AccountAnswer:
    """Close an account for good; its balance must be 0, and its books stay."""
    return _shown(desk.accounts.close(asked.actor, AccountId(asked.id)))


def grant_free_quota(desk: Desk, asked: Asked[NoQuery, FreeQuotaBody]) -> AccountAnswer:
    """Give an account free tokens of each model anew; 0 takes them away."""
    body = asked.body
    return _shown(desk.accounts.grant_free_quota(asked.actor, AccountId(asked.id), body.tokens, body.days))


def set_free_tier_only(desk: Desk, asked: Asked[NoQuery, SwitchBody]) -> AccountAnswer:
    """Refuse calls beyond the free quota, or let them be paid for."""
    return _shown(desk.accounts.set_free_tier_only(asked.actor, AccountId(asked.id), asked.body.on))


def set_discounts(desk: Desk, asked: Asked[NoQuery, DiscountsBody]) -> AccountAnswer:
    """Set the part of the list price that an account is billed, by model."""
    rates = asked.body.models
    # A discount that is there may be taken away from a model that is not any more.
    desk.require_models(model for model, rate in rates.items() if rate is not None and model != EVERY_MODEL)
    return _shown(desk.accounts.change_discounts(asked.actor, AccountId(asked.id), rates))


def set_activation(desk: Desk, asked: Asked[NoQuery, ActivationBody]) -> AccountAnswer:
    """Let an account use models and regions, or not."""
    models, regions = asked.body.models, asked.body.regions
    desk.require_models(model for model, on in models.items() if not on)
    for region, on in regions.items():
        if not on and region not in REGIONS:
            raise AdminRefused(f"{region[:100]!a} is no region; known are {', '.join(REGIONS)}")
    account_id = AccountId(asked.id)
    return _shown(desk.accounts.change_activation(asked.actor, account_id, models=models, regions=regions))


def _shown(account: AccountRecord) -> AccountAnswer:
    terms = account.terms
    free = terms.free_quota
    return AccountAnswer(
        id=account.id,
        email=account.email,
        name=account.name,
        currency=account.currency,
        created_at=account.created_at,
        kind=terms.kind,
        state=terms.state,
        level=terms.level,
        workspace_id=workspace_of(account.id),
        free_quota=None if free is None else FreeQuotaAnswer(tokens=free.tokens, until=free.until),
        free_tier_only=terms.free_tier_only,
        discounts={model: _rate(ppm) for model, ppm in terms.discounts},
        deactivated_models=terms.deactivated_models,
        deactivated_regions=terms.deactivated_regions,
    )


def _rate(ppm: int) -> str:
    return f"{(Decimal(ppm) / FULL_PRICE_PPM).normalize():f}"


def _free_left(desk: Desk, account: AccountRecord) -> Iterator[FreeLeftAnswer]:
    free = account.terms.free_quota
    if free is None:
        return
    with desk.parts.database.read() as transaction:
        used = free_usage_rows.of_account(transaction, account.id)
    for each in used:
        if each.grant_id == free.grant:
            yield FreeLeftAnswer(model=each.model, used=each.tokens, left=max(0, free.tokens - each.tokens))
