"""From the body of `chat/completions` to a call and the encoder of its answer."""

from __future__ import annotations

from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput
from qwenport.core.errors import ModelMissing, ParameterInvalid
from qwenport.faces.body import read_body
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.messages import read_messages
from qwenport.faces.openai.completion import Completion
from qwenport.faces.openai.encode import WholeCompletion
from qwenport.faces.openai.schema import ChatCompletionRequest
from qwenport.faces.openai.stream import StreamedCompletion
from qwenport.faces.parameters import read_chat
from qwenport.faces.switches import resolves_uploads

_DECODER = Decoder(ChatCompletionRequest)


def decode_chat_completion(request: Request, cards: Cards) -> Exchange:
    """Return the call and its encoder.

    Raises:
        BodyNotJson, ModelMissing, ParameterInvalid: the body cannot be understood. What is wrong with its content is
        left in the call, because the model and the right to use it are looked at first.
    """
    body = read_body(_DECODER, request.body)
    call = _read_call(body, request)
    completion = Completion.of(call, request.received_at, cards.get(call.model))
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
        input=ChatInput(messages=()),
        streams=bool(body.stream),
        resolves_uploads=resolves_uploads(request),
    )
    try:
        if body.messages is None:
            raise ParameterInvalid("'messages' is a required property", parameter="messages")  # noqa: TRY301 - as its like
        asked, sampling = read_chat(read_messages(body.messages), body)
    except ParameterInvalid as refusal:
        return replace(bare, refusal=refusal)
    return replace(bare, input=asked, sampling=sampling)
