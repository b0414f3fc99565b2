"""Operations about models and what they cost."""

from __future__ import annotations

from msgspec import structs

from qwenport.core.caller import FULL_PRICE_PPM
from qwenport.core.model_card import PRICE_REGIONS, ModelCard
from qwenport.core.usage import Usage
from qwenport.metering.price_lines import PriceExplanation, PriceQuestion, price_lines
from qwenport.metering.pricing import quotation
from qwenport.server.admin.answers import ModelAnswer
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import Asked
from qwenport.server.admin.queries import NoQuery, PriceQuery
from qwenport.server.admin.refusals import AdminRefused, ModelUnknown

_COUNTS = tuple(name for name in PriceQuery.__struct_fields__ if name in Usage.__struct_fields__)


def list_models(desk: Desk, _asked: Asked[NoQuery, None]) -> list[ModelAnswer]:
    """List the models of the catalog."""
    return [_shown(desk, card) for card in desk.catalog.cards.values()]


def explain_price(desk: Desk, asked: Asked[PriceQuery, None]) -> PriceExplanation:
    """Explain line by line what a usage of a model costs."""
    card = desk.catalog.cards.get(asked.id)
    if card is None:
        raise ModelUnknown(asked.id)
    query = asked.query
    account = desk.accounts.find(query.account) if query.account is not None else None
    own = account.currency if account is not None else None
    if own is not None and query.currency not in {None, own}:
        raise AdminRefused(
            f"the account `{query.account}` pays in {own}, not in {query.currency!a}; leave `currency` out"
        )
    usage = Usage(**{name: getattr(query, name) for name in _COUNTS})
    _refuse_parts_beyond(usage)
    return price_lines(
        desk.prices,
        PriceQuestion(
            card=card,
            usage=usage,
            currency=own or query.currency or "CNY",
            on=query.on or desk.now().date(),
            batch=query.batch,
            rate_ppm=account.terms.rate_ppm(card.name) if account is not None else FULL_PRICE_PPM,
        ),
    )


def _refuse_parts_beyond(usage: Usage) -> None:
    """Refuse counts that are parts of others and exceed them; no call can have such a usage."""
    counts = structs.asdict(usage)
    parts = (
        ("cached_tokens", "input_tokens"),
        ("image_tokens", "input_tokens"),
        ("cache_creation_tokens", "input_tokens"),
        ("explicitly_cached_tokens", "cached_tokens"),
        ("reasoning_tokens", "output_tokens"),
    )
    for part, whole in parts:
        if counts[part] > counts[whole]:
            raise AdminRefused(
                f"`{part}` is {counts[part]}, more than `{whole}`, {counts[whole]}, of which they are a part"
            )


def _shown(desk: Desk, card: ModelCard) -> ModelAnswer:
    today, rates = desk.now().date(), desk.prices.rates
    currencies = tuple(each for each in PRICE_REGIONS if quotation(card, each, today, rates) is not None)
    return ModelAnswer(name=card.name, route=card.route, stands_in=card.stands_in, currencies=currencies)
