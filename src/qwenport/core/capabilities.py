"""What a model or an engine can do: one record, from which it is decided what is honoured, ignored or refused.

A model card has one: what production allows to ask of that name. An engine has one: what it can really do. The gate
checks a call against the card's; routing takes only engines that can do what ignoring would visibly leave out.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.core.call import (
    AnyJson,
    Call,
    ChatInput,
    EmbeddingInput,
    Input,
    JsonSchema,
    NativeInput,
    PromptInput,
    RerankInput,
)
from qwenport.core.content import Part, VideoPart
from qwenport.core.errors import ParameterInvalid
from qwenport.core.ocr import OcrTask
from qwenport.core.tools import ToolUse


class Thinking(StrEnum):
    """Whether a model reasons before it answers."""

    NONE = "none"
    HYBRID = "hybrid"
    """Where it is asked to."""
    ALWAYS = "always"


class Ability(StrEnum):
    """A kind of work, by the input that it takes."""

    CHAT = "chat"
    COMPLETION = "completion"
    EMBEDDING = "embedding"
    RERANK = "rerank"
    NATIVE = "native"
    """A native service that the gateway hands on and does not serve itself."""


class Coordinates(StrEnum):
    """How a model that sees says where something is in an image."""

    PIXELS = "pixels"
    """In pixels of an image whose size it is told; of models of which nothing else is known."""
    SCALED_PIXELS = "scaled_pixels"
    """In pixels of the image as it is scaled for the model, to sides that are multiples of 28, as Qwen2.5-VL does."""
    THOUSANDTHS = "thousandths"
    """In thousandths of the width and of the height, as Qwen3-VL and what came after it do."""


class Capabilities(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be asked; the defaults are those of a plain chat model."""

    abilities: tuple[Ability, ...] = (Ability.CHAT,)
    thinking: Thinking = Thinking.NONE
    thinks_by_default: bool = False
    """Whether a hybrid model thinks where the caller does not say."""
    max_thinking_tokens: int | None = None
    stream_only: bool = False
    """Whether a whole answer is refused at the faces."""
    vision: bool = False
    video: bool = False
    tool_uses: tuple[ToolUse, ...] = (ToolUse.AUTO, ToolUse.NONE, ToolUse.NAMED)
    """Values of `tool_choice`; empty for a model that takes no tools."""
    json_object: bool = True
    json_schema: bool = True
    logprobs: bool = True
    several_choices: bool = True
    partial: bool = True
    """Whether an answer can be begun by the caller (prefix mode)."""
    documents: bool = False
    """Whether stored files are read by `fileid://`."""
    ocr_tasks: tuple[OcrTask, ...] = ()
    """Built-in tasks that images can be given to."""
    coordinates: Coordinates = Coordinates.PIXELS
    """What the numbers mean by which it says places in an image."""
    implicit_cache: bool = True
    explicit_cache: bool = False
    dimensions: tuple[int, ...] = ()
    """Lengths of vectors that can be had, the default first."""
    max_texts: int = 0
    """Texts or documents in one call; 0 where the ability is none of these."""
    native_services: tuple[str, ...] = ()
    """Native services that the model is called at, such as `aigc/text2image/image-synthesis`."""


_ABILITY_OF: dict[type[Input], Ability] = {
    ChatInput: Ability.CHAT,
    PromptInput: Ability.COMPLETION,
    EmbeddingInput: Ability.EMBEDDING,
    RerankInput: Ability.RERANK,
    NativeInput: Ability.NATIVE,
}


def ability_of(call: Call) -> Ability:
    """Return what kind of work a call asks for."""
    return _ABILITY_OF[type(call.input)]


def thinks(asked: ChatInput, able: Capabilities) -> bool:
    """Tell whether a model of these capabilities reasons before it answers this."""
    if able.thinking is Thinking.HYBRID:
        return able.thinks_by_default if asked.thinking is None else asked.thinking
    return able.thinking is Thinking.ALWAYS


def misfit(call: Call, engine: Capabilities, target: str) -> ParameterInvalid | None:
    """Return why an engine cannot take a call, None where it can; what it may ignore is no reason.

    Thinking is ignored by an engine that does not think: the answer has the same shape without it.
    """
    if ability_of(call) not in engine.abilities:
        work = "hand on native services" if isinstance(call.input, NativeInput) else f"do {ability_of(call).value}s"
        return _misfit(target, f"does not {work}", "model")
    if not isinstance(call.input, ChatInput):
        return None
    asked = call.input
    needs: tuple[tuple[str, bool, str], ...] = (
        ("messages", not asked.images or engine.vision, "cannot see images"),
        ("messages", engine.video or not _holds(asked, VideoPart), "cannot see videos"),
        (
            "tool_choice",
            _holds_to_tools(asked, engine),
            f"cannot be held to a tool_choice of `{asked.tool_choice.use}`",
        ),
        ("response_format", engine.json_object or not isinstance(asked.json, AnyJson), "cannot be held to JSON"),
        (
            "response_format",
            engine.json_schema or not isinstance(asked.json, JsonSchema),
            "cannot be held to a JSON Schema",
        ),
        ("logprobs", engine.logprobs or call.sampling.logprobs is None, "tells no log probabilities"),
        ("n", engine.several_choices or call.sampling.choices == 1, "makes one choice only"),
        ("messages", engine.partial or not _is_begun(asked), "cannot go on from a prefix"),
        ("ocr_options", asked.ocr is None or asked.ocr.task in engine.ocr_tasks, _untaken(asked)),
    )
    return next((_misfit(target, what, parameter) for parameter, is_met, what in needs if not is_met), None)


def _holds_to_tools(asked: ChatInput, engine: Capabilities) -> bool:
    return not asked.tools or asked.tool_choice.use in {ToolUse.NONE, *engine.tool_uses}


def _holds(asked: ChatInput, kind: type[Part]) -> bool:
    contents = (message.content for message in asked.messages if not isinstance(message.content, str))
    return any(isinstance(part, kind) for content in contents for part in content)


def _is_begun(asked: ChatInput) -> bool:
    return bool(asked.messages) and asked.messages[-1].is_partial


def _untaken(asked: ChatInput) -> str:
    return f"does not take the task `{asked.ocr.task}`: it needs a model that sees" if asked.ocr is not None else ""


def _misfit(target: str, what: str, parameter: str) -> ParameterInvalid:
    return ParameterInvalid(f"The engine `{target}`, which answers for this model here, {what}.", parameter=parameter)
