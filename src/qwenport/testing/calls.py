"""Calls as faces make them and who makes them, for tests of what comes after the faces."""

from __future__ import annotations

from typing import Any

from qwenport.core.call import Call, ChatInput, EmbeddingInput, Input, NativeInput, PromptInput, RerankInput, Sampling
from qwenport.core.caller import Caller
from qwenport.core.content import Message, Role
from qwenport.core.ids import AccountId, KeyId, RequestId

CALLER = Caller(key_id=KeyId("key-1"), account_id=AccountId("acc-1"), currency="CNY")
"""Who may use every model."""

_PLAIN = Sampling()


def chat_call(text: str = "Hi", *, sampling: Sampling = _PLAIN, streams: bool = False, **chat: Any) -> Call:
    """Return a call that says `text` to qwen-plus; `chat` are further fields of `ChatInput`."""
    messages = chat.pop("messages", (Message(role=Role.USER, content=text),))
    return call_of(ChatInput(messages=messages, **chat), sampling=sampling, streams=streams)


def call_of(asked: Input, *, sampling: Sampling = _PLAIN, streams: bool = False) -> Call:
    """Return a call of any kind of work."""
    return Call(
        id=RequestId("request-1"),
        face="openai",
        operation="chat.completions",
        model="qwen-plus",
        input=asked,
        sampling=sampling,
        streams=streams,
    )


def said(call: Call) -> str:
    """Return the text of a call: what its last message says, its prompt, its first text or its query."""
    match call.input:
        case ChatInput(messages=messages):
            return messages[-1].text
        case PromptInput(prompt=prompt):
            return prompt
        case EmbeddingInput(texts=texts):
            return texts[0]
        case RerankInput(query=query):
            return query
        case NativeInput(body=body):
            return body.decode()
