"""`qwenport models price`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from cyclopts import Parameter

from qwenport.cli.arguments import AsJson, segment, whole
from qwenport.cli.context import CommandFailed, with_operator
from qwenport.cli.display import show_whole
from qwenport.cli.models import models

Consumed = Annotated[int, whole(0, 1_000_000_000)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Consumption:
    """What of a model is priced."""

    tokens: str | None = None
    """input and output tokens, such as 1000,500."""
    input_tokens: Consumed = 0
    """all tokens of the input, those from a cache and of images among them."""
    output_tokens: Consumed = 0
    """all tokens of the output, those of reasoning among them."""
    cached: Consumed = 0
    """input tokens that came from the implicit cache."""
    explicitly_cached: Consumed = 0
    """input tokens that came from an explicit cache."""
    cache_creation: Consumed = 0
    """input tokens that an explicit cache was made of."""
    reasoning: Consumed = 0
    """output tokens of reasoning."""
    image_tokens: Consumed = 0
    """input tokens of images."""
    images: Consumed = 0
    """images that were made."""
    pages: Consumed = 0
    """pages of documents."""

    def query(self) -> dict[str, object]:
        """Return it as the admin API is asked for it.

        Raises:
            CommandFailed: `--tokens` cannot be understood.
        """
        query: dict[str, object] = {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cached_tokens": self.cached,
            "explicitly_cached_tokens": self.explicitly_cached,
            "cache_creation_tokens": self.cache_creation,
            "reasoning_tokens": self.reasoning,
            "image_tokens": self.image_tokens,
            "images": self.images,
            "pages": self.pages,
        }
        return query if self.tokens is None else query | self.input_and_output(self.tokens)

    def input_and_output(self, text: str) -> dict[str, object]:
        """Return the two numbers of `--tokens`.

        Raises:
            CommandFailed: they are none, or are named a second time.
        """
        if self.input_tokens or self.output_tokens:
            raise CommandFailed("`--tokens` says the same as `--input-tokens` and `--output-tokens`; use one of them")
        parts = [part.strip() for part in text.split(",")]
        if len(parts) != 2 or not all(part.isascii() and part.isdecimal() and len(part) <= 10 for part in parts):
            raise CommandFailed(f"`--tokens` is `{text}`; write input and output tokens, such as `1000,500`")
        return {"input_tokens": int(parts[0]), "output_tokens": int(parts[1])}


NOTHING = Consumption()
"""Nothing was named."""


@models.command
def price(
    name: str,
    /,
    *,
    consumption: Consumption = NOTHING,
    currency: str | None = None,
    on: str | None = None,
    batch: Annotated[bool, Parameter(name="--batch", negative=())] = False,
    account: str | None = None,
    json: AsJson = False,
) -> None:
    """Explain line by line what a call costs.

    Args:
        name: the model's name.
        currency: the currency to price in; the account's, or CNY, where it is left out.
        on: the day of the call, as 2026-11-01; today where it is left out.
        batch: as part of a batch.
        account: id of the account whose discount is applied.
        consumption: what the call consumes.
        json: print JSON.
    """
    query = {
        **consumption.query(),
        "currency": currency,
        "on": None if on is None else day(on),
        "batch": "true" if batch else None,
        "account": account,
    }
    where = f"/models/{segment('model', name)}/price"
    show_whole(with_operator(lambda client: client.get(where, query)), json=json)


def day(text: str) -> str:
    """Return a day.

    Raises:
        CommandFailed: it is none.
    """
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise CommandFailed(f"`--on` is `{text}`; write a day like `2026-11-01`") from error
