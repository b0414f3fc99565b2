"""Where the gateway goes for a caller, and where it does not."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from qwenport.core.errors import ParameterInvalid
from qwenport.media.outbound import Outbound, is_public

INVALID = "The provided URL does not appear to be valid. Ensure it is correctly formatted."
FAILED = "Failed to download multimodal content."


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_global_unicast_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - an address that is judged
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.2.1",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:1::1",
        "2001:db8::1",
        "3fff::1",
        "64:ff9b::c000:c0",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_everything_else_is_not(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not Outbound().may_reach("images.example", address)


def test_the_operators_list_holds_names_addresses_and_ranges() -> None:
    outbound = Outbound(("Images.Corp", "10.1.0.0/16", "127.0.0.1", "fd00::/8"))

    assert outbound.may_reach("images.corp", "192.168.0.9")
    assert outbound.may_reach("IMAGES.corp", "192.168.0.9")
    assert outbound.may_reach("other", "10.1.2.3")
    assert outbound.may_reach("other", "127.0.0.1")
    assert outbound.may_reach("other", "fd00::1")
    assert not outbound.may_reach("other", "10.2.0.1")
    assert not outbound.may_reach("other", "127.0.0.2")
    assert not outbound.may_reach("other.images.corp", "192.168.0.9")
    assert not outbound.may_reach("other", "no address")


def test_a_socket_is_made_for_allowed_addresses_only() -> None:
    stream = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
    with Outbound().open_socket("images.example", (*stream, ("8.8.8.8", 80))) as made:
        assert (made.family, made.type) == (socket.AF_INET, socket.SOCK_STREAM)
    with pytest.raises(PermissionError, match=r"127\.0\.0\.1 is no public address"):
        Outbound().open_socket("images.example", (*stream, ("127.0.0.1", 80)))


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("HTTPS://images.example:8443/a%2Fb?s=%2B%3d#part", "https://images.example:8443/a%2Fb?s=%2B%3d"),
        ("http://images.example/a b", "http://images.example/a%20b"),
        ("http://\u56fe.example/\u56fe.png", "http://xn--wcs.example/%E5%9B%BE.png"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
    ],
)
def test_an_address_is_asked_for_as_it_is_written(url: str, asked: str) -> None:
    assert str(Outbound().check_url(url)) == asked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "images.example/a.png",
        "//images.example/a.png",
        "file:///etc/passwd",
        "ftp://images.example/a.png",
        "gopher://images.example/",
        "http:///a.png",
        "http://user:password@images.example/",
        "http://user@images.example/",
        "http://images.example:99999/",
        "http://images.example:port/",
        "http://[::1",
        "http://images.example\\@127.0.0.1/",
        "http://\udc80.example/",
    ],
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        Outbound().check_url(url)

    assert str(caught.value) == INVALID


@pytest.mark.parametrize("port", [0, 22, 25, 81, 1023, 6000, 6379, 6666, 11211])
def test_ports_of_other_protocols_are_refused(port: int) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        Outbound().check_url(f"http://images.example:{port}/")

    assert str(caught.value) == FAILED
