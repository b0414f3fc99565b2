"""Asynchronous tasks on the native face. No operation here makes any, so every id is unknown and every list empty.

Shapes as in https://www.alibabacloud.com/help/en/model-studio/manage-asynchronous-tasks; the official client asks at
`/api-task/v1` where it was told to query.
"""

from __future__ import annotations

from typing import NoReturn

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.errors import TaskNotCancellable
from qwenport.core.ids import RequestId
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.dashscope.paging import PAGING, read_paging
from qwenport.faces.description import Description
from qwenport.faces.face import Cards, LookupOperation, Operation, Reply, Request

_PREFIXES = ("/api/v1", "/api-task/v1")
_ENDINGS = ("", "/")
"""The asynchronous client of dashscope 1.x puts a slash behind the address of a task (`client/base_api.py`)."""
_ENCODE = Encoder().encode


class _Task(Struct, frozen=True, kw_only=True):
    task_id: str
    task_status: str = "UNKNOWN"


class _Answer(Struct, frozen=True, kw_only=True):
    request_id: RequestId
    output: _Task


class _Page(Struct, frozen=True, kw_only=True):
    """The list stands at the top of the answer, without `output`."""

    request_id: RequestId
    data: tuple[_Task, ...] = ()
    page_no: int
    page_size: int
    total: int = 0
    total_page: int = 0


def find_task(request: Request, cards: Cards) -> Reply:  # noqa: ARG001 - every look-up gets the cards
    """Return the task: an id that nobody has is no error, but a task of unknown state, at which clients stop asking."""
    answer = _Answer(request_id=request.id, output=_Task(task_id=request.path_parameters["task_id"]))
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(answer))


def list_tasks(request: Request, cards: Cards) -> Reply:  # noqa: ARG001 - every look-up gets the cards
    """Return one page of the account's tasks.

    Raises:
        ParameterInvalid: a page number that is none.
    """
    paging = read_paging(request)
    page = _Page(request_id=request.id, page_no=paging.page_no, page_size=paging.page_size)
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(page))


def cancel_task(request: Request, cards: Cards) -> NoReturn:  # noqa: ARG001 - every look-up gets request and cards
    """Refuse.

    Raises:
        TaskNotCancellable: no task waits.
    """
    raise TaskNotCancellable


TASK_OPERATIONS: tuple[Operation, ...] = tuple(
    operation
    for prefix in _PREFIXES
    for operation in (
        LookupOperation(
            name="tasks.list",
            method="GET",
            path=f"{prefix}/tasks",
            respond=list_tasks,
            description=Description(summary="List asynchronous tasks", query=PAGING, answer=_Page),
        ),
        *(
            LookupOperation(
                name="tasks.get",
                method="GET",
                path=f"{prefix}/tasks/{{task_id}}{ending}",
                respond=find_task,
                description=Description(summary="Tell how an asynchronous task is doing", answer=_Answer),
            )
            for ending in _ENDINGS
        ),
        *(
            LookupOperation(
                name="tasks.cancel",
                method="POST",
                path=f"{prefix}/tasks/{{task_id}}/cancel{ending}",
                respond=cancel_task,
                description=Description(summary="Refused: no task waits"),
            )
            for ending in _ENDINGS
        ),
    )
)
