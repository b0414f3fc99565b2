"""Asynchronous tasks on the native face: those of services that are handed on, each account its own.

Shapes as in https://www.alibabacloud.com/help/en/model-studio/manage-asynchronous-tasks; the official client asks at
`/api-task/v1` where it was told to query.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.ids import KeyId, RequestId
from qwenport.core.native_body import with_member
from qwenport.core.native_tasks import CancelTask, FindTask, ListTasks, TaskEntry, TaskPage
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.dashscope.paging import PAGING, read_paging
from qwenport.faces.description import Description, Parameter
from qwenport.faces.face import Cards, Operation, QueryOperation, Reply, Request

_PREFIXES = ("/api/v1", "/api-task/v1")
_ENDINGS = ("", "/")
"""The asynchronous client of dashscope 1.x puts a slash behind the address of a task (`client/base_api.py`)."""
_ENCODE = Encoder().encode
_LONGEST_FILTER = 128


class _Task(Struct, frozen=True, kw_only=True):
    task_id: str
    task_status: str = "UNKNOWN"


class _Answer(Struct, frozen=True, kw_only=True):
    request_id: RequestId
    output: _Task


class _Listed(Struct, frozen=True, kw_only=True):
    task_id: str
    task_status: str
    status: str
    model_name: str
    request_id: RequestId
    api_key_id: KeyId
    gmt_create: int
    """Milliseconds since 1970, as all times here."""
    start_time: int
    end_time: int | None = None


class _Page(Struct, frozen=True, kw_only=True):
    """The list stands at the top of the answer, without `output`."""

    request_id: RequestId
    data: tuple[_Listed, ...] = ()
    page_no: int
    page_size: int
    total: int = 0
    total_page: int = 0


class _Cancelled(Struct, frozen=True, kw_only=True):
    request_id: RequestId


def decode_find(request: Request, cards: Cards) -> FindTask:  # noqa: ARG001 - every decoder gets the cards
    """Return which task is asked for."""
    return FindTask(id=request.path_parameters["task_id"])


def encode_task(request: Request, body: bytes | None) -> Reply:
    """Return the task: an id that nobody has is no error, but a task of unknown state, at which clients stop asking."""
    if body is None:
        unknown = _Answer(request_id=request.id, output=_Task(task_id=request.path_parameters["task_id"]))
        return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(unknown))
    return Reply(status=200, headers=JSON_HEADERS, body=with_member(body, "request_id", request.id))


def decode_list(request: Request, cards: Cards) -> ListTasks:  # noqa: ARG001 - every decoder gets the cards
    """Return which page of the account's tasks is asked for.

    Raises:
        ParameterInvalid: a page number that is none.
    """
    paging = read_paging(request)
    return ListTasks(
        start=paging.start,
        size=paging.page_size,
        status=request.query.get("status", "")[:_LONGEST_FILTER],
        model=request.query.get("model_name", "")[:_LONGEST_FILTER],
    )


def encode_page(request: Request, found: TaskPage) -> Reply:
    """Return the page."""
    paging = read_paging(request)
    page = _Page(
        request_id=request.id,
        data=tuple(map(_listed, found.entries)),
        page_no=paging.page_no,
        page_size=paging.page_size,
        total=found.total,
        total_page=-(-found.total // paging.page_size),
    )
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(page))


def decode_cancel(request: Request, cards: Cards) -> CancelTask:  # noqa: ARG001 - every decoder gets the cards
    """Return which task is to be cancelled."""
    return CancelTask(id=request.path_parameters["task_id"])


def encode_cancelled(request: Request, answer: Any) -> Reply:  # noqa: ARG001 - nothing is answered
    """Return that it is."""
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(_Cancelled(request_id=request.id)))


def _listed(entry: TaskEntry) -> _Listed:
    return _Listed(
        task_id=entry.id,
        task_status=entry.status,
        status=entry.status,
        model_name=entry.model,
        request_id=entry.request_id,
        api_key_id=entry.key_id,
        gmt_create=_milliseconds(entry.made_at),
        start_time=_milliseconds(entry.made_at),
        end_time=None if entry.ended_at is None else _milliseconds(entry.ended_at),
    )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


_FILTERS = (
    Parameter(name="status", meaning="Only tasks that are doing so, such as `SUCCEEDED`."),
    Parameter(name="model_name", meaning="Only tasks of this model."),
)

TASK_OPERATIONS: tuple[Operation, ...] = tuple(
    operation
    for prefix in _PREFIXES
    for operation in (
        QueryOperation(
            name="tasks.list",
            method="GET",
            path=f"{prefix}/tasks",
            decode=decode_list,
            encode=encode_page,
            description=Description(summary="List asynchronous tasks", query=(*PAGING, *_FILTERS), answer=_Page),
        ),
        *(
            QueryOperation(
                name="tasks.get",
                method="GET",
                path=f"{prefix}/tasks/{{task_id}}{ending}",
                decode=decode_find,
                encode=encode_task,
                description=Description(summary="Tell how an asynchronous task is doing", answer=_Answer),
            )
            for ending in _ENDINGS
        ),
        *(
            QueryOperation(
                name="tasks.cancel",
                method="POST",
                path=f"{prefix}/tasks/{{task_id}}/cancel{ending}",
                decode=decode_cancel,
                encode=encode_cancelled,
                description=Description(summary="Cancel a task that waits", answer=_Cancelled),
            )
            for ending in _ENDINGS
        ),
    )
)
