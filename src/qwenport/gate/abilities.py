"""What a model card allows to ask: the kind of work, thinking, tools, JSON, images, how many texts.

Production looks at these by the name of the model, whatever answers for it; so does the gate.
"""

from __future__ import annotations

from collections.abc import Callable

from qwenport.core.call import AnyJson, Call, ChatInput, EmbeddingInput, NativeInput, RerankInput
from qwenport.core.capabilities import Ability, Thinking, ability_of, thinks
from qwenport.core.content import FilePart, ImagePart, Picture, Role, VideoPart
from qwenport.core.errors import ModelNotServedHere, ParameterInvalid
from qwenport.core.model_card import ModelCard
from qwenport.core.tools import ToolUse

LONGEST_DOCUMENT_LIST = 500
"""Documents in one rerank call, where the card names no bound."""

THINKS_WHOLE = frozenset({"responses"})
"""Operations whose whole answers hold reasoning too, which others give in streams only."""

FOR_IMAGES = {"text-generation": False, "multimodal-generation": True}
"""Operations that are for models of one kind only, those that read images or those that do not: "HTTP endpoint" in
Model Studio's DashScope API reference (https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-dashscope)."""

Problem = tuple[str, str]
"""The parameter, and the documented words."""


def check_abilities(call: Call, card: ModelCard) -> None:
    """Refuse what the model of this name is not for.

    Raises:
        ModelNotServedHere: it does another kind of work, or has another address.
        ParameterInvalid: with the documented words for what is asked too much.
    """
    able, ability = card.capabilities, ability_of(call)
    if ability not in able.abilities or FOR_IMAGES.get(call.operation, able.vision) is not able.vision:
        raise ModelNotServedHere(card.name)
    if isinstance(call.input, NativeInput) and call.input.service not in able.native_services:
        raise ModelNotServedHere(card.name)
    problem = _PROBLEMS[ability](call, card)
    if problem is not None:
        parameter, words = problem
        raise ParameterInvalid(words, parameter=parameter)


def _chat_problem(call: Call, card: ModelCard) -> Problem | None:
    asked = call.input
    if not isinstance(asked, ChatInput):
        raise TypeError(f"the input of call {call.id} is no chat")
    for find_problem in _CHAT_PROBLEMS:
        problem = find_problem(call, asked, card)
        if problem is not None:
            return problem
    return _choice_problem(call, card)


def _transport_problem(call: Call, asked: ChatInput, card: ModelCard) -> Problem | None:
    able = card.capabilities
    if call.streams:
        return None
    if able.thinking is Thinking.ALWAYS:
        return "enable_thinking", "parameter.enable_thinking only support stream call"
    if able.thinking is Thinking.HYBRID and call.operation not in THINKS_WHOLE and thinks(asked, able):
        return "enable_thinking", "parameter.enable_thinking must be set to false for non-streaming calls"
    if able.stream_only:
        return (
            "stream",
            "This model only support stream mode, please enable the stream parameter to access the model.",
        )
    return None


def _thinking_problem(_: Call, asked: ChatInput, card: ModelCard) -> Problem | None:
    able = card.capabilities
    if asked.thinking and able.thinking is Thinking.NONE:
        return "enable_thinking", f"The model {card.name} does not support enable_thinking."
    if asked.thinking is False and able.thinking is Thinking.ALWAYS:
        return "enable_thinking", "The value of the enable_thinking parameter is restricted to True."
    return _reasoning_problem(asked, card) if thinks(asked, able) else None


def _reasoning_problem(asked: ChatInput, card: ModelCard) -> Problem | None:
    """Find what does not go together with the reasoning that this call will have."""
    most = card.capabilities.max_thinking_tokens or card.max_output_tokens
    if asked.thinking_budget is not None and not 1 <= asked.thinking_budget <= most:
        words = f"The thinking_budget parameter must be a positive integer and not greater than {most}"
        return "thinking_budget", words
    if isinstance(asked.json, AnyJson):
        return "response_format", "Json mode response is not supported when enable_thinking is true"
    if asked.tools and asked.tool_choice.use in {ToolUse.REQUIRED, ToolUse.NAMED}:
        return (
            "tool_choice",
            "The tool_choice parameter does not support being set to required or object in thinking mode",
        )
    return None


