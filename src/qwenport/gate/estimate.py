"""How much a call can consume at most, before anything of it was counted."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter

from qwenport.core.call import Call, ChatInput, EmbeddingInput, JsonSchema, NativeInput, PromptInput, RerankInput
from qwenport.core.capabilities import thinks
from qwenport.core.content import FilePart, ImagePart, Part, Picture, TextPart
from qwenport.core.model_card import ModelCard
from qwenport.gate.paged import is_one_image, may_have_pages
from qwenport.media.pixels import most_image_tokens

TEMPLATE_TOKENS = 16
"""More than a chat template adds around one message, one tool or one tool call."""

OWN_WORDS_TOKENS = 64
"""More than a chat template says by itself, such as who the assistant is where nobody says it."""

TOOL_WORDS_TOKENS = 512
"""More than a chat template says of how tools are called."""


TASK_WORDS_TOKENS = 1024
"""More than the prompt of a built-in OCR task."""


def most_input_tokens(call: Call, card: ModelCard) -> int:
    """Return an upper bound of the prompt in tokens: a token is a byte of UTF-8 at the least."""
    match call.input:
        case NativeInput(body=body):
            size = TEMPLATE_TOKENS + len(body)
        case ChatInput():
            size = OWN_WORDS_TOKENS + _chat_size(call.input, card)
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
    if isinstance(call.input, NativeInput):
        return card.max_output_tokens
    if not isinstance(call.input, ChatInput | PromptInput):
        return 0
    return (answer_tokens(call, card) + reasoning_tokens(call, card)) * call.sampling.choices


def sent_media(call: Call, max_pages: int) -> tuple[int, int]:
    """Return how many images a call holds at most, and how many pages.

    An image or a document is one page or more; the pages of what is known to have several, or may have, are
    `max_pages` in the whole call. How many there were is settled.
    """
    if not isinstance(call.input, ChatInput):
        return 0, 0
    images = documents = bound_together = 0
    for message in call.input.messages:
        if not isinstance(message.content, str):
            for part in message.content:
                images += isinstance(part, ImagePart | Picture)
                documents += isinstance(part, FilePart)
                bound_together += isinstance(part, ImagePart) and may_have_pages(part)
    paged = max(max_pages, bound_together) if bound_together else 0
    return images, images - bound_together + documents + paged


def loaded_media(sent: Call, loaded: Call) -> tuple[int, int]:
    """Return how many images and pages a call holds whose images and documents were loaded.

    A page of a document that became a picture is a page and no image, a document that became text one page.
    """
    if not isinstance(sent.input, ChatInput) or not isinstance(loaded.input, ChatInput):
        return 0, 0
    pictures = [picture for picture in loaded.input.images if isinstance(picture, Picture)]
    documents = sum(
        isinstance(part, FilePart)
        for message in sent.input.messages
        if not isinstance(message.content, str)
        for part in message.content
    )
    return sum(not picture.page for picture in pictures), len(pictures) + documents


def answer_tokens(call: Call, card: ModelCard) -> int:
    """Return the bound on one choice: the caller's, else the card's; JSON and tools end by themselves."""
    first, second = call.sampling.max_tokens, call.sampling.max_completion_tokens
    if first is not None:
        return first if second is None else min(first, second)
    if second is not None:
        return second
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


def _chat_size(asked: ChatInput, card: ModelCard) -> int:
    size = 0
    for message in asked.messages:
        size += TEMPLATE_TOKENS + _size(message.text) + _size(message.reasoning)
        for each in message.tool_calls:
            size += TEMPLATE_TOKENS + _size(each.name) + _size(each.arguments)
        if not isinstance(message.content, str):
            size += sum(_part_size(part, card) for part in message.content)
    if asked.ocr is not None:
        size += TASK_WORDS_TOKENS + len(asked.ocr.result_schema)
    if isinstance(asked.json, JsonSchema):
        size += len(asked.json.schema)
    if asked.tools:
        size += TOOL_WORDS_TOKENS
    for tool in asked.tools:
        size += TEMPLATE_TOKENS + _size(tool.name) + _size(tool.description) + len(tool.parameters)
    return size


def _part_size(part: Part, card: ModelCard) -> int:
    """Return what a part counts beside its text, before anything of it was fetched."""
    match part:
        case TextPart():
            return 0
        case ImagePart() if not is_one_image(part):
            return card.max_input_tokens
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
