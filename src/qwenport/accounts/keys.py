"""What an API key looks like, what may be asked of it, and what of it is stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from ipaddress import ip_interface, ip_network
from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType, structs

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.hours import checked_hours
from qwenport.accounts.texts import (
    MAX_DESCRIPTION_LENGTH,
    MAX_NAME_LENGTH,
    checked_expiry,
    checked_number,
    checked_text,
    shown,
)
from qwenport.core.caller import BodyKeeping
from qwenport.core.ids import AccountId, KeyId, WorkspaceId
from qwenport.core.model_card import REGIONS
from qwenport.core.secret import Secret
from qwenport.storage.records import KeyHours, KeyRecord

MAX_LIST_LENGTH = 500
MAX_DAYS = 36_500
MAX_PRIORITY = 10
MAX_CACHE_S = 365 * 86_400
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Of one call's request, and of its answer."""

_LONG_KEY = 32

_CHOSEN_KEY = re.compile(r"sk-[A-Za-z0-9_-]{16,253}")

T = TypeVar("T")


class NewKey(Struct, frozen=True, kw_only=True):
    """A key that was just made: the only time at which the key itself is known."""

    id: KeyId
    key: Secret


class KeyLimits(Struct, frozen=True, kw_only=True):
    """Limits that are made together with a key; None for none, 0 lets nothing pass."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Input and output together."""
    concurrency: int | None = None
    daily_requests: int | None = None
    monthly_spend: str | None = None
    """Exact decimal in the account's currency."""


class CreateKey(Struct, frozen=True, kw_only=True):
    """What a new key shall be."""

    account_id: AccountId | None = None
    """None for the workspace's; without that, for the account that the first start made."""
    workspace_id: WorkspaceId | None = None
    """None for the workspace that every account has."""
    name: str = ""
    description: str = ""
    expires_at: datetime | None = None
    models: tuple[str, ...] = ()
    """Names of the models that the key is restricted to; whether they exist is the caller's to check."""
    ip_ranges: tuple[str, ...] = ()
    """Addresses or CIDR ranges that the key may be used from."""
    hours: KeyHours | None = None
    rotate_after_days: int | None = None
    """Age at which the list of keys reminds of a rotation."""
    bodies: BodyKeeping | None = None
    """Whether what the key's calls say is stored."""
    regions: tuple[str, ...] = ()
    """Regions that its calls may be answered in; empty for anywhere."""
    priority: int = 0
    """From -10 to 10: whose calls wait less for an engine."""
    cache_s: int | None = None
    """How old an answer from the response cache may be; 0 for none of it, None for what the route says."""
    limits: KeyLimits = KeyLimits()


