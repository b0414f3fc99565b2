"""What the operator decided: environment variables before `.env` before the configuration file before defaults."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from dotenv import dotenv_values
from msgspec import Struct

from qwenport.core.secret import Secret
from qwenport.settings.configuration_file import ConfigurationFile

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX = "QWENPORT_"

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?", re.ASCII)
"""As browsers write an origin: lower case, no path (https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin)."""

_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?", re.ASCII)
"""Of a server, perhaps below a path."""

_DATABASE_SCHEMES = ("postgresql", "postgres")
_VALKEY_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")

NOT_YET = {
    "QWENPORT_DASHSCOPE_API_KEY": "there are no upstreams yet; calls are answered by the embedded engine",
    "QWENPORT_ADMIN_PASSWORD": "there is no console yet",
}
"""Names of the operator's contract that this version takes note of and does nothing with, and what that means."""


class SettingInvalid(ValueError):
    """A setting cannot be used; the message names it, its value and what would do."""


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting, checked."""

    host: str
    port: int
    data_dir: Path
    models_dir: Path
    public_url: str | None
    trusted_proxies: tuple[Network, ...]
    cors_origins: tuple[str, ...]
    """Origins of pages that may call the faces, or `*` for any; empty for none."""
    timezone: str
    workers: int
    bootstrap_api_key: Secret | None
    admin_email: str | None
    admin_token: Secret | None
    database_url: Secret | None
    """Of the PostgreSQL server that keeps the books; None for SQLite in the data directory."""
    valkey_url: Secret | None
    """Of the Valkey or Redis server that keeps the counters of limits; None for this process alone."""
    file: ConfigurationFile
    warnings: tuple[str, ...] = ()
    """Sentences for the operator about settings that have no effect."""

    @property
    def database(self) -> Path:
        """Return the path of the database where there is no `database_url`."""
        return self.data_dir / "qwenport.db"

    @property
    def first_key(self) -> Path:
        """Return where the first API key is left when it could not be shown."""
        return self.data_dir / "first-key"

    @property
    def routes(self) -> dict[str, tuple[str, ...]]:
        """Return the operator's routes by model."""
        return {route.model: route.to for route in self.file.routes}

    @property
    def free_models(self) -> frozenset[str]:
        """Return the models whose route says that they cost nothing."""
        return frozenset(route.model for route in self.file.routes if route.price == 0)

    @property
    def stored_files(self) -> Path:
        """Return the folder of the files that accounts store."""
        return self.data_dir / "files"

    def address(self, port: int) -> str:
        """Return where clients reach this server, which listens on this port."""
        # Whoever is elsewhere than on this machine needs QWENPORT_PUBLIC_URL: nothing else tells our name to them.
        return self.public_url or local_url(self.host, port)

    @property
    def admin_socket(self) -> Path:
        """Return the path of the admin socket."""
        return self.data_dir / "admin.sock"


def load_settings(environment: Mapping[str, str], directory: Path) -> Settings:
    """Read the settings.

    Args:
        environment: the process' environment.
        directory: where `.env` is looked for.

    Raises:
        SettingInvalid: one of them cannot be used.
    """
    dotenv = {k: v for k, v in dotenv_values(directory / ".env").items() if v is not None and k.startswith(PREFIX)}
    values = {**dotenv, **{k: v for k, v in environment.items() if k.startswith(PREFIX)}}
    values = {name: value for name, value in values.items() if value != ""}
    return _Reader(values).settings()


