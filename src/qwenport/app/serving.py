"""Where calls go, as the configuration in force says: catalog, upstreams, routing, response cache, check of contents.

A reload puts another configuration in force while calls run; they end by the one that they began with.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qwenport.app.reload import Configuration
from qwenport.app.text_model import TextModel
from qwenport.app.tracing import traced_house_engine, traced_upstream_engine
from qwenport.app.upstreams import Leaving, Upstreams
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.current import CurrentCatalog
from qwenport.core.call import Call
from qwenport.core.caller import Caller
from qwenport.core.clock import Clock
from qwenport.core.exchange import ExchangeRate
from qwenport.core.ids import RandomIds, RequestId
from qwenport.core.model_card import ModelCard
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.engine import Engine, Site
from qwenport.engines.masking.masked_engine import MaskedEngine
from qwenport.engines.registry import KINDS
from qwenport.engines.upstream.place import Place
from qwenport.gate.estimate import most_input_tokens, most_output_tokens
from qwenport.observability.metrics import Metrics
from qwenport.observability.traces import Traces
from qwenport.pipeline.answer_cache import AnswerCache
from qwenport.pipeline.cached_route import CachedRoute, CacheRules
from qwenport.pipeline.checked_route import CheckedRoute
from qwenport.pipeline.inspection.inspection import Inspection, inspection_of
from qwenport.pipeline.serve import Route
from qwenport.routing.answer import Answer, Observer
from qwenport.routing.health import HealthKeeper, Probe
from qwenport.routing.router import Router, RoutingParts
from qwenport.routing.shared_pacing import SharedPaces
from qwenport.routing.target import Target
from qwenport.settings.settings import Settings
from qwenport.storage.answer_file import AnswerFile

CACHE_FILE = "answers.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingGround:
    """What it stands on."""

    site: Site
    clock: Clock
    metrics: Metrics
    data_dir: Path
    workers: int = 1
    shared: SharedPaces | None = None
    """How workers pace together; None where each paces alone."""
    traces: Traces | None = None
    """Makes a span of every try; None where traces are off."""
    rates: Callable[[], Sequence[ExchangeRate]] = tuple
    """Exchange rates as they are at each look."""


class Serving:
    """The `Route` of the pipeline, by the configuration that was put in force last."""

    def __init__(self, configuration: Configuration, ground: ServingGround) -> None:
        """Put a first configuration in force; raises `StartRefused`. Nothing is asked of anybody yet."""
        self._ground = ground
        self._configuration = configuration
        settings = configuration.settings
        self.catalog = CurrentCatalog(configuration.catalog)
        self.text_model = TextModel(RandomIds())
        """Is put into the pipeline that calls go through before any does."""
        self.upstreams = Upstreams(self._dressed)
        self._house = tuple(house_targets(configuration.catalog, ground.site, ground.traces))
        self.upstreams.follow(settings, configuration.catalog)
        self.router = Router(self._targets(), self.catalog.routes_of, self._routing_parts(settings))
        self.health = HealthKeeper(self.router, ground.clock, probe_s=settings.file.retries.probe_s)
        self.health.use(self._probes())
        self._cache = self._opened_cache(settings)
        self._inspection = self._opened_inspection(configuration)
        self._route = self._dressed_route(settings)
        self._closing: set[asyncio.Task[None]] = set()

    def __call__(
        self, caller: Caller, card: ModelCard, prepared: PreparedCall, observer: Observer, /
    ) -> AbstractAsyncContextManager[Answer]:
        """Return what is entered with the beginning of an answer; see `Router`, `CachedRoute` and `CheckedRoute`."""
        return self._route(caller, card, prepared, observer)

    def cache_bytes(self) -> int | None:
        """Return how much disk the response cache takes; None where there is none."""
        return None if self._cache is None else self._cache.size_bytes

    async def check_result(self, request_id: RequestId, model: str, content: bytes) -> None:
        """Raise `ContentBlocked` or `ModelUnavailable` where what an asynchronous task says may not be seen."""
        if self._inspection is not None:
            await self._inspection.check_result(request_id, model, content)

    async def apply(self, configuration: Configuration) -> None:
        """Put another configuration in force; raises `StartRefused` for one that is not valid, and changes nothing."""
        settings, before = configuration.settings, self._configuration
        leaving = self.upstreams.follow(settings, configuration.catalog)
        self._configuration = configuration
        self.catalog.replace(configuration.catalog)
        self.router.parts = self._routing_parts(settings)
        self.router.replace(self._targets(), self.catalog.routes_of, rekeyed=self.upstreams.rekeyed)
        self.health.probe_s = settings.file.retries.probe_s
        self.health.use(self._probes())
        unused: list[AnswerCache | Inspection | None] = []
        if settings.file.cache != before.settings.file.cache:
            unused.append(self._cache)
            self._cache = self._opened_cache(settings)
        if _check_of(configuration) != _check_of(before):
            unused.append(self._inspection)
            self._inspection = self._opened_inspection(configuration)
        self._route = self._dressed_route(settings)
        self._close_later(leaving, [each for each in unused if each is not None])

    async def close(self) -> None:
        """Close what is open towards engines and upstreams."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        for engine in self.router.engines.values():
            await engine.close()
        for upstream in self.upstreams.by_name.values():
            await upstream.close()
        if self._cache is not None:
            await self._cache.close()
        if self._inspection is not None:
            await self._inspection.close()

    def _close_later(self, leaving: tuple[Leaving, ...], unused: Sequence[AnswerCache | Inspection]) -> None:
        """Close what calls may still use when none does, or when everything ends."""

        async def close() -> None:
            try:
                for gone in leaving:
                    for target in gone.targets:
                        await self.router.idle(target)
                    await gone.upstream.close()
                if unused:
                    await asyncio.sleep(self._configuration.settings.file.server.call_s)
            finally:
                for gone in leaving:
                    await gone.upstream.close()
                for each in unused:
                    await each.close()

        task = asyncio.create_task(close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _dressed(self, place: Place, engine: Engine) -> Engine:
        """Return an engine of an upstream with what its place and the configuration put around it."""
        masked = MaskedEngine(engine) if place.mask else engine
        return traced_upstream_engine(masked, self._ground.traces, place)

    def _targets(self) -> tuple[Target, ...]:
        return (*self._house, *self.upstreams.targets)

    def _probes(self) -> Mapping[str, Probe]:
        return {name: upstream.probe for name, upstream in self.upstreams.by_name.items()}

    def _routing_parts(self, settings: Settings) -> RoutingParts:
        ground = self._ground
        return RoutingParts(
            clock=ground.clock,
            bound=most_tokens,
            retries=settings.file.retries,
            queue=settings.file.queue,
            call_s=settings.file.server.call_s,
            workers=ground.workers,
            shared=ground.shared,
            # Each machine has engines of its own, though all share one Valkey.
            house=f"{socket.gethostname()}:{ground.data_dir.absolute()}",
            on_try=ground.metrics.count_try,
            rates=ground.rates,
        )

    def _opened_cache(self, settings: Settings) -> AnswerCache | None:
        table = settings.file.cache
        if not table.max_bytes:
            return None
        file = AnswerFile(self._ground.data_dir / CACHE_FILE, table.max_bytes)
        return AnswerCache(file, self._ground.clock, self._ground.metrics, max_answer_bytes=table.max_answer_bytes)

    def _opened_inspection(self, configuration: Configuration) -> Inspection | None:
        table = configuration.settings.file.check
        secret = configuration.settings.named_secrets.get(table.webhook_secret_env)
        return inspection_of(table, configuration.words, secret, self._ground.clock)

    def _dressed_route(self, settings: Settings) -> Route:
        """Return the way of a call; what is not configured is not in it, and costs nothing."""
        route: Route = self.router
        ocr = settings.file.ocr
        if ocr.fields_model:
            # Its dictionaries take 36 MB, which nobody needs who has no such model.
            from qwenport.pipeline.fields_by_model import FieldsByModelRoute  # noqa: PLC0415

            route = FieldsByModelRoute(route, partial(self.text_model.ask, ocr.fields_model), most_s=ocr.fields_s)
        table = settings.file.cache
        if self._cache is not None:
            rules = CacheRules(scope=table.scope, bill_percent=table.bill_percent)
            route = CachedRoute(route, self._cache, self.catalog.routes_of, rules, self.upstreams.address_of)
        if self._inspection is not None:
            route = CheckedRoute(route, self._inspection)
        return route


def _check_of(configuration: Configuration) -> object:
    """Return what the check of contents follows from."""
    table = configuration.settings.file.check
    secret = configuration.settings.named_secrets.get(table.webhook_secret_env)
    return table, configuration.words, secret


def most_tokens(call: Call, card: ModelCard) -> tuple[int, int]:
    """Return the most tokens of input and of output that a call can take."""
    return most_input_tokens(call, card), most_output_tokens(call, card)


def house_targets(catalog: Catalog, site: Site, traces: Traces | None = None) -> Iterator[Target]:
    """Yield the engines of the house that a route leads to."""
    wanted = catalog.targets()
    for target, model in catalog.engine_models.items():
        if target in wanted:
            engine = traced_house_engine(KINDS[model.kind].connect(model, site), traces)
            yield Target(engine=engine, region=model.region)
