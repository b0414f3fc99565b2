"""What an API key looks like, what may be asked of it, and what of it is stored."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from ipaddress import ip_interface, ip_network

from msgspec import Struct

from qwenport.accounts.key_errors import KeySettingInvalid
from qwenport.core.ids import AccountId, KeyId
from qwenport.core.secret import Secret

MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2_000
MAX_LIST_LENGTH = 500

_LONG_KEY = 32

_CHOSEN_KEY = re.compile(r"sk-[A-Za-z0-9_-]{16,253}")


class NewKey(Struct, frozen=True, kw_only=True):
    """A key that was just made: the only time at which the key itself is known."""

    id: KeyId
    key: Secret


class CreateKey(Struct, frozen=True, kw_only=True):
    """What a new key shall be."""

    account_id: AccountId | None = None
    """None for the account that the first start made."""
    name: str = ""
    description: str = ""
    expires_at: datetime | None = None
    models: tuple[str, ...] = ()
    """Names of the models that the key is restricted to; whether they exist is the caller's to check."""
    ip_ranges: tuple[str, ...] = ()
    """Addresses or CIDR ranges that the key may be used from."""


def hash_key(key: str) -> str:
    """Return the SHA-256 of a key in hexadecimal: what is stored and looked up instead of the key.

    A plain hash is enough: a key holds 256 random bits, and a look-up must cost microseconds.
    """
    # A header may hold bytes that are no text; they must not match anything, nor fail.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def random_key() -> Secret:
    """Return `sk-` and 64 random hexadecimal digits."""
    return Secret(f"sk-{secrets.token_hex(32)}")


def chosen_key(key: str) -> Secret:
    """Return a key that an operator chose; raises `KeySettingInvalid`, without the key, if its form is wrong."""
    if not _CHOSEN_KEY.fullmatch(key):
        raise KeySettingInvalid(
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


def validated(wish: CreateKey, now: datetime) -> CreateKey:
    """Return the wish with its lists in their stored form; raises `KeySettingInvalid`."""
    return CreateKey(
        account_id=wish.account_id,
        name=_text("name", wish.name, MAX_NAME_LENGTH),
        description=_text("description", wish.description, MAX_DESCRIPTION_LENGTH),
        expires_at=_expiry(wish.expires_at, now),
        models=_models(wish.models),
        ip_ranges=_ip_ranges(wish.ip_ranges),
    )


def _text(setting: str, value: str, limit: int) -> str:
    if len(value) > limit:
        raise KeySettingInvalid(f"the {setting} of a key may hold {limit} characters, not {len(value)}; shorten it")
    if any(not character.isprintable() and character not in "\n\t" for character in value):
        raise KeySettingInvalid(
            f"the {setting} of a key holds a character that cannot be shown: {value!a}; leave it out"
        )
    return value


def _expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    if expires_at is None:
        return None
    if expires_at.utcoffset() is None:
        raise KeySettingInvalid(f"the expiry `{expires_at.isoformat()}` names no time zone; add one, such as `Z`")
    if expires_at <= now:
        raise KeySettingInvalid(
            f"the expiry `{expires_at.isoformat()}` is not in the future; it is `{now.isoformat()}` now"
        )
    return expires_at


def _models(models: tuple[str, ...]) -> tuple[str, ...]:
    _bound("models", models)
    for model in models:
        if not model or model != model.strip():
            raise KeySettingInvalid(f"`{model}` is no name of a model; see `qwenport models list`")
        _text("list of models", model, MAX_NAME_LENGTH)
    return tuple(dict.fromkeys(models))


def _ip_ranges(ranges: tuple[str, ...]) -> tuple[str, ...]:
    _bound("IP ranges", ranges)
    return tuple(dict.fromkeys(_ip_range(text) for text in ranges))


def _ip_range(text: str) -> str:
    try:
        interface = ip_interface(text)
    except ValueError as error:
        raise KeySettingInvalid(f"{text!a} is no IP address or range; write it like `10.0.0.0/8`") from error
    if interface.ip != interface.network.network_address:
        raise KeySettingInvalid(f"`{text}` names an address inside a range; did you mean `{interface.network}`?")
    return str(ip_network(interface.network))


def _bound(setting: str, values: tuple[str, ...]) -> None:
    if len(values) > MAX_LIST_LENGTH:
        raise KeySettingInvalid(f"a key may list {MAX_LIST_LENGTH} {setting}, not {len(values)}")
