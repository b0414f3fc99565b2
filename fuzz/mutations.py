"""Mutations: of JSON as a tree, of JSON as text, and of bytes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
from msgspec import Raw

ODD_NUMBERS = (
    *(
        b"0",
        b"-1",
        b"1",
        b"2",
        b"-0",
        b"-0.0",
        b"0.5",
        b"1.0",
        b"100",
        b"101",
        b"129",
        b"1e3",
        b"1E400",
        b"-1e400",
        b"1e-400",
    ),
    *(b"2147483647", b"2147483648", b"-2147483649", b"9223372036854775807", b"9223372036854775808"),
    *(b"18446744073709551616", b"9" * 400, b"0." + b"0" * 300 + b"1", b"1.7976931348623157e308", b"4.9e-324"),
)
NO_JSON = (b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b".5", b"+1", b"0x10", b"undefined", b"'a'", b"tru", b"")
ODD_TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "\x1b[31m",
        "\r\n",
        "\t",
        "a" * 100,
        "a" * 10_000,
        "🌍",
        "e\u0301",
        "\u202e",
        "\ufeff",
        "\uffff",
    ),
    *("null", "true", "1", "NaN", "{}", "[]", "../../etc/passwd", "%00", "%s%n", "<|im_end|>", "<|endoftext|>", "</s>"),
    *("file:///etc/passwd", "http://127.0.0.1:1/x.png", "http://[::1]/x", "oss://a/b", "fileid://file-fe-1", "data:,"),
    *(
        "data:image/png;base64,AAAA",
        "data:image/png;base64,%%%",
        "http://",
        "ftp://x",
        "none",
        "auto",
        "required",
        "any",
    ),
    *("function", "json_object", "json_schema", "text", "message", "user", "system", "tool", "assistant", "developer"),
    *("qwen-plus", "qwen-vl-plus", "qwen-nothing", "qwen3-rerank", "text-embedding-v4", "qwen-coder-turbo", "qwq-plus"),
    *(
        "float",
        "base64",
        "query",
        "document",
        "enabled",
        "disabled",
        "search",
        "weather",
        "resp_1",
        "file-fe-1",
        "image",
    ),
)
RAW_TEXTS = (
    *(rb'"\ud800"', rb'"\udc00\ud800"', rb'"a\ud83d"', rb'"\u0000"', rb'"\uFFFF"', b'"\xff"', b'"\xc3\x28"', b'"\x01"'),
    *(b'"\xed\xa0\x80"', b'"\\', b'"\\x"', b'"\\u12"', b'"unended', b'"\n"', b'"\xf4\x90\x80\x80"'),
)
NAMES = (
    *("model", "messages", "input", "parameters", "prompt", "history", "role", "content", "text", "type", "image_url"),
    *("stream", "stream_options", "include_usage", "n", "seed", "stop", "temperature", "top_p", "top_k", "max_tokens"),
    *(
        "tools",
        "tool_choice",
        "function",
        "name",
        "arguments",
        "tool_calls",
        "tool_call_id",
        "logprobs",
        "top_logprobs",
    ),
    *("enable_thinking", "thinking_budget", "response_format", "json_schema", "schema", "result_format", "partial"),
    *("incremental_output", "functions", "function_call", "modalities", "max_completion_tokens", "presence_penalty"),
    *("image", "video", "audio", "input_audio", "file", "fps", "min_pixels", "url", "texts", "documents", "query"),
    *("top_n", "dimension", "dimensions", "encoding_format", "text_type", "output_type", "instruct", "suffix", "echo"),
    *("best_of", "previous_response_id", "instructions", "metadata", "store", "include", "background", "reasoning"),
    *(
        "system",
        "stop_sequences",
        "thinking",
        "source",
        "data",
        "media_type",
        "cache_control",
        "input_schema",
        "tool_use_id",
    ),
    *("repetition_penalty", "parallel_tool_calls", "vl_high_resolution_images", "ocr_options", "reasoning_content"),
)
_DEEP = (10, 100, 1_000, 5_000)

Change = Callable[[Random, Any], Any]


def mutate_json(random: Random, value: Any) -> bytes:
    """Return a JSON text, or what nearly is one, that a good value became by one change or several."""
    tree = value
    for _ in range(random.choice((0, 0, 0, 1, 1, 1, 2, 3, 6))):
        tree = _change_somewhere(random, tree)
    text = msgspec.json.encode(tree)
    if random.random() < 0.15:
        text = random.choice(_TEXT_CHANGES)(random, text)
    return text


def odd_value(random: Random) -> Any:
    """Return a value that is seldom expected."""
    kind = random.randrange(12)
    if kind < 3:
        return Raw(random.choice(ODD_NUMBERS))
    if kind < 7:
        return random.choice(ODD_TEXTS)
    return _STRANGE[kind - 7](random)


def odd_text(random: Random) -> str:
    """Return a text that is seldom expected."""
    return random.choice(ODD_TEXTS)


def _deep(random: Random) -> Raw:
    depth = random.choice(_DEEP)
    if random.random() < 0.5:
        return Raw(b"[" * depth + b"]" * depth)
    return Raw(b'{"a":' * depth + b"1" + b"}" * depth)


_STRANGE: tuple[Callable[[Random], Any], ...] = (
    lambda random: random.choice((None, True, False, [], {}, [[]], [None], {"": None})),
    lambda random: Raw(random.choice(RAW_TEXTS if random.random() < 0.7 else NO_JSON)),
    lambda random: {random.choice(NAMES): random.choice(ODD_TEXTS), random.choice(NAMES): None},
    lambda random: [random.choice(ODD_TEXTS)] * random.choice((1, 2, 65, 200)),
    _deep,
)


def _change_somewhere(random: Random, tree: Any) -> Any:
    """Return the tree with one node changed, found by a walk that ends anywhere; the tree itself stays as it is."""
    if isinstance(tree, dict) and tree and random.random() < 0.85:
        name = random.choice([*tree])
        return {**tree, name: _change_somewhere(random, tree[name])}
    if isinstance(tree, list) and tree and random.random() < 0.85:
        at = random.randrange(len(tree))
        return [*tree[:at], _change_somewhere(random, tree[at]), *tree[at + 1 :]]
    return random.choice(_CHANGES)(random, tree)


def _drop(random: Random, node: Any) -> Any:
    if isinstance(node, dict) and node:
        dropped = random.choice([*node])
        return {name: value for name, value in node.items() if name != dropped}
    return node[:-1] if isinstance(node, list) else None


def _add(random: Random, node: Any) -> Any:
    if isinstance(node, dict):
        return {**node, random.choice(NAMES): odd_value(random)}
    return [*node, odd_value(random)] if isinstance(node, list) else [node]


def _repeat(random: Random, node: Any) -> Any:
    if isinstance(node, list | str) and len(node) < 1000:
        return node * random.choice((2, 3, 50))
    return [node, node]


def _retype(random: Random, node: Any) -> Any:
    return random.choice((str(node)[:1000], [node], {"type": node}, bool(node), Raw(random.choice(ODD_NUMBERS))))


_CHANGES: tuple[Change, ...] = (
    lambda random, _: odd_value(random),
    lambda random, _: odd_value(random),
    lambda random, _: odd_text(random),
    _drop,
    _add,
    _add,
    _repeat,
    _retype,
)


def mutate_bytes(random: Random, content: bytes) -> bytes:
    """Return bytes with a few of them changed, cut, doubled or swapped."""
    return random.choice(_TEXT_CHANGES)(random, content)


def _cut(random: Random, text: bytes) -> bytes:
    return text[: random.randrange(len(text) + 1)]


def _flip(random: Random, text: bytes) -> bytes:
    changed = bytearray(text or b" ")
    for _ in range(random.choice((1, 1, 2, 8))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _insert(random: Random, text: bytes) -> bytes:
    at = random.randrange(len(text) + 1)
    return (
        text[:at] + random.choice((*RAW_TEXTS, *ODD_NUMBERS, *NO_JSON, b"{", b"}", b"[", b",", b":", b'"')) + text[at:]
    )


def _duplicate_key(random: Random, text: bytes) -> bytes:
    """Put a member into some object that may well stand in it a second time."""
    places = [at for at, byte in enumerate(text) if byte == ord("{")]
    if not places:
        return text
    at = random.choice(places) + 1
    member = b'"%b":%b,' % (random.choice(NAMES).encode(), random.choice((*ODD_NUMBERS, b"null", b'"x"', b"[]", b"{}")))
    return text[:at] + member + text[at:]


def _reencode(random: Random, text: bytes) -> bytes:
    encodings: tuple[Callable[[bytes], bytes], ...] = (
        lambda each: b"\xef\xbb\xbf" + each,
        lambda each: each.decode("utf-8", "replace").encode("utf-16", "replace"),
        lambda each: each + each,
        lambda each: each + b"\x00",
        lambda each: b" \r\n\t" * 50 + each,
        lambda each: each.decode("utf-8", "replace").encode("gb18030", "replace"),
        lambda _: b"",
        lambda _: b"[" * 100_000,
        lambda each: b'{"a":' * 50_000 + each,
    )
    return random.choice(encodings)(text)


_TEXT_CHANGES: tuple[Callable[[Random, bytes], bytes], ...] = (_cut, _flip, _insert, _duplicate_key, _reencode)
