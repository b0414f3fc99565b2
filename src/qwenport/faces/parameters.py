"""Parameters of generation, alike on both faces: at the top of the OpenAI body, below `parameters` on the native one.

Honoured: the fields of `WireParameters`. Refused, because ignoring them would change the shape of the answer:
`functions` and `function_call`, which are older than tools, and spoken answers. Everything else is ignored, as
production ignores it; so are `enable_search` and `reasoning_effort`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw, Struct

from qwenport.core.call import ChatInput, Sampling
from qwenport.core.content import Message
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.body import given
from qwenport.faces.response_format import WireResponseFormat, read_response_format
from qwenport.faces.stop import WireStop, read_stop
from qwenport.faces.tools import WireTool, WireToolChoice, read_tool_choice, read_tools

_GREATEST_TOP_K = 100
"""A greater `top_k` means off."""
_NOTHING = frozenset({b"", b"[]"})


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
    stop: WireStop | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    response_format: WireResponseFormat | None = None
    tools: list[WireTool] | None = None
    tool_choice: str | WireToolChoice | None = None
    parallel_tool_calls: bool | None = None
    functions: Raw = Raw()
    function_call: Raw = Raw()
    modalities: list[str] | None = None
    enable_thinking: bool | None = None
    thinking_budget: int | None = None
    vl_high_resolution_images: bool | None = None


def read_chat(messages: Sequence[Message], wire: WireParameters) -> tuple[ChatInput, Sampling]:
    """Return what is asked of a chat model, and how to choose its tokens; what needs the model card is not checked.

    Raises:
        ParameterInvalid: a parameter that no model takes.
    """
    sampling = read_sampling(wire)
    tools = read_tools(wire.tools)
    return (
        ChatInput(
            messages=tuple(messages),
            tools=tools,
            tool_choice=read_tool_choice(wire.tool_choice, tools),
            parallel_tool_calls=bool(wire.parallel_tool_calls),
            json=read_response_format(wire.response_format),
            thinking=wire.enable_thinking,
            thinking_budget=wire.thinking_budget,
            high_resolution=bool(wire.vl_high_resolution_images),
        ),
        sampling,
    )


def read_sampling(wire: WireParameters) -> Sampling:
    """Return how to choose tokens; ranges are not checked here.

    Raises:
        ParameterInvalid: something that is not served was asked for, or `stop` is too much.
    """
    _refuse_unserved(wire)
    stop, stop_tokens = read_stop(wire.stop) if wire.stop else ((), ())
    return Sampling(
        temperature=wire.temperature,
        top_p=wire.top_p,
        top_k=read_top_k(wire.top_k),
        repetition_penalty=wire.repetition_penalty,
        presence_penalty=wire.presence_penalty,
        seed=wire.seed,
        max_tokens=wire.max_tokens,
        max_completion_tokens=wire.max_completion_tokens,
        stop=stop,
        stop_tokens=stop_tokens,
        choices=1 if wire.n is None else wire.n,
        logprobs=_read_logprobs(wire),
    )


def read_top_k(top_k: int | None) -> int | None:
    """Return from how many tokens to choose; 0 is from all of them, which a number beyond the greatest means too."""
    return 0 if top_k is not None and top_k > _GREATEST_TOP_K else top_k


def _refuse_unserved(wire: WireParameters) -> None:
    for name, asked in (("functions", wire.functions), ("function_call", wire.function_call)):
        if given(asked) not in _NOTHING:
            raise ParameterInvalid(f"The {name} parameter is not supported, use tools instead.", parameter=name)
    if wire.modalities and "audio" in wire.modalities:
        raise ParameterInvalid("The modalities parameter is not supported by this model.", parameter="modalities")


def _read_logprobs(wire: WireParameters) -> int | None:
    if wire.logprobs:
        return wire.top_logprobs or 0
    if wire.top_logprobs:
        raise ParameterInvalid("The top_logprobs parameter requires logprobs to be true.", parameter="top_logprobs")
    return None
