"""The upstreams of the configuration, and the engines of those of their models that routes lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import structs

from qwenport.app.places import places
from qwenport.catalog.catalog import Catalog
from qwenport.core.model_card import ModelCard
from qwenport.core.secret import Secret
from qwenport.engines.engine import Condition, Engine, EngineState
from qwenport.engines.upstream.base_url import read_base_url
from qwenport.engines.upstream.place import Place
from qwenport.engines.upstream.upstream import Upstream
from qwenport.engines.upstream.upstream_keys import KeyKind, key_kind
from qwenport.routing.target import Pace, Target
from qwenport.settings.settings import Settings

Dress = Callable[[Place, Engine], Engine]
"""Puts around an engine what its place asks for, such as the masking of personal data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """An upstream that another configuration has taken out of force; to be closed when no call runs there."""

    upstream: Upstream
    targets: tuple[str, ...]
    """What calls may still run on."""


class Upstreams:
    """Follows one configuration after another; what is the same in both stays the same object, connections and all."""

    def __init__(self, dress: Dress = lambda _place, engine: engine) -> None:
        """Begin without any."""
        self._dress = dress
        self._upstreams: dict[str, Upstream] = {}
        self._keys: dict[str, Secret] = {}
        self._engines: dict[str, tuple[ModelCard, Engine]] = {}
        self._targets: tuple[Target, ...] = ()
        self.rekeyed: frozenset[str] = frozenset()
        """Those whose key the configuration that was followed last has changed."""

    @property
    def by_name(self) -> Mapping[str, Upstream]:
        """Return the upstreams in force."""
        return self._upstreams

    @property
    def targets(self) -> tuple[Target, ...]:
        """Return what routes lead to at upstreams."""
        return self._targets

    def key_kind(self, name: str) -> KeyKind:
        """Return what kind of key an upstream is given."""
        return key_kind(self._keys.get(name))

    def address_of(self, target: str) -> str:
        """Return where a target's upstream is; empty for an engine of the house."""
        upstream = self._upstreams.get(target.partition("/")[0])
        return "" if upstream is None else " ".join(sorted(upstream.place.base_urls))

    def follow(self, settings: Settings, catalog: Catalog) -> tuple[Leaving, ...]:
        """Put the upstreams of checked settings in force, and return those that are not any more.

        A new key alone changes nothing else: calls that run keep theirs.

        Raises:
            StartRefused: one of them is not valid; nothing has changed.
        """
        found = {place.name: place for place in places(settings)}
        leaving = tuple(
            Leaving(upstream=upstream, targets=tuple(each.name for each in self._targets if each.upstream == name))
            for name, upstream in self._upstreams.items()
            if found.get(name) != upstream.place
        )
        for gone in leaving:
            del self._upstreams[gone.upstream.name]
            self._engines = {t: made for t, made in self._engines.items() if t not in gone.targets}
        self.rekeyed = frozenset(
            name for name in self._upstreams if self._keys.get(name) != settings.upstream_keys.get(name)
        )
        for name, place in found.items():
            self._take_up(place, settings.upstream_keys.get(name))
        self._keys = dict(settings.upstream_keys)
        self._targets = tuple(self._target(target, catalog) for target in _at_upstreams(catalog))
        self._engines = {target.name: self._engines[target.name] for target in self._targets}
        return leaving

    def _take_up(self, place: Place, key: Secret | None) -> None:
        known = self._upstreams.get(place.name)
        if known is None:
            self._upstreams[place.name] = Upstream(place, key)
        elif place.name in self.rekeyed:
            known.use_key(key)

    def _target(self, target: str, catalog: Catalog) -> Target:
        name, _, model = target.partition("/")
        upstream = self._upstreams[name]
        place = upstream.place
        card = card_at(target, catalog)
        made = self._engines.get(target)
        if made is None or made[0] != card:
            made = (card, self._dress(place, upstream.engine(model, card)))
            self._engines[target] = made
        return Target(
            engine=made[1],
            region=place.region,
            is_own_ground=_is_own_ground(place),
            upstream=name,
            pace=_pace(place, model),
        )


class ProbedUpstream:
    """An upstream that no calls are sent to: it can be asked whether it is well, and nothing stays open."""

    def __init__(self, place: Place, key: Secret | None) -> None:
        self.place = place
        self._key = key

    def condition(self) -> Condition:
        """Nobody asked it yet."""
        return Condition(state=EngineState.READY, reason="not asked: no server runs")

    async def probe(self) -> Condition:
        """Ask it now."""
        upstream = Upstream(self.place, self._key)
        try:
            return await upstream.probe()
        finally:
            await upstream.close()


class ProbedUpstreams:
    """The upstreams of settings, for the command line when no server runs."""

    def __init__(self, settings: Settings) -> None:
        """Raise `StartRefused` for settings that are not valid."""
        self._keys = settings.upstream_keys
        self.by_name = {place.name: ProbedUpstream(place, self._keys.get(place.name)) for place in places(settings)}

    def key_kind(self, name: str) -> KeyKind:
        """Return what kind of key an upstream is given."""
        return key_kind(self._keys.get(name))


def card_at(target: str, catalog: Catalog) -> ModelCard:
    """Return the card that says best what the model of a target can do, without what says where its calls go.

    That is the card of its own name; without one, of those that lead there the one that allows most.
    """
    own = target.rpartition("/")[2].lower()
    leading = [name for name, routes in catalog.routes.items() if any(target in route.targets for route in routes)]
    name = own if own in catalog.cards else max(sorted(leading), key=lambda each: _breadth(catalog.cards[each]))
    card = catalog.cards[name]
    return structs.replace(card, route=(), stands_in=False, costs_nothing=False, default_output_tokens=None)


def _breadth(card: ModelCard) -> tuple[int, int, int]:
    able = card.capabilities
    return len(card.modalities), len(able.abilities), card.context_tokens


def _at_upstreams(catalog: Catalog) -> list[str]:
    return sorted(catalog.targets() - catalog.engine_models.keys())


def _is_own_ground(place: Place) -> bool:
    """Tell whether no address of a place that has no region is on the public internet."""
    return not place.region and all(read_base_url(url).is_private for url in place.base_urls)


def _pace(place: Place, model: str) -> Pace | None:
    if place.pace is None:
        return None
    return Pace(
        account=place.pace.account,
        model=model,
        requests_per_minute=place.pace.requests_per_minute,
        tokens_per_minute=place.pace.tokens_per_minute,
        concurrency=place.pace.concurrency,
    )
