"""What a face is: operations that decode requests, encoders of answers, and its words for errors.

A face never waits and never does input or output. The server hands it a `Request` and sends on the bytes it gets back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from qwenport.core.call import Call
from qwenport.core.errors import QwenportError
from qwenport.core.events import Event
from qwenport.core.ids import RequestId
from qwenport.core.limit_standing import Standing
from qwenport.core.model_card import ModelCard
from qwenport.core.queries import Query
from qwenport.core.stored_files import Upload
from qwenport.faces.description import UNDESCRIBED, Description

Headers = tuple[tuple[bytes, bytes], ...]
"""Header lines of an answer: lower-case names, values in Latin-1."""

Cards = Mapping[str, ModelCard]
"""The catalog as a face sees it: cards by the name that callers use."""


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request whose caller is already known."""

    id: RequestId
    received_at: datetime
    headers: Mapping[str, str]
    """Lower-case names."""
    query: Mapping[str, str]
    path_parameters: Mapping[str, str]
    body: bytes


class Reply(Struct, frozen=True, kw_only=True):
    """A complete answer."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReply:
    """A complete answer whose body is a file, sent as it is read."""

    headers: Headers
    path: Path
    size_bytes: int


class WholeAnswer(Protocol):
    """Encoder of an answer that is sent at once."""

    def add(self, event: Event) -> None:
        """Take in the next event of the call."""
        ...

    def reply(self) -> Reply:
        """Return the answer; called once, after `Finished` was added."""
        ...


class StreamedAnswer(Protocol):
    """Encoder of an answer that is sent while it is made, as server-sent events."""

    headers: Headers
    """Headers that open the stream with status 200."""

    def frame(self, event: Event) -> bytes:
        """Return the bytes that say this event, empty where the protocol says nothing; `Finished` closes the stream."""
        ...

    def failure(self, error: QwenportError) -> bytes:
        """Return the protocol's error inside an open stream, the last bytes that are sent."""
        ...


class Exchange(Struct, frozen=True, kw_only=True):
    """A decoded call and the encoder of its answer."""

    call: Call
    answer: WholeAnswer | StreamedAnswer
    """The one or the other, as `call.streams` says."""
    keep: Callable[[], Query | None] | None = None
    """Asked after `Finished` was encoded: what is to be stored before the last bytes leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A call that is known only when something stored was looked up, such as the answer that it goes on from."""

    query: Query
    resume: Callable[[Any], Exchange]
    """Takes the answer to the query; raises `Refused` as `decode` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOperation:
    """An operation that runs a model."""

    name: str
    method: str
    path: str
    """Address after the host; `{name}` marks a path parameter."""
    decode: Callable[[Request, Cards], Exchange | Pending]
    """Raises `Refused` for what cannot be understood. The model need not exist."""
    streams: bool = True
    """Whether an answer can be streamed; vectors and rankings cannot."""
    description: Description = UNDESCRIBED


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupOperation:
    """An operation that is answered from the catalog alone and costs nothing."""

    name: str
    method: str
    path: str
    respond: Callable[[Request, Cards], Reply]
    """Raises `Refused`."""
    description: Description = UNDESCRIBED


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOperation:
    """An operation that a part of the house answers and no model runs for: files, tasks, tokens, stored answers."""

    name: str
    method: str
    path: str
    decode: Callable[[Request, Cards], Query]
    """Raises `Refused`."""
    encode: Callable[[Request, Any], Reply | FileReply]
    """Takes the answer to the query."""
    description: Description = UNDESCRIBED


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOperation:
    """An operation whose body is a form with files, which go to disk as they arrive; `Request.body` stays empty."""

    name: str
    method: str
    path: str
    encode: Callable[[Request, Upload], Reply]
    """Raises `Refused`; what was stored is then removed again."""
    description: Description = UNDESCRIBED


Operation = CallOperation | LookupOperation | QueryOperation | UploadOperation


LimitHeaders = Callable[[Sequence[Standing], datetime], Headers]
"""Gives the header lines that say how far the limits of a call are used up at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One wire protocol."""

    name: str
    prefixes: tuple[str, ...]
    """Address prefixes; an unknown address below one of them is answered in this face's error shape."""
    operations: tuple[Operation, ...]
    """Operations of the same method and address, if any, are a defect that the route table refuses."""
    encode_error: Callable[[QwenportError, RequestId], Reply]
    """The error shape before anything was sent; total over the error tree."""
    errors: tuple[type, ...] = ()
    """Types of the bodies that `encode_error` makes."""
    title: str = ""
    """What people call the protocol."""
    limit_headers: LimitHeaders | None = None
    """None where the protocol has no such lines."""