def _tool_problem(call: Call, asked: ChatInput, card: ModelCard) -> Problem | None:
    if not asked.tools:
        return None
    able = card.capabilities
    if not able.tool_uses:
        return "tools", "The tool call is not supported."
    if asked.tool_choice.use not in able.tool_uses:
        return "tool_choice", 'tool_choice is one of the strings that should be ["none", "auto"]'
    if call.sampling.choices > 1:
        return "n", "Range of n should be [1, 1] when tools are given"
    return None


def _format_problem(_: Call, asked: ChatInput, card: ModelCard) -> Problem | None:
    if asked.json is None:
        return None
    able = card.capabilities
    if not (able.json_object if isinstance(asked.json, AnyJson) else able.json_schema):
        return "response_format", "The response_format parameter is not supported by this model."
    if isinstance(asked.json, AnyJson) and not any("json" in message.text.lower() for message in asked.messages):
        return (
            "response_format",
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        )
    return None


def _choice_problem(call: Call, card: ModelCard) -> Problem | None:
    able = card.capabilities
    if call.sampling.logprobs is not None and not able.logprobs:
        return "logprobs", "The logprobs parameter is not supported by this model."
    if call.sampling.choices > 1 and not able.several_choices:
        return "n", "Range of n should be [1, 1]"
    return None


def _content_problem(_: Call, asked: ChatInput, card: ModelCard) -> Problem | None:
    able = card.capabilities
    parts = {
        type(part) for message in asked.messages if not isinstance(message.content, str) for part in message.content
    }
    if not able.vision and not parts.isdisjoint(_IMAGES):
        return "messages", "An error during model pre-process. (this model reads text only, and an image was given)"
    if VideoPart in parts and not able.video:
        return "messages", "Unexpected item type in content: video is not served by this model"
    if FilePart in parts and not able.documents:
        return "messages", "Unexpected item type in content: `fileid://` is not served by this model"
    if asked.messages and asked.messages[-1].is_partial and not able.partial:
        return "messages", "The partial parameter is not supported by this model."
    return None


def _ocr_problem(_: Call, asked: ChatInput, card: ModelCard) -> Problem | None:
    """Find what is wrong with a task: the model knows none or not this one, or there is no image for it."""
    if asked.ocr is None:
        return None
    if asked.ocr.task not in card.capabilities.ocr_tasks:
        return "ocr_options", "The ocr_options parameter is not supported by this model."
    last = next((message for message in reversed(asked.messages) if message.role is Role.USER), None)
    if last is None or isinstance(last.content, str) or _IMAGES.isdisjoint(map(type, last.content)):
        return "ocr_options", "The ocr_options parameter requires an image in the last message of the user."
    return None


def _embedding_problem(call: Call, card: ModelCard) -> Problem | None:
    asked = call.input
    if not isinstance(asked, EmbeddingInput):
        return None
    most = card.capabilities.max_texts
    if most and len(asked.texts) > most:
        return (
            "input",
            (
                "<400> InternalError.Algo.InvalidParameter: Value error, "
                f"batch size is invalid, it should not be larger than {most}.: input.contents"
            ),
        )
    sizes = card.capabilities.dimensions
    # What stands in for the model makes sizes of its own, and says which.
    if asked.dimension is not None and asked.dimension not in sizes and not card.stands_in:
        listed = ", ".join(str(size) for size in sizes)
        return "dimension", f"The dimension parameter is {asked.dimension}; this model makes [{listed}]"
    return None


def _rerank_problem(call: Call, card: ModelCard) -> Problem | None:
    most = card.capabilities.max_texts or LONGEST_DOCUMENT_LIST
    if isinstance(call.input, RerankInput) and len(call.input.documents) > most:
        return "documents", f"Range of the number of documents should be [1, {most}]"
    return None


_IMAGES = frozenset({ImagePart, Picture})

_CHAT_PROBLEMS: tuple[Callable[[Call, ChatInput, ModelCard], Problem | None], ...] = (
    _thinking_problem,
    _transport_problem,
    _content_problem,
    _ocr_problem,
    _tool_problem,
    _format_problem,
)
"""What is looked at for a chat, in this order, before what all that generate have in common."""

_PROBLEMS: dict[Ability, Callable[[Call, ModelCard], Problem | None]] = {
    Ability.CHAT: _chat_problem,
    Ability.COMPLETION: _choice_problem,
    Ability.EMBEDDING: _embedding_problem,
    Ability.RERANK: _rerank_problem,
    Ability.NATIVE: lambda _call, _card: None,
}
