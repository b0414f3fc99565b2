"""Where an upstream is and how it is spoken to: one `[[upstreams]]` of the configuration file, checked."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from qwenport.core.model_card import PRICE_REGIONS
from qwenport.engines.upstream.base_url import BaseUrl, BaseUrlInvalid, read_base_url
from qwenport.engines.upstream.regions import (
    COMPATIBLE_PATH,
    NATIVE_PATH,
    REGIONS,
    RERANK_PATH,
    HostKind,
    Region,
    is_workspace,
    known_host,
)
from qwenport.settings.configuration_file import UpstreamTable

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_MODEL = re.compile(r"[!-~]{1,200}")
_HEALTH_PATH = re.compile(r"/[!-~]*")


class UpstreamInvalid(ValueError):
    """An upstream cannot be used as it stands in the configuration; the words are for the operator."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"upstream `{name}`: {problem}")


class AccountPace(Struct, frozen=True, kw_only=True):
    """What the limits of an upstream's account let pass, of each model."""

    account: str
    """Name by which upstreams that share one account are known together."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Input and output together."""
    concurrency: int | None = None


class Place(Struct, frozen=True, kw_only=True):
    """One upstream: its addresses, what its server wants, and how long is waited for it."""

    name: str
    kind: Literal["alibaba", "openai"]
    region: str = ""
    """By Model Studio's names; empty for the operator's own ground."""
    base_urls: tuple[str, ...]
    """Each with its `/v1` or `/compatible-mode/v1` and no slash after it; the first is the main one."""
    native_url: str = ""
    """Base of the native face; empty where there is none."""
    rerank_url: str = ""
    """Base of the compatible reranking; empty where there is none."""
    dialect: str = ""
    """Empty for what the server says of itself."""
    ca_file: str = ""
    """Certificates of authorities instead of the system's."""
    ca_sha256: str = ""
    """Digest of that file: a place whose certificates were replaced is another one."""
    dns_replicas: bool = False
    mask: bool = False
    connect_s: float = 5.0
    first_event_s: float = 120.0
    between_events_s: float = 60.0
    total_s: float = 1800.0
    health_path: str = ""
    """Path of the server, from its root on; empty for `/models` below the base URL."""
    models: tuple[str, ...] = ()
    """Names that it serves; empty where that is not known."""
    pace: AccountPace | None = None

    @property
    def host_kinds(self) -> frozenset[HostKind]:
        """Return which keys its hosts take."""
        return frozenset(known_host(read_base_url(url).host).kind for url in self.base_urls)


def places_of(tables: Sequence[UpstreamTable]) -> tuple[Place, ...]:
    """Return the places of all upstreams; raises `UpstreamInvalid`."""
    by_name: dict[str, UpstreamTable] = {}
    for table in tables:
        if by_name.setdefault(table.name, table) is not table:
            raise UpstreamInvalid(table.name, "stands in the configuration twice; give each a name of its own")
    return tuple(place_of(_paced(table, by_name)) for table in tables)


def place_of(table: UpstreamTable) -> Place:
    """Return the place of one upstream; raises `UpstreamInvalid`."""
    for problem in _problems(table):
        raise UpstreamInvalid(table.name, problem)
    main, region = _alibaba_address(table) if table.kind == "alibaba" else (_given_url(table), table.region)
    urls = (main, *(_url(table, "replicas", text) for text in table.replicas))
    _check_urls(table, urls)
    has_native = main.path == COMPATIBLE_PATH and table.kind == "alibaba"
    return Place(
        name=table.name,
        kind=table.kind,
        region=region,
        base_urls=tuple(str(url) for url in urls),
        native_url=main.below(NATIVE_PATH) if has_native else "",
        rerank_url=main.below(RERANK_PATH) if has_native else "",
        dialect="model-studio" if table.kind == "alibaba" else table.dialect,
        ca_file=table.ca_file,
        ca_sha256=_ca_digest(table),
        dns_replicas=table.dns_replicas,
        mask=table.mask,
        connect_s=table.connect_s,
        first_event_s=table.first_event_s,
        between_events_s=table.between_events_s,
        total_s=table.total_s,
        health_path=table.health_path,
        models=table.models,
        pace=_pace(table),
    )


