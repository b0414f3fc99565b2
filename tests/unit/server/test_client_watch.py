"""A departure arrives in the block once, and leaves no cancellation behind."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from qwenport.core.errors import Draining
from qwenport.core.ids import RequestId
from qwenport.faces.openai import OPENAI
from qwenport.server.asgi import Message
from qwenport.server.client_watch import ClientWatch
from qwenport.server.response import Patience, Response

pytestmark = pytest.mark.anyio


class Client:
    """A client that leaves when it is told to, or of which the server says something odd."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message | Exception] = asyncio.Queue()

    def say(self, message: Message | Exception) -> None:
        self.messages.put_nowait(message)

    def leave(self) -> None:
        self.say({"type": "http.disconnect"})

    async def receive(self) -> Message:
        message = await self.messages.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def send(self, message: Message) -> None:
        """Take everything."""

    def response(self) -> Response:
        return Response(self.send, OPENAI, RequestId("request-1"), Patience())


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


def cancellations() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


async def test_a_block_whose_client_leaves_ends_early_and_says_so() -> None:
    client = Client()
    watch = ClientWatch(client.receive, client.response(), call_s=60)
    client.say({"type": "http.request", "body": b"", "more_body": False})
    client.leave()
    async with watch:
        await wait_for_ever()

    assert (watch.gone, watch.aborted, cancellations()) == (True, None, 0)


async def test_a_block_that_ends_by_itself_is_not_disturbed() -> None:
    client = Client()
    watch = ClientWatch(client.receive, client.response(), call_s=60)
    async with watch:
        await asyncio.sleep(0)
    client.leave()
    watch.give_up()
    watch.abort(Draining())
    await asyncio.sleep(0)

    assert (watch.gone, watch.aborted, cancellations()) == (False, None, 0)


async def test_a_disconnect_after_the_last_bytes_is_no_departure() -> None:
    client = Client()
    response = client.response()
    watch = ClientWatch(client.receive, response, call_s=60)
    async with watch:
        response.closing = True
        client.leave()
        watch.abort(Draining())
        for _ in range(5):
            await asyncio.sleep(0)

    assert (watch.gone, watch.aborted) == (False, None)


async def test_several_reasons_to_end_are_one_cancellation_and_the_first_counts() -> None:
    client = Client()
    watch = ClientWatch(client.receive, client.response(), call_s=60)
    error = Draining()
    async with watch:
        watch.abort(error)
        watch.give_up()
        watch.abort(Draining())
        client.leave()
        await wait_for_ever()

    assert (watch.gone, watch.aborted, cancellations()) == (False, error, 0)


async def test_work_that_is_slow_to_end_is_not_cancelled_a_second_time() -> None:
    client = Client()
    watch = ClientWatch(client.receive, client.response(), call_s=60)
    has_cleaned_up = False
    async with watch:
        try:
            watch.give_up()
            await wait_for_ever()
        finally:
            client.leave()
            for _ in range(5):
                await asyncio.sleep(0)
            has_cleaned_up = True

    assert (has_cleaned_up, watch.gone, cancellations()) == (True, True, 0)


async def test_somebody_elses_cancellation_goes_on() -> None:
    client = Client()
    watch = ClientWatch(client.receive, client.response(), call_s=60)

    async def run() -> None:
        async with watch:
            watch.give_up()
            await wait_for_ever()

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_while_ending_is_not_hidden_and_leaves_no_cancellation() -> None:
    client = Client()
    watch = ClientWatch(client.receive, client.response(), call_s=60)

    async def run() -> None:
        async with watch:
            watch.give_up()
            try:
                await wait_for_ever()
            finally:
                raise LookupError("the engine could not be closed")

    with pytest.raises(LookupError):
        await run()
    assert cancellations() == 0


async def test_a_server_that_cannot_tell_counts_the_client_as_gone(caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    watch = ClientWatch(client.receive, client.response(), call_s=60)
    client.say(RuntimeError("nobody knows"))
    with caplog.at_level(logging.ERROR):
        async with watch:
            await wait_for_ever()

    assert watch.gone
    assert "cannot tell whether the client is there" in caplog.text


async def test_a_block_leaves_nothing_behind_for_the_garbage_collector() -> None:
    client = Client()

    async def answered() -> None:
        async with ClientWatch(client.receive, client.response(), call_s=60):
            await asyncio.sleep(0)  # the listener waits

    gc.collect()
    gc.disable()
    before = {id(each) for each in gc.get_objects() if isinstance(each, ClientWatch)}  # of other tests
    try:
        for _ in range(10):
            await answered()
            await asyncio.sleep(0)  # the listener is cancelled
            await asyncio.sleep(0)  # and what it is called back for is done
        left = [each for each in gc.get_objects() if isinstance(each, ClientWatch) and id(each) not in before]
    finally:
        gc.enable()

    assert left == []
