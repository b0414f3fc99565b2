"""From a host that answers with an error to the error that the house knows."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from qwenport.core.errors import EngineFailed, InputTooLong, ParameterInvalid, QwenportError
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.host_connections import failed_by_status
from qwenport.engines.llama.pictures import unreadable_image
from qwenport.engines.llama.wire import ErrorBody, decode_error

_UNAUTHORIZED = 401
_UNAVAILABLE = 503
_IMAGE_REFUSED = frozenset({"Failed to load image or audio file", "Failed to load image, audio, or video file"})
"""How llama.cpp says, by version, that it cannot decode a picture."""
_PREAMBLE_END = "Automatic parser generation failed: "
_PREFIX_REFUSED = "Failed to initialize samplers"
"""How llama.cpp says that its grammar does not take what the prompt already said of the answer."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer with a status other than 200."""

    status: int
    body: bytes
    target: str


def error_of(refused: Refusal, prepared: PreparedCall, held_by: str) -> QwenportError:
    """Return the error that a refusal stands for; `held_by` is the parameter whose schema the answer is held to."""
    target = refused.target
    error = _error_of(refused.body)
    if refused.status == _UNAVAILABLE:
        return failed_by_status(refused.status, target)
    if refused.status == _UNAUTHORIZED:
        return EngineFailed(f"the engine of `{target}` does not accept the gateway's secret")
    if error.type == "exceed_context_size_error":
        return InputTooLong(min(prepared.max_input_tokens, error.n_ctx - 1))
    is_of_an_image = error.message in _IMAGE_REFUSED
    if held_by and not is_of_an_image:
        return _schema_refused(error.message, held_by)
    if error.type == "invalid_request_error":
        return unreadable_image() if is_of_an_image else ParameterInvalid(error.message)
    return failed_by_status(refused.status, target, error.message)


def _error_of(body: bytes) -> ErrorBody:
    try:
        return decode_error(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ErrorBody(message="it gave no reason")


def _schema_refused(message: str, parameter: str) -> ParameterInvalid:
    """Say whose schema it is, and leave out what llama.cpp says of its own parsers before it comes to the schema."""
    if message.startswith(_PREFIX_REFUSED):
        return ParameterInvalid(f"The message to go on from does not fit {parameter}.", parameter=parameter)
    subject = "The parameters of the tools are" if parameter == "tools" else f"The schema of {parameter} is"
    return ParameterInvalid(f"{subject} invalid: {message.rpartition(_PREAMBLE_END)[2]}", parameter=parameter)
