"""Parameters of generation, alike on both faces: at the top of the OpenAI body, below `parameters` on the native one.

Honoured: the sampling fields, `stop`, `n`, `response_format`. Refused, because ignoring them would change the shape of
the answer: tools, functions, log probabilities, thinking, spoken answers. Everything else is ignored, as production
ignores it.
"""

from __future__ import annotations

from msgspec import Raw, Struct

from qwenport.core.call import Sampling
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.response_format import WireResponseFormat

_GREATEST_TOP_K = 100
"""A greater `top_k` means off."""
_MOST_TOP_LOGPROBS = 5
_MOST_STOPS = 64
_LONGEST_STOP = 1024


class WireParameters(Struct, frozen=True, kw_only=True):
    """The parameters that both faces know; null is the same as absent."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str | int | list[int]] | None = None
    n: int | None = None
    response_format: WireResponseFormat | None = None
    tools: list[Raw] | None = None
    functions: list[Raw] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    modalities: list[str] | None = None
    enable_thinking: bool | None = None


def read_sampling(wire: WireParameters, model: str) -> Sampling:
    """Return how to choose tokens; ranges are not checked here.

    Raises:
        ParameterInvalid: something that is not served was asked for, or `stop` is too much.
    """
    _refuse_unserved(wire, model)
    return Sampling(
        temperature=wire.temperature,
        top_p=wire.top_p,
        top_k=0 if wire.top_k is not None and wire.top_k > _GREATEST_TOP_K else wire.top_k,
        repetition_penalty=wire.repetition_penalty,
        presence_penalty=wire.presence_penalty,
        seed=wire.seed,
        max_tokens=wire.max_tokens if wire.max_completion_tokens is None else wire.max_completion_tokens,
        stop=_read_stop(wire.stop),
        choices=1 if wire.n is None else wire.n,
    )


def _refuse_unserved(wire: WireParameters, model: str) -> None:
    if wire.enable_thinking:
        raise ParameterInvalid(f"The model {model} does not support enable_thinking.", parameter="enable_thinking")
    if wire.top_logprobs is not None and not 0 <= wire.top_logprobs <= _MOST_TOP_LOGPROBS:
        raise ParameterInvalid(f"Range of top_logprobs should be [0, {_MOST_TOP_LOGPROBS}]", parameter="top_logprobs")
    unserved = {
        "tools": bool(wire.tools),
        "functions": bool(wire.functions),
        "logprobs": bool(wire.logprobs),
        "top_logprobs": bool(wire.top_logprobs),
        "modalities": "audio" in (wire.modalities or ()),
    }
    for name, asked in unserved.items():
        if asked:
            raise ParameterInvalid(f"The {name} parameter is not supported by this model.", parameter=name)


def _read_stop(stop: str | list[str | int | list[int]] | None) -> tuple[str, ...]:
    given = [stop] if isinstance(stop, str) else stop or []
    if len(given) > _MOST_STOPS:
        raise ParameterInvalid(f"The stop parameter may hold at most {_MOST_STOPS} texts.", parameter="stop")
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) < len(given):
        # They would be those of Qwen's vocabulary, which the model that answers may not have.
        raise ParameterInvalid("The stop parameter does not support token ids with this model.", parameter="stop")
    if any(len(text) > _LONGEST_STOP for text in texts):
        raise ParameterInvalid(f"A stop text may be at most {_LONGEST_STOP} characters long.", parameter="stop")
    return tuple(text for text in texts if text)
