"""Kinds of engines: those of the house and those of installed packages."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from qwenport.engines.embed.kind import EmbedKind
from qwenport.engines.llama.kind import LlamaKind
from qwenport.engines.ocr.kind import OcrKind
from qwenport.engines.registry import KINDS, KindRefused, collect


class OtherKind(LlamaKind):
    name = "other"


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an importable module that offers kinds."""
    module = ModuleType("engine_package_of_a_test")
    module.__dict__.update(OtherKind=OtherKind, LlamaKind=LlamaKind)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


def entry(package: str, kind: str, *, name: str) -> EntryPoint:
    return EntryPoint(name=name, value=f"{package}:{kind}", group="qwenport.engines")


HOUSE = {"llama": LlamaKind, "embed": EmbedKind, "ocr": OcrKind}


def test_the_house_has_kinds_of_its_own() -> None:
    assert {name: type(kind) for name, kind in KINDS.items()} == HOUSE


def test_an_installed_package_adds_a_kind(package: str) -> None:
    kinds = collect([entry(package, "OtherKind", name="other")])

    assert {name: type(kind) for name, kind in kinds.items()} == {**HOUSE, "other": OtherKind}


def test_a_kind_of_a_taken_name_is_refused(package: str) -> None:
    with pytest.raises(KindRefused, match="offers the engine kind `llama`, which exists"):
        collect([entry(package, "LlamaKind", name="llama")])


def test_an_entry_point_of_another_name_than_its_kind_is_refused(package: str) -> None:
    with pytest.raises(KindRefused, match=r"`wrong` .* leads to the engine kind `other`"):
        collect([entry(package, "OtherKind", name="wrong")])
