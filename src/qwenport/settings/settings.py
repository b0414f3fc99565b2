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
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from dotenv import dotenv_values
from msgspec import Meta, Struct

from qwenport.core.secret import Secret

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

Bound = Annotated[int, Meta(ge=0)]
"""An upper bound, or how much of something is kept."""
Seconds = Annotated[float, Meta(gt=0)]

PREFIX = "QWENPORT_"

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?", re.ASCII)
"""As browsers write an origin: lower case, no path (https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin)."""

_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?", re.ASCII)
"""Of a server, perhaps below a path."""

_HOST_NAME = re.compile(r"(?=.*[a-z])[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII | re.IGNORECASE)

NOT_YET = {
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


class FilesTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[files]` of the configuration file: what each account may store; Model Studio's own bounds by default."""

    max_files: Bound = 10_000
    """Documents and batches together."""
    max_bytes: Bound = 100 << 30
    max_document_bytes: Bound = 150 << 20
    max_image_bytes: Bound = 20 << 20
    max_batch_bytes: Bound = 500 << 20
    native_max_files: Bound = 100
    """Files without a purpose, which only the native face stores."""
    native_max_bytes: Bound = 5 << 30
    native_max_file_bytes: Bound = 300 << 20
    upload_max_bytes: Bound = 10 << 30
    """What is posted to the upload host."""
    upload_max_file_bytes: Bound = 100 << 20
    upload_hours: Bound = 48
    keep_days: Bound = 0
    """Time after which a file of any other purpose goes; 0 for never."""
    least_free_bytes: Bound = 1 << 30
    """What files leave free on the disk, for the books."""
    form_s: Seconds = 3600.0
    """Time for a form to arrive; each piece of it has `body_s` of `[server]`."""


class MediaTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[media]` of the configuration file: the images and documents that calls name."""

    private_hosts: tuple[str, ...] = ()
    """Names, addresses and ranges that images may be fetched from though they are not on the public internet."""
    fetch_s: Seconds = 15.0
    """Time for one image to arrive, redirects included."""
    max_images: Bound = 250
    max_call_bytes: Bound = 64 << 20
    """Of all images of one call together."""
    max_text_bytes: Bound = 16 << 20
    """Of the text of all documents of one call together."""
    document_s: Seconds = 30.0
    """Time for the text of one PDF or Word document to be read."""
    document_memory_bytes: Annotated[int, Meta(ge=128 << 20)] = 1 << 30
    """Memory of the process that reads it."""

    def __post_init__(self) -> None:
        """Refuse an entry that is neither a name nor an address."""
        for entry in self.private_hosts:
            if not _HOST_NAME.fullmatch(entry):
                _check_network(entry)


class RouteTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[routes]]` of the configuration file."""

    model: str
    to: tuple[str, ...]


class ConfigurationFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The configuration file."""

    server: ServerTable = ServerTable()
    files: FilesTable = FilesTable()
    media: MediaTable = MediaTable()
    routes: tuple[RouteTable, ...] = ()


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
        settings = Settings(
            host=self._text("QWENPORT_HOST") or "127.0.0.1",
            port=self._number("QWENPORT_PORT", 8600, 0, 65535),
            data_dir=data_dir,
            models_dir=self._path("QWENPORT_MODELS_DIR", user_folder("XDG_CACHE_HOME", ".cache", "Caches") / "models"),
            public_url=self._address("QWENPORT_PUBLIC_URL"),
            trusted_proxies=self._networks("QWENPORT_TRUSTED_PROXIES"),
            cors_origins=self._origins("QWENPORT_CORS_ORIGINS"),
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


def _check_network(entry: str) -> None:
    try:
        ipaddress.ip_network(entry)
    except ValueError as error:
        raise ValueError(
            f"private_hosts holds `{entry}`; write names of hosts, addresses, or ranges such as `10.0.0.0/8`"
        ) from error


def user_folder(variable: str, linux: str, macos: str) -> Path:
    """Return Qwenport's folder of one kind in the user's home, as the XDG base directories or macOS have it."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / macos / "qwenport"
    return Path(os.environ.get(variable) or Path.home() / linux) / "qwenport"


def local_url(host: str, port: int) -> str:
    """Return the address at which this machine reaches a server that listens on a host and port."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - called, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