def _paced(table: UpstreamTable, by_name: dict[str, UpstreamTable]) -> UpstreamTable:
    """Return a table with the figures of the account that it shares."""
    if not table.paced_with:
        return table
    other = by_name.get(table.paced_with)
    if other is None or other is table:
        known = ", ".join(f"`{name}`" for name in by_name if name != table.name) or "none"
        problem = f"`paced_with` is `{table.paced_with}`, which is no other upstream; known are {known}"
        raise UpstreamInvalid(table.name, problem)
    if other.paced_with:
        problem = f"`paced_with` is `{other.name}`, which is itself paced with `{other.paced_with}`; name that one"
        raise UpstreamInvalid(table.name, problem)
    theirs = (other.rpm, other.tpm, other.concurrency)
    if (table.rpm, table.tpm, table.concurrency) not in {theirs, (None, None, None)}:
        problem = f"has limits of its own beside `paced_with`; write `rpm`, `tpm` and `concurrency` at `{other.name}`"
        raise UpstreamInvalid(table.name, problem)
    return msgspec.structs.replace(table, rpm=other.rpm, tpm=other.tpm, concurrency=other.concurrency)


def _pace(table: UpstreamTable) -> AccountPace | None:
    if table.rpm is None and table.tpm is None and table.concurrency is None:
        return None
    return AccountPace(
        account=table.paced_with or table.name,
        requests_per_minute=table.rpm,
        tokens_per_minute=table.tpm,
        concurrency=table.concurrency,
    )


def _problems(table: UpstreamTable) -> Iterator[str]:
    if not _NAME.fullmatch(table.name):
        yield "its name must be 1 to 64 of a-z, 0-9, `.`, `_` and `-`, the first a letter or digit"
    if table.health_path and not _HEALTH_PATH.fullmatch(table.health_path):
        yield f"`health_path` is `{table.health_path}`; write the path from the server's root on, such as `/health`"
    for model in table.models:
        if not _MODEL.fullmatch(model):
            yield f"`models` holds `{model}`; write names as its server has them, without spaces"
    if len(set(table.models)) < len(table.models) or len(set(table.replicas)) < len(table.replicas):
        yield "`models` or `replicas` names the same twice"
    if table.first_event_s > table.total_s or table.between_events_s > table.total_s:
        yield "`first_event_s` or `between_events_s` is longer than `total_s`, within which a whole answer must end"
    yield from _alibaba_problems(table) if table.kind == "alibaba" else _openai_problems(table)


def _alibaba_problems(table: UpstreamTable) -> Iterator[str]:
    if table.region and table.region not in REGIONS:
        yield f"`region` is `{table.region}`; it must be one of {', '.join(REGIONS)}"
    if table.workspace and not is_workspace(table.workspace):
        yield "`workspace` has the wrong form; copy the id from the console: letters, digits and `-`, such as `ws-1a2b`"
    if table.workspace and table.base_url:
        yield "`workspace` and `base_url` both name a host; leave one of them out"
    if table.dialect not in {"", "model-studio"}:
        yield f"`dialect` is `{table.dialect}`, but Model Studio has its own; leave it out"
    if table.health_path:
        yield "`health_path` is for servers of the kind `openai`; leave it out"


def _openai_problems(table: UpstreamTable) -> Iterator[str]:
    known = sorted({name for names in PRICE_REGIONS.values() for name in names})
    if table.region and table.region not in known:
        yield f"`region` is `{table.region}`; it must be one of {', '.join(known)}, or left out for your own ground"
    if table.workspace:
        yield '`workspace` is for upstreams of the kind `alibaba`; leave it out or write `kind = "alibaba"`'
    if not table.base_url:
        yield "`base_url` is missing; write the server's address with its `/v1`, such as `http://10.0.0.5:8000/v1`"


def _ca_digest(table: UpstreamTable) -> str:
    """Return the digest of a file of certificates, which must hold some."""
    path = table.ca_file
    if not path:
        return ""
    try:
        content = Path(path).read_bytes()
        if not content.strip():
            raise UpstreamInvalid(table.name, f"`ca_file` is {path}, which is empty")
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise UpstreamInvalid(table.name, f"`ca_file` is {path}, which holds no certificates in PEM form") from error
    except OSError as error:
        problem = f"`ca_file` is {path}, which cannot be read: {error.strerror}"
        raise UpstreamInvalid(table.name, problem) from error
    return hashlib.sha256(content).hexdigest()


