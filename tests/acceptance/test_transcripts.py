"""What each face sends, byte for byte, beside what it was asked: texts to be read, in `transcripts/`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from qwenport.core.errors import Overloaded
from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Started, TokenLogprob, TopToken
from qwenport.core.usage import Usage
from qwenport.testing.scripted_engine import Step
from qwenport.testing.scripts import BROKEN, CALLED, THOUGHT, TWICE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted

FOLDER = Path(__file__).parent / "transcripts"
CHANGING = {"date", "content-length", "transfer-encoding"}
"""Headers that say how the answer was sent, not what it says."""
LIKELY: tuple[Step, ...] = (
    Started(served_by="scripted/model", input_tokens=7),
    Delta(
        text="你",
        logprobs=(
            TokenLogprob(
                token="你",
                logprob=-0.5,
                bytes=(228, 189, 160),
                top=(TopToken(token="Hi", logprob=-1.5, bytes=(72, 105)),),
            ),
        ),
    ),
    ChoiceFinished(reason=FinishReason.LENGTH),
    Finished(usage=Usage(input_tokens=7, output_tokens=1)),
)
SCRIPTS: dict[str, tuple[Step, ...]] = {
    "tools": CALLED,
    "think": THOUGHT,
    "two": TWICE,
    "likely": LIKELY,
    "overloaded": (Overloaded(),),
    "broken": BROKEN,
}
"""What is said to these questions; to others it is a greeting."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request."""

    title: str
    path: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


SSE = {"X-DashScope-SSE": "enable"}
TOOL: dict[str, Any] = {"name": "weather", "parameters": {"type": "object"}}
TOOLS: list[Any] = [{"type": "function", "function": TOOL}, {"type": "function", "function": {"name": "time"}}]


def ask(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "qwen-plus", "messages": [{"role": "user", "content": text}], **more}


def _openai() -> list[Asked]:
    chat = "/compatible-mode/v1/chat/completions"
    stream: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    prompt = {"model": "qwen-coder-turbo", "prompt": "def f("}
    vectors = {"model": "multilingual-e5-small", "input": "Hi"}
    ranking = {"model": "qwen3-rerank", "query": "?", "documents": ["a", "b"], "top_n": 1}
    return [
        Asked(title="A whole answer", path=chat, body=ask("Hi")),
        Asked(title="A stream", path=chat, body=ask("Hi", stream=True)),
        Asked(title="A stream with usage", path=chat, body=ask("Hi", **stream)),
        Asked(title="Tool calls", path=chat, body=ask("tools", tools=TOOLS)),
        Asked(title="Tool calls in a stream", path=chat, body=ask("tools", tools=TOOLS, stream=True)),
        Asked(title="Thoughts in a stream", path=chat, body=ask("think", enable_thinking=True, **stream)),
        Asked(title="Two choices", path=chat, body=ask("two", n=2)),
        Asked(title="Two choices in a stream", path=chat, body=ask("two", n=2, stream=True)),
        Asked(title="Log probabilities", path=chat, body=ask("likely", logprobs=True, top_logprobs=1)),
        Asked(title="An unknown model", path=chat, body=ask("Hi", model="gpt-4")),
        Asked(title="A parameter out of range", path=chat, body=ask("Hi", top_p=2, stream=True)),
        Asked(title="An overload", path=chat, body=ask("overloaded", stream=True)),
        Asked(title="A stream that breaks off", path=chat, body=ask("broken", stream=True)),
        Asked(title="An unknown address", path="/compatible-mode/v1/nowhere", body={}),
        Asked(title="A completion", path="/compatible-mode/v1/completions", body=prompt),
        Asked(title="A completion in a stream", path="/compatible-mode/v1/completions", body=prompt | {"stream": True}),
        Asked(title="Vectors", path="/compatible-mode/v1/embeddings", body=vectors | {"encoding_format": "base64"}),
        Asked(title="A ranking", path="/compatible-api/v1/reranks", body=ranking),
        Asked(title="A response", path="/compatible-mode/v1/responses", body={"model": "qwen-plus", "input": "Hi"}),
        Asked(
            title="A response in a stream",
            path="/compatible-mode/v1/responses",
            body={"model": "qwen-plus", "input": "think", "stream": True, "enable_thinking": True},
        ),
    ]


