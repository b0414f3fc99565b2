"""Tasks at Model Studio: how one is doing, and its cancellation.

Shapes as in https://www.alibabacloud.com/help/en/model-studio/manage-asynchronous-tasks.
"""

from __future__ import annotations

from msgspec import Struct

from qwenport.core.errors import ModelUnavailable, TaskNotCancellable
from qwenport.engines.connections import CallFailed, HttpAnswer
from qwenport.engines.upstream.home import Home
from qwenport.engines.upstream.native_answer import NativeAnswer, read_answer

_ANSWER_S = 10.0
_LONGEST_BYTES = 8 << 20
_OK = 200


class TaskState(Struct, frozen=True, kw_only=True):
    """What an upstream says of a task."""

    body: bytes
    answer: NativeAnswer


class NativeTasks:
    """The tasks at one upstream."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def find(self, task_id: str) -> TaskState:
        """Return how a task is doing.

        Raises:
            ModelUnavailable: the upstream does not say.
        """
        path = f"{self._home.addresses.native}/tasks/{task_id}"
        try:
            body = await _whole(await self._home.connections.get(path, status_s=_ANSWER_S), only_good=True)
        except CallFailed as error:
            raise self._failed() from error
        answer = read_answer(body)
        if answer is None or not answer.task_status:
            raise self._failed()
        return TaskState(body=body, answer=answer)

    async def cancel(self, task_id: str) -> None:
        """Cancel a task that waits.

        Raises:
            TaskNotCancellable: it does not wait any more.
            ModelUnavailable: the upstream does not say.
        """
        path = f"{self._home.addresses.native}/tasks/{task_id}/cancel"
        try:
            response = await self._home.connections.post(path, b"{}", status_s=_ANSWER_S)
            body = await _whole(response, only_good=False)
        except CallFailed as error:
            raise self._failed() from error
        if response.status == _OK:
            return
        answer = read_answer(body)
        if answer is not None and answer.code == "UnsupportedOperation":
            raise TaskNotCancellable
        raise self._failed()

    def _failed(self) -> ModelUnavailable:
        return ModelUnavailable(f"the upstream `{self._home.name}` does not tell how the task is doing")


async def _whole(response: HttpAnswer, *, only_good: bool) -> bytes:
    """Return the body; empty for a refusal where only good answers are wanted."""
    try:
        body = await response.whole(limit_bytes=_LONGEST_BYTES, limit_s=_ANSWER_S)
        return b"" if only_good and response.status != _OK else body
    finally:
        response.close()
