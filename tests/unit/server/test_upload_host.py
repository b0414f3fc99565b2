"""The upload host during maintenance, and when nothing can be stored."""

from __future__ import annotations

from typing import cast

import pytest

from qwenport.core.errors import StorageUnavailable
from qwenport.files import FileStore, UploadGrants
from qwenport.observability.metrics import Metrics
from qwenport.server.asgi import Message
from qwenport.server.form import FormReader
from qwenport.server.maintenance import Maintenance
from qwenport.server.oss import UploadHost, UploadHostParts
from qwenport.testing.clock import CountingIds

pytestmark = pytest.mark.anyio


class Forms:
    """A reader of forms that has read one when the disk gives up."""

    def __init__(self) -> None:
        self.reads = 0

    async def read(self, *_form: object) -> None:
        self.reads += 1
        raise StorageUnavailable("the disk is full")


async def post(maintenance: Maintenance, forms: Forms) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    parts = UploadHostParts(
        store=cast("FileStore", None),
        grants=cast("UploadGrants", None),
        forms=cast("FormReader", forms),
        ids=CountingIds(),
        metrics=Metrics(),
        maintenance=maintenance,
    )
    await UploadHost(parts)({"type": "http", "method": "POST", "path": "/oss", "headers": []}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


async def test_during_maintenance_nothing_is_taken_in() -> None:
    forms = Forms()
    status, headers, body = await post(Maintenance(is_on=True, words="back at noon"), forms)

    assert (status, headers[b"retry-after"], forms.reads) == (503, b"30", 0)
    assert b"<Code>ServiceUnavailable</Code>" in body
    assert b"under maintenance, please try again later. (back at noon)" in body


async def test_what_cannot_be_stored_is_to_be_tried_again() -> None:
    status, headers, body = await post(Maintenance(), Forms())

    assert (status, headers[b"retry-after"]) == (503, b"5")
    assert b"the disk is full" in body
