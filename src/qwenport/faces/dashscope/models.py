"""The models of the native face."""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.dashscope.paging import PAGING, read_paging
from qwenport.faces.description import Description, Parameter
from qwenport.faces.face import Cards, LookupOperation, Operation, Reply, Request

_ENCODE = Encoder().encode


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
    paging = read_paging(request)
    name = request.query.get("model")
    found = [card for card in cards.values() if not name or card.name == name]
    page = _Page(
        total=len(found),
        page_no=paging.page_no,
        page_size=paging.page_size,
        models=tuple(_describe(card) for card in found[paging.start : paging.start + paging.page_size]),
    )
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(_Answer(output=page, request_id=request.id)))


def _describe(card: ModelCard) -> _Model:
    return _Model(model=card.name, name=card.name, description=_description(card))


def _description(card: ModelCard) -> str:
    if not card.stands_in:
        return card.description
    _, _, model = next(iter(card.route), "").partition("/")
    return f"{card.description} (stand-in: answered by {model or 'another model'})"


MODEL_OPERATIONS: tuple[Operation, ...] = (
    LookupOperation(
        name="models.list",
        method="GET",
        path="/api/v1/models",
        respond=list_models,
        description=Description(
            summary="List the models",
            query=(*PAGING, Parameter(name="model", meaning="Only the model of this name.")),
            answer=_Answer,
        ),
    ),
)
