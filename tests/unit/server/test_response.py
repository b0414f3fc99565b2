"""One response: its messages in order, whatever meets whatever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from qwenport.core.errors import EngineFailed, KeyMissing
from qwenport.core.events import Event
from qwenport.core.ids import RequestId
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.face import Headers, Reply
from qwenport.faces.sse import KEEP_ALIVE
from qwenport.server.asgi import Message
from qwenport.server.client_gone import ClientGone
from qwenport.server.response import Patience, Response

pytestmark = pytest.mark.anyio

ERROR = EngineFailed("the engine broke off")
REPLY = Reply(status=200, headers=((b"content-type", b"text/plain"),), body=b"whole")


class Stream:
    """An encoder that says little."""

    headers: Headers = ((b"content-type", b"text/event-stream"),)

    def frame(self, event: Event) -> bytes:
        return b"event"

    def failure(self, error: Exception) -> bytes:
        return f"failure: {error}".encode()


class Socket:
    """Takes messages as a strict ASGI server does, after `lets_through` is set."""

    def __init__(self) -> None:
        self.lets_through = asyncio.Event()
        self.lets_through.set()
        self.sent: list[int | bytes] = []
        self.is_complete = False
        self.breaks_with: Exception | None = None
        self.arrived = asyncio.Event()

    async def send(self, message: Message) -> None:
        await self.lets_through.wait()
        if self.breaks_with is not None:
            raise self.breaks_with
        is_start = message["type"] == "http.response.start"
        assert is_start is (not self.sent)
        assert not self.is_complete
        self.sent.append(message["status"] if is_start else message["body"])
        self.is_complete = not is_start and not message["more_body"]
        if not is_start:
            self.arrived.set()


def response_to(socket: Socket, *, keep_alive_s: float = 60.0, stall_s: float = 60.0) -> Response:
    patience = Patience(keep_alive_s=keep_alive_s, stall_s=stall_s)
    return Response(socket.send, DASHSCOPE, RequestId("request-1"), patience)


def nothing() -> None:
    pass


def failing_reply() -> bytes:
    return DASHSCOPE.encode_error(ERROR, RequestId("request-1")).body


async def test_a_reply_is_its_status_and_its_body() -> None:
    socket = Socket()
    response = response_to(socket)
    await response.reply(REPLY)

    assert (socket.sent, response.status, response.closing) == ([200, b"whole"], 200, True)


async def test_an_error_before_anything_was_sent_has_its_status() -> None:
    socket = Socket()
    response = response_to(socket)
    response.attend(Stream(), nothing)
    await response.fail(ERROR)

    assert socket.sent == [500, failing_reply()]


async def test_an_error_in_an_open_stream_is_its_last_piece() -> None:
    socket = Socket()
    response = response_to(socket)
    response.attend(Stream(), nothing)
    await response.open()
    await response.piece(b"one")
    await response.fail(ERROR)
    response.release()

    assert socket.sent == [200, b"one", b"failure: the engine broke off"]
    assert socket.is_complete


async def test_an_error_after_the_last_piece_says_nothing_more() -> None:
    socket = Socket()
    response = response_to(socket)
    response.attend(Stream(), nothing)
    await response.open()
    await response.piece(b"last", last=True)
    await response.fail(ERROR)
    response.release()

    assert socket.sent == [200, b"last"]


async def comment_begins(response: Response) -> None:
    """Let the comment be due without waiting for it to be sent."""
    response._last_sent -= 1000
    response._tick()


async def test_a_comment_that_was_due_when_the_call_failed_does_not_get_in_between() -> None:
    socket = Socket()
    response = response_to(socket)
    response.attend(Stream(), nothing)
    await comment_begins(response)
    await response.fail(ERROR)
    await asyncio.sleep(0)
    response.release()

    assert socket.sent == [500, failing_reply()]


async def test_a_comment_that_is_being_sent_when_the_call_fails_is_taken_back() -> None:
    socket = Socket()
    socket.lets_through.clear()
    response = response_to(socket)
    response.attend(Stream(), nothing)
    await comment_begins(response)
    await asyncio.sleep(0)
    assert response.status == 200
    failing = asyncio.create_task(response.fail(ERROR))
    for _ in range(3):
        await asyncio.sleep(0)
    socket.lets_through.set()
    await failing

    assert (socket.sent, response.status) == ([500, failing_reply()], 500)


async def test_the_first_piece_waits_for_the_comment_that_opens_the_stream() -> None:
    socket = Socket()
    socket.lets_through.clear()
    response = response_to(socket)
    response.attend(Stream(), nothing)
    await comment_begins(response)
    opening = asyncio.create_task(response.open(((b"x-qwenport-served-by", b"too late"),)))
    for _ in range(3):
        await asyncio.sleep(0)
    socket.lets_through.set()
    await opening
    await response.piece(b"one", last=True)
    response.release()

    assert socket.sent == [200, KEEP_ALIVE, b"one"]


async def test_silence_is_broken_by_a_comment_and_not_again_at_once() -> None:
    socket = Socket()
    response = response_to(socket, keep_alive_s=0.02)
    response.attend(Stream(), nothing)
    await socket.arrived.wait()
    response.release()

    assert socket.sent == [200, KEEP_ALIVE]


async def test_a_stream_whose_client_takes_nothing_is_given_up() -> None:
    socket, given_up = Socket(), asyncio.Event()
    response = response_to(socket, keep_alive_s=0.01, stall_s=0.03)
    response.attend(Stream(), given_up.set)
    await response.open()
    socket.lets_through.clear()
    sending = asyncio.create_task(response.piece(b"one"))
    await given_up.wait()
    sending.cancel()
    response.release()

    assert socket.sent == [200]


async def test_a_comment_that_the_client_does_not_take_counts_as_well() -> None:
    socket, given_up = Socket(), asyncio.Event()
    socket.lets_through.clear()
    response = response_to(socket, keep_alive_s=0.01, stall_s=0.03)
    response.attend(Stream(), given_up.set)
    await given_up.wait()
    response.release()

    assert socket.sent == []


SENDERS: list[Callable[[Response], object]] = [
    lambda response: response.reply(REPLY),
    lambda response: response.fail(KeyMissing()),
]


@pytest.mark.parametrize("send", SENDERS, ids=["reply", "error"])
async def test_a_client_that_takes_no_answer_is_gone_after_a_while(
    send: Callable[[Response], asyncio.Future[None]],
) -> None:
    socket = Socket()
    socket.lets_through.clear()
    with pytest.raises(ClientGone):
        await send(response_to(socket, stall_s=0.01))


@pytest.mark.parametrize("send", SENDERS, ids=["reply", "error"])
async def test_a_connection_that_breaks_while_sending_is_a_client_that_is_gone(
    send: Callable[[Response], asyncio.Future[None]],
) -> None:
    socket = Socket()
    socket.breaks_with = BrokenPipeError()
    response = response_to(socket)
    with pytest.raises(ClientGone):
        await send(response)
    assert response.status == 0


async def test_a_comment_on_a_broken_connection_leaves_no_error_behind() -> None:
    socket = Socket()
    socket.breaks_with = ConnectionResetError()
    response = response_to(socket)
    response.attend(Stream(), nothing)
    await comment_begins(response)
    comment = response._comment
    assert comment is not None
    await comment
    response.release()

    assert (comment.exception(), response.status) == (None, 0)
