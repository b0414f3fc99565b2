"""Where the upstreams of the configuration are, checked together with their keys before anything starts."""

from __future__ import annotations

from qwenport.app.refusal import StartRefused
from qwenport.engines.registry import KINDS
from qwenport.engines.upstream.place import Place, UpstreamInvalid, places_of
from qwenport.engines.upstream.upstream_keys import check_key
from qwenport.settings.settings import Settings

_KEPT_NAMES = frozenset({*KINDS, "ocr"})
"""Kinds of engines, one of them to come: `llama/x` in a route must mean one thing."""


def places(settings: Settings) -> tuple[Place, ...]:
    """Return where the upstreams are, with keys that can work there.

    Raises:
        StartRefused: one of them is not valid.
    """
    try:
        found = places_of(settings.upstreams)
        for place in found:
            _refuse_kept_name(place)
            check_key(place, settings.upstream_keys.get(place.name))
    except UpstreamInvalid as error:
        raise StartRefused(str(error)) from error
    return found


def _refuse_kept_name(place: Place) -> None:
    if place.name in _KEPT_NAMES:
        raise UpstreamInvalid(place.name, "its name is that of a kind of engine; choose another one")
