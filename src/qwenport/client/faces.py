"""The three protocols of a server, as a caller speaks them: where a chat goes, what it says, what comes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

Message = Mapping[str, Any]
"""A message as OpenAI's chat operation takes it; the other protocols get it in their own words."""

Conversation = str | Sequence[Message]
"""A question, or messages as the chat operation takes them."""

DEFAULT_MAX_TOKENS = 4_096
"""Bound of an answer where Anthropic's protocol needs one and the caller names none."""


class Answered(Struct, frozen=True, kw_only=True):
    """One whole answer."""

    text: str
    model: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    request_id: str = ""
    from_cache: bool = False


class Chat(Struct, frozen=True, kw_only=True):
    """What is asked."""

    model: str
    messages: Sequence[Message]
    parameters: Mapping[str, Any]
    streams: bool


class CannotBeSaid(ValueError):
    """A protocol has no words for what is asked."""


def messages_of(conversation: Conversation) -> list[Message]:
    """Return messages for a question or a conversation."""
    return [{"role": "user", "content": conversation}] if isinstance(conversation, str) else list(conversation)


class Face(ABC):
    """One protocol."""

    name: str
    base: str
    """Path of the protocol below the server's address."""

    @abstractmethod
    def path(self, chat: Chat) -> str:
        """Return where a chat goes, below `base`."""

    @abstractmethod
    def body(self, chat: Chat) -> dict[str, Any]:
        """Return what is sent; raises `CannotBeSaid`."""

    def headers(self, chat: Chat) -> dict[str, str]:  # noqa: ARG002 - for protocols that need some
        """Return what is shown beside the key."""
        return {}

    @abstractmethod
    def answered(self, chat: Chat, answer: Mapping[str, Any]) -> Answered:
        """Return what a whole answer says; raises `LookupError` or `TypeError` for one that is none."""

    @abstractmethod
    def piece(self, event: Mapping[str, Any]) -> str:
        """Return the text of an event of a stream, empty for one without; raises as `answered` does."""


class OpenAIFace(Face):
    """The protocol of OpenAI."""

    name = "openai"
    base = "/compatible-mode/v1"

    def path(self, chat: Chat) -> str:  # noqa: ARG002 - all chats go there
        """Return where a chat goes."""
        return "/chat/completions"

    def body(self, chat: Chat) -> dict[str, Any]:
        """Return what is sent."""
        return {
            "model": chat.model,
            "messages": list(chat.messages),
            **chat.parameters,
            **({"stream": True} if chat.streams else {}),
        }

    def answered(self, chat: Chat, answer: Mapping[str, Any]) -> Answered:
        """Return what a whole answer says."""
        [choice, *_] = answer["choices"]
        usage = answer.get("usage") or {}
        return Answered(
            text=choice["message"].get("content") or "",
            model=answer.get("model", chat.model),
            finish_reason=choice.get("finish_reason") or "",
            input_tokens=usage.get("prompt_tokens", 0),
            output_tokens=usage.get("completion_tokens", 0),
            request_id=answer.get("id", ""),
        )

    def piece(self, event: Mapping[str, Any]) -> str:
        """Return the text of a chunk."""
        return "".join(choice["delta"].get("content") or "" for choice in event["choices"])


class DashScopeFace(Face):
    """The native protocol of Model Studio."""

    name = "dashscope"
    base = "/api/v1"

    def path(self, chat: Chat) -> str:
        """Return where a chat goes: one with pictures elsewhere."""
        kind = "multimodal" if any(_pictures(message) for message in chat.messages) else "text"
        return f"/services/aigc/{kind}-generation/generation"

    def body(self, chat: Chat) -> dict[str, Any]:
        """Return what is sent."""
        has_pictures = any(_pictures(message) for message in chat.messages)
        messages = [_native(message) for message in chat.messages] if has_pictures else list(chat.messages)
        pieces = {"incremental_output": True} if chat.streams else {}
        parameters = {"result_format": "message", **pieces, **chat.parameters}
        return {"model": chat.model, "input": {"messages": messages}, "parameters": parameters}

    def headers(self, chat: Chat) -> dict[str, str]:
        """Return how a stream is asked for."""
        return {"X-DashScope-SSE": "enable"} if chat.streams else {}

    def answered(self, chat: Chat, answer: Mapping[str, Any]) -> Answered:
        """Return what a whole answer says."""
        [choice, *_] = answer["output"]["choices"]
        usage = answer.get("usage") or {}
        return Answered(
            text=_text(choice["message"]["content"]),
            model=chat.model,
            finish_reason=choice.get("finish_reason") or "",
            input_tokens=usage.get("input_tokens", 0),
            output_tokens=usage.get("output_tokens", 0),
            request_id=answer.get("request_id", ""),
        )

    def piece(self, event: Mapping[str, Any]) -> str:
        """Return the text of an event."""
        return "".join(_text(choice["message"]["content"]) for choice in event["output"]["choices"])


