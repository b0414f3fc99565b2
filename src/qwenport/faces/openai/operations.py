"""The operations of the OpenAI face."""

from __future__ import annotations

from calendar import timegm

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.errors import ModelNotFound
from qwenport.core.model_card import ModelCard
from qwenport.faces.body import JSON_HEADERS
from qwenport.faces.description import RESOLVES_UPLOADS, Description
from qwenport.faces.face import CallOperation, Cards, LookupOperation, Operation, Reply, Request
from qwenport.faces.openai.answers import ChatCompletion, ChatCompletionChunk
from qwenport.faces.openai.completions import completion_operations
from qwenport.faces.openai.decode import decode_chat_completion
from qwenport.faces.openai.embeddings import embedding_operations
from qwenport.faces.openai.files import file_operations
from qwenport.faces.openai.reranks import RERANK_OPERATIONS, RERANK_PREFIX
from qwenport.faces.openai.responses import response_operations
from qwenport.faces.openai.schema import ChatCompletionRequest

_BASES = ("/compatible-mode/v1", "/v1")
"""The service's own prefix, and the one that OpenAI's clients are used to."""
PREFIXES = (*_BASES, RERANK_PREFIX)

_ENCODE = Encoder().encode


class _Model(Struct, frozen=True, kw_only=True):
    id: str
    object: str = "model"
    created: int
    owned_by: str


class _Models(Struct, frozen=True, kw_only=True):
    object: str = "list"
    data: tuple[_Model, ...]


def _describe(card: ModelCard) -> _Model:
    return _Model(id=card.name, created=timegm(card.released.timetuple()), owned_by=_owner(card))


def _owner(card: ModelCard) -> str:
    if not card.stands_in:
        return "qwenport"
    _, _, model = next(iter(card.route), "").partition("/")
    return f"qwenport (stand-in: {model})" if model else "qwenport (stand-in)"


def list_models(request: Request, cards: Cards) -> Reply:  # noqa: ARG001 - every look-up gets the request
    """Return every model of the catalog."""
    models = _Models(data=tuple(_describe(card) for card in cards.values()))
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(models))


def retrieve_model(request: Request, cards: Cards) -> Reply:
    """Return one model.

    Raises:
        ModelNotFound: the catalog has none of this name.
    """
    name = request.path_parameters["model"]
    card = cards.get(name)
    if card is None:
        raise ModelNotFound(name)
    return Reply(status=200, headers=JSON_HEADERS, body=_ENCODE(_describe(card)))


_CHAT = Description(
    summary="Go on with a conversation",
    body=ChatCompletionRequest,
    required=("model", "messages"),
    headers=(RESOLVES_UPLOADS,),
    example={"model": "qwen-plus", "messages": [{"role": "user", "content": "Who are you?"}]},
    answer=ChatCompletion,
    piece=ChatCompletionChunk,
)


def _operations_below(prefix: str) -> tuple[Operation, ...]:
    return (
        CallOperation(
            name="chat.completions",
            method="POST",
            path=f"{prefix}/chat/completions",
            decode=decode_chat_completion,
            description=_CHAT,
        ),
        LookupOperation(
            name="models.list",
            method="GET",
            path=f"{prefix}/models",
            respond=list_models,
            description=Description(summary="List the models", answer=_Models),
        ),
        LookupOperation(
            name="models.retrieve",
            method="GET",
            path=f"{prefix}/models/{{model}}",
            respond=retrieve_model,
            description=Description(summary="Describe one model", answer=_Model),
        ),
        *completion_operations(prefix),
        *embedding_operations(prefix),
        *response_operations(prefix),
        *file_operations(prefix),
    )


OPERATIONS: tuple[Operation, ...] = (
    *(operation for base in _BASES for operation in _operations_below(base)),
    *RERANK_OPERATIONS,
)
