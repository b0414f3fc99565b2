"""How much a call can consume at most, before anything of it was counted."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Iterator

from qwenport.core.call import Call, ChatInput, EmbeddingInput, PromptInput, RerankInput
from qwenport.core.capabilities import thinks
from qwenport.core.content import ImagePart, Part, Picture, TextPart
from qwenport.core.model_card import ModelCard
from qwenport.media.pixels import most_image_tokens

TEMPLATE_TOKENS = 16
"""More than a chat template adds around one message, one tool or one tool call."""


def most_input_tokens(call: Call, card: ModelCard) -> int:
    """Return an upper bound of the prompt in tokens: a token is a byte of UTF-8 at the least."""
    match call.input:
        case ChatInput():
            size = TEMPLATE_TOKENS + sum(_chat_sizes(call.input, card))
        case PromptInput(prompt=prompt, suffix=suffix):
            size = TEMPLATE_TOKENS + _size(prompt) + _size(suffix)
        case EmbeddingInput(texts=texts, instruct=instruct):
            # Every text has a bound of its own; the card's context is that of one text.
            return sum(_vector_size(text, card) + _size(instruct) + TEMPLATE_TOKENS for text in texts)
        case RerankInput(query=query, documents=documents, instruct=instruct):
            each = _vector_size(query, card) + _size(instruct) + TEMPLATE_TOKENS
            return sum(each + _vector_size(document, card) for document in documents)
    return min(size, card.max_input_tokens)


def most_output_tokens(call: Call, card: ModelCard) -> int:
    """Return an upper bound of the answer in tokens, all choices together."""
    if not isinstance(call.input, ChatInput | PromptInput):
        return 0
    return (answer_tokens(call, card) + reasoning_tokens(call, card)) * call.sampling.choices


def answer_tokens(call: Call, card: ModelCard) -> int:
    """Return the bound on one choice: the caller's, else the card's; JSON and tools end by themselves."""
    given = [bound for bound in (call.sampling.max_tokens, call.sampling.max_completion_tokens) if bound is not None]
    if given:
        return min(given)
    if _ends_by_itself(call) or card.default_output_tokens is None:
        return card.max_output_tokens
    return min(card.default_output_tokens, card.max_output_tokens)


def reasoning_tokens(call: Call, card: ModelCard) -> int:
    """Return the bound on the reasoning of one choice beside its answer; `max_completion_tokens` holds both."""
    if not isinstance(call.input, ChatInput) or not thinks(call.input, card.capabilities):
        return 0
    if call.sampling.max_completion_tokens is not None:
        return 0
    most = card.capabilities.max_thinking_tokens or card.max_output_tokens
    return most if call.input.thinking_budget is None else min(call.input.thinking_budget, most)


def _ends_by_itself(call: Call) -> bool:
    return isinstance(call.input, ChatInput) and (call.input.json is not None or bool(call.input.tools))


def _chat_sizes(asked: ChatInput, card: ModelCard) -> Iterator[int]:
    for message in asked.messages:
        yield TEMPLATE_TOKENS + _size(message.text) + _size(message.reasoning)
        if message.tool_calls:
            yield from (TEMPLATE_TOKENS + _size(each.name) + _size(each.arguments) for each in message.tool_calls)
        if not isinstance(message.content, str):
            yield from (_part_size(part, card) for part in message.content)
    for tool in asked.tools:
        yield TEMPLATE_TOKENS + _size(tool.name) + _size(tool.description) + len(tool.parameters)


def _part_size(part: Part, card: ModelCard) -> int:
    """Return what a part counts beside its text, before anything of it was fetched."""
    match part:
        case TextPart():
            return 0
        case ImagePart() | Picture():
            return most_image_tokens(card)
        case _:  # how long a document or a video is nobody knows yet
            return card.max_input_tokens


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _vector_size(text: str, card: ModelCard) -> int:
    """Return the bound for a text that becomes a vector: such models read it in compatibility form, which is longer.

    What is longer than the model reads is cut or refused, so its form need not be known.
    """
    size = _size(text)
    if size < card.max_input_tokens and not text.isascii():
        # Each character by itself: normalizing a text takes time that grows with the square of its marks.
        size = sum(times * _compatible_size(character) for character, times in Counter(text).items())
    return min(size, card.max_input_tokens)


@functools.cache
def _compatible_size(character: str) -> int:
    return _size(unicodedata.normalize("NFKD", character))