class AnthropicFace(Face):
    """The protocol of Anthropic."""

    name = "anthropic"
    base = "/apps/anthropic/v1"

    def path(self, chat: Chat) -> str:  # noqa: ARG002 - all chats go there
        """Return where a chat goes."""
        return "/messages"

    def headers(self, chat: Chat) -> dict[str, str]:  # noqa: ARG002 - the same for all
        """Return the version of the protocol."""
        return {"anthropic-version": "2023-06-01"}

    def body(self, chat: Chat) -> dict[str, Any]:
        """Return what is sent; the system's words stand apart from the messages."""
        system = "\n".join(str(message["content"]) for message in chat.messages if message.get("role") == "system")
        messages = [_block_message(message) for message in chat.messages if message.get("role") != "system"]
        parameters = dict(chat.parameters)
        shape = parameters.pop("response_format", None)
        return {
            "model": chat.model,
            "max_tokens": DEFAULT_MAX_TOKENS,
            "messages": messages,
            **({"system": system} if system else {}),
            **({} if shape is None else {"output_config": {"format": _shape(shape)}}),
            **({"stream": True} if chat.streams else {}),
            **parameters,
        }

    def answered(self, chat: Chat, answer: Mapping[str, Any]) -> Answered:
        """Return what a whole answer says."""
        return Answered(
            text=_text(answer["content"]),
            model=answer.get("model", chat.model),
            finish_reason=answer.get("stop_reason") or "",
            input_tokens=answer["usage"]["input_tokens"],
            output_tokens=answer["usage"]["output_tokens"],
            request_id=answer.get("id", ""),
        )

    def piece(self, event: Mapping[str, Any]) -> str:
        """Return the text of an event."""
        return str(event["delta"].get("text", "")) if event["type"] == "content_block_delta" else ""


FACES: Mapping[str, Face] = {face.name: face for face in (OpenAIFace(), DashScopeFace(), AnthropicFace())}
"""The protocols by their names."""


def _text(content: Any) -> str:
    """Return the text of a content that is one, or of its parts."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content or () if part.get("text"))


def _pictures(message: Message) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(part.get("type") == "image_url" for part in content)


def _parts(message: Message) -> list[tuple[str, str]]:
    """Return kind and content of each part: a text, or the address of a picture."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return [("text", content)]
    found = []
    for part in content:
        kind = part.get("type")
        if kind == "text":
            found.append(("text", part["text"]))
        elif kind == "image_url":
            found.append(("image", part["image_url"]["url"]))
        else:
            raise CannotBeSaid(f"a part of the kind `{kind}` can be sent by the protocol of OpenAI alone")
    return found


def _native(message: Message) -> Message:
    return {**message, "content": [{kind: content} for kind, content in _parts(message)]}


def _block_message(message: Message) -> Message:
    if message.get("role") not in {"user", "assistant"} or message.get("tool_calls"):
        raise CannotBeSaid("tools can be sent by the protocol of OpenAI alone")
    return {"role": message["role"], "content": [_block(*part) for part in _parts(message)]}


def _block(kind: str, content: str) -> dict[str, Any]:
    if kind == "text":
        return {"type": "text", "text": content}
    if not content.startswith("data:"):
        return {"type": "image", "source": {"type": "url", "url": content}}
    media_type, _, encoded = content.removeprefix("data:").partition(";base64,")
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": encoded}}


def _shape(shape: Mapping[str, Any]) -> dict[str, Any]:
    if shape.get("type") != "json_schema":
        raise CannotBeSaid("the protocol of Anthropic takes a JSON Schema, and no other shape of an answer")
    return {"type": "json_schema", "schema": shape["json_schema"]["schema"]}
