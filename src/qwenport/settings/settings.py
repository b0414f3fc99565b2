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

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX = "QWENPORT_"

NOT_YET = {
    "QWENPORT_CORS_ORIGINS": "pages in browsers cannot call the faces yet",
    "QWENPORT_DASHSCOPE_API_KEY": "there are no upstreams yet; calls are answered by the embedded engine",
    "QWENPORT_ADMIN_PASSWORD": "there is no console yet",
}
"""Names of the operator's contract that this version takes note of and does nothing with, and what that means."""


class SettingInvalid(ValueError):
    """A setting cannot be used; the message names it, its value and what would do."""


class ServerTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[server]` of the configuration file; times in seconds."""

    keep_alive_s: float = 15.0
    stall_s: float = 60.0
    body_s: float = 30.0
    headers_s: float = 15.0
    call_s: float = 3000.0
    drain_s: float = 30.0
    max_body_bytes: int = 16 << 20


class RouteTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[routes]]` of the configuration file."""

    model: str
    to: tuple[str, ...]


class ConfigurationFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The configuration file."""

    server: ServerTable = ServerTable()
    routes: tuple[RouteTable, ...] = ()


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting, checked."""

    host: str
    port: int
    data_dir: Path
    models_dir: Path
    public_url: str | None
    trusted_proxies: tuple[Network, ...]
    timezone: str
    workers: int
    bootstrap_api_key: Secret | None
    admin_email: str | None
    admin_token: Secret | None
    file: ConfigurationFile
    warnings: tuple[str, ...] = ()
    """Sentences for the operator about settings that have no effect."""

    @property
    def database(self) -> Path:
        """Return the path of the database."""
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
        settings = Settings(
            host=self._text("QWENPORT_HOST") or "127.0.0.1",
            port=self._number("QWENPORT_PORT", 8600, 0, 65535),
            data_dir=data_dir,
            models_dir=self._path("QWENPORT_MODELS_DIR", user_folder("XDG_CACHE_HOME", ".cache", "Caches") / "models"),
            public_url=self._text("QWENPORT_PUBLIC_URL"),
            trusted_proxies=self._networks("QWENPORT_TRUSTED_PROXIES"),
            timezone=self._timezone("QWENPORT_TIMEZONE"),
            workers=self._workers("QWENPORT_WORKERS"),
            bootstrap_api_key=self._secret("QWENPORT_BOOTSTRAP_API_KEY"),
            admin_email=self._text("QWENPORT_ADMIN_EMAIL"),
            admin_token=self._admin_token("QWENPORT_ADMIN_TOKEN"),
            file=self._file("QWENPORT_CONFIG", data_dir / "qwenport.toml"),
        )
        self._refuse("QWENPORT_DATABASE_URL", "this version keeps its books in SQLite, in QWENPORT_DATA_DIR; unset it")
        self._refuse("QWENPORT_VALKEY_URL", "this version runs one worker, which needs no Valkey; unset it")
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

    def _workers(self, name: str) -> int:
        workers = self._number(name, 1, 1, 256)
        if workers > 1:
            raise SettingInvalid(
                f"{name} is `{workers}`; several workers must share their counters through Valkey, "
                "which this version cannot do yet: set it to 1"
            )
        return workers

    def _networks(self, name: str) -> tuple[Network, ...]:
        try:
            return tuple(ipaddress.ip_network(text.strip()) for text in (self._text(name) or "").split(",") if text)
        except ValueError as error:
            raise SettingInvalid(
                f"{name}: {error}; write addresses or ranges like `10.0.0.0/8`, with commas"
            ) from error

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

    def _refuse(self, name: str, words: str) -> None:
        if self._text(name) is not None:
            raise SettingInvalid(f"{name} is set, but {words}")

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
