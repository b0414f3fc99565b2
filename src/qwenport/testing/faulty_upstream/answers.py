"""Good answers of an OpenAI-compatible server, and the small things that can be wrong inside them."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import Struct

from qwenport.testing.faulty_upstream.faults import Fault

_END = b"data: [DONE]\n\n"


class StreamOptions(Struct):
    """Whether a stream ends with its usage."""

    include_usage: bool = False


class Message(Struct):
    """One message of a chat."""

    content: object = None


class Request(Struct):
    """What is read of the body of any request; the rest is taken without being looked at."""

    model: str = "faulty"
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    messages: list[Message] = []
    prompt: object = None
    input: object = None
    user: object = None

    @property
    def asked(self) -> str:
        """What was asked, by which a test knows the call again: the last message, the prompt or the input."""
        asked = self.messages[-1].content if self.messages else self.prompt or self.input
        return asked if isinstance(asked, str) else msgspec.json.encode(asked).decode()


@lru_cache(maxsize=4)
def _words(count: int) -> tuple[bytes, ...]:
    return tuple(b" word%d" % number for number in range(count))


def usage_of(prompt_tokens: int, tokens: int, fault: Fault) -> object:
    """Return the usage that is told, right or wrong."""
    told: dict[str, object] = {"prompt_tokens": prompt_tokens, "completion_tokens": tokens}
    told["total_tokens"] = prompt_tokens + tokens
    if fault is Fault.USAGE_NEGATIVE:
        return dict.fromkeys(told, -1)
    if fault is Fault.USAGE_ABSURD:
        return dict.fromkeys(told, 10**15)
    if fault is Fault.USAGE_TEXT:
        return {name: f"{number}" for name, number in told.items()}
    return told


def prompt_tokens_of(asked: str) -> int:
    """Return how many tokens a prompt has here: a word is one, and so is what the template adds."""
    return len(asked.split()) + 1


def stream_frames(call_id: bytes, request: Request, *, is_chat: bool, tokens: int, fault: Fault) -> list[bytes]:
    """Return the frames of a stream: one a token, one for its end, its usage where it is wanted, and the last."""
    kind = b"chat.completion.chunk" if is_chat else b"text_completion"
    model = msgspec.json.encode(request.model)
    common = b'data: {"id":"%b","object":"%b","created":1700000000,"model":%b,' % (call_id, kind, model)
    begin = common + (b'"choices":[{"index":0,"delta":{"content":"' if is_chat else b'"choices":[{"index":0,"text":"')
    close = b'"},"finish_reason":null}]}\n\n' if is_chat else b'","finish_reason":null}]}\n\n'
    frames = [begin + word + close for word in _words(tokens)]
    inside = b'"delta":{}' if is_chat else b'"text":""'
    frames.append(common + b'"choices":[{"index":0,%b,"finish_reason":"stop"}]}\n\n' % inside)
    wants_usage = request.stream_options is not None and request.stream_options.include_usage
    if wants_usage and fault is not Fault.USAGE_MISSING:
        usage = msgspec.json.encode(usage_of(prompt_tokens_of(request.asked), tokens, fault))
        frames.append(common + b'"choices":[],"usage":%b}\n\n' % usage)
    frames.append(_END)
    return frames


def whole_body(call_id: bytes, request: Request, *, is_chat: bool, tokens: int, fault: Fault) -> bytes:
    """Return a whole answer with a text of this many tokens."""
    text = b"".join(_words(tokens)).decode()
    inside = {"message": {"role": "assistant", "content": text}} if is_chat else {"text": text}
    told: dict[str, object] = {
        "id": call_id.decode(),
        "object": "chat.completion" if is_chat else "text_completion",
        "created": 1_700_000_000,
        "model": request.model,
        "choices": [{"index": 0, **inside, "finish_reason": "stop"}],
    }
    if fault is not Fault.USAGE_MISSING:
        told["usage"] = usage_of(prompt_tokens_of(request.asked), tokens, fault)
    return msgspec.json.encode(told)


def embeddings_body(call_id: bytes, request: Request, fault: Fault) -> bytes:
    """Return a vector of four values for each text."""
    texts = request.input if isinstance(request.input, list) else [request.input]
    vectors = [
        {"object": "embedding", "index": index, "embedding": [0.5, 0.5, 0.5, 0.5]} for index in range(len(texts))
    ]
    told: dict[str, object] = {"object": "list", "data": vectors, "model": request.model, "id": call_id.decode()}
    if fault is not Fault.USAGE_MISSING:
        told["usage"] = usage_of(prompt_tokens_of(request.asked), 0, fault)
    return msgspec.json.encode(told)


def models_body(names: tuple[str, ...]) -> bytes:
    """Return the list of models."""
    models = [{"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "faulty"} for name in names]
    return msgspec.json.encode({"object": "list", "data": models})
