"""Reading a multipart form as it arrives: fields are kept in mind, files are handed on piece by piece.

The parser is `multipart` (https://multipart.readthedocs.io), which holds no more of the body than an unfinished
boundary. What is wrong with a form is raised only once the rest of it was read, within a bound: a client that is
still sending would otherwise see a broken connection in place of the error.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote

from multipart import (  # type: ignore[import-untyped]  # it is annotated, but does not say so
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from qwenport.core.errors import BodyNotForm, BodyTooLarge, BodyTooSlow, Draining, QwenportError
from qwenport.server.asgi import Receive
from qwenport.server.client_gone import ClientGone

MAX_PARTS = 256
MAX_FIELD_BYTES = 64 << 10
MAX_FIELDS_BYTES = 1 << 20
"""All fields together: they wait in memory while the form arrives, and the upload host takes forms from anyone."""
DRAIN_BYTES = 64 << 20
"""How much of a form is still read once it is known to be refused."""

_EXTENDED_NAME = re.compile(r"filename\*\s*=\s*utf-8''([^;\s]+)", re.ASCII | re.IGNORECASE)
"""RFC 5987's form, which some clients send beside the plain one."""
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


class Sink(Protocol):
    """Where the bytes of one file go."""

    async def write(self, piece: bytes) -> None:
        """Take in the next piece."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """The beginning of a file."""

    field: str
    name: str
    """As the client calls the file; anything may stand in it."""


Fields = Mapping[str, tuple[str, ...]]
"""The values of the form's fields so far, by name."""

TakeFile = Callable[[FilePart, Fields], Awaitable[Sink]]
"""Says where a file goes; raises `Refused` for one that is not wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormBounds:
    """How much is read, and for how long."""

    size_bytes: int
    piece_s: float
    """Time for the next piece to arrive."""
    total_s: float


class FormReader:
    """Reads forms, and breaks off those that are coming in when the server must end."""

    def __init__(self, bounds: FormBounds) -> None:
        self._bounds = bounds
        self._deadlines: set[asyncio.Timeout] = set()
        self._is_ending = False

    async def read(self, receive: Receive, headers: Mapping[str, str], take: TakeFile) -> dict[str, tuple[str, ...]]:
        """Return the fields of a form whose files went where `take` said.

        Raises:
            BodyNotForm: no form, a broken one, one that ends too early, too many parts or too long a field.
            BodyTooLarge: the whole form, by its declared or its real length.
            BodyTooSlow: it did not arrive in time.
            Draining: the server ends.
            ClientGone: the client left in the middle.
        """
        declared = headers.get("content-length", "")
        if declared.isascii() and declared.isdecimal() and int(declared) > self._bounds.size_bytes:
            raise BodyTooLarge(self._bounds.size_bytes)
        deadline = asyncio.timeout(0 if self._is_ending else self._bounds.total_s)
        self._deadlines.add(deadline)
        try:
            async with deadline:
                return await _read(_Body(receive, self._bounds), headers.get("content-type", ""), take)
        except TimeoutError as error:
            raise Draining if self._is_ending else BodyTooSlow(self._bounds.total_s) from error
        finally:
            self._deadlines.discard(deadline)

    def break_off(self) -> None:
        """End the reading of every form, and of those that may still come."""
        self._is_ending = True
        for deadline in self._deadlines:
            if not deadline.expired():
                deadline.reschedule(0)


async def _read(body: _Body, content_type: str, take: TakeFile) -> dict[str, tuple[str, ...]]:
    try:
        form = _Form(_boundary(content_type), take)
        while chunk := await body.next():
            await form.feed(chunk)
        form.end()
    except QwenportError:
        await body.drain()
        raise
    return form.fields


def _boundary(content_type: str) -> str:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise BodyNotForm("the Content-Type must be multipart/form-data")
    boundary = options.get("boundary", "")
    # RFC 2046 allows 70 characters; some clients use more.
    if not boundary or len(boundary) > 256 or not boundary.isascii() or not boundary.isprintable():
        raise BodyNotForm("the Content-Type names no usable boundary")
    return str(boundary)


class _Body:
    """The pieces of a request's body."""

    def __init__(self, receive: Receive, bounds: FormBounds) -> None:
        self._receive = receive
        self._bounds = bounds
        self._size_bytes = 0
        self._has_more = True

    async def next(self) -> bytes:
        """Return the next piece, empty at the end."""
        while self._has_more:
            try:
                async with asyncio.timeout(self._bounds.piece_s):
                    message = await self._receive()
            except TimeoutError as error:
                self._has_more = False
                raise BodyTooSlow(self._bounds.piece_s) from error
            if message["type"] != "http.request":
                raise ClientGone
            self._has_more = message.get("more_body", False)
            piece: bytes = message.get("body", b"")
            self._size_bytes += len(piece)
            if self._size_bytes > self._bounds.size_bytes:
                self._has_more = False
                raise BodyTooLarge(self._bounds.size_bytes)
            if piece:
                return piece
        return b""

    async def drain(self) -> None:
        """Read on without looking, as far as that is reasonable."""
        until = self._size_bytes + DRAIN_BYTES
        with suppress(BodyTooLarge, BodyTooSlow):
            while self._size_bytes < until and await self.next():
                pass


