"""Another configuration while the server runs: what is read again, what changes, and what waits for a restart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, structs

from qwenport.app.configured_limits import configured_limits
from qwenport.app.operators_catalog import load_catalog
from qwenport.app.places import places
from qwenport.app.refusal import StartRefused
from qwenport.catalog.catalog import Catalog
from qwenport.core.clock import SystemClock
from qwenport.core.limits import Limit
from qwenport.core.secret import Secret
from qwenport.engines.upstream.place import Place
from qwenport.pipeline.inspection.inspection import CheckInvalid, inspection_of, words_of
from qwenport.pipeline.inspection.words import WordList
from qwenport.server.admin.parts import Reloaded
from qwenport.settings.configuration_file import ConfigurationFile
from qwenport.settings.settings import SettingInvalid, Settings, load_settings

_TABLES = ("retries", "queue", "cache", "check")
"""Tables of the configuration file that are put in force as wholes."""
_AT_START_TABLES = ("server", "files", "media", "books", "traces")
_AT_START_SETTINGS = tuple(
    name
    for name in Settings.__struct_fields__
    if name not in {"file", "upstreams", "upstream_keys", "default_upstream", "named_secrets", "warnings"}
)


class Configuration(Struct, frozen=True, kw_only=True):
    """A configuration that was found valid, with what follows from it."""

    settings: Settings
    catalog: Catalog
    places: tuple[Place, ...] = ()
    """Where the upstreams are."""
    limits: tuple[Limit, ...] = ()
    """Those of `[[limits]]`."""
    words: WordList | None = None
    """What `[check]` looks for."""


def read_configuration(settings: Settings) -> Configuration:
    """Return a configuration with what follows from it; raises `StartRefused`."""
    return Configuration(
        settings=settings,
        catalog=load_catalog(settings),
        places=places(settings),
        limits=configured_limits(settings),
        words=checked_words(settings),
    )


def checked_words(settings: Settings) -> WordList | None:
    """Return the words that `[check]` looks for, after the whole of it was found usable; raises `StartRefused`."""
    check = settings.file.check
    try:
        words = words_of(check)
        inspection_of(check, words, _secret_of_check(settings), SystemClock())
    except CheckInvalid as error:
        raise StartRefused(f"[check]: {error}") from error
    return words


def settings_again() -> Settings:
    """Read environment, `.env`, configuration file and key files again; raises `SettingInvalid`."""
    return load_settings(os.environ, Path.cwd())


class Reload:
    """Compares what stands in the files with what is in force. Blocking; one at a time."""

    def __init__(self, begun: Configuration, read: Callable[[], Settings] = settings_again) -> None:
        """Begin with the configuration that the server started with."""
        self._begun = begun
        self._read = read
        self.in_force = begun
        """What the server works by."""

    def read(self) -> tuple[Configuration, Reloaded]:
        """Return the configuration that is to be in force from now on, and how it differs from the one that is.

        Nothing is put in force here: call `take` when that is done.
        """
        try:
            found = read_configuration(self._read())
        except (SettingInvalid, StartRefused) as error:
            return self.in_force, Reloaded(error=str(error))
        late = tuple(self._needing_a_restart(found))
        wanted = self._usable(found)
        return wanted, Reloaded(changed=tuple(_differences(self.in_force, wanted)), needs_restart=late)

    def take(self, configuration: Configuration) -> None:
        """Note that a configuration is in force now."""
        self.in_force = configuration

    def _usable(self, found: Configuration) -> Configuration:
        """Return what can be put in force of a configuration; the rest is what the server started with."""
        begun = self._begun.settings
        kept = {name: getattr(begun, name) for name in _AT_START_SETTINGS}
        tables = {name: getattr(begun.file, name) for name in _AT_START_TABLES}
        settings = structs.replace(found.settings, **kept, file=structs.replace(found.settings.file, **tables))
        if not (self._other_models(found) or self._missing_engines(found)):
            return structs.replace(found, settings=settings)
        now = self.in_force.settings
        # Upstreams and routes belong together: half of them could lead nowhere.
        settings = structs.replace(
            settings,
            upstreams=now.upstreams,
            upstream_keys=now.upstream_keys,
            default_upstream=now.default_upstream,
            file=structs.replace(settings.file, upstreams=now.file.upstreams, routes=now.file.routes),
        )
        return structs.replace(found, settings=settings, catalog=self.in_force.catalog, places=self.in_force.places)

    def _needing_a_restart(self, found: Configuration) -> Iterator[str]:
        begun = self._begun.settings
        for name in _AT_START_SETTINGS:
            if getattr(begun, name) != getattr(found.settings, name):
                yield f"QWENPORT_{name.upper()}"
        for name in _AT_START_TABLES:
            if getattr(begun.file, name) != getattr(found.settings.file, name):
                yield f"[{name}]"
        headers = begun.file.traces.headers_env
        if begun.named_secrets.get(headers) != found.settings.named_secrets.get(headers):
            yield "headers of [traces]"
        if self._other_models(found):
            yield "model files, and with them upstreams and routes"
        elif missing := self._missing_engines(found):
            yield f"upstreams and routes: they lead to {', '.join(missing)}, which this server did not start"

    def _other_models(self, found: Configuration) -> bool:
        """Tell whether model files say something else than when the server started."""
        begun = self._begun.catalog
        return begun.engine_models != found.catalog.engine_models or _facts(begun) != _facts(found.catalog)

    def _missing_engines(self, found: Configuration) -> list[str]:
        """Return engines that routes lead to now and that no route led to when the server started."""
        wanted = found.catalog.targets() & found.catalog.engine_models.keys()
        return sorted(wanted - self._begun.catalog.targets())


def _facts(catalog: Catalog) -> Mapping[str, object]:
    routed = {"route": (), "stands_in": False, "costs_nothing": False, "default_output_tokens": None}
    return {name: structs.replace(card, **routed) for name, card in catalog.cards.items()}


def _differences(before: Configuration, after: Configuration) -> Iterator[str]:
    yield from _upstream_differences(before, after)
    for name, routes in after.catalog.routes.items():
        other = before.catalog.routes_of(name)
        if other != routes or before.catalog.cards[name].costs_nothing != after.catalog.cards[name].costs_nothing:
            yield f"routes of `{name}`"
    yield from _table_differences(before.settings.file, after.settings.file)
    if before.limits != after.limits:
        yield "[[limits]]"
    if before.words != after.words:
        yield "words of [check]"
    if _secret_of_check(before.settings) != _secret_of_check(after.settings):
        yield "secret of [check]"


def _secret_of_check(settings: Settings) -> Secret | None:
    return settings.named_secrets.get(settings.file.check.webhook_secret_env)


def _upstream_differences(before: Configuration, after: Configuration) -> Iterator[str]:
    old, new = ({place.name: place for place in each.places} for each in (before, after))
    old_keys, new_keys = before.settings.upstream_keys, after.settings.upstream_keys
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"upstream `{name}` is new"
        elif name not in new:
            yield f"upstream `{name}` is gone"
        elif old[name] != new[name]:
            yield f"upstream `{name}`"
        elif old_keys.get(name) != new_keys.get(name):
            yield f"key of the upstream `{name}`"


def _table_differences(before: ConfigurationFile, after: ConfigurationFile) -> Iterator[str]:
    for name in _TABLES:
        if getattr(before, name) != getattr(after, name):
            yield f"[{name}]"
