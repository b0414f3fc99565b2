"""Clients who ask, some of them for streams, and write down what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from qwenport.core.clock import SystemClock
from qwenport.testing.raw_client import RawClient, request_bytes

TOKENS = 16
"""Of every answer."""
_PATH = "/v1/chat/completions"
_CLOCK = SystemClock()
_DATA = b"data: "
_DONE = b"[DONE]"


class Seen(Struct, kw_only=True):
    """What the client of one call saw; times in seconds since it asked."""

    asked: str
    streams: bool
    status: int = 0
    """0 where nobody answered."""
    request_id: str = ""
    text: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str = ""
    """The code of an error, or how the connection ended; empty for a good answer."""
    is_lost: bool = False
    """Whether neither an answer came to its end nor an error was told."""
    first_s: float = 0.0
    """Until the first byte of a stream's body, or all of a whole answer."""
    seconds: float = 0.0

    @property
    def is_answered(self) -> bool:
        """Tell whether the whole answer came, and was one."""
        return self.status == 200 and not self.error

    @property
    def broke_midway(self) -> bool:
        """Tell whether it was a stream that had begun when it failed."""
        return self.streams and self.status == 200 and bool(self.error)


class _Usage(Struct):
    prompt_tokens: int
    completion_tokens: int


class _Message(Struct):
    content: str | None = None


class _Choice(Struct):
    message: _Message | None = None
    delta: _Message | None = None


class _Error(Struct):
    code: str | None = None
    type: str | None = None


class _Told(Struct):
    """A whole answer, a chunk of a stream, or an error."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: _Error | None = None


_DECODER = msgspec.json.Decoder(_Told)


async def play(address: tuple[str, int], key: str, *, model: str, calls: int, at_once: int) -> list[Seen]:
    """Make so many calls, every second one a stream, so many of them at a time; return what was seen, in order."""
    numbers = iter(range(calls))
    clients = [_Client(address, key, model) for _ in range(min(at_once, calls))]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.ask_all(numbers)) for client in clients]
    return sorted((seen for task in tasks for seen in task.result()), key=lambda seen: seen.asked)


class _Client:
    """One client, who asks again when it has its answer; its connection is kept as long as it is good."""

    def __init__(self, address: tuple[str, int], key: str, model: str) -> None:
        self._address = address
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._model = model
        self._connection: RawClient | None = None

    async def ask_all(self, numbers: Iterator[int]) -> list[Seen]:
        """Ask until the numbers, which are shared with others, are used up."""
        seen = [await self._ask(number) for number in numbers]
        await self._hang_up()
        return seen

    async def _ask(self, number: int) -> Seen:
        seen = Seen(asked=f"call {number:07d}", streams=bool(number % 2))
        began = _CLOCK.monotonic()
        try:
            await self._exchange(seen, began)
        except (ConnectionError, EOFError, TimeoutError) as error:
            seen.is_lost = not seen.error
            seen.error = seen.error or type(error).__name__
        seen.seconds = _CLOCK.monotonic() - began
        if not seen.streams:
            seen.first_s = seen.seconds
        if seen.error:
            await self._hang_up()
        return seen

    async def _exchange(self, seen: Seen, began: float) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = RawClient(*await asyncio.open_connection(*self._address))
        await connection.send(request_bytes("POST", _PATH, self._headers, self._body(seen)))
        seen.status, headers = await connection.head()
        seen.request_id = headers.get("x-request-id", "")
        if seen.streams and seen.status == 200:
            body = b""
            while chunk := await connection.chunk():
                seen.first_s = seen.first_s or _CLOCK.monotonic() - began
                body += chunk
            _read_stream(seen, body)
        else:
            _take(seen, await connection.content(headers))

    def _body(self, seen: Seen) -> bytes:
        messages = [{"role": "user", "content": seen.asked}]
        body: dict[str, object] = {"model": self._model, "messages": messages, "max_tokens": TOKENS}
        if seen.streams:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return msgspec.json.encode(body)

    async def _hang_up(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def _read_stream(seen: Seen, body: bytes) -> None:
    frames = [frame for frame in body.split(b"\n\n") if frame.startswith(_DATA)]
    for frame in frames:
        if frame[len(_DATA) :] != _DONE:
            _take(seen, frame[len(_DATA) :])
    if not frames or frames[-1][len(_DATA) :] != _DONE:
        seen.is_lost = not seen.error
        seen.error = seen.error or "ended without [DONE]"


def _take(seen: Seen, content: bytes) -> None:
    """Add what an answer or a chunk says."""
    try:
        told = _DECODER.decode(content)
    except msgspec.MsgspecError as error:
        seen.error = f"no JSON of OpenAI's: {error}"
        return
    if told.error is not None:
        seen.error = told.error.code or told.error.type or "error"
    elif seen.status != 200:
        seen.error = f"status {seen.status}"
    for choice in told.choices:
        said = choice.message or choice.delta
        seen.text += (said.content if said else None) or ""
    if told.usage is not None:
        seen.input_tokens, seen.output_tokens = told.usage.prompt_tokens, told.usage.completion_tokens