@dataclass(slots=True)
class _Part:
    """The part that is being read."""

    name: str
    sink: Sink | None
    """Where a file goes; None for a field."""
    value: bytearray = field(default_factory=bytearray)


class _Form:
    """Puts the parser's events together."""

    def __init__(self, boundary: str, take: TakeFile) -> None:
        self.fields: dict[str, tuple[str, ...]] = {}
        self._take = take
        self._part: _Part | None = None
        self._fields_bytes = 0
        try:
            self._parser = PushMultipartParser(boundary, max_segment_count=MAX_PARTS)
        except MultipartError as error:
            raise BodyNotForm(str(error)) from error

    async def feed(self, chunk: bytes) -> None:
        """Take in the next piece of the body."""
        if self._parser.closed:
            return
        try:
            for event in self._parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    self._part = await self._begin(event)
                elif event is None:
                    self._end_part()
                else:
                    await self._add(event)
        except MultipartError as error:
            raise BodyNotForm(str(error)) from error

    def end(self) -> None:
        """Make sure that the form is complete."""
        try:
            self._parser.close()
        except MultipartError as error:
            raise BodyNotForm("it ends before its last boundary") from error

    async def _begin(self, segment: MultipartSegment) -> _Part:
        encoding = str(segment.header("Content-Transfer-Encoding", "")).strip().lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise BodyNotForm("a part has a Content-Transfer-Encoding; send its bytes as they are")
        extended = _EXTENDED_NAME.search(segment.header("Content-Disposition", ""))
        name = unquote(extended[1]) if extended else segment.filename
        sink = None if name is None else await self._take(FilePart(field=segment.name, name=name), self.fields)
        return _Part(segment.name, sink)

    async def _add(self, piece: bytes) -> None:
        part = self._part
        if part is None:
            return
        if part.sink is not None:
            await part.sink.write(piece)
            return
        part.value += piece
        if len(part.value) > MAX_FIELD_BYTES:
            raise BodyNotForm(f"the field `{part.name[:64]}` holds more than {MAX_FIELD_BYTES} bytes")
        self._fields_bytes += len(piece)
        if self._fields_bytes > MAX_FIELDS_BYTES:
            raise BodyNotForm(f"its fields hold more than {MAX_FIELDS_BYTES} bytes together")

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if part is None or part.sink is not None:
            return
        try:
            value = part.value.decode()
        except UnicodeDecodeError as error:
            raise BodyNotForm(f"the field `{part.name[:64]}` is not UTF-8") from error
        self.fields[part.name] = (*self.fields.get(part.name, ()), value)
