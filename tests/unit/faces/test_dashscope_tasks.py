from __future__ import annotations

from collections.abc import Callable

import pytest

from qwenport.core.errors import ParameterInvalid, TaskNotCancellable
from qwenport.faces.dashscope.operations import OPERATIONS, PREFIXES
from qwenport.faces.dashscope.tasks import cancel_task, find_task, list_tasks
from qwenport.faces.face import Reply, Request

MakeRequest = Callable[..., Request]
JSON = ((b"content-type", b"application/json"),)
ID = "00000000-0000-9000-8000-000000000001"


@pytest.mark.parametrize(("task", "written"), [("8a-1", "8a-1"), ('"\n', r"\"\n"), ("任", "任")])
def test_a_task_that_nobody_has_is_of_unknown_state(make_request: MakeRequest, task: str, written: str) -> None:
    assert find_task(make_request(path_parameters={"task_id": task}), {}) == Reply(
        status=200,
        headers=JSON,
        body=f'{{"request_id":"{ID}","output":{{"task_id":"{written}","task_status":"UNKNOWN"}}}}'.encode(),
    )


@pytest.mark.parametrize(
    ("query", "page_no", "page_size"),
    [({}, 1, 10), ({"page_no": "3", "page_size": "5", "status": "RUNNING", "model_name": "m"}, 3, 5)],
)
def test_a_list_of_tasks_is_flat_and_empty(
    make_request: MakeRequest, query: dict[str, str], page_no: int, page_size: int
) -> None:
    assert list_tasks(make_request(query=query), {}) == Reply(
        status=200,
        headers=JSON,
        body=(
            f'{{"request_id":"{ID}","data":[],"page_no":{page_no},"page_size":{page_size},"total":0,"total_page":0}}'
        ).encode(),
    )


def test_a_page_that_is_none_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(ParameterInvalid, match="'page_no' must be Integer and greater than 0"):
        list_tasks(make_request(query={"page_no": "0"}), {})


def test_no_task_can_be_cancelled(make_request: MakeRequest) -> None:
    with pytest.raises(TaskNotCancellable):
        cancel_task(make_request(path_parameters={"task_id": "8a-1"}), {})


def test_tasks_are_found_at_both_addresses_with_and_without_a_slash_behind() -> None:
    tasks = {(operation.method, operation.path) for operation in OPERATIONS if operation.name.startswith("tasks.")}

    assert PREFIXES == ("/api/v1", "/api-task/v1")
    assert tasks == {
        (method, prefix + path)
        for prefix in PREFIXES
        for method, path in (
            ("GET", "/tasks"),
            ("GET", "/tasks/{task_id}"),
            ("GET", "/tasks/{task_id}/"),
            ("POST", "/tasks/{task_id}/cancel"),
            ("POST", "/tasks/{task_id}/cancel/"),
        )
    }
