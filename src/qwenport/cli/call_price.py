"""What a call costs, by the price lists of the catalog on this machine: before it is sent at most, afterwards about."""

from __future__ import annotations

from typing import Any

import msgspec

from qwenport.app.operators_catalog import load_catalog
from qwenport.cli.context import CommandFailed
from qwenport.cli.models import resolve
from qwenport.client.faces import Answered
from qwenport.core.caller import FULL_PRICE_PPM
from qwenport.core.clock import SystemClock
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RandomIds
from qwenport.core.money import decimal_amount
from qwenport.core.usage import Usage
from qwenport.faces.face import Request
from qwenport.faces.openai.decode import decode_chat_completion
from qwenport.gate.estimate import most_input_tokens, most_output_tokens
from qwenport.metering.price_book import PriceBook
from qwenport.settings.settings import Settings


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What calls use and cost at most."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_nanos: int
    currency: str
    price_source: str

    @property
    def cost(self) -> str:
        """Return the cost as a decimal amount."""
        return decimal_amount(self.cost_nanos)


class CallPrice:
    """The price of calls to one model today, without the discounts that the server's books know."""

    def __init__(self, chosen: Settings, model: str, currency: str) -> None:
        """Read the catalog; a model that it does not have, or that has no price in the currency, has none here."""
        catalog = load_catalog(chosen)
        self._cards = catalog.cards
        self._clock = SystemClock()
        self._currency = currency
        try:
            card = resolve(model, catalog)
        except CommandFailed:
            self._card, self._tariff = None, None
            return
        self._card = card
        today = self._clock.now().date()
        self._tariff = PriceBook(catalog.cards).tariff(card, currency, FULL_PRICE_PPM, today)

    def of(self, answered: Answered) -> dict[str, str]:
        """Return what an answer cost; nothing where there is no price, and for one that was kept from before."""
        if self._tariff is None or answered.from_cache:
            return {}
        usage = Usage(input_tokens=answered.input_tokens, output_tokens=answered.output_tokens)
        return {"cost": decimal_amount(self._tariff.cost_nanos(usage)), "currency": self._currency}

    def most(self, body: dict[str, Any]) -> Estimate:
        """Return what a call uses at most, as a server holds it before it lets the call run.

        Raises:
            CommandFailed: the call cannot be understood, or the model has no price.
        """
        if self._card is None or self._tariff is None:
            raise CommandFailed(
                f"`{body['model']}` has no price in {self._currency} in this catalog; see `qwenport models show`"
            )
        request = Request(
            id=RandomIds().request_id(),
            received_at=self._clock.now(),
            headers={},
            query={},
            path_parameters={},
            body=msgspec.json.encode(body),
        )
        try:
            call = decode_chat_completion(request, self._cards).call
        except QwenportError as error:
            raise CommandFailed(str(error)) from error
        if call.refusal is not None:
            raise CommandFailed(str(call.refusal))
        into, out = most_input_tokens(call, self._card), most_output_tokens(call, self._card)
        return Estimate(
            calls=1,
            input_tokens=into,
            output_tokens=out,
            cost_nanos=self._tariff.most_nanos(into, out),
            currency=self._currency,
            price_source=self._tariff.price_source,
        )


def added(first: Estimate | None, second: Estimate) -> Estimate:
    """Return two estimates as one."""
    if first is None:
        return second
    return msgspec.structs.replace(
        first,
        calls=first.calls + second.calls,
        input_tokens=first.input_tokens + second.input_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
        cost_nanos=first.cost_nanos + second.cost_nanos,
    )
