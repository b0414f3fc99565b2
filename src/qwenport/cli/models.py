"""`qwenport models`."""

from __future__ import annotations

from typing import Any

import msgspec
from cyclopts import App

from qwenport.app.operators_catalog import is_routed, load_catalog
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.engine_model import EngineModel, PinnedFile
from qwenport.catalog.reading_routes import TINY
from qwenport.catalog.vocabulary import QWEN_VOCABULARY
from qwenport.catalog.weights import WeightsStore
from qwenport.cli.arguments import AsJson, Yes, confirm
from qwenport.cli.context import CommandFailed, settings
from qwenport.cli.display import ERRORS, OUT, say, show_json, show_table
from qwenport.cli.progress import Bar
from qwenport.core.errors import ModelNotFound
from qwenport.core.model_card import ModelCard
from qwenport.engines.host_process import usable_cores
from qwenport.settings.settings import Settings

models = App(name="models", help="Show the catalog; fetch and remove weights.")

LARGE_BYTES = 1 << 30
"""A download above this is asked about."""

_HOW_TO_ROUTE = {TINY: ': set `[ocr].model = "fast"`'}

COLUMNS = ("name", "context_tokens", "max_output_tokens", "served_by", "stand_in", "weights", "size", "memory")


@models.command(name="list")
def list_(*, json: AsJson = False) -> None:
    """List the models, and what answers for each.

    Args:
        json: print JSON.
    """
    chosen = settings()
    catalog, store = load_catalog(chosen), WeightsStore(chosen.models_dir)
    processes = reading_processes(chosen)
    rows = [row_of(card, catalog, store, processes) for card in catalog.cards.values()]
    if json:
        show_json(rows)
        return
    show_table([row | _sizes(row) for row in rows], COLUMNS, "The catalog is empty.")


@models.command
def show(name: str, /, *, json: AsJson = False) -> None:
    """Show all that is known of a model.

    Args:
        name: the model's name.
        json: print JSON.
    """
    chosen = settings()
    catalog = load_catalog(chosen)
    card = resolve(name, catalog)
    store, processes = WeightsStore(chosen.models_dir), reading_processes(chosen)
    content: dict[str, Any] = msgspec.to_builtins(card) | row_of(card, catalog, store, processes)
    engine_model = engine_model_of(card, catalog)
    if engine_model is not None:
        content["engine"] = msgspec.to_builtins(engine_model)
    if json:
        show_json(content)
        return
    for field, value in content.items():
        OUT.print(f"{field}:", style="bold", end=" ")
        say(msgspec.json.format(msgspec.json.encode(value)).decode())


@models.command
def pull(name: str | None = None, /, *, yes: Yes = False, json: AsJson = False) -> None:
    """Fetch the weights that a model needs, check them, and put them in place; those that are there are checked.

    Args:
        name: a model's name, or `qwen-vocabulary`; without it, that and all that the routes lead to.
        yes: do not ask before a download of more than 1 GiB.
        json: print JSON.
    """
    chosen = settings()
    catalog, store = load_catalog(chosen), WeightsStore(chosen.models_dir)
    done = []
    pulled = wanted(name, catalog)
    for model in pulled:
        if not store.is_present(model):
            announce(model, reading_processes(chosen), yes=yes)
        store.pull(model, Bar())
        done += [
            {"name": file.stem, "path": str(store.path(file)), "size_bytes": file.weights.size_bytes}
            for file in model.files
        ]
    if json:
        show_json(done)
        return
    for each in done:
        say(f"{each['name']} is at {each['path']}")
    say("A server that runs takes up what is new when it is started again.")
    # Routes may follow from what is here.
    now = load_catalog(chosen)
    for target in [model.target for model in pulled if isinstance(model, EngineModel)]:
        if not is_routed(target, now):
            say(f"No route leads to {target} yet{_HOW_TO_ROUTE.get(target, '')}.")


def announce(model: PinnedFile, processes: int, *, yes: bool) -> None:
    """Show what is about to be fetched, and ask whether it is wanted where that is much.

    Raises:
        CommandFailed: it is not wanted, or nobody can be asked.
    """
    for file in model.files:
        pinned = file.weights
        ERRORS.print(f"{file.stem}: {in_words(pinned.size_bytes)} from {pinned.source}", markup=False)
        ERRORS.print(f"  SHA-256 {pinned.sha256}, licence {pinned.licence}", markup=False)
    if isinstance(model, EngineModel) and (model.weights.kv_bytes_per_token or model.process_bytes):
        slots = f"{model.slots} slots of {model.context_tokens} tokens"
        room = f"{processes} process{'es' * (processes > 1)} at work" if model.process_bytes else slots
        ERRORS.print(f"  needs about {in_words(model.memory_bytes(processes))} of memory with {room}", markup=False)
    size_bytes = sum(file.weights.size_bytes for file in model.files)
    if size_bytes > LARGE_BYTES:
        confirm(f"{in_words(size_bytes)} are about to be downloaded", yes=yes)


