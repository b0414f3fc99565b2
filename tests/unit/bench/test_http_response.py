"""The load generator's reader of HTTP responses."""

from __future__ import annotations

import pytest
from bench.http_response import NotHttp, ResponseReader

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n"
COUNTED = b"HTTP/1.1 404 Not Found\r\ncontent-length: 12\r\n\r\nhello, world"


@pytest.mark.parametrize(("response", "status"), [(CHUNKED, 200), (COUNTED, 404)])
@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_a_response_is_read_however_it_is_cut(response: bytes, status: int, step: int) -> None:
    reader = ResponseReader()

    ends = [reader.feed(response[place : place + step]) for place in range(0, len(response), step)]

    assert ends == [False] * (len(ends) - 1) + [True]
    assert (reader.status, bytes(reader.body)) == (status, b"hello, world")


@pytest.mark.parametrize(
    "wrong",
    [
        b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n",
        b"SMTP ready\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n",
    ],
)
def test_what_is_no_response_of_known_length_is_refused(wrong: bytes) -> None:
    with pytest.raises(NotHttp):
        ResponseReader().feed(wrong)
