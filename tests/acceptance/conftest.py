"""One live server with the real small model for all official clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Server

NewKey = Callable[..., str]


@pytest.fixture(scope="session")
def live(server_class: type[Server], models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give the server."""
    server = server_class(tmp_path_factory.mktemp("live"), models_dir)
    try:
        server.start()
        yield server
        assert server.stop() == 0, server.output
    finally:
        server.close()


@pytest.fixture(scope="session")
def brief(server_class: type[Server], models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server whose answers are short, for callers who bound none: the stand-in likes to go on."""
    server = server_class(tmp_path_factory.mktemp("brief"), models_dir)
    own = server.data_dir / "catalog"
    own.mkdir(parents=True)
    for name in ("qwen-plus.toml", "qwen-turbo.toml"):
        shipped = (files("qwenport.catalog") / "models" / name).read_text("utf-8")
        (own / name).write_text(shipped.replace("max_output_tokens = 8_192", "max_output_tokens = 24"))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def new_key(live: Server) -> NewKey:
    """Give a maker of keys in a state: as made, disabled, or deleted."""

    def make(state: str = "", **settings: object) -> str:
        made = live.operator("POST", "/keys", json=settings).json()
        if state == "disabled":
            assert live.operator("POST", f"/keys/{made['id']}/disable").status_code == 200
        if state == "deleted":
            assert live.operator("DELETE", f"/keys/{made['id']}").status_code == 200
        return str(made["key"])

    return make