class ChangeKey(Struct, frozen=True, kw_only=True):
    """What changes of a key; what is not set stays, None or nothing clears."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    models: tuple[str, ...] | UnsetType = UNSET
    ip_ranges: tuple[str, ...] | UnsetType = UNSET
    hours: KeyHours | UnsetType | None = UNSET
    rotate_after_days: int | UnsetType | None = UNSET
    bodies: BodyKeeping | UnsetType | None = UNSET
    regions: tuple[str, ...] | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    cache_s: int | UnsetType | None = UNSET


def hash_key(key: str) -> str:
    """Return the SHA-256 of a key or token in hexadecimal: what is stored and looked up instead of it.

    A plain hash is enough: a key holds 256 random bits, and a look-up must cost microseconds.
    """
    # A header may hold bytes that are no text; they must not match anything, nor fail.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def random_key() -> Secret:
    """Return `sk-` and 64 random hexadecimal digits."""
    return Secret(f"sk-{secrets.token_hex(32)}")


def chosen_key(key: str) -> Secret:
    """Return a key that an operator chose; raises `SettingInvalid`, without the key, if its form is wrong."""
    if not _CHOSEN_KEY.fullmatch(key):
        raise SettingInvalid(
            f"the bootstrap API key ({len(key)} characters) has the wrong form: "
            "it must be `sk-` and 16 to 253 of A-Z, a-z, 0-9, `_` and `-`"
        )
    return Secret(key)


def prefix_of(key: Secret) -> str:
    """Return the first seven and last four characters, by which people recognise a key in a list.

    A short key, which only an operator can have chosen, shows five and two, so that most of it stays unknown.
    """
    value = key.reveal()
    return f"{value[:7]}...{value[-4:]}" if len(value) >= _LONG_KEY else f"{value[:5]}...{value[-2:]}"


def needs_rotation(key: KeyRecord, now: datetime) -> bool:
    """Tell whether a key is older than it was meant to become and has no successor."""
    if key.rotate_after_days is None or key.rotates_to is not None or key.disabled:
        return False
    return now - key.created_at >= timedelta(days=key.rotate_after_days)


def validated(wish: CreateKey, now: datetime) -> CreateKey:
    """Return the wish with its lists in their stored form; raises `SettingInvalid`. Limits are checked when made."""
    return structs.replace(
        wish,
        name=checked_text("name of a key", wish.name, MAX_NAME_LENGTH),
        description=checked_text("description of a key", wish.description, MAX_DESCRIPTION_LENGTH),
        expires_at=checked_expiry(wish.expires_at, now),
        models=checked_models(wish.models),
        ip_ranges=_ip_ranges(wish.ip_ranges),
        hours=checked_hours(wish.hours),
        rotate_after_days=_rotation(wish.rotate_after_days),
        bodies=_bodies(wish.bodies),
        regions=_regions(wish.regions),
        priority=checked_number("priority of a key", wish.priority, least=-MAX_PRIORITY, most=MAX_PRIORITY),
        cache_s=_cache(wish.cache_s),
    )


def changed(key: KeyRecord, wish: ChangeKey, now: datetime) -> KeyRecord:
    """Return a key as it shall be; raises `SettingInvalid`."""
    # A time of expiry that has passed stays where it is not among the changes, and must not be refused for it.
    expires_at = key.expires_at if wish.expires_at is UNSET else checked_expiry(wish.expires_at, now)
    settings = validated(
        CreateKey(
            name=chosen(wish.name, key.name),
            description=chosen(wish.description, key.description),
            models=chosen(wish.models, key.models),
            ip_ranges=chosen(wish.ip_ranges, key.ip_ranges),
            hours=chosen(wish.hours, key.hours),
            rotate_after_days=chosen(wish.rotate_after_days, key.rotate_after_days),
            bodies=chosen(wish.bodies, key.bodies),
            regions=chosen(wish.regions, key.regions),
            priority=chosen(wish.priority, key.priority),
            cache_s=chosen(wish.cache_s, key.cache_s),
        ),
        now,
    )
    return structs.replace(
        key,
        name=settings.name,
        description=settings.description,
        expires_at=expires_at,
        models=settings.models,
        ip_ranges=settings.ip_ranges,
        hours=settings.hours,
        rotate_after_days=settings.rotate_after_days,
        bodies=settings.bodies,
        regions=settings.regions,
        priority=settings.priority,
        cache_s=settings.cache_s,
    )


def chosen(wish: T | UnsetType, present: T) -> T:
    """Return what is wished for, or what there is where nothing is."""
    return present if isinstance(wish, UnsetType) else wish


def checked_models(models: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of models without repetition; raises `SettingInvalid` for what can be none."""
    _bound("models", models)
    for model in models:
        if not model or model != model.strip():
            raise SettingInvalid(f"{shown(model)} is no name of a model; see `qwenport models list`")
        checked_text("name of a model", model, MAX_NAME_LENGTH)
    return tuple(dict.fromkeys(models))


def _rotation(days: int | None) -> int | None:
    return None if days is None else checked_number("number of days of rotation", days, least=1, most=MAX_DAYS)


def _bodies(bodies: BodyKeeping | None) -> BodyKeeping | None:
    if bodies is not None:
        checked_number("number of bytes of bodies that are kept", bodies.most_bytes, least=1, most=MAX_BODY_BYTES)
        checked_number("number of days for which bodies are kept", bodies.days, least=1, most=MAX_DAYS)
    return bodies


def _regions(regions: tuple[str, ...]) -> tuple[str, ...]:
    for region in regions:
        if region not in REGIONS:
            raise SettingInvalid(f"{shown(region)} is no region; known are {', '.join(REGIONS)}")
    return tuple(dict.fromkeys(regions))


def _cache(seconds: int | None) -> int | None:
    if seconds is None:
        return None
    return checked_number("age in seconds of answers from the cache", seconds, least=0, most=MAX_CACHE_S)


def _ip_ranges(ranges: tuple[str, ...]) -> tuple[str, ...]:
    _bound("IP ranges", ranges)
    return tuple(dict.fromkeys(_ip_range(text) for text in ranges))


def _ip_range(text: str) -> str:
    try:
        interface = ip_interface(text)
    except ValueError as error:
        raise SettingInvalid(f"{shown(text)} is no IP address or range; write it like `10.0.0.0/8`") from error
    if interface.ip != interface.network.network_address:
        raise SettingInvalid(f"`{text}` names an address inside a range; did you mean `{interface.network}`?")
    return str(ip_network(interface.network))


def _bound(setting: str, values: tuple[str, ...]) -> None:
    if len(values) > MAX_LIST_LENGTH:
        raise SettingInvalid(f"a key may list {MAX_LIST_LENGTH} {setting}, not {len(values)}")