def _sizes(row: dict[str, Any]) -> dict[str, str]:
    """Return the sizes of a row for people, empty for those of nothing that is here."""
    return {name: in_words(row[f"{name}_bytes"]) if row[f"{name}_bytes"] else "" for name in ("size", "memory")}


def in_words(size_bytes: int) -> str:
    """Return a size for people."""
    return f"{size_bytes / (1 << 30):.2f} GiB" if size_bytes >= 1 << 30 else f"{size_bytes / (1 << 20):.0f} MiB"


@models.command
def remove(name: str, /, *, json: AsJson = False) -> None:
    """Delete a model's weights from this machine.

    Args:
        name: the name of the model that the weights are of, not of one that it stands in for.
        json: print JSON.
    """
    chosen = settings()
    catalog, store = load_catalog(chosen), WeightsStore(chosen.models_dir)
    removed: list[str] = []
    for model in wanted(name, catalog):
        if model.name != name:
            raise CommandFailed(f"`{name}` has no weights of its own; `{model.name}` answers for it, and for others")
        try:
            removed += map(str, store.remove(model))
        except OSError as error:
            raise CommandFailed(f"{error.filename} cannot be deleted: {error.strerror}") from error
    if json:
        show_json({"removed": removed})
    else:
        say(f"Removed {', '.join(removed)}" if removed else f"There were no weights of {name}.")


def reading_processes(chosen: Settings) -> int:
    """Return how many processes read pages at the same time, at most."""
    return chosen.file.ocr.workers or usable_cores()


def row_of(card: ModelCard, catalog: Catalog, store: WeightsStore, processes: int) -> dict[str, Any]:
    """Return what a list says of a model; `processes` is how many read pages."""
    engine_model = engine_model_of(card, catalog)
    runs_here = engine_model is not None and not engine_model.url
    return {
        "name": card.name,
        "context_tokens": card.context_tokens,
        "max_output_tokens": card.max_output_tokens,
        "served_by": card.route[0] if card.route else None,
        "stand_in": card.stands_in,
        "weights": weights_of(engine_model, store),
        "size_bytes": engine_model.size_bytes if engine_model is not None and runs_here else None,
        "memory_bytes": engine_model.memory_bytes(processes) if engine_model is not None and runs_here else None,
    }


def weights_of(engine_model: EngineModel | None, store: WeightsStore) -> str:
    """Return where the weights of an embedded model are: present or absent here, or elsewhere with its host."""
    if engine_model is None or engine_model.url:
        return "elsewhere"
    return "present" if store.is_present(engine_model) else "absent"


def engine_model_of(card: ModelCard, catalog: Catalog) -> EngineModel | None:
    """Return the embedded model that answers for a name."""
    return next((catalog.engine_models[target] for target in card.route if target in catalog.engine_models), None)


def resolve(name: str, catalog: Catalog) -> ModelCard:
    """Return the card of a model.

    Raises:
        CommandFailed: there is no model of this name.
    """
    try:
        return catalog.resolve(name)
    except ModelNotFound as error:
        raise CommandFailed(f"there is no model `{name}`; see `qwenport models list`") from error


def wanted(name: str | None, catalog: Catalog) -> list[PinnedFile]:
    """Return the embedded models that a command is about, and Qwen's vocabulary, by which tokens are counted.

    Raises:
        CommandFailed: there is no model of this name, or its calls go to no embedded model.
    """
    if name is None:
        routed = [
            model for target, model in catalog.engine_models.items() if is_routed(target, catalog) and not model.url
        ]
        return [QWEN_VOCABULARY, *routed]
    if name == QWEN_VOCABULARY.name:
        return [QWEN_VOCABULARY]
    own = next((model for model in catalog.engine_models.values() if model.name == name), None)
    model = own or engine_model_of(resolve(name, catalog), catalog)
    if model is None or model.url:
        raise CommandFailed(f"calls to `{name}` go to no model that runs here; there are no weights to fetch")
    return [model]
