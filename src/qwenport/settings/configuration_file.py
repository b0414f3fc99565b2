"""The configuration file: its tables, their fields and defaults."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from qwenport.core.limits import Dimension, Mode, Unit, Window

Bound = Annotated[int, Meta(ge=0)]
"""An upper bound, or how much of something is kept."""
Seconds = Annotated[float, Meta(gt=0)]

_HOST_NAME = re.compile(r"(?=.*[a-z])[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII | re.IGNORECASE)


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
    price: Literal[0] | None = None
    """0 for calls that cost nothing; None for the price of the model's name."""


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
    books: BooksTable = BooksTable()
    routes: tuple[RouteTable, ...] = ()
    limits: tuple[LimitTable, ...] = ()


def _check_network(entry: str) -> None:
    try:
        ipaddress.ip_network(entry)
    except ValueError as error:
        raise ValueError(
            f"private_hosts holds `{entry}`; write names of hosts, addresses, or ranges such as `10.0.0.0/8`"
        ) from error
