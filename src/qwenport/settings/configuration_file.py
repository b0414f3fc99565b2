"""The configuration file: its tables, their fields and defaults."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from qwenport.core.limits import Dimension, Mode, Unit, Window
from qwenport.core.route import Choice

Bound = Annotated[int, Meta(ge=0)]
"""An upper bound, or how much of something is kept."""
Seconds = Annotated[float, Meta(gt=0, le=86_400)]

_HOST_NAME = re.compile(r"(?=.*[a-z])[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII | re.IGNORECASE)
_ENDPOINT = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?", re.ASCII)


class ServerTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[server]` of the configuration file; times in seconds."""

    keep_alive_s: Seconds = 15.0
    stall_s: Seconds = 60.0
    body_s: Seconds = 30.0
    headers_s: Seconds = 15.0
    call_s: Annotated[float, Meta(gt=0, le=3500)] = 3000.0
    """Below the hour after which what is held for a call is given back: a longer one would cost nothing."""
    drain_s: Seconds = 30.0
    max_body_bytes: int = 16 << 20
    tls_cert_file: str = ""
    """The server's certificate in PEM, followed by those between it and its authority; with it, HTTPS is served.
    From the configuration file's folder on; read again when it changes."""
    tls_key_file: str = ""
    """Its private key in PEM, without a password."""

    def __post_init__(self) -> None:
        """Refuse one file without the other."""
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            raise ValueError("[server] needs `tls_cert_file` and `tls_key_file` together, or neither")


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
    wait_s: Seconds = 40.0
    """How long an image or a document waits for its turn, or a call for room, before the caller hears to come back."""
    load_s: Seconds = 300.0
    """Time for all images and documents of one call, waits included."""
    max_images: Bound = 250
    max_call_bytes: Bound = 64 << 20
    """Of all images of one call together."""
    max_loaded_bytes: Bound = 1 << 30
    """Of the images of all calls of a gateway process together, sent and decoded, until each call ends."""
    max_text_bytes: Bound = 16 << 20
    """Of the text of all documents of one call together."""
    document_s: Seconds = 30.0
    """Time for the text of one PDF or Word document to be read."""
    document_memory_bytes: Annotated[int, Meta(ge=128 << 20)] = 1 << 30
    """Memory of the process that reads it."""
    image_s: Seconds = 20.0
    """Time for one image to be decoded, or for the pages of one PDF to be drawn."""
    image_memory_bytes: Annotated[int, Meta(ge=256 << 20)] = 2 << 30
    """Memory of the process that does it."""
    max_pixels: Annotated[int, Meta(ge=1 << 20, le=1 << 28)] = 100_000_000
    """Of one image that is decoded here."""
    max_pages: Annotated[int, Meta(ge=1, le=250)] = 50
    """Pages of the PDFs of one call together, each of which is an image."""
    page_dpi: Annotated[int, Meta(ge=72, le=400)] = 200
    """How finely a page of a PDF is drawn."""

    def __post_init__(self) -> None:
        """Refuse an entry that is neither a name nor an address."""
        for entry in self.private_hosts:
            if not _HOST_NAME.fullmatch(entry):
                _check_network(entry)


class OcrModel(StrEnum):
    """Which of PP-OCRv6's models read text."""

    SMALL = "small"
    FAST = "fast"
    """The tiny one: three to four times as quick, and more often wrong; its weights are pulled."""


class OcrBackend(StrEnum):
    """What computes."""

    ONNX_RUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    """Wants the package `openvino`."""


class OcrTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[ocr]` of the configuration file: the embedded engine that reads text in images."""

    workers: Annotated[int, Meta(ge=0, le=64)] = 0
    """Processes that read pages at the same time; 0 for one a core."""
    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    """Of each of them."""
    recycle_pages: Annotated[int, Meta(ge=1)] = 200
    """Pages after which such a process is replaced."""
    page_s: Seconds = 60.0
    """Time for one page."""
    memory_bytes: Annotated[int, Meta(ge=1 << 30)] = 4 << 30
    """Memory of one of these processes, at which it ends and its page fails."""
    model: OcrModel = OcrModel.SMALL
    backend: OcrBackend = OcrBackend.ONNX_RUNTIME
    fields_model: str = ""
    """Name of a text model that chooses among the lines of a page when fields are asked for; empty for rules alone."""
    fields_s: Seconds = 60.0
    """Time for that model to choose all fields of a page; then those that the rules found stand."""


class RouteTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[routes]]` of the configuration file."""

    model: str
    to: tuple[str, ...]
    """Targets: `engine/model`, `upstream/model`, an upstream's name, or another model's name for where that goes."""
    price: Literal[0] | None = None
    """0 for calls that cost nothing; None for the price of the model's name."""
    choose: Choice = Choice.ORDERED
    weights: tuple[Annotated[int, Meta(ge=0, le=1_000_000)], ...] = ()
    """One for each target, with `choose = "weighted"`."""
    account: str = ""
    """Identifier of the account whose calls go this way; empty for all."""
    key: str = ""
    """Identifier of the key whose calls go this way; empty for all."""
    cache_s: Bound = 0
    """How old an answer from the response cache may be; 0 for none of it."""


class UpstreamTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[upstreams]]` of the configuration file."""

    name: str
    kind: Literal["alibaba", "openai"]
    region: str = ""
    """Of `alibaba`: beijing, singapore, hongkong, us, frankfurt or tokyo. Of `openai`: for residency and prices."""
    base_url: str = ""
    """Of `openai`, with its `/v1`; of `alibaba` only for a host that `region` does not say."""
    workspace: str = ""
    """Of `alibaba`: the workspace whose own host is used, `{workspace}.{region}.maas.aliyuncs.com`; `token-plan` for
    a key of that plan."""
    api_key_env: str = ""
    """Environment variable, or line of `.env`, that holds the key."""
    api_key_file: str = ""
    """File that holds the key alone, closed to others; from the configuration file's folder on; read again at a reload.
    """
    dialect: Literal["", "model-studio", "vllm", "sglang", "llama.cpp", "plain"] = ""
    """How a server of the kind `openai` wants to be asked; `plain` for nothing beyond OpenAI's own fields, empty to
    find out by the server's own words."""
    replicas: tuple[str, ...] = ()
    """Further base URLs that answer as `base_url` does."""
    dns_replicas: bool = False
    """Whether each address that the host's name stands for is a replica of its own."""
    models: tuple[str, ...] = ()
    """Names of the models it serves; empty where that is not known."""
    rpm: Annotated[int, Meta(ge=1)] | None = None
    """Requests a minute that its own limits let pass, of each model."""
    tpm: Annotated[int, Meta(ge=1)] | None = None
    """Tokens a minute, input and output together, of each model."""
    concurrency: Annotated[int, Meta(ge=1)] | None = None
    """Calls at the same time, of each model."""
    paced_with: str = ""
    """Name of another upstream whose account this one shares: the two are paced together."""
    allow_http: bool = False
    """Whether plain HTTP to a public address is meant."""
    ca_file: str = ""
    """Certificates of the authorities that its certificate is checked against, instead of the system's."""
    mask: bool = False
    """Whether personal data is masked before a call leaves for it."""
    connect_s: Seconds = 5.0
    first_event_s: Seconds = 120.0
    between_events_s: Seconds = 60.0
    total_s: Seconds = 1800.0
    health_path: str = ""
    """Path, from the server's root on, that tells whether a server of the kind `openai` is well, such as `/health`;
    empty for `/models` below its base URL."""


class RetryTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[retries]` of the configuration file: what is done when an engine fails before a client has seen anything."""

    tries: Annotated[int, Meta(ge=1, le=5)] = 4
    """Of one call, at all targets together."""
    first_pause_s: Seconds = 0.25
    """Upper end of the first pause; each doubles it, and the pause itself is random below it (full jitter)."""
    longest_pause_s: Seconds = 8.0
    budget_percent: Annotated[int, Meta(ge=0, le=100)] = 20
    """Retries of an upstream beyond a small reserve, as a part of its calls of the last minute."""
    breaker_failures: Annotated[int, Meta(ge=1)] = 5
    """Failures in a row, or more than half of the calls, within `breaker_window_s`, that open the breaker."""
    breaker_window_s: Seconds = 30.0
    breaker_open_s: Seconds = 10.0
    """How long it stays open the first time; each further time doubles it, up to five minutes."""
    probe_s: Seconds = 30.0
    """How often an upstream that no call was sent to is asked whether it is well."""


class QueueTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[queue]` of the configuration file: calls that wait for room at an upstream or an engine."""

    length: Bound = 256
    """Calls that may wait for one target."""
    wait_s: Seconds = 60.0
    """How long a call waits for room before it is refused; its own deadline may be sooner."""


class CacheTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[cache]` of the configuration file: answers that are given again to the same deterministic call."""

    max_bytes: Bound = 0
    """Of the disk; 0, the default, for no cache."""
    max_answer_bytes: Bound = 1 << 20
    scope: Literal["key", "account", "house"] = "account"
    """Whose answers a caller may be given."""
    bill_percent: Annotated[int, Meta(ge=0, le=100)] = 0
    """Part of the price that an answer from the cache costs."""


class CheckTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[check]` of the configuration file: what is looked for in questions and answers; off by default."""

    words_file: str = ""
    """UTF-8 text with one word or phrase a line."""
    webhook: str = ""
    """Address of the operator's own check."""
    webhook_secret_env: str = ""
    """Environment variable with the secret by which what is sent there is signed."""
    webhook_s: Seconds = 5.0
    allow_http: bool = False
    """Whether plain HTTP to a public address is meant."""
    on_failure: Literal["refuse", "pass"] = "refuse"
    """What becomes of a call whose check cannot be had."""
    input: bool = True
    output: bool = True
    models: tuple[str, ...] = ()
    """Whose calls are checked; empty for all."""


class TraceTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[traces]` of the configuration file: OpenTelemetry; off without an endpoint."""

    endpoint: str = ""
    """Address that takes OTLP over HTTP, such as `http://127.0.0.1:4318`."""
    headers_env: str = ""
    """Environment variable with further headers as `name=value`, with commas."""
    sample_percent: Annotated[float, Meta(ge=0, le=100)] = 100.0
    """Of calls that came without a decision of their caller's."""
    service_name: str = "qwenport"

    def __post_init__(self) -> None:
        """Refuse an endpoint that nothing can be sent to."""
        if self.endpoint and not _ENDPOINT.fullmatch(self.endpoint):
            raise ValueError("`endpoint` of [traces] must be an address such as `http://127.0.0.1:4318`")


class BooksTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[books]` of the configuration file: what is kept, and how long."""

    keep_months: Bound = 0
    """Whole months of calls and postings that are kept beside the running one; 0 for all."""
    keep_audit_months: Bound = 0
    """Months for which changes stay in the audit log; 0 for all."""
    storage_grace_s: Seconds = 5.0
    """How long calls still run when the database does not answer; their settlements wait in the journal."""


class LimitTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[limits]]` of the configuration file: a limit that lives beside those of the admin API."""

    name: str
    unit: Unit
    window: Window
    cap: int | str
    """A whole number; of money a decimal amount, such as "5.00"."""
    currency: str = ""
    burst_ms: int | None = None
    mode: Mode = Mode.ENFORCE
    level: str = ""
    account: str | None = None
    workspace: str | None = None
    key: str | None = None
    model: str = ""
    per: tuple[Dimension, ...] = ()


class ConfigurationFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The configuration file."""

    server: ServerTable = ServerTable()
    files: FilesTable = FilesTable()
    media: MediaTable = MediaTable()
    ocr: OcrTable = OcrTable()
    books: BooksTable = BooksTable()
    retries: RetryTable = RetryTable()
    queue: QueueTable = QueueTable()
    cache: CacheTable = CacheTable()
    check: CheckTable = CheckTable()
    traces: TraceTable = TraceTable()
    upstreams: tuple[UpstreamTable, ...] = ()
    routes: tuple[RouteTable, ...] = ()
    limits: tuple[LimitTable, ...] = ()


def _check_network(entry: str) -> None:
    try:
        ipaddress.ip_network(entry)
    except ValueError as error:
        raise ValueError(
            f"private_hosts holds `{entry}`; write names of hosts, addresses, or ranges such as `10.0.0.0/8`"
        ) from error
