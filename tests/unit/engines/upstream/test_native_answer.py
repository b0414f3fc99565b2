from __future__ import annotations

from functools import reduce

import pytest

from qwenport.core.usage import Usage, UsageSource
from qwenport.engines.upstream.native_answer import NativeAnswer, latest, read_answer


def counted(name: str, count: int) -> Usage:
    return Usage(items=((name, count),), source=UsageSource.COUNTED)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"a"', b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_no_answer(body: bytes) -> None:
    assert read_answer(body) is None


@pytest.mark.parametrize(
    ("body", "is_error"),
    [
        (b'{"code":"InvalidParameter","message":"no"}', True),
        (b'{"code":"","output":{"a":1}}', False),
        (b'{"code":null,"output":{"a":1}}', False),
        (b'{"code":"InvalidURL","output":{"task_status":"FAILED"}}', False),
    ],
)
def test_an_error_is_told_from_a_result(body: bytes, is_error: bool) -> None:
    answer = read_answer(body)

    assert answer is not None
    assert answer.is_error is is_error


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        (NativeAnswer(), counted("characters", 7)),
        (NativeAnswer(output={"audio": {"url": "a"}}, usage={"characters": -5}), counted("characters", 7)),
        (NativeAnswer(output={"audio": {"url": "a"}}, usage={"size": "big"}), counted("characters", 7)),
        (NativeAnswer(output={"results": [{"transcription_url": "a"}]}), counted("characters", 7)),
        (NativeAnswer(output={"results": [{"code": "Failed"}]}), Usage()),
        (NativeAnswer(output={"audio": {"url": "a"}}, usage={"characters": 0}), Usage()),
        (NativeAnswer(usage={"image_count": 2}), Usage(items=(("image_count", 2),))),
        (NativeAnswer(usage={"input_tokens": 3, "output_tokens": 4}), Usage(input_tokens=3, output_tokens=4)),
        (NativeAnswer(usage={"input_tokens": -3, "duration": "long"}), counted("characters", 7)),
        (
            NativeAnswer(output={"results": [{"url": "a"}, {"code": "b"}, 3]}),
            Usage(items=(("image_count", 1),), source=UsageSource.COUNTED),
        ),
        (NativeAnswer(output={"results": [{"url": "a"}]}, usage={"characters": 5}), Usage(items=(("characters", 5),))),
    ],
)
def test_what_was_consumed_is_what_is_reported_and_counted_where_nothing_is(answer: NativeAnswer, usage: Usage) -> None:
    assert answer.consumed(7) == usage


REPORT = Usage(items=(("characters", 50),))


@pytest.mark.parametrize(
    ("pieces", "usage"),
    [
        ([REPORT, counted("characters", 7)], REPORT),
        ([REPORT, Usage()], REPORT),
        ([REPORT, counted("image_count", 1)], REPORT),
        ([REPORT, Usage(items=(("characters", 60),))], Usage(items=(("characters", 60),))),
        ([counted("characters", 7), REPORT], REPORT),
        ([counted("characters", 7)], counted("characters", 7)),
        ([counted("image_count", 1), counted("characters", 7)], counted("image_count", 1)),
        ([counted("characters", 7), Usage()], Usage()),
    ],
)
def test_a_stream_consumed_what_its_last_piece_says_that_says_something(pieces: list[Usage], usage: Usage) -> None:
    assert reduce(latest, pieces, Usage()) == usage


@pytest.mark.parametrize("output", [None, [], {}, {"task_id": 3, "task_status": None}])
def test_a_task_that_is_not_named_has_no_name(output: object) -> None:
    answer = NativeAnswer(output=output)

    assert (answer.task_id, answer.task_status) == ("", "")
