"""What an upstream says of when to come back, and what stands in the place of an answer."""

from __future__ import annotations

import pytest

from qwenport.core.secret import Secret
from qwenport.engines.upstream.refusal import Refusal, refusal_of

NOW_S = 1_700_000_000.0
"""Tue, 14 Nov 2023 22:13:20 GMT."""


def wait_of(**headers: str) -> int | None:
    return refusal_of(429, b"", {name.replace("_", "-"): value for name, value in headers.items()}, NOW_S).retry_after_s


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("0.2", 1),
        (" 12 ", 12),
        ("3600", 3600),
        ("3601", 3600),
        ("99999999999999999999", 3600),
        ("-5", 0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
        ("Wed, 14 Nov 2125 22:13:50 GMT", 3600),
        ("Wed, 14 Nov 99999 22:13:50 GMT", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("7, 8", None),
    ],
)
def test_when_to_come_back_is_whole_seconds_of_an_hour_at_most(said: str, seconds: int | None) -> None:
    assert wait_of(retry_after=said) == seconds


def test_milliseconds_are_the_more_exact_and_garbage_there_leaves_the_seconds() -> None:
    waits = [
        wait_of(retry_after_ms="1500"),
        wait_of(retry_after_ms="1500", retry_after="9"),
        wait_of(retry_after_ms="soon", retry_after="9"),
        wait_of(),
    ]

    assert waits == [2, 2, 9, None]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b'{"error":{"message":"m","type":"t","code":"c"}}', Refusal(status=400, code="c", kind="t", message="m")),
        (b'{"error":{"message":"m","type":"t","code":400}}', Refusal(status=400, kind="t", message="m")),
        (b'{"error":"m"}', Refusal(status=400, message="m")),
        (b'{"code":"C","message":"m","request_id":"r"}', Refusal(status=400, code="C", message="m")),
        (b'id:1\nevent:error\ndata:{"code":"C","message":"m"}\n\n', Refusal(status=400, code="C", message="m")),
        (b'{"detail":[{"loc":["body"],"msg":"m"}]}', Refusal(status=400, message="m")),
        (b'{"detail":"m"}', Refusal(status=400, message="m")),
        (b'{"message":7,"code":[]}', Refusal(status=400)),
        (b"[]", Refusal(status=400)),
        (b"null", Refusal(status=400)),
        (b"no JSON", Refusal(status=400, message="no JSON", is_bare=True)),
        (b"\xff", Refusal(status=400, message="\ufffd", is_bare=True)),
        (b" <html>m</html>", Refusal(status=400, is_page=True)),
        (b"[" * 100_000, Refusal(status=400, message="[" * 4096, is_bare=True)),
    ],
)
def test_a_refusal_is_read_in_every_shape(body: bytes, refusal: Refusal) -> None:
    assert refusal_of(400, body, {}, NOW_S) == refusal


KEY = Secret("planted.key/0123+XYZ")


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"no planted.key/0123+XYZ","type":"planted.key/0123+XYZ","code":"planted.key/0123+XYZ"}}',
        b'{"error":"no planted.key\\/0123+XYZ"}',
        b'data:{"code":"C","message":"no planted.key/0123+XYZ"}\n\n',
        b'{"detail":[{"msg":"no planted.key/0123+XYZ"}]}',
        b"no planted.key/0123+XYZ",
        b" " * 4090 + b"planted.key/0123+XYZ",
    ],
)
def test_the_key_that_was_shown_is_in_nothing_of_a_refusal(body: bytes) -> None:
    refusal = refusal_of(400, body, {}, NOW_S, KEY)

    assert "planted" not in f"{refusal}"
    assert "…" in refusal.message


def test_a_key_that_is_part_of_every_word_takes_nothing_out_of_them() -> None:
    assert refusal_of(400, b'{"error":"a bad thing"}', {}, NOW_S, Secret("a")).message == "a bad thing"
