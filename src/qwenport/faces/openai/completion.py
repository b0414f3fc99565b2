"""What every part of one chat completion has in common, encoded once."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from msgspec import Struct
from msgspec.json import Encoder

from qwenport.core.call import Call, ChatInput
from qwenport.core.capabilities import Thinking, thinks
from qwenport.core.ids import RequestId
from qwenport.core.model_card import ModelCard
from qwenport.core.usage import Usage
from qwenport.faces.openai.usage import encode_usage

_ENCODE = Encoder().encode
_IDENTITY = b'"created":%d,"system_fingerprint":null,"model":%b,"id":%b'


class Completion(Struct, frozen=True, kw_only=True):
    """What a call's answer is known to be before any of it was made."""

    request_id: RequestId
    identity: bytes
    """The members that end each chunk and the whole answer: created, system_fingerprint, model, id."""
    thinks: bool
    """Whether the model thinks for this call, so that reasoning is told even where there was none."""
    tells_reasoning: bool
    """Whether a whole answer has a place for reasoning even where there was none: qwen3-vl, which reads images and may
    think, has it in production for calls that do not think too."""
    sees: bool
    """Whether the call shows images."""
    tells_logprobs: bool

    @classmethod
    def of(cls, call: Call, received_at: datetime, card: ModelCard | None) -> Self:
        """Return what the answers to this call have in common; a card of None is that of a model that nobody knows."""
        created = int(received_at.timestamp())
        chat = call.input if isinstance(call.input, ChatInput) else None
        able = card.capabilities if card is not None and chat is not None else None
        thinking = chat is not None and able is not None and thinks(chat, able)
        return cls(
            request_id=call.id,
            identity=_IDENTITY % (created, _ENCODE(call.model), _ENCODE(f"chatcmpl-{call.id}")),
            thinks=thinking,
            tells_reasoning=thinking or (able is not None and able.vision and able.thinking is Thinking.HYBRID),
            sees=chat is not None and bool(chat.images),
            tells_logprobs=call.sampling.logprobs is not None,
        )

    def usage(self, usage: Usage) -> bytes:
        """Return the `usage` object, with the details that this call has to do with."""
        thinks = self.thinks or usage.reasoning_tokens > 0
        return encode_usage(usage, thinks=thinks, sees=self.sees or usage.image_tokens > 0)
