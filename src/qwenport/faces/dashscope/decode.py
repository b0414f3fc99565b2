"""From the body of a native generation service to a call and the encoder of its answer."""

from __future__ import annotations

from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.call import Call, Message, Role
from qwenport.core.errors import AsynchronousRefused, InputMissing, ModelMissing, ParameterInvalid
from qwenport.core.model_card import ModelCard, ResultFormat
from qwenport.faces.body import read_body
from qwenport.faces.dashscope.encode import Form, Generation, StreamedGeneration, WholeGeneration
from qwenport.faces.dashscope.schema import GenerationInput, GenerationParameters, GenerationRequest
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.messages import read_messages, require_content
from qwenport.faces.parameters import read_sampling
from qwenport.faces.response_format import read_response_format

_DECODER = Decoder(GenerationRequest)
_NO_PARAMETERS = GenerationParameters()
_FORMS: dict[str, Form] = {ResultFormat.TEXT: Form.TEXT, ResultFormat.MESSAGE: Form.MESSAGE}
_SHOWN_CHARACTERS = 64


def decode_text_generation(request: Request, cards: Cards) -> Exchange:
    """Return the call and the encoder in the `result_format` that was asked for, else in the model's own.

    Raises:
        AsynchronousRefused, BodyNotJson, ModelMissing, InputMissing, ParameterInvalid: it cannot be understood. What
        is wrong with its content is left in the call: the model and the right to use it are looked at first.
    """
    call, parameters = _read_call(request, "text-generation")
    try:
        form = _choose_form(parameters.result_format, cards.get(call.model), call.sampling.choices)
    except ParameterInvalid as refusal:
        return _exchange(replace(call, refusal=call.refusal or refusal), parameters, Form.MESSAGE)
    return _exchange(call, parameters, form)


def decode_multimodal_generation(request: Request, cards: Cards) -> Exchange:  # noqa: ARG001 - every operation gets the cards
    """Return the call and the encoder; the answer's content is always a list of parts.

    Raises:
        AsynchronousRefused, BodyNotJson, ModelMissing, InputMissing, ParameterInvalid: it cannot be understood.
    """
    call, parameters = _read_call(request, "multimodal-generation")
    return _exchange(call, parameters, Form.PARTS)


def _read_call(request: Request, operation: str) -> tuple[Call, GenerationParameters]:
    if _is_enabled(request, "x-dashscope-async"):
        raise AsynchronousRefused
    body = read_body(_DECODER, request.body)
    if not body.model:
        raise ModelMissing
    if body.input is None:
        raise InputMissing
    parameters = body.parameters or _NO_PARAMETERS
    bare = Call(
        id=request.id,
        face="dashscope",
        operation=operation,
        model=body.model,
        messages=(),
        streams=_is_enabled(request, "x-dashscope-sse"),
    )
    try:
        if bytes(parameters.ocr_options) not in {b"", b"null"}:
            raise ParameterInvalid(  # noqa: TRY301 - as its like
                "The ocr_options parameter is not supported by this model.", parameter="ocr_options"
            )
        call = replace(
            bare,
            messages=_read_input(body.input),
            sampling=read_sampling(parameters, body.model),
            json=read_response_format(parameters.response_format),
        )
    except ParameterInvalid as refusal:
        return replace(bare, refusal=refusal), parameters
    return call, parameters


def _is_enabled(request: Request, header: str) -> bool:
    return request.headers.get(header, "").strip().lower() == "enable"


def _read_input(wire: GenerationInput) -> tuple[Message, ...]:
    if wire.prompt is None:
        if wire.messages is None:
            raise ParameterInvalid(
                'Either "prompt" or "messages" must exist and cannot both be none', parameter="messages"
            )
        return read_messages(wire.messages)
    prompt = Message(role=Role.USER, content=wire.prompt)
    require_content(prompt)
    return (*_read_context(wire), prompt)


def _read_context(wire: GenerationInput) -> tuple[Message, ...]:
    """Return what was said before the prompt; messages are the newer form of history and go before it."""
    if wire.messages:
        return read_messages(wire.messages)
    turns = ((turn.user, turn.bot) for turn in wire.history or ())
    return tuple(
        Message(role=role, content=content)
        for turn in turns
        for role, content in zip((Role.USER, Role.ASSISTANT), turn, strict=True)
        if content
    )


def _choose_form(asked: str | None, card: ModelCard | None, choices: int) -> Form:
    if asked is not None and asked not in _FORMS:
        shown = asked[:_SHOWN_CHARACTERS]
        raise _format_refusal(f"'{shown}' is not one of ['text', 'message'] - 'result_format'")
    if choices > 1:
        # The text form has room for one answer.
        if asked == ResultFormat.TEXT:
            raise _format_refusal('The result_format parameter must be "message" when n is greater than 1')
        return Form.MESSAGE
    default = card.default_result_format if card is not None else ResultFormat.TEXT
    return _FORMS[default if asked is None else asked]


def _format_refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="result_format")


def _exchange(call: Call, parameters: GenerationParameters, form: Form) -> Exchange:
    generation = Generation.of(call, form)
    if not call.streams:
        return Exchange(call=call, answer=WholeGeneration(generation))
    incremental = bool(parameters.incremental_output)
    return Exchange(call=call, answer=StreamedGeneration(generation, incremental=incremental))