def _alibaba_address(table: UpstreamTable) -> tuple[BaseUrl, str]:
    """Return the main base URL and the region of Model Studio."""
    if table.base_url:
        url = _given_url(table)
        found = known_host(url.host).region
        if table.region and found and found != table.region:
            problem = f"`base_url` is a host of {found}, but `region` is `{table.region}`; leave `region` out"
            raise UpstreamInvalid(table.name, problem)
        if not (found or table.region):
            problem = f"`region` is missing; say in which of {', '.join(REGIONS)} the host `{url.host}` answers"
            raise UpstreamInvalid(table.name, problem)
        return url, found or table.region
    if not table.region:
        raise UpstreamInvalid(table.name, f"`region` is missing; write one of {', '.join(REGIONS)}")
    return read_base_url(f"https://{_host(table, REGIONS[table.region])}{COMPATIBLE_PATH}"), table.region


def _host(table: UpstreamTable, region: Region) -> str:
    if table.workspace:
        return f"{table.workspace.lower()}.{region.id}.maas.aliyuncs.com"
    if not region.shared_host:
        problem = (
            f"{region.name} has hosts of workspaces alone; write the workspace's id from the console as `workspace`"
        )
        raise UpstreamInvalid(table.name, problem)
    return region.shared_host


def _given_url(table: UpstreamTable) -> BaseUrl:
    return _url(table, "base_url", table.base_url)


def _url(table: UpstreamTable, field: str, text: str) -> BaseUrl:
    try:
        url = read_base_url(text)
    except BaseUrlInvalid as invalid:
        raise UpstreamInvalid(table.name, f"`{field}` {invalid}") from invalid
    if problem := _path_problem(url, table.kind):
        raise UpstreamInvalid(table.name, f"`{field}` is `{url}`, {problem}")
    return url


def _path_problem(url: BaseUrl, kind: str) -> str:
    known = known_host(url.host)
    usual = "/v1" if ".dashscope." in url.host and known.kind is HostKind.PLAN else COMPATIBLE_PATH
    if (kind == "alibaba" or known.kind is not HostKind.OTHER) and url.path not in {usual, "/v1"}:
        return f"but the face that is used of Model Studio is `{url.below(usual)}`; write that"
    if known.kind in {HostKind.SHARED, HostKind.WORKSPACE} and url.path != COMPATIBLE_PATH:
        return f"but the face that is used of Model Studio is `{url.below(usual)}`; write that"
    if not url.path:
        return f"which has no path; write the base that `/chat/completions` follows, such as `{url}/v1`"
    if url.path.endswith(("/chat/completions", "/completions", "/embeddings", "/models")):
        return "which is the address of one operation; leave out what follows `/v1`"
    return ""


def _check_urls(table: UpstreamTable, urls: tuple[BaseUrl, ...]) -> None:
    if len({url.scheme for url in urls}) > 1:
        raise UpstreamInvalid(table.name, "`replicas` have another scheme than the main address; use one for all")
    if len({url.path for url in urls}) > 1:
        raise UpstreamInvalid(table.name, "`replicas` have another path than the main address; use one for all")
    if table.replicas and table.dns_replicas:
        raise UpstreamInvalid(
            table.name, "`replicas` and `dns_replicas` both say where it answers; leave one of them out"
        )
    if len(set(urls)) < len(urls):
        raise UpstreamInvalid(table.name, "`replicas` name the main address again; leave it out there")
    for url in urls:
        if url.scheme == "http" and not url.is_private and not table.allow_http:
            problem = (
                f"`{url}` would send the key and every call in clear text over the public internet; use https, or "
                "write `allow_http = true` if that is meant"
            )
            raise UpstreamInvalid(table.name, problem)
    if table.ca_file and urls[0].scheme == "http":
        raise UpstreamInvalid(table.name, "`ca_file` is given, but its address is plain http; leave one of them out")
