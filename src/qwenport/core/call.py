"""What a caller asks for, in no protocol's words."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.core.errors import ParameterInvalid
from qwenport.core.ids import RequestId

GREATEST_SEED = 9_223_372_036_854_775_807


class Role(StrEnum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """One turn of a conversation; parts of text are already joined."""

    role: Role
    content: str


class Sampling(Struct, frozen=True, kw_only=True, gc=False):
    """How tokens are chosen; None leaves a value to the model card. Ranges are checked by `gate.permit`, not here."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    """0 means off."""
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    """Bound on the output tokens of each choice."""
    stop: tuple[str, ...] = ()
    """Texts at which a choice ends; the text itself is not part of the answer."""
    choices: int = 1
    """How many answers to make (`n` on the wire)."""


class AnyJson(Struct, frozen=True, tag="json_object"):
    """The answer is one JSON object of any shape."""


class JsonSchema(Struct, frozen=True, kw_only=True, tag="json_schema"):
    """The answer is JSON that a schema describes."""

    name: str
    schema: bytes
    """The JSON Schema itself, as UTF-8 JSON."""
    strict: bool = False


class Call(Struct, frozen=True, kw_only=True):
    """One request for an answer from a model."""

    id: RequestId
    face: str
    """Name of the face that it came through."""
    operation: str
    """The face's name for what is asked, such as `chat.completions`."""
    model: str
    """Name of the model as the caller wrote it."""
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    json: AnyJson | JsonSchema | None = None
    """Shape that the answer is constrained to; None for free text."""
    streams: bool = False
    """Whether the caller sees the answer while it is made."""
    refusal: ParameterInvalid | None = None
    """What is wrong with the content, said only after it is known that the model exists and the key may use it."""
