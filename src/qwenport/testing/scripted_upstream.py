"""A scripted upstream at the level of bodies: OpenAI's chunks and whole answers, Model Studio's errors."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from qwenport.engines.upstream.place import Place
from qwenport.testing.llama_host import OK, FakeLlamaHost, Reply
from qwenport.testing.scripted_engine import Wait

JSON = "application/json"
DONE = b"data: [DONE]\n\n"


def chunk(
    delta: dict[str, object] | None = None, *, reason: str | None = None, usage: object = None, index: int = 0
) -> bytes:
    """Return one chunk of a chat; no choices where there is neither a delta nor a reason."""
    body: dict[str, object] = {"id": "chatcmpl-theirs", "object": "chat.completion.chunk", "choices": []}
    if delta is not None or reason is not None:
        body["choices"] = [{"index": index, "delta": delta or {}, "finish_reason": reason, "logprobs": None}]
    return frame(body | {"usage": usage})


def frame(body: object) -> bytes:
    """Return one event of a stream."""
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def counts(into: object, out: object, **details: object) -> dict[str, object]:
    """Return a usage of the compatible face."""
    return {"prompt_tokens": into, "completion_tokens": out, "total_tokens": 0, **details}


def stream(*steps: bytes | Wait) -> Reply:
    """Return a streamed answer."""
    return Reply(steps=steps)


def whole(body: object, *, status: str = OK, content_type: str = JSON) -> Reply:
    """Return a whole answer, or a refusal; bytes are sent as they are."""
    encoded = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Reply(steps=[encoded], status=status, content_type=content_type)


class ScriptedUpstream(FakeLlamaHost):
    """Answers every request with `reply`, and the list of its models as its owner would."""

    def __init__(self, reply: Reply, *, owner: str = "vllm") -> None:
        super().__init__(reply, says_close=True)
        self.listed = whole({"object": "list", "data": [{"id": "m", "object": "model", "owned_by": owner}]})
        self.lists = 0
        """How often its models were asked for."""
        self.later: Sequence[Reply] = ()
        """What is answered once each after the next request, which gets `reply`."""

    def _choose(self, path: str) -> Reply:
        if path.endswith("/models"):
            self.lists += 1
            return self.listed
        chosen = self.reply
        if self.later:
            self.reply, *self.later = self.later
        return chosen


def place(port: int, *, dialect: str = "vllm", kind: str = "openai", **more: object) -> Place:
    """Return the place of an upstream on the loopback."""
    url = f"http://127.0.0.1:{port}"
    fields: dict[str, object] = {
        "name": "up",
        "kind": kind,
        "base_urls": [f"{url}/v1"],
        "dialect": dialect,
        "native_url": f"{url}/api/v1" if kind == "alibaba" else "",
        "rerank_url": f"{url}/compatible-api/v1" if kind == "alibaba" else "",
    }
    return msgspec.convert(fields | more, Place)
