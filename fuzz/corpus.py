"""Good requests of every operation, which mutations begin with."""

from __future__ import annotations

import zlib
from base64 import b64encode
from typing import Any

from qwenport.faces.face import Face

_SIDE = 32


def _png() -> bytes:
    """Return a black picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    header = _SIDE.to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\0" * _SIDE) * _SIDE)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PICTURE = "data:image/png;base64," + b64encode(_png()).decode()
TOOL: dict[str, Any] = {
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA, "strict": True}}
CALLED: list[dict[str, Any]] = [
    {"role": "user", "content": "What is the weather in Ulm?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "Rain."},
]
SAMPLING: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 20,
    "repetition_penalty": 1.1,
    "presence_penalty": 0.5,
    "seed": 7,
    "max_tokens": 16,
    "stop": ["\n\n"],
    "n": 2,
}
HI = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "你好 🌍"}]
SEEN = [{"role": "user", "content": [{"text": "What is it?"}, {"image": PICTURE}]}]
CHATS: list[dict[str, Any]] = [
    {"model": "qwen-plus", "messages": HI},
    {"model": "qwen-turbo", "messages": HI, **SAMPLING},
    {"model": "qwen3-max", "messages": HI, "logprobs": True, "top_logprobs": 3},
    {"model": "qwen-plus", "messages": HI, "tools": [{"type": "function", "function": TOOL}], "tool_choice": "auto"},
    {"model": "qwen-max", "messages": CALLED, "tools": [{"type": "function", "function": TOOL}]},
    {"model": "qwen-plus", "messages": HI, "response_format": FORMAT},
    {"model": "qwen-plus", "messages": HI, "response_format": {"type": "json_object"}},
    {"model": "qwen-plus", "messages": HI, "stream": True, "enable_thinking": True, "thinking_budget": 50},
    {"model": "qwen-plus", "messages": [*HI, {"role": "assistant", "content": "Well,", "partial": True}]},
    {"model": "qwen-plus", "messages": HI, "stop": [[151645], [9707, 0]]},
    {"model": "qwen-long", "messages": [{"role": "system", "content": "fileid://file-fe-1"}, *HI]},
]


def _openai() -> dict[str, list[dict[str, Any]]]:
    picture = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    chats = [*CHATS, {"model": "qwen-vl-plus", "messages": [{"role": "user", "content": picture}]}]
    streamed = [{**chat, "stream": True, "stream_options": {"include_usage": True}} for chat in chats]
    function = {"type": "function", **TOOL}
    called = [
        {"role": "user", "content": [{"type": "input_text", "text": "What is the weather in Ulm?"}]},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Ulm"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "Rain."},
    ]
    responses: list[dict[str, Any]] = [
        {"model": "qwen-plus", "input": "Hi"},
        {"model": "qwen-plus", "input": HI, "instructions": "Be brief.", "metadata": {"a": "b"}, "store": False},
        {"model": "qwen-plus", "input": called, "tools": [function], "reasoning": {"effort": "high"}},
        {
            "model": "qwen-plus",
            "input": "Hi",
            "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
        },
        {
            "model": "qwen-plus",
            "input": "Hi",
            "previous_response_id": "resp_1",
            "include": ["message.output_text.logprobs"],
        },
    ]
    texts: list[dict[str, Any]] = [
        {"model": "qwen-coder-turbo", "prompt": "def add(", "max_tokens": 8, "echo": True},
        {"model": "qwen-coder-turbo", "prompt": "def add(", "suffix": "return", "stop": "\n", "n": 2, "logprobs": 2},
    ]
    return {
        "chat.completions": [*chats, *streamed],
        "completions": [*texts, *({**text, "echo": False, "stream": True} for text in texts)],
        "embeddings": [
            {"model": "text-embedding-v4", "input": "Hi", "encoding_format": "base64"},
            {"model": "text-embedding-v3", "input": ["Hi", "你好"], "dimensions": 64, "encoding_format": "float"},
        ],
        "reranks": [{"model": "qwen3-rerank", "query": "Hi", "documents": ["a", "b"], "top_n": 1}],
        "responses": [*responses, *({**response, "stream": True} for response in responses)],
    }


def _dashscope() -> dict[str, list[dict[str, Any]]]:
    plain = [
        {
            "model": chat["model"],
            "input": {"messages": chat["messages"]},
            "parameters": {name: value for name, value in chat.items() if name not in {"model", "messages", "stream"}},
        }
        for chat in CHATS
    ]
    text: list[dict[str, Any]] = [
        *plain,
        *({**each, "parameters": {**each["parameters"], "result_format": "message"}} for each in plain),
        {"model": "qwen-plus", "input": {"prompt": "Hi"}, "parameters": {"incremental_output": True}},
        {"model": "qwen-plus", "input": {"prompt": "Hi", "history": [{"user": "a", "bot": "b"}]}},
    ]
    return {
        "text-generation": text,
        "multimodal-generation": [
            {"model": "qwen-vl-plus", "input": {"messages": SEEN}},
            *({**each, "model": "qwen3.5-plus"} for each in plain),
        ],
        "text-embedding": [
            {"model": "text-embedding-v4", "input": {"texts": ["a", "b"]}, "parameters": {"text_type": "query"}},
            {"model": "text-embedding-v3", "input": {"texts": ["a"]}, "parameters": {"dimension": 64}},
        ],
        "text-rerank": [
            {
                "model": "qwen3-rerank",
                "input": {"query": "Hi", "documents": ["a", "b"]},
                "parameters": {"top_n": 1, "return_documents": True},
            }
        ],
        "tokenizer": [
            {"model": "qwen-plus", "input": {"prompt": "Hello, 你好 🌍"}},
            {"model": "qwen-plus", "input": {"messages": HI}},
        ],
    }


def _anthropic() -> dict[str, list[dict[str, Any]]]:
    tool = {"name": "weather", "description": "Tells the weather.", "input_schema": TOOL["parameters"]}
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE.partition(",")[2]}
    called: list[dict[str, Any]] = [
        {"role": "user", "content": "What is the weather in Ulm?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Ulm"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "Rain."}]},
    ]
    hi: list[dict[str, Any]] = [{"role": "user", "content": "你好 🌍"}]
    prompts: list[dict[str, Any]] = [
        {"model": "qwen-plus", "messages": hi, "system": "Be kind."},
        {"model": "qwen-plus", "messages": called, "tools": [tool], "tool_choice": {"type": "auto"}},
        {"model": "qwen-vl-plus", "messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]},
        {"model": "qwen-plus", "messages": hi, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"model": "qwen-plus", "messages": [*hi, {"role": "assistant", "content": "Well,"}], "stop_sequences": ["\n"]},
        {"model": "qwen-plus", "messages": hi, "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    ]
    whole = [{**prompt, "max_tokens": 16, "temperature": 0.5, "top_k": 5} for prompt in prompts]
    return {
        "messages": [*whole, *({**each, "stream": True} for each in whole)],
        "messages.count_tokens": prompts,
    }


_OF_FACES = {"openai": _openai(), "dashscope": _dashscope(), "anthropic": _anthropic()}


def good_bodies(face: Face, operation: str) -> list[dict[str, Any]]:
    """Return bodies that the operation understands; none for one that takes no JSON."""
    return _OF_FACES.get(face.name, {}).get(operation, [])
