from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from qwenport.core.errors import ParameterInvalid
from qwenport.core.ids import KeyId, RequestId
from qwenport.core.native_tasks import CancelTask, FindTask, ListTasks, TaskEntry, TaskPage
from qwenport.faces.dashscope.operations import OPERATIONS, PREFIXES
from qwenport.faces.dashscope.tasks import decode_cancel, decode_find, decode_list, encode_page, encode_task
from qwenport.faces.face import Reply, Request

MakeRequest = Callable[..., Request]
JSON = ((b"content-type", b"application/json"),)
ID = "00000000-0000-9000-8000-000000000001"


@pytest.mark.parametrize(("task", "written"), [("8a-1", "8a-1"), ('"\n', r"\"\n"), ("任", "任")])
def test_a_task_that_nobody_has_is_of_unknown_state(make_request: MakeRequest, task: str, written: str) -> None:
    assert encode_task(make_request(path_parameters={"task_id": task}), None) == Reply(
        status=200,
        headers=JSON,
        body=f'{{"request_id":"{ID}","output":{{"task_id":"{written}","task_status":"UNKNOWN"}}}}'.encode(),
    )


def test_a_task_is_handed_back_as_it_came_under_the_id_of_the_request(make_request: MakeRequest) -> None:
    said = b'{"request_id":"theirs","output":{"task_id":"t","x":1.50},"usage":null}'

    assert encode_task(make_request(), said).body == (
        f'{{"request_id":"{ID}","output":{{"task_id":"t","x":1.50}},"usage":null}}'.encode()
    )


@pytest.mark.parametrize(
    ("query", "page_no", "page_size"),
    [({}, 1, 10), ({"page_no": "3", "page_size": "5", "status": "RUNNING", "model_name": "m"}, 3, 5)],
)
def test_a_list_of_tasks_is_flat(
    make_request: MakeRequest, query: dict[str, str], page_no: int, page_size: int
) -> None:
    assert encode_page(make_request(query=query), TaskPage(entries=(), total=0)) == Reply(
        status=200,
        headers=JSON,
        body=(
            f'{{"request_id":"{ID}","data":[],"page_no":{page_no},"page_size":{page_size},"total":0,"total_page":0}}'
        ).encode(),
    )


def test_a_task_of_a_list_tells_when_it_was_made_and_ended(make_request: MakeRequest) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    entry = TaskEntry(
        id="t",
        model="m",
        status="FAILED",
        request_id=RequestId("r"),
        key_id=KeyId("key-1"),
        made_at=moment,
        ended_at=moment,
    )

    assert (
        encode_page(make_request(), TaskPage(entries=(entry,), total=11)).body
        == (
            f'{{"request_id":"{ID}","data":[{{"task_id":"t","task_status":"FAILED","status":"FAILED","model_name":"m",'
            '"request_id":"r","api_key_id":"key-1","gmt_create":1767225600000,"start_time":1767225600000,'
            '"end_time":1767225600000}],"page_no":1,"page_size":10,"total":11,"total_page":2}'
        ).encode()
    )


def test_what_is_asked_of_tasks(make_request: MakeRequest) -> None:
    one = make_request(path_parameters={"task_id": "t"})
    query = {"page_no": "3", "page_size": "5", "status": "RUNNING", "model_name": "m"}

    assert (decode_find(one, {}), decode_cancel(one, {})) == (FindTask(id="t"), CancelTask(id="t"))
    assert decode_list(make_request(query=query), {}) == ListTasks(start=10, size=5, status="RUNNING", model="m")


def test_a_page_that_is_none_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(ParameterInvalid, match="'page_no' must be Integer and greater than 0"):
        decode_list(make_request(query={"page_no": "0"}), {})


def test_tasks_are_found_at_both_addresses_with_and_without_a_slash_behind() -> None:
    tasks = {(operation.method, operation.path) for operation in OPERATIONS if operation.name.startswith("tasks.")}

    assert PREFIXES == ("/api/v1", "/api-task/v1", "/api-ws/v1")
    assert tasks == {
        (method, prefix + path)
        for prefix in ("/api/v1", "/api-task/v1")
        for method, path in (
            ("GET", "/tasks"),
            ("GET", "/tasks/{task_id}"),
            ("GET", "/tasks/{task_id}/"),
            ("POST", "/tasks/{task_id}/cancel"),
            ("POST", "/tasks/{task_id}/cancel/"),
        )
    }
