"""Stored responses: found again, listed with what they answered, deleted."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw, Struct
from msgspec.json import Decoder, Encoder

from qwenport.core.errors import ParameterInvalid
from qwenport.core.responses import CancelResponse, DeleteResponse, FindResponse, StoredResponse
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.description import Description
from qwenport.faces.face import Cards, Operation, QueryOperation, Reply, Request
from qwenport.faces.openai.paging import Paging, paging_parameters, read_paging
from qwenport.faces.openai.responses.answers import Response
from qwenport.faces.openai.responses.items import split_items
from qwenport.faces.shown import shown

_ENCODE = Encoder().encode
_DEFAULT_LIMIT = 20
_GREATEST_LIMIT = 100


class _Identified(Struct, frozen=True):
    id: str


_ID = Decoder(_Identified)


class _Deleted(Struct, frozen=True, kw_only=True):
    id: str
    object: str = "response"
    deleted: bool = True


class _Page(Struct, frozen=True, kw_only=True):
    """Model Studio tells of the answer beside OpenAI's members: help.aliyun.com/en/model-studio/list-input-items."""

    object: str = "list"
    data: Sequence[Raw]
    first_id: str | None
    last_id: str | None
    has_more: bool
    id: str
    model: str
    created_at: int
    """Milliseconds, in this operation alone."""
    previous_response_id: str | None


def stored_response_operations(prefix: str) -> tuple[Operation, ...]:
    """Return the operations below an address prefix."""
    path = f"{prefix}/responses/{{response_id}}"
    return (
        QueryOperation(
            name="responses.retrieve",
            method="GET",
            path=path,
            decode=_find,
            encode=encode_stored_response,
            description=Description(summary="Return a stored response", answer=Response),
        ),
        QueryOperation(
            name="responses.delete",
            method="DELETE",
            path=path,
            decode=_delete,
            encode=encode_deleted_response,
            description=Description(summary="Delete a stored response", answer=_Deleted),
        ),
        QueryOperation(
            name="responses.input_items",
            method="GET",
            path=f"{path}/input_items",
            decode=_find_items,
            encode=encode_input_items,
            description=Description(
                summary="List what a stored response answered",
                query=paging_parameters(_GREATEST_LIMIT),
                answer=_Page,
            ),
        ),
        QueryOperation(
            name="responses.cancel",
            method="POST",
            path=f"{path}/cancel",
            decode=_cancel,
            encode=encode_stored_response,
            description=Description(summary="Refused: no response is made in the background"),
        ),
    )


def encode_stored_response(request: Request, stored: StoredResponse) -> Reply:  # noqa: ARG001 - every encoder gets the request
    """Return the response as it was given."""
    return Reply(status=200, headers=JSON_HEADERS, body=stored.body)


def encode_deleted_response(request: Request, nothing: None) -> Reply:  # noqa: ARG001 - every encoder gets the answer
    """Say that the response is gone."""
    deleted = _Deleted(id=request.path_parameters["response_id"])
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(deleted))


def encode_input_items(request: Request, stored: StoredResponse) -> Reply:
    """Return one page of the conversation before the answer.

    Raises:
        ParameterInvalid: the page is to follow an item that is not in it.
    """
    paging = _read_paging(request)
    items = [(_ID.decode(item).id, item) for item in split_items(stored)]
    if not paging.oldest_first:
        items.reverse()
    start = _start([name for name, _ in items], paging.after)
    page = items[start : start + paging.limit]
    body = _Page(
        data=[item for _, item in page],
        first_id=page[0][0] if page else None,
        last_id=page[-1][0] if page else None,
        has_more=start + paging.limit < len(items),
        id=stored.id,
        model=stored.model,
        created_at=int(stored.created_at.timestamp() * 1000),
        previous_response_id=stored.previous_id or None,
    )
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(body))


def _find(request: Request, cards: Cards) -> FindResponse:  # noqa: ARG001 - every operation gets the cards
    if request.query.get("stream", "").lower() == "true":
        raise ParameterInvalid("The stream parameter is not supported for a stored response.", parameter="stream")
    return FindResponse(id=request.path_parameters["response_id"])


def _find_items(request: Request, cards: Cards) -> FindResponse:  # noqa: ARG001 - every operation gets the cards
    _read_paging(request)
    return FindResponse(id=request.path_parameters["response_id"])


def _delete(request: Request, cards: Cards) -> DeleteResponse:  # noqa: ARG001 - every operation gets the cards
    return DeleteResponse(id=request.path_parameters["response_id"])


def _cancel(request: Request, cards: Cards) -> CancelResponse:  # noqa: ARG001 - every operation gets the cards
    return CancelResponse(id=request.path_parameters["response_id"])


def _read_paging(request: Request) -> Paging:
    return read_paging(request, default=_DEFAULT_LIMIT, greatest=_GREATEST_LIMIT)


def _start(names: Sequence[str], after: str) -> int:
    if not after:
        return 0
    if after not in names:
        raise ParameterInvalid(f"No item with id '{shown(after)}' found.", parameter="after")
    return names.index(after) + 1
