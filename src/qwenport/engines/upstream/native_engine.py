"""Native services that the gateway does not serve itself, handed on to Model Studio as they came.

A request may make something that costs money, an image or a task: whatever leaves open whether it was worked on ends
the call (`EngineFailed`, `EngineTimedOut`), and is not tried again (`routing.retry.may_have_made`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

import msgspec
from msgspec.structs import replace

from qwenport.core.call import NativeInput
from qwenport.core.capabilities import Ability, Capabilities, misfit
from qwenport.core.errors import Overloaded, ParameterInvalid, QwenportError
from qwenport.core.events import Event, Finished, Relayed, Started
from qwenport.core.json_texts import json_texts
from qwenport.core.native_body import NativeBody, read_native, with_member
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.usage import Usage
from qwenport.engines.connections import CallFailed, HttpAnswer
from qwenport.engines.engine import Condition
from qwenport.engines.upstream.deadline import Deadline
from qwenport.engines.upstream.errors import Asked, RoomTooSmall, and_said
from qwenport.engines.upstream.frames import Frames
from qwenport.engines.upstream.home import LONGEST_ANSWER_BYTES, OK, Home, failed, lost, read_refusal, slots_at
from qwenport.engines.upstream.native_answer import NativeAnswer, latest, read_answer
from qwenport.engines.upstream.native_end import NativeEnd
from qwenport.engines.upstream.refusal import Refusal, refusal_of

_TAKES_NO_MORE = frozenset({429, 503})


class NativeEngine:
    """Hands on calls of one model to one upstream, whose connections it shares with the others there."""

    def __init__(self, home: Home, model: str, able: Capabilities) -> None:
        """Open nothing; a place without a native address hands on nothing."""
        self.target = f"{home.name}/{model}"
        self.slots = slots_at(home.place)
        self.capabilities = able if home.place.native_url else replace(able, abilities=())
        self._home = home
        self._model = model

    async def run(self, prepared: PreparedCall) -> AsyncGenerator[Event, None]:
        """Hand a call on; closing the generator closes the connection.

        Raises:
            Refused, Failed: see `errors.error_of`; at any time.
        """
        unfit = misfit(prepared.call, self.capabilities, self.target)
        if unfit is not None:
            raise unfit
        deadline = Deadline(self._home.place)
        if not prepared.call.streams:
            deadline.allow_more(self._home.place.total_s)
        who = Asked(
            target=self.target,
            upstream=self._home.name,
            max_input_tokens=prepared.max_input_tokens,
            is_model_studio=True,
            key=self._home.key,
        )
        response = await self._send(prepared, deadline)
        try:
            if response.status != OK:
                raise self._error(await read_refusal(self._home, response, who), response.status, who)
            yield Started(served_by=self.target, input_tokens=0)
            usage, asked = Usage(), read_native(_native(prepared).body)
            characters = _characters(asked)
            async for piece, answer in self._pieces(response, prepared, deadline, who, NativeEnd(asked)):
                if not _native(prepared).is_asynchronous:
                    usage = latest(usage, answer.consumed(characters))
                yield Relayed(piece=piece, usage=usage)
        except CallFailed as error:
            raise lost(self._home, self.target, error) from error
        finally:
            response.close()
        self._home.note_well()
        yield Finished(usage=usage)

    def condition(self) -> Condition:
        """Tell what the upstream can do now."""
        return self._home.condition()

    async def close(self) -> None:
        """Do nothing: the connections are the upstream's."""

    async def _send(self, prepared: PreparedCall, deadline: Deadline) -> HttpAnswer:
        asked = _native(prepared)
        try:
            body = with_member(asked.body, "model", self._model)
        except msgspec.MsgspecError as error:
            raise ParameterInvalid("The request body is no JSON object.", parameter="input") from error
        path = f"{self._home.addresses.native}/services/{asked.service}"
        limit_s = deadline.left(has_begun=False)
        try:
            return await self._home.connections.post(
                path, body, _headers(prepared, asked), status_s=limit_s, repeats=False
            )
        except CallFailed as error:
            raise lost(self._home, self.target, error) from error

    async def _pieces(
        self, response: HttpAnswer, prepared: PreparedCall, deadline: Deadline, who: Asked, end: NativeEnd
    ) -> AsyncGenerator[tuple[bytes, NativeAnswer], None]:
        """Yield the whole answer, or what each event of a stream says."""
        if "event-stream" not in response.headers.get("content-type", ""):
            limit_s = deadline.left(has_begun=False)
            body = await response.whole(limit_bytes=LONGEST_ANSWER_BYTES, limit_s=limit_s)
            yield body, self._read(body, prepared, response.headers, who)
            return
        has_begun = False
        stream = Frames(response, deadline)
        while frames := await (stream.next_soon() if end.is_complete else stream.next(has_begun=has_begun)):
            for frame in frames:
                said = b"\n".join(line[5:].strip() for line in frame.split(b"\n") if line.startswith(b"data:"))
                if said:
                    has_begun = True
                    answer = self._read(said, prepared, response.headers, who)
                    end.add(answer)
                    yield said, answer
        if not has_begun:
            raise failed(self.target, "ended its answer before it began")

    def _read(self, said: bytes, prepared: PreparedCall, headers: Mapping[str, str], who: Asked) -> NativeAnswer:
        answer = read_answer(said)
        if answer is None:
            raise failed(self.target, "answered with something that is no JSON object")
        if answer.is_error:
            raise self._error(refusal_of(0, said, headers, self._home.clock.timestamp(), who.key), 0, who)
        if _native(prepared).is_asynchronous and not answer.task_id:
            raise failed(self.target, "was asked for a task and named none")
        return answer

    def _error(self, refusal: Refusal, status: int, who: Asked) -> QwenportError:
        error = self._home.refused(refusal, who)
        if isinstance(error, Overloaded) and status not in _TAKES_NO_MORE:
            # A service that broke may have made something before it did.
            return failed(self.target, f"answered with status {status}{and_said(refusal)}")
        # Room for an answer is no idea of these services.
        return failed(self.target, "refused a text for its length") if isinstance(error, RoomTooSmall) else error


def serves_natives(able: Capabilities) -> bool:
    """Tell whether a model's calls are handed on."""
    return Ability.NATIVE in able.abilities


def _native(prepared: PreparedCall) -> NativeInput:
    asked = prepared.call.input
    if not isinstance(asked, NativeInput):
        raise TypeError(f"the input of call {prepared.call.id} is of no native service")
    return asked


def _characters(asked: NativeBody) -> int:
    """Return how long the texts of a request are."""
    return sum(len(each.text) for each in json_texts(asked.input))


def _headers(prepared: PreparedCall, asked: NativeInput) -> dict[str, str]:
    headers = dict(prepared.trace)
    if prepared.call.streams:
        headers |= {"X-DashScope-SSE": "enable", "Accept": "text/event-stream"}
    if asked.is_asynchronous:
        headers["X-DashScope-Async"] = "enable"
    if prepared.call.resolves_uploads:
        headers["X-DashScope-OssResourceResolve"] = "enable"
    return headers
