"""Calls to a Qwenport server or to Model Studio by the official `openai` client, with what a good caller does.

The key and the address come from the environment or a `.env`; calls have time-outs; what may succeed later is tried
again after a pause with full jitter, and what cannot (an exhausted quota, arrears) is not; a whole answer that was lost
on its way is asked for by the same `Idempotency-Key`, so that nobody pays twice; many calls go out a few at a time.
`openai` is an optional dependency: `pip install 'qwenport[client]'`.
"""

from __future__ import annotations

import asyncio
import email.utils
import os
import random
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import UTC
from pathlib import Path
from typing import Any, Self

from dotenv import dotenv_values
from msgspec import Struct, field

from qwenport.client.answer_folder import AnswerFolder
from qwenport.client.faces import FACES, Answered, CannotBeSaid, Chat, Conversation, Face, messages_of
from qwenport.core.clock import Clock, SystemClock
from qwenport.core.secret import Secret

KEY_VARIABLES = ("QWENPORT_API_KEY", "DASHSCOPE_API_KEY")
URL_VARIABLE = "QWENPORT_URL"
LOCAL_URL = "http://127.0.0.1:8600"

_AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
_NEVER_AGAIN = (
    *("insufficient_quota", "Arrearage", "AllocationQuota", "CommodityNotPurchased", "BillOverdue"),
    "billing_error",  # Anthropic's word for the last three
)
"""Codes of a 429 or a 400 that another try cannot change: https://help.aliyun.com/zh/model-studio/error-code."""
_IDEMPOTENCY = "Idempotency-Key"
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_LONGEST_TOLD_PAUSE_S = 120.0
"""A server that asks for more patience than this is not asked again."""


class ClientMissing(Exception):
    """The official `openai` client is not installed."""


class KeyMissing(Exception):
    """Neither the environment nor a `.env` holds a key."""


class CallRefused(Exception):
    """The server refused a call, or none of the tries was answered; the message is the server's own."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        """HTTP status; None where no answer came."""
        self.code = code


class Patience(Struct, frozen=True, kw_only=True):
    """How long a call may take, and how often it is tried."""

    connect_s: float = 5.0
    answer_s: float = 600.0
    """Between two pieces of an answer, or until a whole one."""
    tries: int = 4
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits so many seconds before another try."""
    clock: Clock = SystemClock()
    """By which a moment that a server names is so many seconds away."""
    chance: random.Random = field(default_factory=random.Random)
    """Draws how long a pause is."""


def key_of(environment: Mapping[str, str], dotenv: Path = Path(".env")) -> Secret:
    """Return the key to call with, from the environment, else from a `.env`; raises `KeyMissing`."""
    stored = dotenv_values(dotenv) if dotenv.is_file() else {}
    for source in (environment, stored):
        for name in KEY_VARIABLES:
            if value := source.get(name):
                return Secret(value)
    raise KeyMissing(f"no API key: set {' or '.join(KEY_VARIABLES)}, in the environment or in `{dotenv}`")


