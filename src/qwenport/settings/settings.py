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
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from dotenv import dotenv_values
from msgspec import Struct

from qwenport.core.secret import Secret
from qwenport.settings.configuration_file import ConfigurationFile, RouteTable, UpstreamTable
from qwenport.settings.key_files import KeyFileInvalid, read_key_file

T = TypeVar("T", bound=Struct)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX = "QWENPORT_"

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?", re.ASCII)
"""As browsers write an origin: lower case, no path (https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin)."""

_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?", re.ASCII)
"""Of a server, perhaps below a path."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

DASHSCOPE_KEY = "QWENPORT_DASHSCOPE_API_KEY"
_DASHSCOPE_REGION = "QWENPORT_DASHSCOPE_REGION"
_DASHSCOPE_WORKSPACE = "QWENPORT_DASHSCOPE_WORKSPACE"
_OF_ENVIRONMENT = "alibaba"
"""Name of the upstream that the environment alone makes."""
_PLAN_KEY, _PLAN_WORKSPACE = "sk-sp-", "token-plan"
"""Keys that begin so work at their plan's own host alone, which looks like that of a workspace of this name."""

_DATABASE_SCHEMES = ("postgresql", "postgres")
_VALKEY_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")

NOT_YET = {
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
    upstreams: tuple[UpstreamTable, ...] = ()
    """Those of the configuration file with absolute paths, or the one that QWENPORT_DASHSCOPE_API_KEY makes."""
    upstream_keys: Mapping[str, Secret] = MappingProxyType({})
    """Keys by upstream, of those that have one."""
    default_upstream: str = ""
    """The upstream that all of Model Studio's models go to, because nothing else was said; empty for none."""
    named_secrets: Mapping[str, Secret] = MappingProxyType({})
    """Values of the variables that the configuration file names beside those of upstreams, of those that are set."""
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
    def routes(self) -> tuple[RouteTable, ...]:
        """Return the operator's routes."""
        return self.file.routes

    @property
    def stored_files(self) -> Path:
        """Return the folder of the files that accounts store."""
        return self.data_dir / "files"

    def address(self, port: int) -> str:
        """Return where clients reach this server, which listens on this port."""
        # Whoever is elsewhere than on this machine needs QWENPORT_PUBLIC_URL: nothing else tells our name to them.
        return self.public_url or self.local_address(port)

    def local_address(self, port: int) -> str:
        """Return where this machine reaches this server, which listens on this port."""
        return local_url(self.host, port, tls=bool(self.file.server.tls_cert_file))

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
    dotenv = {name: value for name, value in dotenv_values(directory / ".env").items() if value is not None}
    every = {name: value for name, value in {**dotenv, **environment}.items() if value != ""}
    return _Reader(every).settings()


class _Reader:
    """Reads values one by one, and knows at the end which of them nobody asked for."""

    def __init__(self, every: Mapping[str, str]) -> None:
        """Take all variables; those that are not ours are looked up only where the configuration file names them."""
        self._every = every
        self._values = {name: value for name, value in every.items() if name.startswith(PREFIX)}
        self._known = {"QWENPORT_URL", "QWENPORT_API_KEY"}  # for the command line as a client
        self._unused: list[str] = []

    def settings(self) -> Settings:
        data_dir = self._path("QWENPORT_DATA_DIR", user_folder("XDG_DATA_HOME", ".local/share", "Application Support"))
        valkey_url = self._url("QWENPORT_VALKEY_URL", _VALKEY_SCHEMES, "redis://127.0.0.1:6379/0")
        path, file = self._file("QWENPORT_CONFIG", data_dir / "qwenport.toml")
        file = _with_absolute_files(file, path.parent)
        self._note_unused(file)
        of_environment = self._of_environment(file)
        upstreams = of_environment or tuple(_with_absolute_paths(table, path.parent) for table in file.upstreams)
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
            upstreams=upstreams,
            upstream_keys=MappingProxyType(self._upstream_keys(upstreams)),
            default_upstream=_OF_ENVIRONMENT if of_environment and not file.routes else "",
            named_secrets=MappingProxyType(self._named_secrets(file)),
            file=file,
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

    def _of_environment(self, file: ConfigurationFile) -> tuple[UpstreamTable, ...]:
        """Return the upstream that a key in the environment makes where the file has none."""
        key, region, workspace = (self._text(n) for n in (DASHSCOPE_KEY, _DASHSCOPE_REGION, _DASHSCOPE_WORKSPACE))
        if key is not None and not file.upstreams:
            own_host = _PLAN_WORKSPACE if key.startswith(_PLAN_KEY) else ""
            return (
                UpstreamTable(
                    name=_OF_ENVIRONMENT,
                    kind="alibaba",
                    region=region or "singapore",
                    workspace=workspace or own_host,
                    api_key_env=DASHSCOPE_KEY,
                ),
            )
        if key is not None and all(table.api_key_env != DASHSCOPE_KEY for table in file.upstreams):
            self._unused.append(f"{DASHSCOPE_KEY} is set, but no [[upstreams]] names it as `api_key_env`")
        for name, value in ((_DASHSCOPE_REGION, region), (_DASHSCOPE_WORKSPACE, workspace)):
            if value is not None:
                words = "the configuration file has [[upstreams]]" if file.upstreams else f"{DASHSCOPE_KEY} is not"
                self._unused.append(f"{name} is set, but {words}, so it has no effect")
        return ()

    def _note_unused(self, file: ConfigurationFile) -> None:
        if file.cache.max_bytes == 0 and any(route.cache_s for route in file.routes):
            self._unused.append("one of [[routes]] has `cache_s`, but without `max_bytes` of [cache] nothing is kept")

    def _upstream_keys(self, tables: tuple[UpstreamTable, ...]) -> dict[str, Secret]:
        keys = {}
        for table in tables:
            if table.api_key_env and table.api_key_file:
                raise SettingInvalid(f"upstream `{table.name}` has `api_key_env` and `api_key_file`; leave one out")
            if table.api_key_env:
                where = f"upstream `{table.name}`: `api_key_env`"
                keys[table.name] = self._variable(where, table.api_key_env)
            if table.api_key_file:
                try:
                    keys[table.name] = read_key_file(Path(table.api_key_file))
                except KeyFileInvalid as error:
                    raise SettingInvalid(f"upstream `{table.name}`: `api_key_file` {error}") from error
        return keys

    def _variable(self, where: str, name: str) -> Secret:
        """Return the value of a variable that the configuration file names."""
        # A key that was pasted where its variable's name belongs must not be shown.
        if not _VARIABLE.fullmatch(name):
            raise SettingInvalid(f"{where} must be the name of a variable, such as `VLLM_API_KEY`, not the key itself")
        self._known.add(name)
        value = self._every.get(name)
        if value is None:
            raise SettingInvalid(f"{where} names {name}, which is not set; set it in the environment or in .env")
        return Secret(value)

    def _named_secrets(self, file: ConfigurationFile) -> dict[str, Secret]:
        named = (
            ("[check]: `webhook_secret_env`", file.check.webhook_secret_env),
            ("[traces]: `headers_env`", file.traces.headers_env),
        )
        return {name: self._variable(where, name) for where, name in named if name}

    def _file(self, name: str, default: Path) -> tuple[Path, ConfigurationFile]:
        named = self._text(name)
        path = Path(named).expanduser().absolute() if named else default
        if not named and not path.exists():
            return path, ConfigurationFile()
        try:
            return path, msgspec.convert(tomllib.loads(path.read_text("utf-8")), ConfigurationFile)
        except OSError as error:
            raise SettingInvalid(f"{name} is `{path}`, which cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
            raise SettingInvalid(f"the configuration file {path} is not valid: {error}") from error

    def _warnings(self) -> list[str]:
        warnings = [f"{name} is set, but {words}" for name, words in NOT_YET.items() if name in self._values]
        warnings += self._unused
        for name in sorted(set(self._values) - self._known - set(NOT_YET)):
            known = {other.removeprefix(PREFIX): other for other in sorted(self._known)}
            near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
            warnings.append(f"{name} is no setting of Qwenport" + (f"; did you mean {known[near[0]]}?" if near else ""))
        return warnings


def _with_absolute_paths(table: UpstreamTable, folder: Path) -> UpstreamTable:
    """Return a table whose files are found from wherever the server is started."""
    return _with_absolute(table, ("api_key_file", "ca_file"), folder)


def _with_absolute_files(file: ConfigurationFile, folder: Path) -> ConfigurationFile:
    check = _with_absolute(file.check, ("words_file",), folder)
    server = _with_absolute(file.server, ("tls_cert_file", "tls_key_file"), folder)
    return msgspec.structs.replace(file, check=check, server=server)


def _with_absolute(table: T, names: tuple[str, ...], folder: Path) -> T:
    files = {name: getattr(table, name) for name in names}
    absolute = {name: str(folder / Path(file).expanduser()) for name, file in files.items() if file}
    return msgspec.structs.replace(table, **absolute)


def user_folder(variable: str, linux: str, macos: str) -> Path:
    """Return Qwenport's folder of one kind in the user's home, as the XDG base directories or macOS have it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / macos / "qwenport"
    return Path(os.environ.get(variable) or Path.home() / linux) / "qwenport"


def local_url(host: str, port: int, *, tls: bool = False) -> str:
    """Return the address at which this machine reaches a server that listens on a host and port."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - called, not bound
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
