"""Where hosts listen, ours and those that somebody else started."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from qwenport.engines.connections import Peer
from qwenport.engines.engine import Site
from qwenport.engines.host_address import SocketPathTooLong, host_peer, peer_of, socket_path
from qwenport.testing.models import engine_model

MODEL = engine_model(kind="embed")
SITE = Site(runtime_dir=Path("/run/q"), models_dir=Path("/models"), secret="hush")


def test_our_own_host_listens_on_a_socket_and_takes_each_call_over_a_new_connection() -> None:
    socket = Path("/run/q/embed-1a486b817c0a.sock")

    assert peer_of(MODEL, SITE) == Peer(
        url="http://embed",
        socket=socket,
        headers={"authorization": "Bearer hush"},
        keeps_connections=False,
        idle_s=2.0,
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "http://10.0.0.5:8080",
            host_peer("http://10.0.0.5:8080", secret="theirs"),
        ),
        (
            "unix:/run/embed.sock",
            host_peer("http://embed", socket=Path("/run/embed.sock"), secret="theirs"),
        ),
    ],
)
def test_a_host_that_runs_elsewhere_is_shown_its_own_secret_over_connections_that_are_kept(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: Peer
) -> None:
    monkeypatch.setenv("CELLAR_KEY", "theirs")

    assert peer_of(msgspec.structs.replace(MODEL, url=url, secret_env="CELLAR_KEY"), SITE) == expected


def test_models_and_kinds_have_sockets_of_their_own() -> None:
    others = [msgspec.structs.replace(MODEL, **change) for change in ({"name": "tiny2"}, {"kind": "llama"})]

    assert len({socket_path(model, SITE) for model in (MODEL, *others)}) == 3


def test_a_socket_path_that_the_system_cannot_use_is_refused_in_words() -> None:
    deep = Site(runtime_dir=Path("/run") / ("x" * 100), models_dir=Path("/models"), secret="s")

    with pytest.raises(SocketPathTooLong, match="choose a data directory with a shorter path"):
        socket_path(MODEL, deep)
