"""From a host that does not answer, or answers with an error, to the error that the house knows."""

from __future__ import annotations

import msgspec

from qwenport.core.errors import EngineFailed, InputTooLong, ModelUnavailable, ParameterInvalid, QwenportError
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.llama.wire import ErrorBody, decode_error

_UNAUTHORIZED = 401
_UNAVAILABLE = 503


def unavailable(name: str, condition: Condition) -> ModelUnavailable:
    """Return why nobody answers for the model of this name."""
    default_reasons = {
        EngineState.ABSENT: f"the weights of `{name}` are not on this machine: run `qwenport models pull {name}`",
        EngineState.LOADING: f"`{name}` is loading",
        EngineState.ENDED: f"the engine of `{name}` ended and is being restarted",
        # The supervisor has yet to notice what the gateway just did.
        EngineState.READY: f"the engine of `{name}` ended and is being restarted",
    }
    reason = condition.reason or default_reasons[condition.state]
    return ModelUnavailable(reason, passes=condition.state is not EngineState.ABSENT)


def refusal(status: int, body: bytes, prepared: PreparedCall, target: str) -> QwenportError:
    """Return the error that a status other than 200 stands for."""
    name = target.partition("/")[2]
    error = _error_of(body)
    if status == _UNAVAILABLE:
        return ModelUnavailable(f"`{name}` is loading")
    if status == _UNAUTHORIZED:
        return EngineFailed(f"the engine of `{target}` does not accept the gateway's secret")
    if error.type == "exceed_context_size_error":
        return InputTooLong(min(prepared.max_input_tokens, error.n_ctx - 1))
    if prepared.call.json is not None:
        return ParameterInvalid(_without_preamble(error.message), parameter="response_format")
    if error.type == "invalid_request_error":
        return ParameterInvalid(error.message)
    return EngineFailed(f"the engine of `{target}` answered with status {status}: {error.message}")


def _error_of(body: bytes) -> ErrorBody:
    try:
        return decode_error(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ErrorBody(message="it gave no reason")


def _without_preamble(message: str) -> str:
    """Leave out what llama.cpp says of its own parsers before it comes to the caller's schema."""
    return f"The schema of response_format is invalid: {message.rpartition('Automatic parser generation failed: ')[2]}"
