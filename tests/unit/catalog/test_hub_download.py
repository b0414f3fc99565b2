"""Weights from hubs, by the hubs' own clients: continued, pinned, and with tokens for nobody else."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from qwenport.catalog.engine_model import PinnedFile, Weights
from qwenport.catalog.errors import (
    DiskFull,
    HubClientMissing,
    HubFileMissing,
    HubRefused,
    NetworkUnreachable,
    PullFailed,
    WeightsMismatch,
)
from qwenport.catalog.weights import WeightsStore
from qwenport.testing.hub import Hub, running_hub

# More than the 10 MiB that Hugging Face's client writes at once: what is less is lost when a transfer breaks.
CONTENT = bytes(range(256)) * 50_000
BOTH = pytest.mark.parametrize("kind", ["hf", "modelscope"])


class Silent:
    """Shows nothing, and remembers how much it was told of each phase."""

    def __init__(self) -> None:
        self.told: dict[str, int] = {}
        self._label = ""

    def begin(self, label: str, total_bytes: int | None) -> None:
        self._label = label.split(maxsplit=1)[0]

    def advance(self, count_bytes: int) -> None:
        self.told[self._label] = self.told.get(self._label, 0) + count_bytes

    def say(self, text: str) -> None:
        pass

    def end(self) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    # The clients try a hub again that does not answer, after pauses of 23 s together that no setting shortens.
    (tmp_path / "hasty").mkdir()
    (tmp_path / "hasty" / "sitecustomize.py").write_text("import time\ntime.sleep = lambda seconds: None\n")
    with running_hub(CONTENT) as hub:
        for name, value in {
            "PYTHONPATH": str(tmp_path / "hasty"),
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": "hf_" + "s" * 34,
            "HF_HOME": str(tmp_path / "hf"),
            "MODELSCOPE_ENDPOINT": hub.url,
            "MODELSCOPE_CACHE": str(tmp_path / "ms"),
            "MODELSCOPE_HOME": str(tmp_path / "msh"),
            "MODELSCOPE_API_TOKEN": "ms-" + "s" * 34,
            "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "1",
            "MODELSCOPE_API_MAX_RETRIES": "1",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        yield hub


@pytest.fixture
def store(tmp_path: Path) -> WeightsStore:
    return WeightsStore(tmp_path / "models")


def model(kind: str, content: bytes = CONTENT) -> PinnedFile:
    weights = Weights(
        source=f"{kind}:Owner/Repo/file.gguf",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        licence="Apache-2.0",
    )
    return PinnedFile(name="tiny", weights=weights)


def files(store: WeightsStore) -> list[str]:
    folder = store.path(model("hf")).parent
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@BOTH
def test_a_file_is_put_in_place_alone(kind: str, hub: Hub, store: WeightsStore) -> None:
    progress = Silent()
    path = store.pull(model(kind), progress)

    assert path.read_bytes() == CONTENT
    assert files(store) == [path.name]
    assert progress.told["Checking"] == len(CONTENT)


@BOTH
def test_a_broken_download_goes_on_where_it_ended(kind: str, hub: Hub, store: WeightsStore) -> None:
    hub.breaks_after = [11_000_000]
    for _ in range(3):
        try:
            store.pull(model(kind), Silent())
        except PullFailed:
            continue
        break

    assert store.path(model(kind)).read_bytes() == CONTENT
    begun = [int(seen.range.removeprefix("bytes=").split("-")[0]) for seen in hub.seen if seen.range]
    assert max(begun) > 0


@BOTH
def test_another_file_than_the_pinned_one_is_not_kept(kind: str, hub: Hub, store: WeightsStore) -> None:
    wanted = model(kind, CONTENT[:-1] + b"!")
    with pytest.raises(WeightsMismatch):
        store.pull(wanted, Silent())

    assert files(store) == []


@BOTH
@pytest.mark.parametrize(("status", "error"), [(404, HubFileMissing), (401, HubRefused), (503, PullFailed)])
def test_a_refusal_is_told_in_words_without_the_token(
    kind: str, status: int, error: type[PullFailed], hub: Hub, store: WeightsStore
) -> None:
    hub.status = status
    with pytest.raises(error) as refused:
        store.pull(model(kind), Silent())

    assert "sss" not in str(refused.value)
    assert "`Owner/Repo/file.gguf`" in str(refused.value)


def test_a_token_reaches_the_hub_alone_and_nothing_is_told_of_the_user(hub: Hub, store: WeightsStore) -> None:
    store.pull(model("hf"), Silent())
    shown = {(seen.host in hub.cdn_url, bool(seen.authorization)) for seen in hub.seen}

    assert shown == {(False, True), (True, False)}
    assert not [seen for seen in hub.seen if "telemetry" in seen.path]


@BOTH
def test_what_cannot_fit_is_not_begun(kind: str, hub: Hub, store: WeightsStore) -> None:
    wanted = model(kind)
    huge = replace(wanted, weights=replace(wanted.weights, size_bytes=1 << 62))
    with pytest.raises(DiskFull, match="free some space or choose another directory"):
        store.pull(huge, Silent())

    assert hub.seen == []


def test_what_has_come_already_counts_as_room(hub: Hub, store: WeightsStore) -> None:
    part = store.path(model("hf")).with_name(f".part-{store.path(model('hf')).name}") / "half"
    part.parent.mkdir(parents=True)
    with part.open("wb") as file:
        file.truncate(1 << 40)  # a file of holes, which takes no room
    free = shutil.disk_usage(part).free
    fits = replace(model("hf"), weights=replace(model("hf").weights, size_bytes=free + (1 << 39)))
    with pytest.raises(WeightsMismatch):
        store.pull(fits, Silent())

    assert hub.seen != []


def test_a_hub_that_nobody_runs_is_named(hub: Hub, store: WeightsStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NetworkUnreachable, match="HF_ENDPOINT"):
        store.pull(model("hf"), Silent())


def test_a_missing_client_is_told_with_the_extra(tmp_path: Path, hub: Hub) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'huggingface_hub'\" >&2\nexit 1\n")
    python.chmod(0o700)
    with pytest.raises(HubClientMissing, match=r"qwenport\[hubs\]"):
        WeightsStore(tmp_path / "models", python=str(python)).pull(model("hf"), Silent())
