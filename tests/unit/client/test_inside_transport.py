"""An application in this process is asked like a server, and no answer is held whole."""

from __future__ import annotations

from typing import Any

import pytest

from qwenport.client.admin_client import AdminError, address, inside

pytestmark = pytest.mark.anyio


class Application:
    """Answers with blocks."""

    def __init__(self, blocks: int, *, ends: bool = True, error: Exception | None = None) -> None:
        self.seen: list[tuple[str, str, bytes, bytes]] = []
        self.made = 0
        self.was_left = False
        self._blocks = blocks
        self._ends = ends
        self._error = error

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        self.seen.append((scope["method"], scope["path"], scope["query_string"], body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
        for number in range(self._blocks):
            self.made = number + 1
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
        if self._error is not None:
            raise self._error
        if self._ends:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            self.was_left = (await receive())["type"] == "http.disconnect"


async def test_a_request_arrives_and_its_answer_comes_back_whole() -> None:
    application = Application(3)
    client = inside(application)
    answer = await client.text(address("/keys/{}", "a/b"), {"q": "ä", "none": None})
    await client.close()

    assert answer == "012"
    assert application.seen == [("GET", "/admin/v1/keys/a/b", b"q=%C3%A4", b"")]
    assert application.was_left


async def test_a_long_answer_is_made_no_faster_than_it_is_taken() -> None:
    application = Application(1_000)
    client = inside(application)
    async with client.stream("/calls/export") as blocks:
        first = [await anext(blocks) for _ in range(3)]
        made = application.made

    assert first == [b"0", b"1", b"2"]
    assert made <= 5


async def test_an_answer_without_its_end_is_an_error() -> None:
    client = inside(Application(2, ends=False))
    taken: list[bytes] = []

    async def take() -> None:
        async with client.stream("/calls/export") as blocks:
            async for block in blocks:
                taken.append(block)  # noqa: PERF401 - what came before it broke off is looked at

    with pytest.raises(AdminError, match="broke off"):
        await take()
    assert taken == [b"0", b"1"]


async def test_a_defect_of_the_application_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        await inside(Application(0, error=ZeroDivisionError())).get("/keys")
