"""Tokens per second of the embedded engine: through the API, and straight from the same child process.

Each pair of measurements asks the same prompts both ways, by turns first one and then the other, greedily and with the
same sampling. The direct calls leave out what only the gateway needs (progress and a count with each token), so that
the gateway pays for that as well. Gateway and engine share the cores, as on a user's machine.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
import uvloop
from msgspec import Struct

from bench.gateway import Gateway, answer_status, serving
from bench.http_response import ResponseReader
from bench.processes import StartFailed, child_with
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.weights import WeightsStore
from qwenport.core.call import Call, ChatInput, Sampling
from qwenport.core.content import Message, Role
from qwenport.core.ids import RequestId
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.host_parameters import PARAMETERS_VARIABLE
from qwenport.engines.llama.engine import TEXT_CAPABILITIES
from qwenport.engines.llama.host_parameters import LlamaParameters
from qwenport.engines.llama.request import request_of
from qwenport.engines.llama.wire import encode_request
from qwenport.pipeline.prepare import complete
from qwenport.settings.settings import load_settings

MODEL = "smollm2-135m-instruct"
STREAMS = 8
_COMPLETION_TOKENS = re.compile(rb'"completion_tokens":(\d+)')
_PROMPTS = tuple(
    f"Tell a long story about a {thing}."
    for thing in ("ship", "town", "horse", "winter", "garden", "road", "lamp", "river")
)
_LOAD_S = 120.0
_ANSWER_S = 120.0


class Pair(Struct, frozen=True, kw_only=True):
    """Tokens per second of the same work done both ways."""

    direct: float
    api: float


class EngineSpeed(Struct, frozen=True, kw_only=True):
    """What the embedded engine reaches."""

    model: str
    tokens: int
    """Bound on each answer."""
    one_stream: tuple[Pair, ...]
    eight_streams: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How much is measured."""

    pairs: int
    tokens: int
    seconds: float


