"""Counting tokens without a vocabulary, for upstreams that do not tell how many there were."""

from __future__ import annotations

from qwenport.core.call import ChatInput, EmbeddingInput, PromptInput, RerankInput
from qwenport.core.content import Picture
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.dialects import asked_for_task

BYTES_A_TOKEN = 4
"""Of UTF-8, as Qwen's vocabulary cuts text in English and in Chinese alike."""

NO_BOUND = 1 << 62

_MESSAGE_TOKENS = 4
"""What a chat template says around a message."""


def text_tokens(text: str) -> int:
    """Return about how many tokens a text is; one at the least, if it says anything."""
    return -(-_size(text) // BYTES_A_TOKEN)


def input_tokens(prepared: PreparedCall) -> int:
    """Return about how many tokens a prompt is, never more than what the call was admitted for."""
    match prepared.call.input:
        case ChatInput() as asked:
            tokens = _chat_tokens(asked_for_task(asked))
        case PromptInput(prompt=prompt, suffix=suffix):
            return min(max(text_tokens(prompt) + text_tokens(suffix), 1), prepared.max_input_tokens)
        case EmbeddingInput(texts=texts):
            # The bound is that of each text.
            return sum(min(max(text_tokens(text), 1), prepared.max_input_tokens) for text in texts)
        case RerankInput(query=query, documents=documents):
            return sum(text_tokens(query) + text_tokens(document) for document in documents)
    return min(tokens, prepared.max_input_tokens)


def image_tokens(prepared: PreparedCall) -> int:
    """Return how many tokens the images of a prompt are, by the patches that their model's card says."""
    asked = prepared.call.input
    if not isinstance(asked, ChatInput):
        return 0
    return sum(image.tokens for image in asked_for_task(asked).images if isinstance(image, Picture))


def most_output_tokens(prepared: PreparedCall) -> int:
    """Return the bound on the tokens of each choice, its reasoning among them."""
    asked, sampling = prepared.call.input, prepared.call.sampling
    bound = sampling.max_completion_tokens if sampling.max_tokens is None else sampling.max_tokens
    if bound is None:
        return NO_BOUND
    if not isinstance(asked, ChatInput) or not asked.thinking or sampling.max_completion_tokens is not None:
        return bound
    return NO_BOUND if asked.thinking_budget is None else bound + asked.thinking_budget


def _chat_tokens(asked: ChatInput) -> int:
    tokens = 0
    for message in asked.messages:
        tokens += _MESSAGE_TOKENS + text_tokens(message.text) + text_tokens(message.reasoning)
        tokens += sum(text_tokens(call.name) + text_tokens(call.arguments) for call in message.tool_calls)
        if not isinstance(message.content, str):
            tokens += sum(part.tokens for part in message.content if isinstance(part, Picture))
    for tool in asked.tools:
        tokens += text_tokens(tool.name) + text_tokens(tool.description) + len(tool.parameters) // BYTES_A_TOKEN
    return tokens


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class TokenCount:
    """Tokens of one choice, as far as its events have carried them."""

    __slots__ = ("_bytes", "_most", "_pieces", "counted", "is_told", "reasoned")

    def __init__(self, most: int = NO_BOUND) -> None:
        """Count to `most`, which the upstream was told as its bound: a guess beyond it cannot be true."""
        self._most = most
        self.counted = 0
        self.reasoned = 0
        self.is_told = False
        """Whether the upstream counts along."""
        self._bytes = 0
        self._pieces = 0

    def add(self, text: str, told: int) -> int:
        """Return how many tokens a further piece adds; `told` is what the upstream counted so far, 0 for nothing.

        A piece is one token, unless all pieces together are too long for that.
        """
        if told:
            self.is_told = True
            total = told
        elif self.is_told:
            # What it leaves out here, it tells with a later piece.
            return 0
        else:
            self._pieces += 1
            self._bytes += len(text) if text.isascii() else _size(text)
            total = min(max(self._pieces, self._bytes // BYTES_A_TOKEN), self._most)
        tokens = total - self.counted
        if tokens <= 0:
            return 0
        self.counted = total
        return tokens
