"""The limits that Model Studio publishes for its models, as wishes for limits of ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.limit_settings import CreateLimit
from qwenport.accounts.texts import shown
from qwenport.core.ids import AccountId
from qwenport.core.limits import Dimension, Unit, Window
from qwenport.core.model_card import ModelCard, PublishedLimit

REQUEST_BURST_MS = 1_000
"""Model Studio spreads requests over the seconds of a minute. Tokens are not: one long prompt may be most of them."""


def published_limits(
    cards: Iterable[ModelCard], region: str, *, account_id: AccountId | None = None, level: str = ""
) -> Sequence[CreateLimit]:
    """Return what is published for a region, as limits of an account or of each account of a level.

    Raises `SettingInvalid` for a region for which nothing is published.
    """
    published = [(card.name, each) for card in cards for each in card.published_limits]
    wishes = [
        CreateLimit(
            name=f"published for {region}",
            unit=unit,
            window=Window.MINUTE,
            cap=cap,
            burst_ms=REQUEST_BURST_MS if unit is Unit.REQUESTS else None,
            account_id=account_id,
            level=level,
            model=model,
            per=(Dimension.ACCOUNT,),
        )
        for model, each in published
        if each.region == region
        for unit, cap in _caps(each)
    ]
    if not wishes:
        regions = ", ".join(sorted({f"`{each.region}`" for _, each in published}))
        raise SettingInvalid(
            f"no limits are published for the region {shown(region)}; they are for {regions or 'none'}"
        )
    return wishes


def _caps(published: PublishedLimit) -> Iterable[tuple[Unit, int]]:
    if published.requests_per_minute is not None:
        yield Unit.REQUESTS, published.requests_per_minute
    if published.tokens_per_minute is not None:
        yield Unit.TOTAL_TOKENS, published.tokens_per_minute
