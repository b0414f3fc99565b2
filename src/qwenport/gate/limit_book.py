"""Which limits bind the calls of a key to a model: looked up once, and again when limits, key or account change."""

from __future__ import annotations

from collections.abc import Iterable

from qwenport.core.caller import Caller
from qwenport.core.ids import KeyId
from qwenport.core.limits import Dimension, Limit, Unit
from qwenport.gate.charges import Bound, counters_of

MOST_REMEMBERED = 20_000
"""Pairs of key and model; beyond them all are looked up anew."""


class LimitBook:
    """All limits. Callers are remembered by identity: whoever changes a key or an account makes a new caller."""

    def __init__(self, limits: Iterable[Limit] = ()) -> None:
        self.limits = tuple(limits)
        self._fitting: dict[tuple[KeyId, str], tuple[Caller, tuple[Bound, ...]]] = {}

    def replace(self, limits: Iterable[Limit]) -> None:
        """Hold these limits from now on; counters of those that stay go on."""
        self.limits = tuple(limits)
        self._fitting.clear()

    def fitting(self, caller: Caller, model: str) -> tuple[Bound, ...]:
        """Return the counters that a call touches, by rank."""
        known = self._fitting.get((caller.key_id, model))
        if known is not None and known[0] is caller:
            return known[1]
        bounds = self.resolve(caller, model)
        if len(self._fitting) >= MOST_REMEMBERED:
            self._fitting.clear()
        self._fitting[caller.key_id, model] = (caller, bounds)
        return bounds

    def resolve(self, caller: Caller, model: str) -> tuple[Bound, ...]:
        """Return the same without remembering it, for callers that are put together once."""
        if not self.limits:
            return ()
        found = [
            bound
            for limit in self.limits
            if _fits(limit, caller, model)
            for bound in counters_of(limit, _counter(limit, caller, model))
        ]
        return tuple(sorted(found, key=lambda bound: bound.rank))


def _fits(limit: Limit, caller: Caller, model: str) -> bool:
    return (
        (limit.account_id is None or limit.account_id == caller.account_id)
        and (limit.workspace_id is None or limit.workspace_id == caller.workspace_id)
        and (limit.key_id is None or limit.key_id == caller.key_id)
        and limit.level in {"", caller.terms.level}
        and limit.model in {"", model}
        and (limit.unit is not Unit.MONEY or limit.currency == caller.currency)
    )


def _counter(limit: Limit, caller: Caller, model: str) -> str:
    values = {
        Dimension.ACCOUNT: caller.account_id,
        Dimension.WORKSPACE: caller.workspace_id,
        Dimension.KEY: caller.key_id,
        Dimension.MODEL: model,
    }
    return "/".join(values[dimension] for dimension in Dimension if dimension in limit.per)
