"""Every kind of engine, by the name that models and routes use.

A kind of the house is two lines here. An installed package adds its own through an entry point in the group
`qwenport.engines`, whose value is a class that implements `EngineKind` and is made without arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from qwenport.engines.embed.kind import EmbedKind
from qwenport.engines.engine import EngineKind
from qwenport.engines.llama.kind import LlamaKind
from qwenport.engines.ocr.kind import OcrKind

GROUP = "qwenport.engines"

_BUILT_IN: tuple[EngineKind, ...] = (LlamaKind(), EmbedKind(), OcrKind())


class KindRefused(ValueError):
    """An installed package offers an engine kind that cannot be taken."""


def collect(installed: Iterable[EntryPoint]) -> Mapping[str, EngineKind]:
    """Return the kinds of the house and those of installed packages.

    Raises:
        KindRefused: two kinds of one name, or an entry point whose name is not its kind's.
    """
    kinds = {kind.name: kind for kind in _BUILT_IN}
    for entry in installed:
        kind: EngineKind = entry.load()()
        if kind.name != entry.name:
            raise KindRefused(
                f"the entry point `{entry.name}` of the group `{GROUP}` leads to the engine kind `{kind.name}`: "
                "give both the same name",
            )
        if kind.name in kinds:
            raise KindRefused(
                f"the entry point `{entry.value}` offers the engine kind `{kind.name}`, which exists: rename it",
            )
        kinds[kind.name] = kind
    return MappingProxyType(kinds)


KINDS: Mapping[str, EngineKind] = collect(entry_points(group=GROUP))
