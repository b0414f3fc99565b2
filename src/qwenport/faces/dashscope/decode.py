"""From the body of a native generation service to a call and the encoder of its answer."""

from __future__ import annotations

from msgspec.json import Decoder
from msgspec.structs import replace

from qwenport.core.call import Call, ChatInput
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.body import read_body
from qwenport.faces.dashscope.conversation import read_conversation
from qwenport.faces.dashscope.encode import StreamedGeneration, WholeGeneration
from qwenport.faces.dashscope.envelope import asks_for_stream, refuse_asynchronous, require
from qwenport.faces.dashscope.generation import Form, Generation
from qwenport.faces.dashscope.native import is_handed_on, native_exchange
from qwenport.faces.dashscope.ocr_options import read_ocr_options
from qwenport.faces.dashscope.schema import GenerationParameters, GenerationRequest
from qwenport.faces.dashscope.style import Style, choose_style
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.parameters import read_chat
from qwenport.faces.switches import resolves_uploads

_DECODER = Decoder(GenerationRequest)
_NO_PARAMETERS = GenerationParameters()
_MULTIMODAL_SERVICE = "aigc/multimodal-generation/generation"
_ENCRYPTION_KEY = "x-dashscope-encryptionkey"


def decode_text_generation(request: Request, cards: Cards) -> Exchange:
    """Return the call and the encoder in the `result_format` that was asked for, else in the model's own.

    Raises:
        AsynchronousRefused, BodyNotJson, ModelMissing, InputMissing, ParameterInvalid: it cannot be understood. What
        is wrong with its content is left in the call: the model and the right to use it are looked at first.
    """
    return _decode(request, cards, "text-generation", multimodal=False)


def decode_multimodal_generation(request: Request, cards: Cards) -> Exchange:
    """Return the call and the encoder; the answer's content is always a list of parts.

    Models that are handed on have this address too, such as those that speak (`dashscope/audio/qwen_tts`).

    Raises:
        AsynchronousRefused, BodyNotJson, ModelMissing, InputMissing, ParameterInvalid: it cannot be understood.
    """
    if is_handed_on(request, cards):
        return native_exchange(request, _MULTIMODAL_SERVICE)
    return _decode(request, cards, "multimodal-generation", multimodal=True)


def _decode(request: Request, cards: Cards, operation: str, *, multimodal: bool) -> Exchange:
    call, parameters = _read_call(request, operation)
    try:
        style = choose_style(call, parameters, cards.get(call.model), multimodal=multimodal)
    except ParameterInvalid as refusal:
        call = replace(call, refusal=call.refusal or refusal)
        style = Style(form=Form.MESSAGE)
    generation = Generation.of(call, style.form, thinks=style.thinks, tells_processed=style.tells_processed)
    if not call.streams:
        return Exchange(call=call, answer=WholeGeneration(generation))
    return Exchange(call=call, answer=StreamedGeneration(generation, incremental=style.incremental))


def _read_call(request: Request, operation: str) -> tuple[Call, GenerationParameters]:
    """Return the call, with what is wrong with its content left in it, and its parameters, which may be absent."""
    refuse_asynchronous(request)
    if request.headers.get(_ENCRYPTION_KEY):
        words = "Encrypted calls are not supported: send the input in clear, without X-DashScope-EncryptionKey."
        raise ParameterInvalid(words, parameter="X-DashScope-EncryptionKey")
    body = read_body(_DECODER, request.body)
    model, asked = require(body)
    parameters = body.parameters or _NO_PARAMETERS
    call = Call(
        id=request.id,
        face="dashscope",
        operation=operation,
        model=model,
        input=ChatInput(messages=()),
        streams=asks_for_stream(request),
        resolves_uploads=resolves_uploads(request),
    )
    try:
        _refuse_unserved(parameters)
        chat, sampling = read_chat(read_conversation(asked), parameters)
        chat = replace(chat, ocr=read_ocr_options(parameters.ocr_options))
    except ParameterInvalid as refusal:
        return replace(call, refusal=refusal), parameters
    return replace(call, input=chat, sampling=sampling), parameters


def _refuse_unserved(parameters: GenerationParameters) -> None:
    """Refuse what would change the shape of the answer."""
    if parameters.vl_enable_image_hw_output:
        name = "vl_enable_image_hw_output"
        raise ParameterInvalid(f"The {name} parameter is not supported by this model.", parameter=name)
