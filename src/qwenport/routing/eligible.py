"""Which targets a call may go to at all: by its caller's route, by regions, by what it asks."""

from __future__ import annotations

from collections.abc import Sequence

from qwenport.core.call import Call, NativeInput
from qwenport.core.caller import Caller
from qwenport.core.capabilities import misfit
from qwenport.core.errors import AccessDenied, ModelUnavailable, ModelUnpurchased, ParameterInvalid, QwenportError
from qwenport.core.route import Route
from qwenport.routing.lane import Lane


def route_of(routes: Sequence[Route], caller: Caller, model: str, call: Call) -> Route:
    """Return the first route that is the caller's; raises `unserved` where there is none."""
    for route in routes:
        if (not route.key or route.key == caller.key_id) and (not route.account or route.account == caller.account_id):
            return route
    raise unserved(model, call)


def unserved(model: str, call: Call) -> QwenportError:
    """Return what is said where a model leads nowhere here, which no waiting mends.

    A service that nobody hands on is none that this installation offers, and no model that has failed.
    """
    if isinstance(call.input, NativeInput):
        return ModelUnpurchased(f"{ModelUnpurchased.words} (this server hands `{model}` on to no upstream)")
    return ModelUnavailable(f"no engine here serves `{model}`", passes=False)


def allowed(lanes: Sequence[Lane], caller: Caller, model: str) -> Sequence[Lane]:
    """Leave out what the account has switched off and what the key's regions do not hold, or not for all we know.

    Raises:
        ModelUnpurchased: the account has switched off all of them.
        AccessDenied: the key's regions hold none of them.
    """
    barred, regions = caller.terms.deactivated_regions, caller.regions
    if barred:
        lanes = [lane for lane in lanes if lane.region not in barred]
        if not lanes:
            raise ModelUnpurchased
    if regions:
        lanes = [lane for lane in lanes if lane.is_on_own_ground or lane.region in regions]
        if not lanes:
            raise AccessDenied(
                f"Access denied. The data residency rule of this API-key lets its calls be answered in "
                f"{', '.join(regions)} only, and `{model}` is not served there."
            )
    return lanes


def able(lanes: Sequence[Lane], call: Call) -> Sequence[Lane]:
    """Leave out engines that cannot do what the call asks.

    Raises:
        ParameterInvalid: none can; the words are those of the first.
    """
    found: list[Lane] = []
    first: ParameterInvalid | None = None
    for lane in lanes:
        reason = misfit(call, lane.engine.capabilities, lane.name)
        if reason is None:
            found.append(lane)
        elif first is None:
            first = reason
    if not found and first is not None:
        raise first
    return found
