"""The models by name, and the models that an embedded engine can run by target."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import msgspec

from qwenport.catalog.engine_model import EngineModel
from qwenport.catalog.errors import CatalogInvalid
from qwenport.catalog.facts import route_problems
from qwenport.catalog.model_file import ModelFile, read_model_file
from qwenport.core.errors import ModelNotFound
from qwenport.core.model_card import ModelCard

Routes = Mapping[str, tuple[str, ...]]
"""Targets in the order they are tried, by the name of the model."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """What is known of every model; read-only, and whole: every route leads to a known target."""

    cards: Mapping[str, ModelCard]
    """Cards by name, in the order of their names."""
    engine_models: Mapping[str, EngineModel]
    """What embedded engines can run, by target (`kind/name`)."""

    @classmethod
    def load(cls, overlay_dir: Path | None = None) -> Catalog:
        """Read the models that ship, then the operator's own `*.toml`, which add to them or replace them by name.

        Raises `CatalogInvalid` with the file, the field and what to do.
        """
        files = dict(_by_name(_shipped()))
        if overlay_dir is not None:
            files.update(_by_name(_own(overlay_dir)))
        engine_models = {file.engine_model.target: file.engine_model for file in files.values() if file.engine_model}
        cards = {
            name: _with_route(files[name].where, files[name].card, files[name].card.route, engine_models)
            for name in sorted(files)
        }
        return cls(MappingProxyType(cards), MappingProxyType(engine_models))

    def resolve(self, name: str) -> ModelCard:
        """Return the card of this name; raises `ModelNotFound`."""
        card = self.cards.get(name)
        if card is None:
            raise ModelNotFound(name)
        return card

    def with_routes(self, routes: Routes, *, costs_nothing: Collection[str] = ()) -> Catalog:
        """Return a catalog in which these models go to these targets, and of them these cost nothing.

        Raises `CatalogInvalid` for unknown ones.
        """
        cards = dict(self.cards)
        for name, route in routes.items():
            where = f"route of `{name}`"
            if name not in cards:
                raise CatalogInvalid(where, "model", f"is not in the catalog; {_advice(name, cards)}")
            for field, problem in route_problems(route):
                raise CatalogInvalid(where, field, problem)
            routed = _with_route(where, cards[name], route, self.engine_models)
            cards[name] = msgspec.structs.replace(routed, costs_nothing=name in costs_nothing)
        return Catalog(MappingProxyType(cards), self.engine_models)


def _with_route(
    where: str, card: ModelCard, route: tuple[str, ...], engine_models: Mapping[str, EngineModel]
) -> ModelCard:
    for target in route:
        if target not in engine_models:
            raise CatalogInvalid(
                where, "route", f"leads to `{target}`, which no engine offers; {_advice(target, engine_models)}"
            )
    first = engine_models[route[0]]
    return msgspec.structs.replace(
        card, route=route, stands_in=first.name != card.name, default_output_tokens=first.default_output_tokens
    )


def _advice(wrong: str, known: Iterable[str]) -> str:
    names = sorted(known)
    nearest = difflib.get_close_matches(wrong, names, n=1)
    return f"did you mean `{nearest[0]}`?" if nearest else f"known are {', '.join(names)}"


def _by_name(files: Iterable[ModelFile]) -> Iterator[tuple[str, ModelFile]]:
    """Pair each file with its model's name; two files of one place must not speak of the same model."""
    seen: dict[str, str] = {}
    for file in files:
        other = seen.setdefault(file.card.name, file.where)
        if other != file.where:
            raise CatalogInvalid(
                file.where, "name", f"is `{file.card.name}`, as in {other}; rename one of the models or remove a file"
            )
        yield file.card.name, file


def _shipped() -> Iterator[ModelFile]:
    entries = resources.files("qwenport.catalog").joinpath("models").iterdir()
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            yield read_model_file(entry.read_text(encoding="utf-8"), entry.name)


def _own(directory: Path) -> Iterator[ModelFile]:
    if not directory.is_dir():
        raise CatalogInvalid(str(directory), "", "is no directory of model files; make it or correct the setting")
    # Names that begin with a dot are editors' locks and copies.
    for path in sorted(directory.glob("[!.]*.toml")):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogInvalid(str(path), "", f"cannot be read as UTF-8 text: {error}; correct the file") from error
        yield read_model_file(text, str(path))
