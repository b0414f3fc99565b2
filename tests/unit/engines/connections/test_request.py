"""Requests as bytes."""

from __future__ import annotations

import pytest

from qwenport.engines.connections import Connections, Peer, PeerInvalid, RequestInvalid
from qwenport.engines.connections.request import RequestHead

HEAD = RequestHead("host:1", {"Authorization": "Bearer k"}, keeps_connections=True)
COMMON = b"Host: host:1\r\nAccept-Encoding: identity\r\nauthorization: Bearer k\r\nuser-agent: qwenport\r\n"


def test_a_request_with_a_body_says_whose_it_is_and_how_long() -> None:
    assert HEAD.post("/v1/x?y=%20", 3, {}) == (
        b"POST /v1/x?y=%20 HTTP/1.1\r\n" + COMMON + b"content-type: application/json\r\nContent-Length: 3\r\n\r\n"
    )


def test_a_request_without_a_body_says_nothing_of_one() -> None:
    assert HEAD.get("/health", {}) == b"GET /health HTTP/1.1\r\n" + COMMON + b"\r\n"


def test_the_headers_of_a_call_take_the_place_of_the_common_ones() -> None:
    head = HEAD.post("/", 0, {"Content-Type": "text/plain", "AUTHORIZATION": "Bearer other"})

    assert head == (
        b"POST / HTTP/1.1\r\nHost: host:1\r\nAccept-Encoding: identity\r\nauthorization: Bearer other\r\n"
        b"user-agent: qwenport\r\ncontent-type: text/plain\r\nContent-Length: 0\r\n\r\n"
    )


def test_a_connection_that_is_not_kept_is_said_to_end() -> None:
    head = RequestHead("h", {"user-agent": "x"}, keeps_connections=False)

    assert head.get("/", {}) == (
        b"GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\nConnection: close\r\nuser-agent: x\r\n\r\n"
    )


@pytest.mark.parametrize("path", ["", "v1", "/a b", "/a\r\nX: y", "/a\n", "/é", "/a#b", "http://other/"])
def test_a_path_that_could_end_its_line_or_lead_elsewhere_is_not_sent(path: str) -> None:
    with pytest.raises(RequestInvalid, match="a path begins with"):
        HEAD.get(path, {})


@pytest.mark.parametrize(
    "value", ["hush\r\nX: y", "hush\n", "hush\rx", "hush\x00", " hush", "hush ", "狐hush", "hush\x7f"]
)
def test_a_value_that_could_end_its_line_is_refused_without_being_told(value: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        HEAD.get("/", {"x-key": value})

    assert str(caught.value) == "the value of the header `x-key` holds what no header can"


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(RequestInvalid, match="is no name of a header"):
        HEAD.get("/", {name: "x"})


@pytest.mark.parametrize(
    "name", ["Host", "connection", "Content-Length", "Transfer-Encoding", "accept-encoding", "Expect", "Upgrade"]
)
def test_the_headers_of_the_connection_are_nobody_elses(name: str) -> None:
    with pytest.raises(RequestInvalid, match="belongs to the connection"):
        HEAD.post("/", 1, {name: "x"})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host",
        "ftp://host",
        "http://",
        "http://ho st",
        "http://h/v1",
        "http://h?x",
        "http://u:p@h",
        "http://h:99999",
        "http://mañana.es",
        "http://h\\x",
    ],
)
def test_a_url_that_is_not_just_a_server_is_refused(url: str) -> None:
    with pytest.raises(PeerInvalid):
        Connections(Peer(url=url))


def test_what_a_peer_is_shown_is_not_in_its_words() -> None:
    assert "hush" not in repr(Peer(url="http://h", headers={"authorization": "Bearer hush"}))
