"""The pipeline with nothing around it: no gate, no books, nothing to fetch; what a part adds is seen beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NoReturn, Self, cast

from qwenport.catalog.catalog import Catalog
from qwenport.core.call import Call
from qwenport.core.caller import Caller
from qwenport.core.events import Event
from qwenport.core.ids import AccountId, KeyId
from qwenport.core.model_card import ModelCard
from qwenport.gate.admission import Admission
from qwenport.pipeline.prepare import Prepare
from qwenport.pipeline.serve import Parts
from qwenport.routing.router import Router

NOBODY = Caller(key_id=KeyId("none"), account_id=AccountId("none"), currency="CNY")


class _Pass:
    """Admits without a hold."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Settle nothing."""

    def loaded(self, _images: int, _pages: int) -> None:
        """Note nothing."""

    def routed(self) -> None:
        """Note nothing."""

    def observe(self, event: Event) -> None:
        """Count nothing."""


async def _load(_account_id: AccountId, call: Call, _card: ModelCard) -> NoReturn:
    raise AssertionError(f"call {call.id} names something to fetch; the benchmark's calls are text")


async def _text_of_tokens(tokens: Sequence[int]) -> NoReturn:
    raise AssertionError(f"the tokens {tokens} are to become text; the benchmark's calls stop at none")


PREPARE = Prepare(_load, _text_of_tokens)


def bare_parts(catalog: Catalog, routes: Router) -> Parts:
    """Return the steps of a call that everybody may make and nobody pays for."""
    passing = cast("Callable[[Caller, ModelCard, Call], Admission]", lambda *_: _Pass())
    return Parts(resolve=catalog.resolve, permit=lambda *_: None, admit=passing, prepare=PREPARE, route=routes)
