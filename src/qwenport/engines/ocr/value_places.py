"""Where the values of fields stand: with an answer for one page, with one for several, and as `ocr_result` says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from qwenport.documents.page import Quad

if TYPE_CHECKING:
    # The rules with all that they know are loaded by who applies them, not by who passes an answer on.
    from qwenport.documents.fields import Fields

ValuePath = tuple[str | int, ...]
"""The way to a value in `kv_result`: names of objects, and numbers of entries of a list from 0."""

RESULT_MEMBER = "kv_places"
"""Of `ocr_result`, beside `kv_result`; Model Studio has no such member, so that it is told to who asks for it."""


class ValuePlace(Struct, frozen=True, kw_only=True):
    """Where one value that was found stands."""

    path: ValuePath
    quads: tuple[Quad, ...]
    """One of each line that it stands in, in pixels of the image as it was given."""
    score: float
    """How sure it is that this is the value, from 0 to 1."""
    page: int = 0
    """From 1; 0 where there is one page alone."""


encode_places = msgspec.msgpack.Encoder().encode
decode_places = msgspec.msgpack.Decoder(tuple[ValuePlace, ...]).decode


def places_of(fields: Fields) -> tuple[ValuePlace, ...]:
    """Return where the values of fields stand that say anything."""
    return tuple(
        ValuePlace(path=path, quads=quads, score=fields.scores[path])
        for path, quads in fields.places.items()
        if value_at(fields.values, path)
    )


def value_at(values: object, path: ValuePath) -> object:
    """Return what a way leads to; None where it leads nowhere."""
    for step in path:
        match values:
            case Mapping():
                values = values.get(step)
            case list() if isinstance(step, int) and step < len(values):
                values = values[step]
            case _:
                return None
    return values


def going_on(places: Iterable[ValuePlace], before: object, page: int) -> Iterator[ValuePlace]:
    """Yield the places of a further page; `before` are the values of all pages before it.

    A value that one of them has already is not taken from this page, and lists go on behind theirs.
    """
    for place in places:
        path = tuple(_shifted(place.path, before))
        if not value_at(before, path):
            yield msgspec.structs.replace(place, path=path, page=page)


def told_places(places: Iterable[ValuePlace]) -> list[dict[str, Any]]:
    """Return places as the answer says them, with whole pixels as everywhere in `ocr_result`."""
    return [
        {
            "path": place.path,
            "locations": [[round(number) for number in quad] for quad in place.quads],
            "score": place.score,
            **({"page": place.page} if place.page else {}),
        }
        for place in places
    ]


def _shifted(path: ValuePath, before: object) -> Iterator[str | int]:
    for number, step in enumerate(path):
        held = value_at(before, path[:number])
        yield step + len(held) if isinstance(step, int) and isinstance(held, list) else step
