"""What differs between servers that speak the OpenAI-compatible protocol: one record for each.

Sources: Model Studio's pages of the OpenAI-compatible chat API; `vllm/entrypoints/openai/chat_completion/protocol.py`
of vLLM; `python/sglang/srt/entrypoints/openai/protocol.py` and the page "Thinking budget" of SGLang;
`tools/server/README.md` of llama.cpp and its server as xllamacpp 2026.10 ships it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class BudgetPlace(StrEnum):
    """Where the bound on the tokens of reasoning stands in a body."""

    BODY = "body"
    CUSTOM = "custom_params"
    """In SGLang's table for custom processors, which its strict thinking reads."""


def _constant(**fields: object) -> Mapping[str, object]:
    return MappingProxyType(fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one kind of server wants to be asked."""

    name: str
    streaming: Mapping[str, object]
    """Fields of a body whose answer streams, and whose tokens are counted."""
    constants: Mapping[str, object] = field(default_factory=_constant)
    """Fields of every body."""
    stops_whole_answers: bool = False
    """Whether work on a whole answer stops when the caller leaves; where it does not, every answer streams."""
    counts_each_choice: bool = False
    """Whether counts of tokens beside a choice are those of this choice; else they are of the answer."""
    ends_each_choice: bool = False
    """Whether a usage follows each choice and counts that one alone."""
    switches_thinking: bool = True
    """Whether thinking can be switched and bounded at all."""
    thinks_in_template: bool = True
    """Whether the switch for thinking is one of the chat template; else it is a field of the body."""
    budget_field: str = ""
    budget_place: BudgetPlace = BudgetPlace.BODY
    reasoning_field: str = "reasoning_content"
    """Name in a message for what the assistant thought; empty where it cannot be said."""
    bound_field: str = "max_completion_tokens"
    """Name of the one bound, which holds reasoning and answer."""
    bounds_answer_alone: bool = False
    """Whether `max_tokens` is a second bound, on the answer without its reasoning."""
    repetition_penalty: str = "repetition_penalty"
    """Name of the field; empty where there is none."""
    knows_top_k: bool = True
    top_k_off: int = -1
    random_seed: int | None = None
    """A seed that means "choose one yourself", and beyond which there is none; None where every seed is a seed."""
    least_top_logprobs: int = 0
    """How many alternatives must be asked for to get any log probabilities."""
    continues: Mapping[str, object] = field(default_factory=lambda: _constant(continue_final_message=True))
    """Fields by which the last message is gone on with; none where the message itself says so by `partial`."""
    goes_on: bool = True
    """Whether an answer can be begun by the caller at all."""
    sees_pixels: bool = False
    """Whether bounds on pixels and `vl_high_resolution_images` are understood."""
    sees_videos: bool = False
    sees_frames: bool = False
    """Whether the frames of a video are one part; elsewhere each is an image."""
    request_id_header: str = ""


_PLAINLY_COUNTED = _constant(stream=True, stream_options={"include_usage": True})
_COUNTED = _constant(stream=True, stream_options={"include_usage": True, "continuous_usage_stats": True})
_NO_NEW_TURN = _constant(continue_final_message=True, add_generation_prompt=False)

MODEL_STUDIO = Dialect(
    name="model-studio",
    streaming=_PLAINLY_COUNTED,
    thinks_in_template=False,
    budget_field="thinking_budget",
    bounds_answer_alone=True,
    # "Off" is every value above 100; 0 is in no documented range.
    top_k_off=101,
    continues=_constant(),
    sees_pixels=True,
    sees_videos=True,
    sees_frames=True,
)

VLLM = Dialect(
    name="vllm",
    streaming=_COUNTED,
    stops_whole_answers=True,
    counts_each_choice=True,
    sees_videos=True,
    budget_field="thinking_token_budget",
    reasoning_field="reasoning",
    continues=_NO_NEW_TURN,
    request_id_header="X-Request-Id",
)

SGLANG = Dialect(
    name="sglang",
    streaming=_COUNTED,
    stops_whole_answers=True,
    counts_each_choice=True,
    sees_videos=True,
    budget_field="thinking_budget",
    budget_place=BudgetPlace.CUSTOM,
)

LLAMA_CPP = Dialect(
    name="llama.cpp",
    streaming=_constant(
        stream=True, stream_options={"include_usage": True}, timings_per_token=True, return_progress=True
    ),
    # 0 for off; llama.cpp's own default would narrow the choice beyond what the caller asked.
    constants=_constant(min_p=0.0),
    counts_each_choice=True,
    ends_each_choice=True,
    budget_field="thinking_budget_tokens",
    bound_field="max_tokens",
    repetition_penalty="repeat_penalty",
    top_k_off=0,
    random_seed=0xFFFF_FFFF,
    least_top_logprobs=1,
    continues=_NO_NEW_TURN,
)

PLAIN = Dialect(
    name="plain",
    streaming=_PLAINLY_COUNTED,
    switches_thinking=False,
    reasoning_field="",
    # Ollama and older servers know no `max_completion_tokens`.
    bound_field="max_tokens",
    repetition_penalty="",
    knows_top_k=False,
    continues=_constant(),
    goes_on=False,
)
"""OpenAI's own fields and no others: Ollama, Ray Serve, and every server that is not known."""

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (MODEL_STUDIO, VLLM, SGLANG, LLAMA_CPP, PLAIN)}
)
"""By name, as the configuration file says them."""
