"""The API key of an upstream: its kind, the hosts that it can work at, and what it means when one is refused.

Kinds by their beginnings: https://www.alibabacloud.com/help/zh/model-studio/token-plan-team-quickstart (read
2026-09-11) for `sk-sp-`, which works at the hosts of its plan alone and must not be mixed with others. Keys of
workspaces (`sk-ws-`) work at their region's shared host too, as
https://www.alibabacloud.com/help/en/model-studio/base-url (read 2026-10-11) says of every workspace's keys.
"""

from __future__ import annotations

import re
from enum import StrEnum

from qwenport.core.secret import Secret
from qwenport.engines.upstream.place import Place, UpstreamInvalid
from qwenport.engines.upstream.regions import PLAN_WORKSPACE, HostKind
from qwenport.engines.upstream.words import shown_words

LONGEST_KEY = 4_096
_LONGEST_WORDS = 200
_HEADER_VALUE = re.compile(r"[!-~]+")
_FORBIDDEN = 403
_OF_THE_MODEL = ("model.accessdenied", "accessdenied.unpurchased", "access_denied.unpurchased", "model_access_denied")


class KeyKind(StrEnum):
    """What kind of key it is, by its beginning."""

    NONE = "none"
    PAY_AS_YOU_GO = "sk-"
    """Of an account in one region."""
    WORKSPACE = "sk-ws-"
    """Of one workspace in one region."""
    PLAN = "sk-sp-"
    """Of a coding or token plan."""
    OTHER = "other"


def key_kind(key: Secret | None) -> KeyKind:
    """Return the kind of a key."""
    if key is None:
        return KeyKind.NONE
    shown = key.reveal()
    kinds = (KeyKind.PLAN, KeyKind.WORKSPACE, KeyKind.PAY_AS_YOU_GO)
    return next((kind for kind in kinds if shown.startswith(kind.value)), KeyKind.OTHER)


def check_key(place: Place, key: Secret | None) -> None:
    """Refuse a key that cannot work at an upstream's hosts; raises `UpstreamInvalid`, never with the key in it."""
    if key is None:
        if place.kind == "alibaba":
            problem = "has no key; name the variable that holds it as `api_key_env`, or a file as `api_key_file`"
            raise UpstreamInvalid(place.name, problem)
        return
    shown = key.reveal()
    # It travels in a header: a line break in it would begin another one.
    if not _HEADER_VALUE.fullmatch(shown):
        raise UpstreamInvalid(place.name, "its key holds spaces, line breaks or other characters that no key has")
    if len(shown) > LONGEST_KEY:
        raise UpstreamInvalid(place.name, f"its key is {len(shown)} characters long; that is no key")
    kind, hosts = key_kind(key), place.host_kinds
    if kind is KeyKind.PLAN and hosts & {HostKind.SHARED, HostKind.WORKSPACE}:
        raise UpstreamInvalid(place.name, _plan_key_elsewhere(place))
    if HostKind.PLAN in hosts and kind is not KeyKind.PLAN:
        problem = (
            f"{place.base_urls[0]} takes keys of its plan alone, which begin with `sk-sp-`; for this one write "
            "`region` without the plan's host"
        )
        raise UpstreamInvalid(place.name, problem)


def _plan_key_elsewhere(place: Place) -> str:
    return (
        f"its key begins with `sk-sp-`: keys of a plan work at the plan's own hosts, not at {place.base_urls[0]}; "
        f'write `workspace = "{PLAN_WORKSPACE}"` for a token plan, or the `base_url` that the console shows for a '
        "coding plan"
    )


def explain_refusal(place: Place, kind: KeyKind, status: int, code: str, message: str) -> str:
    """Return what an operator needs to know when an upstream answered 401 or 403; what it said is shown without keys.

    Codes: https://www.alibabacloud.com/help/en/model-studio/error-code
    """
    said = _said(status, code, message)
    if place.kind != "alibaba":
        what = "without a key" if kind is KeyKind.NONE else "with the key"
        return f"{place.name} refused the call {what} that the configuration gives it ({said})"
    found = code.lower()
    if found in _OF_THE_MODEL or (status == _FORBIDDEN and "eligible" in message.lower()):
        return (
            f"{place.name} does not let its key use this model ({said}); activate Model Studio and the model in the "
            f"console of {place.region}, or allow it for the key's workspace"
        )
    if "workspace" in found or "workspace" in message.lower():
        return (
            f"the key of {place.name} belongs to another workspace than {place.base_urls[0]} ({said}); correct "
            "`workspace`, or use the key of that workspace"
        )
    if status == _FORBIDDEN:
        return f"{place.name} refuses its key this call ({said}); look at the account in the console of {place.region}"
    return f"{place.name} does not take its key ({said}); {_likely(place, kind)}"


def _likely(place: Place, kind: KeyKind) -> str:
    match kind:
        case KeyKind.PLAN:
            return "keys of a plan work at its own host and region alone, and only while the plan runs"
        case KeyKind.WORKSPACE:
            return f"it may be of another region than {place.region}, of another workspace, or deleted"
        case KeyKind.OTHER:
            return "keys of Model Studio begin with `sk-`; copy it again from the console"
        case KeyKind.PAY_AS_YOU_GO | KeyKind.NONE:
            return (
                f"keys of one region are unknown in every other: make sure that it was made in the console of "
                f"{place.region}, and that it was not deleted"
            )


def _said(status: int, code: str, message: str) -> str:
    return shown_words(" ".join(part for part in (str(status), code, message) if part), _LONGEST_WORDS)
