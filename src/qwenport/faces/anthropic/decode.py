"""From the bodies of `messages` and `messages/count_tokens` to a call and a query."""

from __future__ import annotations

from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput, Sampling
from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.core.tokens import CountTokens
from qwenport.faces.anthropic.content import refusal, required
from qwenport.faces.anthropic.conversation import read_conversation
from qwenport.faces.anthropic.encode import StreamedMessage, WholeMessage
from qwenport.faces.anthropic.message import MessageIdentity
from qwenport.faces.anthropic.schema import CountTokensRequest, MessagesRequest, ThinkingParam
from qwenport.faces.anthropic.tools import read_format, read_tool_choice, read_tools
from qwenport.faces.body import read_body
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.parameters import read_top_k
from qwenport.faces.shown import shown
from qwenport.faces.stop import read_stop
from qwenport.faces.switches import resolves_uploads

_MESSAGES = Decoder(MessagesRequest)
_COUNT_TOKENS = Decoder(CountTokensRequest)
_THINKING = {"enabled": True, "disabled": False, "adaptive": None, "between_tools": None}
"""Whether a type of thinking asks for it; None leaves it to the model card."""


def decode_message(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every operation gets the cards
    """Return the call and its encoder.

    Raises:
        BodyNotJson, ModelMissing, ParameterInvalid: the body cannot be understood. What is wrong with its content is
        left in the call, because the model and the right to use it are looked at first.
    """
    call = _read_call(read_body(_MESSAGES, request.body), request)
    identity = MessageIdentity.of(call)
    return Exchange(call=call, answer=StreamedMessage(identity) if call.streams else WholeMessage(identity))


def decode_token_count(request: Request, cards: Cards) -> CountTokens:  # noqa: ARG001 - as above
    """Return what is to be counted.

    Raises:
        BodyNotJson, ModelMissing, ParameterInvalid: the body cannot be understood.
    """
    body = read_body(_COUNT_TOKENS, request.body)
    if not body.model:
        raise ModelMissing
    return CountTokens(
        model=body.model, messages=read_conversation(body.system, body.messages), tools=read_tools(body.tools)
    )


def _read_call(body: MessagesRequest, request: Request) -> Call:
    if not body.model:
        raise ModelMissing
    bare = Call(
        id=request.id,
        face="anthropic",
        operation="messages",
        model=body.model,
        input=ChatInput(messages=()),
        streams=bool(body.stream),
        resolves_uploads=resolves_uploads(request),
    )
    try:
        return replace(bare, sampling=_read_sampling(body), input=_read_input(body))
    except ParameterInvalid as error:
        return replace(bare, refusal=error)


def _read_input(body: MessagesRequest) -> ChatInput:
    tools = read_tools(body.tools)
    choice = body.tool_choice
    output = body.output_config.format if body.output_config is not None else None
    thinking, budget = _read_thinking(body.thinking)
    return ChatInput(
        messages=read_conversation(body.system, body.messages),
        tools=tools,
        tool_choice=read_tool_choice(choice, tools),
        parallel_tool_calls=choice is None or not choice.disable_parallel_tool_use,
        json=read_format(output, "output_config.format") or read_format(body.output_format, "output_format"),
        thinking=thinking,
        thinking_budget=budget,
    )


def _read_sampling(body: MessagesRequest) -> Sampling:
    most = required(body.max_tokens, "max_tokens")
    stop, _ = read_stop([*(body.stop_sequences or ())])
    return Sampling(
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=read_top_k(body.top_k),
        max_tokens=most,
        # On this protocol the bound holds the reasoning too.
        max_completion_tokens=most,
        stop=stop,
    )


def _read_thinking(wire: ThinkingParam | None) -> tuple[bool | None, int | None]:
    """Return whether to think, and how many tokens of reasoning at most."""
    if wire is None:
        return None, None
    kind = required(wire.type, "thinking.type")
    if kind not in _THINKING:
        raise refusal("thinking.type", f"'{shown(kind)}' is not one of {list(_THINKING)}")
    asked = _THINKING[kind]
    return asked, required(wire.budget_tokens, "thinking.budget_tokens") if asked else None
