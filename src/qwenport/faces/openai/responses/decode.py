"""From the body of `responses` to a call, which may go on from an answer that was stored."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.call import AnyJson, Call, ChatInput, JsonSchema, Sampling
from qwenport.core.capabilities import Thinking
from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.core.model_card import ModelCard
from qwenport.core.responses import FindResponse, StoredResponse
from qwenport.core.tools import Tool, ToolChoice
from qwenport.faces.body import given, read_body
from qwenport.faces.face import Cards, Exchange, Pending, Request
from qwenport.faces.openai.responses.encode import Progress, WholeResponse
from qwenport.faces.openai.responses.items import keep_items, read_conversation, read_earlier, read_input
from qwenport.faces.openai.responses.object import ResponseObject
from qwenport.faces.openai.responses.schema import Echoed, ResponsesRequest, WireFormat, WireItem, WireTool
from qwenport.faces.openai.responses.stream import StreamedResponse
from qwenport.faces.parameters import WireParameters, read_sampling
from qwenport.faces.response_format import WireJsonSchema, WireResponseFormat, read_response_format
from qwenport.faces.shown import shown
from qwenport.faces.switches import resolves_uploads
from qwenport.faces.tools import Offer, WireNamed, WireToolChoice, accept_tools, read_tool_choice

_DECODER = Decoder(ResponsesRequest)
_ECHOED = Decoder(Echoed)
_LOGPROBS = "message.output_text.logprobs"
_NO_EFFORT = frozenset({"none", "minimal"})
_MOST_METADATA = 16
_LONGEST_METADATA_KEY = 64
_LONGEST_METADATA_VALUE = 512


def decode_response(request: Request, cards: Cards) -> Exchange | Pending:
    """Return the call and its encoder, or the stored answer that must be found before.

    Raises:
        BodyNotJson, ModelMissing, ParameterInvalid: the body cannot be understood. What is wrong with its content is
        left in the call, because the model and the right to use it are looked at first.
    """
    body = read_body(_DECODER, request.body)
    if not body.model:
        raise ModelMissing
    card = cards.get(body.model)
    if body.previous_response_id:
        query = FindResponse(id=body.previous_response_id)
        return Pending(query=query, resume=lambda stored: _exchange(request, body, card, stored))
    return _exchange(request, body, card, None)


def _exchange(
    request: Request, body: ResponsesRequest, card: ModelCard | None, stored: StoredResponse | None
) -> Exchange:
    echoed = read_body(_ECHOED, request.body)
    call = Call(
        id=request.id,
        face="openai",
        operation="responses",
        model=body.model or "",
        input=ChatInput(messages=()),
        streams=bool(body.stream),
        resolves_uploads=resolves_uploads(request),
    )
    items: list[WireItem] = []
    try:
        _refuse_unserved(body)
        items = read_input(body.input)
        asked = _read_chat(body, card, [*(read_earlier(stored) if stored is not None else ()), *items])
        call = replace(call, input=asked, sampling=_read_sampling(body))
    except ParameterInvalid as refusal:
        call = replace(call, refusal=refusal)
    is_kept = call.refusal is None and body.store is not False
    kept = keep_items(items, request.id, stored) if is_kept else None
    progress = Progress(ResponseObject.of(call, request.received_at, body, echoed, kept))
    answer = StreamedResponse(progress) if call.streams else WholeResponse(progress)
    return Exchange(call=call, answer=answer, keep=progress.keep)


def _refuse_unserved(body: ResponsesRequest) -> None:
    unserved = {
        "background": bool(body.background),
        "conversation": bool(given(body.conversation)),
        "prompt": bool(given(body.prompt)),
    }
    for name, asked in unserved.items():
        if asked:
            raise ParameterInvalid(f"The {name} parameter is not supported.", parameter=name)
    metadata = body.metadata or {}
    if len(metadata) > _MOST_METADATA:
        words = f"The metadata parameter may hold at most {_MOST_METADATA} pairs."
        raise ParameterInvalid(words, parameter="metadata")
    if any(len(key) > _LONGEST_METADATA_KEY or len(value) > _LONGEST_METADATA_VALUE for key, value in metadata.items()):
        raise ParameterInvalid(
            f"Keys of metadata may be at most {_LONGEST_METADATA_KEY} characters long, "
            f"values {_LONGEST_METADATA_VALUE}.",
            parameter="metadata",
        )


def _read_chat(body: ResponsesRequest, card: ModelCard | None, items: Sequence[WireItem]) -> ChatInput:
    tools = _read_tools(body.tools)
    return ChatInput(
        messages=read_conversation(items, body.instructions),
        tools=tools,
        tool_choice=_read_choice(body, tools),
        parallel_tool_calls=bool(body.parallel_tool_calls),
        json=_read_format(body.text.format if body.text is not None else None),
        thinking=_read_thinking(body, card),
        thinking_budget=body.thinking_budget,
    )


def _read_sampling(body: ResponsesRequest) -> Sampling:
    tells_logprobs = _LOGPROBS in (body.include or ())
    return read_sampling(
        WireParameters(
            temperature=body.temperature,
            top_p=body.top_p,
            top_k=body.top_k,
            presence_penalty=body.presence_penalty,
            seed=body.seed,
            max_completion_tokens=body.max_output_tokens,
            logprobs=tells_logprobs,
            top_logprobs=body.top_logprobs if tells_logprobs else None,
        )
    )


def _read_tools(wire: Sequence[WireTool] | None) -> tuple[Tool, ...]:
    if not wire:
        return ()
    return accept_tools([_read_tool(tool, f"tools[{place}]") for place, tool in enumerate(wire)])


def _read_tool(wire: WireTool, path: str) -> Offer:
    if wire.type != "function":
        words = f"'{shown(wire.type)}' is not served, only tools of the type 'function' are - '{path}.type'"
        raise ParameterInvalid(words, parameter="tools")
    return Offer(name=wire.name, description=wire.description or "", parameters=given(wire.parameters), path=path)


def _read_choice(body: ResponsesRequest, tools: Sequence[Tool]) -> ToolChoice:
    wire = body.tool_choice
    if wire is None or isinstance(wire, str):
        return read_tool_choice(wire, tools)
    return read_tool_choice(WireToolChoice(type=wire.type, function=WireNamed(name=wire.name)), tools)


def _read_format(wire: WireFormat | None) -> AnyJson | JsonSchema | None:
    if wire is None:
        return None
    schema = WireJsonSchema(name=wire.name, schema=wire.schema, strict=wire.strict)
    return read_response_format(WireResponseFormat(type=wire.type, json_schema=schema))


def _read_thinking(body: ResponsesRequest, card: ModelCard | None) -> bool | None:
    """Return whether to think: clients name an effort for every model, so it counts only where there is a choice."""
    if body.enable_thinking is not None or body.reasoning is None or body.reasoning.effort is None:
        return body.enable_thinking
    if card is None or card.capabilities.thinking is not Thinking.HYBRID:
        return None
    return body.reasoning.effort not in _NO_EFFORT
