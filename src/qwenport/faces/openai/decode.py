"""From the body of `chat/completions` to a call and the encoder of its answer."""

from __future__ import annotations

from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.call import Call
from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.faces.body import read_body
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.messages import read_messages
from qwenport.faces.openai.encode import Completion, StreamedCompletion, WholeCompletion
from qwenport.faces.openai.schema import ChatCompletionRequest
from qwenport.faces.parameters import read_sampling
from qwenport.faces.response_format import read_response_format

_DECODER = Decoder(ChatCompletionRequest)


def decode_chat_completion(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every operation gets the cards
    """Return the call and its encoder.

    Raises:
        BodyNotJson, ModelMissing, ParameterInvalid: the body cannot be understood. What is wrong with its content is
        left in the call, because the model and the right to use it are looked at first.
    """
    body = read_body(_DECODER, request.body)
    call = _read_call(body, request)
    completion = Completion.of(call, request.received_at)
    if not call.streams:
        return Exchange(call=call, answer=WholeCompletion(completion))
    include_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    return Exchange(call=call, answer=StreamedCompletion(completion, include_usage=include_usage))


def _read_call(body: ChatCompletionRequest, request: Request) -> Call:
    if not body.model:
        raise ModelMissing
    bare = Call(
        id=request.id,
        face="openai",
        operation="chat.completions",
        model=body.model,
        messages=(),
        streams=bool(body.stream),
    )
    try:
        if body.messages is None:
            raise ParameterInvalid("'messages' is a required property", parameter="messages")  # noqa: TRY301 - as its like
        return replace(
            bare,
            messages=read_messages(body.messages),
            sampling=read_sampling(body, body.model),
            json=read_response_format(body.response_format),
        )
    except ParameterInvalid as refusal:
        return replace(bare, refusal=refusal)
