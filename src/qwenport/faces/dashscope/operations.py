"""The operations of the native face."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.errors import ParameterInvalid
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.face import CallOperation, Cards, LookupOperation, Operation, Reply, Request

PREFIXES = ("/api/v1",)

_ENCODE = Encoder().encode
_PAGE_SIZE = 10
_LONGEST_NUMBER = 9
"""Digits that a page number may have."""


class _Model(Struct, frozen=True, kw_only=True):
    model: str
    name: str
    description: str
    source: str = "qwenport"
    provider: str = "qwenport"


class _Page(Struct, frozen=True, kw_only=True):
    total: int
    page_no: int
    page_size: int
    models: tuple[_Model, ...]


class _Answer(Struct, frozen=True, kw_only=True):
    output: _Page
    request_id: RequestId


def list_models(request: Request, cards: Cards) -> Reply:
    """Return one page of the catalog, or with `?model=` the one model of that name; no such model is an empty page.

    Raises:
        ParameterInvalid: a page number that is none.
    """
    page_no = _read_number(request, "page_no", 1)
    page_size = _read_number(request, "page_size", _PAGE_SIZE)
    name = request.query.get("model")
    found = [card for card in cards.values() if not name or card.name == name]
    start = (page_no - 1) * page_size
    page = _Page(
        total=len(found),
        page_no=page_no,
        page_size=page_size,
        models=tuple(_describe(card) for card in found[start : start + page_size]),
    )
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(_Answer(output=page, request_id=request.id)))


def _read_number(request: Request, name: str, default: int) -> int:
    written = request.query.get(name)
    if not written:
        return default
    is_number = written.isascii() and written.isdigit() and len(written) <= _LONGEST_NUMBER
    if not is_number or int(written) < 1:
        raise ParameterInvalid(f"'{name}' must be Integer and greater than 0", parameter=name)
    return int(written)


def _describe(card: ModelCard) -> _Model:
    return _Model(model=card.name, name=card.name, description=_description(card))


def _description(card: ModelCard) -> str:
    if not card.stands_in:
        return card.description
    _, _, model = next(iter(card.route), "").partition("/")
    return f"{card.description} (stand-in: answered by {model or 'another model'})"


OPERATIONS: tuple[Operation, ...] = (
    CallOperation(
        name="text-generation",
        method="POST",
        path="/api/v1/services/aigc/text-generation/generation",
        decode=decode_text_generation,
    ),
    CallOperation(
        name="multimodal-generation",
        method="POST",
        path="/api/v1/services/aigc/multimodal-generation/generation",
        decode=decode_multimodal_generation,
    ),
    LookupOperation(name="models.list", method="GET", path="/api/v1/models", respond=list_models),
)