class Client:
    """One server and one key; an async context manager that closes its connections."""

    def __init__(
        self,
        base_url: str | None = None,
        key: Secret | None = None,
        *,
        face: Face = FACES["openai"],
        patience: Patience | None = None,
        answers: AnswerFolder | None = None,
    ) -> None:
        """Call `base_url`, the address of the protocol, or QWENPORT_URL, or the server of this machine.

        Args:
            base_url: where the protocol is spoken, such as `https://host/compatible-mode/v1`.
            key: of the caller; from the environment or a `.env` where it is left out.
            face: the protocol.
            patience: time-outs, tries and pauses.
            answers: a folder in which answers are kept; nothing is kept without one.

        Raises:
            ClientMissing: `openai` is not installed.
            KeyMissing: there is no key.
        """
        try:
            import openai  # noqa: PLC0415 - an optional dependency
        except ModuleNotFoundError as error:
            raise ClientMissing("calls need the `openai` client: `pip install 'qwenport[client]'`") from error
        self._openai = openai
        self._face = face
        self._patience = patience or Patience()
        self._answers = answers
        url = base_url or f"{os.environ.get(URL_VARIABLE, LOCAL_URL).rstrip('/')}{face.base}"
        timeout = openai.Timeout(self._patience.answer_s, connect=self._patience.connect_s)
        chosen = key or key_of(os.environ)
        # Its own tries know neither an exhausted quota nor full jitter.
        self._url = url
        self._client = openai.AsyncOpenAI(base_url=url, api_key=chosen.reveal(), timeout=timeout, max_retries=0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def ask(self, model: str, conversation: Conversation, **parameters: Any) -> Answered:
        """Return the whole answer; raises `CallRefused`."""
        chat = Chat(model=model, messages=messages_of(conversation), parameters=parameters, streams=False)
        body = self._body(chat)
        # Another server may answer the same question otherwise.
        asked = {"url": self._url, "body": body}
        if self._answers is not None and (kept := self._answers.find(asked)) is not None:
            return Answered(**{**kept, "from_cache": True})
        answer = await self._tried(chat, body)
        try:
            answered = self._face.answered(chat, answer)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise CallRefused("the server answered with what is no answer") from error
        if self._answers is not None:
            self._answers.keep(asked, {name: getattr(answered, name) for name in answered.__struct_fields__})
        return answered

    async def stream(self, model: str, conversation: Conversation, **parameters: Any) -> AsyncGenerator[str, None]:
        """Yield the text while it is made; tried again only until the stream begins. Raises `CallRefused`."""
        chat = Chat(model=model, messages=messages_of(conversation), parameters=parameters, streams=True)
        events = await self._tried(chat, self._body(chat))
        try:
            async for event in events:
                if piece := self._piece(event):
                    yield piece
        except self._openai.APIError as error:
            raise _refusal(error) from error
        finally:
            await events.close()

    async def ask_all(
        self, model: str, conversations: Iterable[Conversation], *, concurrency: int = 8, **parameters: Any
    ) -> AsyncGenerator[Answered | CallRefused, None]:
        """Yield an answer or a refusal for each conversation, in their order, never more than `concurrency` at once."""
        early: dict[int, Answered | CallRefused] = {}
        following = 0
        each = self.ask_each(model, conversations, concurrency=concurrency, **parameters)
        async with aclosing(each) as finished:
            async for place, answer in finished:
                early[place] = answer
                while following in early:
                    yield early.pop(following)
                    following += 1

    async def ask_each(
        self, model: str, conversations: Iterable[Conversation], *, concurrency: int = 8, **parameters: Any
    ) -> AsyncGenerator[tuple[int, Answered | CallRefused], None]:
        """Yield the place of a conversation, from 0, and its answer or refusal, as soon as it is there."""
        running: dict[asyncio.Task[Answered | CallRefused], int] = {}
        remaining = enumerate(conversations)
        try:
            while True:
                while len(running) < concurrency and (following := next(remaining, None)) is not None:
                    place, one = following
                    running[asyncio.create_task(self._answered_or_refused(model, one, parameters))] = place
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=running.__getitem__):
                    yield running.pop(task), task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _answered_or_refused(
        self, model: str, conversation: Conversation, parameters: Mapping[str, Any]
    ) -> Answered | CallRefused:
        try:
            return await self.ask(model, conversation, **parameters)
        except CallRefused as refused:
            return refused

    def _body(self, chat: Chat) -> dict[str, Any]:
        try:
            return self._face.body(chat)
        except CannotBeSaid as error:
            raise CallRefused(str(error)) from error

    def _piece(self, event: Any) -> str:
        try:
            return self._face.piece(event)
        except (LookupError, TypeError, AttributeError) as error:
            # An error in the middle of a native stream is an event like others.
            told = event if isinstance(event, Mapping) else {}
            message = str(told.get("message") or "the server sent what is no part of an answer")
            raise CallRefused(message, code=str(told.get("code", ""))) from error

    async def _tried(self, chat: Chat, body: Mapping[str, Any]) -> Any:
        once = _one_key()
        for number in range(1, self._patience.tries + 1):
            try:
                # A stream that its reader leaves shall end, and a call with such a key goes on.
                named = {} if chat.streams else {_IDEMPOTENCY: once}
                return await self._client.post(
                    self._face.path(chat),
                    cast_to=object,
                    body=body,
                    options={"headers": {**self._face.headers(chat), **named}},
                    stream=chat.streams,
                    stream_cls=self._openai.AsyncStream[Any],
                )
            except self._openai.APIError as error:
                told_s = _told_s(error, self._patience.clock.timestamp())
                if number == self._patience.tries or not _may_succeed(error) or told_s > _LONGEST_TOLD_PAUSE_S:
                    raise _refusal(error) from error
                if _header(error, "idempotent-replayed"):
                    # A failure that was kept, which this key would bring back each time.
                    once = _one_key()
                drawn_s = self._patience.chance.uniform(0, _longest_pause_s(number))
                await self._patience.pause(told_s + drawn_s)
        raise AssertionError(self._patience)


def _one_key() -> str:
    return f"ask-{uuid.uuid4().hex}"


def _may_succeed(error: Any) -> bool:
    status = getattr(error, "status_code", None)
    if _header(error, "x-should-retry") == "false":
        return False
    return (status is None or status in _AGAIN) and not any(word in _code(error) for word in _NEVER_AGAIN)


def _code(error: Any) -> str:
    """Return the code; the protocol of Anthropic has a type in its place."""
    return str(getattr(error, "code", None) or getattr(error, "type", None) or "")


def _header(error: Any, name: str) -> str:
    """Return a header of the answer that an error was; empty for none."""
    response = getattr(error, "response", None)
    return "" if response is None else str(response.headers.get(name, ""))


def _told_s(error: Any, now_s: float) -> float:
    """Return how long the server asks to wait, by seconds or by a date: RFC 9110, section 10.2.3."""
    told = _header(error, "retry-after")
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        moment = email.utils.parsedate_to_datetime(told)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s)


def _longest_pause_s(number: int) -> float:
    return float(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (number - 1)))


def _refusal(error: Any) -> CallRefused:
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, Mapping) else None
    return CallRefused(str(message or error.message), status=getattr(error, "status_code", None), code=_code(error))