def median_ratio(pairs: tuple[Pair, ...]) -> float:
    """Return the median of the share that is left of the direct speed."""
    return median(pair.api / pair.direct for pair in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One way to the engine: a TCP port of loopback or a Unix socket, and a request for each prompt."""

    port: int = 0
    socket: str = ""
    requests: tuple[bytes, ...]

    async def tokens_a_second(self, streams: int) -> float:
        """Ask the first prompts at the same time; all tokens by the time until the last answer is complete."""
        began = time.perf_counter()
        async with asyncio.timeout(_ANSWER_S):
            counts = await asyncio.gather(*(self._ask(request) for request in self.requests[:streams]))
        return sum(counts) / (time.perf_counter() - began)

    async def _ask(self, request: bytes) -> int:
        reader, writer = await (
            asyncio.open_unix_connection(self.socket)
            if self.socket
            else asyncio.open_connection("127.0.0.1", self.port)
        )
        try:
            writer.write(request)
            return await _completion_tokens(reader)
        finally:
            writer.close()


async def _completion_tokens(reader: asyncio.StreamReader) -> int:
    response = ResponseReader()
    is_complete = False
    while not is_complete:
        received = await reader.read(1 << 16)
        if not received:
            raise StartFailed("the connection closed before the answer was complete")
        is_complete = response.feed(received)
    found = _COMPLETION_TOKENS.findall(bytes(response.body))
    if response.status != 200 or not found:
        raise StartFailed(f"status {response.status}: {bytes(response.body[:500])!r}")
    return int(found[-1])


def reason_to_skip() -> str:
    """Return why the embedded engine cannot be measured here; empty where it can."""
    weights = WeightsStore(_models_dir())
    if weights.is_present(Catalog.load(None).engine_models[f"llama/{MODEL}"]):
        return ""
    return f"the weights of `{MODEL}` are not on this machine: run `qwenport models pull {MODEL}`"


def _models_dir() -> Path:
    return load_settings(os.environ, Path.cwd()).models_dir


def measure(pairs: int, tokens: int, seconds: float) -> EngineSpeed:
    """Start a server with the real engine and measure; fewer pairs where `seconds` do not suffice for them.

    Raises:
        StartFailed: the engine did not become ready, or an answer was none.
    """
    with (
        tempfile.TemporaryDirectory(prefix="qwenport-bench-") as place,
        serving(Path(place) / "server", core=None, models_dir=_models_dir()) as gateway,
    ):
        api = _Way(port=gateway.port, requests=tuple(_api_request(gateway, each, tokens) for each in _PROMPTS))
        _await_engine(gateway)
        host = _host_of(gateway)
        direct = _Way(socket=host.socket, requests=tuple(_direct_request(host, each, tokens) for each in _PROMPTS))
        return uvloop.run(_measure(direct, api, Work(pairs=pairs, tokens=tokens, seconds=seconds)))


async def _measure(direct: _Way, api: _Way, work: Work) -> EngineSpeed:
    warm_up = Work(pairs=1, tokens=8, seconds=0)
    await _pairs(direct, api, warm_up, STREAMS)  # leaves every prompt known to the engine
    return EngineSpeed(
        model=MODEL,
        tokens=work.tokens,
        one_stream=await _pairs(direct, api, work, 1),
        eight_streams=await _pairs(direct, api, work, STREAMS),
    )


async def _pairs(direct: _Way, api: _Way, work: Work, streams: int) -> tuple[Pair, ...]:
    deadline = time.monotonic() + work.seconds / 2
    measured: list[Pair] = []
    for number in range(work.pairs):
        ways = (direct, api) if number % 2 == 0 else (api, direct)
        speeds = {id(way): await way.tokens_a_second(streams) for way in ways}
        measured.append(Pair(direct=speeds[id(direct)], api=speeds[id(api)]))
        if time.monotonic() > deadline:
            break
    return tuple(measured)


def _await_engine(gateway: Gateway) -> None:
    body = msgspec.json.encode({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1})
    deadline = time.monotonic() + _LOAD_S
    while answer_status(gateway.port, "/v1/chat/completions", gateway.key, body) != 200:
        if time.monotonic() > deadline:
            raise StartFailed(f"the engine of `{MODEL}` did not become ready in {_LOAD_S:.0f} s")
        time.sleep(0.2)


def _host_of(gateway: Gateway) -> LlamaParameters:
    """Return socket and secret of the child process, which stand in the environment it was started with."""
    pid = child_with(gateway.supervisor, ("qwenport.engines.llama.host",))
    if pid is None:
        raise StartFailed("the server has no engine host as its child")
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    prefix = f"{PARAMETERS_VARIABLE}=".encode()
    parameters = next(variable.removeprefix(prefix) for variable in variables if variable.startswith(prefix))
    return msgspec.json.decode(parameters, type=LlamaParameters)


def _api_request(gateway: Gateway, prompt: str, tokens: int) -> bytes:
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return _post(gateway.key, msgspec.json.encode(body))


def _direct_request(host: LlamaParameters, prompt: str, tokens: int) -> bytes:
    """Return the call that the gateway would make, without what the gateway wants for itself."""
    call = Call(
        id=RequestId("bench"),
        face="openai",
        operation="chat.completions",
        model=MODEL,
        input=ChatInput(messages=(Message(role=Role.USER, content=prompt),)),
        sampling=Sampling(temperature=0, max_tokens=tokens),
        streams=True,
    )
    card = Catalog.load(None).resolve(MODEL)
    completed = msgspec.structs.replace(call, sampling=complete(call, card))
    prepared = PreparedCall(call=completed, max_input_tokens=card.max_input_tokens)
    request = request_of(prepared, TEXT_CAPABILITIES, template_tools=False)
    plain = request.body | {"timings_per_token": False, "return_progress": False}
    return _post(host.secret, encode_request(plain))


def _post(key: str, body: bytes) -> bytes:
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