def native(text: str, **parameters: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": "qwen-plus", "input": {"messages": messages}, "parameters": parameters}


def _dashscope() -> list[Asked]:
    text = "/api/v1/services/aigc/text-generation/generation"
    parts = "/api/v1/services/aigc/multimodal-generation/generation"
    pieces: dict[str, Any] = {"result_format": "message", "incremental_output": True}
    seen = {"model": "qwen-vl-max", "input": {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}}
    texts = {"model": "multilingual-e5-small", "input": {"texts": ["Hi"]}, "parameters": {}}
    ranking = {"model": "qwen3-rerank", "input": {"query": "?", "documents": ["a", "b"]}}
    return [
        Asked(title="A whole text", path=text, body=native("Hi")),
        Asked(title="A whole message", path=text, body=native("Hi", result_format="message")),
        Asked(title="A cumulative stream", path=text, body=native("Hi"), headers=SSE),
        Asked(title="A stream of pieces", path=text, body=native("Hi", **pieces), headers=SSE),
        Asked(title="A whole answer in parts", path=parts, body=seen),
        Asked(
            title="A stream of parts", path=parts, body=seen | {"parameters": {"incremental_output": True}}, headers=SSE
        ),
        Asked(title="Tool calls", path=text, body=native("tools", tools=TOOLS, result_format="message")),
        Asked(title="Tool calls in a stream", path=text, body=native("tools", tools=TOOLS, **pieces), headers=SSE),
        Asked(
            title="Thoughts in a stream", path=text, body=native("think", enable_thinking=True, **pieces), headers=SSE
        ),
        Asked(title="Two choices in a stream", path=text, body=native("two", n=2, **pieces), headers=SSE),
        Asked(
            title="Log probabilities",
            path=text,
            body=native("likely", logprobs=True, top_logprobs=1, result_format="message"),
        ),
        Asked(title="An unknown model", path=text, body=native("Hi") | {"model": "gpt-4"}, headers=SSE),
        Asked(title="An overload", path=text, body=native("overloaded"), headers=SSE),
        Asked(title="A stream that breaks off", path=text, body=native("broken"), headers=SSE),
        Asked(title="A task is refused", path=text, body=native("Hi"), headers={"X-DashScope-Async": "enable"}),
        Asked(title="Vectors", path="/api/v1/services/embeddings/text-embedding/text-embedding", body=texts),
        Asked(title="A ranking", path="/api/v1/services/rerank/text-rerank/text-rerank", body=ranking),
        Asked(
            title="Tokens", path="/api/v1/tokenizer", body={"model": "qwen-turbo", "input": {"prompt": "Hello, 你好!"}}
        ),
        Asked(title="A model", path="/api/v1/models?model=qwen-plus&page_no=1&page_size=1"),
        Asked(title="A task that nobody has", path="/api/v1/tasks/8a-1"),
    ]


def _anthropic() -> list[Asked]:
    messages = "/apps/anthropic/v1/messages"
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("weather", "time")]

    def limited(text: str, **more: Any) -> dict[str, Any]:
        return ask(text, max_tokens=2048, **more)

    return [
        Asked(title="A whole answer", path=messages, body=limited("Hi")),
        Asked(title="A stream", path=messages, body=limited("Hi", stream=True)),
        Asked(title="Tool calls", path=messages, body=limited("tools", tools=tools)),
        Asked(title="Tool calls in a stream", path=messages, body=limited("tools", tools=tools, stream=True)),
        Asked(
            title="Thoughts in a stream",
            path=messages,
            body=limited("think", thinking={"type": "enabled", "budget_tokens": 1024}, stream=True),
        ),
        Asked(title="An unknown model", path=messages, body=limited("Hi") | {"model": "gpt-4"}),
        Asked(title="An overload", path=messages, body=limited("overloaded", stream=True)),
        Asked(title="A stream that breaks off", path=messages, body=limited("broken", stream=True)),
        Asked(title="Tokens are counted", path=f"{messages}/count_tokens", body=ask("Hello, 你好!")),
    ]


CONVERSATIONS = {"anthropic": _anthropic, "dashscope": _dashscope, "openai": _openai}


def shown(asked: Asked, answer: httpx.Response) -> str:
    """Return one request and its answer as text."""
    lines = [f"### {asked.title}", "", f"{answer.request.method} {asked.path}"]
    lines += [f"{name.lower()}: {value}" for name, value in asked.headers.items()]
    if asked.body is not None:
        lines += ["", json.dumps(asked.body, ensure_ascii=False)]
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in CHANGING)
    lines += ["", f"HTTP {answer.status_code}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\n".join(lines) + answer.content.decode().rstrip("\n") + "\n"


@pytest.mark.parametrize("face", CONVERSATIONS)
def test_each_face_says_what_its_transcript_says(fresh_scripted: Scripted, face: str, tmp_path: Path) -> None:
    for question, steps in SCRIPTS.items():
        fresh_scripted.say(question, *steps)
    bearer = {"Authorization": f"Bearer {fresh_scripted.key}"}
    texts = []
    with httpx.Client(base_url=fresh_scripted.url, headers=bearer, timeout=60) as client:
        for asked in CONVERSATIONS[face]():
            method = "GET" if asked.body is None else "POST"
            texts.append(shown(asked, client.request(method, asked.path, json=asked.body, headers=asked.headers)))
    seen = tmp_path / f"{face}.txt"
    seen.write_text("\n\n".join(texts), "utf-8")
    kept = FOLDER / seen.name

    assert seen.read_text("utf-8") == (kept.read_text("utf-8") if kept.exists() else ""), (
        f"what was said is in {seen}; where it is right, it belongs in {kept}"
    )