class _Reader:
    """Reads values one by one, and knows at the end which of them nobody asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._known = {"QWENPORT_URL", "QWENPORT_API_KEY"}  # for the command line as a client

    def settings(self) -> Settings:
        data_dir = self._path("QWENPORT_DATA_DIR", user_folder("XDG_DATA_HOME", ".local/share", "Application Support"))
        valkey_url = self._url("QWENPORT_VALKEY_URL", _VALKEY_SCHEMES, "redis://127.0.0.1:6379/0")
        settings = Settings(
            host=self._text("QWENPORT_HOST") or "127.0.0.1",
            port=self._number("QWENPORT_PORT", 8600, 0, 65535),
            data_dir=data_dir,
            models_dir=self._path("QWENPORT_MODELS_DIR", user_folder("XDG_CACHE_HOME", ".cache", "Caches") / "models"),
            public_url=self._address("QWENPORT_PUBLIC_URL"),
            trusted_proxies=self._networks("QWENPORT_TRUSTED_PROXIES"),
            cors_origins=self._origins("QWENPORT_CORS_ORIGINS"),
            timezone=self._timezone("QWENPORT_TIMEZONE"),
            workers=self._workers("QWENPORT_WORKERS", valkey_url),
            bootstrap_api_key=self._secret("QWENPORT_BOOTSTRAP_API_KEY"),
            admin_email=self._text("QWENPORT_ADMIN_EMAIL"),
            admin_token=self._admin_token("QWENPORT_ADMIN_TOKEN"),
            database_url=self._url("QWENPORT_DATABASE_URL", _DATABASE_SCHEMES, "postgresql://user:password@host/name"),
            valkey_url=valkey_url,
            file=self._file("QWENPORT_CONFIG", data_dir / "qwenport.toml"),
        )
        return msgspec.structs.replace(settings, warnings=tuple(self._warnings()))

    def _text(self, name: str) -> str | None:
        self._known.add(name)
        return self._values.get(name)

    def _secret(self, name: str) -> Secret | None:
        value = self._text(name)
        return None if value is None else Secret(value)

    def _admin_token(self, name: str) -> Secret | None:
        token = self._secret(name)
        if token is not None and len(token.reveal()) < 16:
            raise SettingInvalid(f"{name} is {len(token.reveal())} characters long; choose at least 16")
        if token is not None and not re.fullmatch(r"[!-~]+", token.reveal()):
            raise SettingInvalid(f"{name} must be ASCII without spaces, because it travels in a header")
        return token

    def _path(self, name: str, default: Path) -> Path:
        value = self._text(name)
        return Path(value).expanduser().absolute() if value else default

    def _number(self, name: str, default: int, least: int, most: int) -> int:
        value = self._text(name)
        if value is None:
            return default
        if not value.isdecimal() or not value.isascii() or not least <= int(value) <= most:
            raise SettingInvalid(f"{name} is `{value}`; it must be a whole number from {least} to {most}")
        return int(value)

    def _workers(self, name: str, valkey_url: Secret | None) -> int:
        workers = self._number(name, 1, 1, 256)
        if workers > 1 and valkey_url is None:
            raise SettingInvalid(
                f"{name} is `{workers}`; several workers must share their counters, or each would let the whole of "
                "every limit pass: set QWENPORT_VALKEY_URL to a Valkey or Redis server, or set it to 1"
            )
        return workers

    def _url(self, name: str, schemes: tuple[str, ...], example: str) -> Secret | None:
        """Return an address that may hold a password, which is never shown."""
        value = self._text(name)
        if value is None:
            return None
        if value.partition("://")[0] not in schemes or not value.partition("://")[2]:
            raise SettingInvalid(f"{name} has the wrong form ({len(value)} characters); write it like `{example}`")
        return Secret(value)

    def _networks(self, name: str) -> tuple[Network, ...]:
        try:
            return tuple(ipaddress.ip_network(text.strip()) for text in (self._text(name) or "").split(",") if text)
        except ValueError as error:
            raise SettingInvalid(
                f"{name}: {error}; write addresses or ranges like `10.0.0.0/8`, with commas"
            ) from error

    def _address(self, name: str) -> str | None:
        value = self._text(name)
        if value is not None and not _ADDRESS.fullmatch(value):
            raise SettingInvalid(
                f"{name} is `{value}`; write the address that clients use, such as `https://host/path`"
            )
        return None if value is None else value.rstrip("/")

    def _origins(self, name: str) -> tuple[str, ...]:
        origins = tuple(text.strip() for text in (self._text(name) or "").split(",") if text.strip())
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise SettingInvalid(
                    f"{name} holds `{origin}`, which no browser sends as an origin; write `https://host` or "
                    "`http://host:port` without a path, with commas, or `*` for pages from anywhere"
                )
        return origins

    def _timezone(self, name: str) -> str:
        value = self._text(name) or "UTC"
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise SettingInvalid(f"{name} is `{value}`; it must be an IANA name such as `Asia/Shanghai`") from error
        return value

    def _file(self, name: str, default: Path) -> ConfigurationFile:
        named = self._text(name)
        path = Path(named).expanduser() if named else default
        if not named and not path.exists():
            return ConfigurationFile()
        try:
            return msgspec.convert(tomllib.loads(path.read_text("utf-8")), ConfigurationFile)
        except OSError as error:
            raise SettingInvalid(f"{name} is `{path}`, which cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
            raise SettingInvalid(f"the configuration file {path} is not valid: {error}") from error

    def _warnings(self) -> list[str]:
        warnings = [f"{name} is set, but {words}" for name, words in NOT_YET.items() if name in self._values]
        for name in sorted(set(self._values) - self._known - set(NOT_YET)):
            known = {other.removeprefix(PREFIX): other for other in sorted(self._known)}
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            warnings.append(f"{name} is no setting of Qwenport" + (f"; did you mean {known[near[0]]}?" if near else ""))
        return warnings


def user_folder(variable: str, linux: str, macos: str) -> Path:
    """Return Qwenport's folder of one kind in the user's home, as the XDG base directories or macOS have it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / macos / "qwenport"
    return Path(os.environ.get(variable) or Path.home() / linux) / "qwenport"


def local_url(host: str, port: int) -> str:
    """Return the address at which this machine reaches a server that listens on a host and port."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - called, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
