"""What a caller asks for, in no protocol's words."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.core.content import ImagePart, Message, Picture
from qwenport.core.errors import ParameterInvalid
from qwenport.core.ids import RequestId
from qwenport.core.ocr import OcrOptions
from qwenport.core.tools import ANY_TOOL, Tool, ToolChoice

GREATEST_SEED = 9_223_372_036_854_775_807


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
    """Bound on the output tokens of each choice, without those of its reasoning."""
    max_completion_tokens: int | None = None
    """Bound on the output tokens of each choice, with those of its reasoning."""
    stop: tuple[str, ...] = ()
    """Texts at which a choice ends; the text itself is not part of the answer."""
    stop_tokens: tuple[tuple[int, ...], ...] = ()
    """The same as tokens of Qwen's vocabulary; they become texts before an engine sees them."""
    choices: int = 1
    """How many answers to make (`n` on the wire)."""
    logprobs: int | None = None
    """How many alternatives to tell beside each token's log probability; None for no log probabilities at all."""


class AnyJson(Struct, frozen=True, tag="json_object"):
    """The answer is one JSON object of any shape."""


class JsonSchema(Struct, frozen=True, kw_only=True, tag="json_schema"):
    """The answer is JSON that a schema describes."""

    name: str
    schema: bytes
    """The JSON Schema itself, as UTF-8 JSON."""
    strict: bool = False


class ChatInput(Struct, frozen=True, kw_only=True, tag="chat"):
    """A conversation that the model goes on with."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ANY_TOOL
    """Means nothing without tools."""
    parallel_tool_calls: bool = False
    """Whether one answer may call several tools."""
    json: AnyJson | JsonSchema | None = None
    """Shape that the answer is constrained to; None for free text."""
    thinking: bool | None = None
    """Whether the model reasons before it answers; None leaves it to the model card."""
    thinking_budget: int | None = None
    """Bound on the tokens of its reasoning."""
    high_resolution: bool = False
    """Whether images keep as many tokens as the model can take (`vl_high_resolution_images`)."""
    ocr: OcrOptions | None = None
    """A built-in task for the images of the last message, whose own prompt takes the place of the text there."""

    @property
    def images(self) -> tuple[ImagePart | Picture, ...]:
        """Every image of every message, in order."""
        return tuple(
            part
            for message in self.messages
            if not isinstance(message.content, str)
            for part in message.content
            if isinstance(part, ImagePart | Picture)
        )


class PromptInput(Struct, frozen=True, kw_only=True, tag="prompt"):
    """A text that the model goes on with as it stands, without a chat template."""

    prompt: str
    suffix: str = ""
    """What comes after the gap that is to be filled; the prompt then is what comes before it."""


class TextKind(StrEnum):
    """What a text that is embedded is for; some models embed questions and documents differently."""

    QUERY = "query"
    DOCUMENT = "document"


class EmbeddingInput(Struct, frozen=True, kw_only=True, tag="embedding"):
    """Texts that become vectors."""

    texts: tuple[str, ...]
    kind: TextKind = TextKind.DOCUMENT
    dimension: int | None = None
    """Length of the vectors; None for the model's own."""
    instruct: str = ""
    """What the vectors are for, in words, for models that take it."""


class RerankInput(Struct, frozen=True, kw_only=True, tag="rerank"):
    """Documents that are ordered by how well they answer a query."""

    query: str
    documents: tuple[str, ...]
    instruct: str = ""


class NativeInput(Struct, frozen=True, kw_only=True, tag="native"):
    """A request to a native service that the gateway does not serve itself and hands on as it came."""

    service: str
    """Address after `/services/`, such as `aigc/text2image/image-synthesis`."""
    body: bytes
    """The JSON object as the caller wrote it."""
    is_asynchronous: bool = False
    """Whether a task is made, whose result is asked for later."""


Input = ChatInput | PromptInput | EmbeddingInput | RerankInput | NativeInput


class Call(Struct, frozen=True, kw_only=True):
    """One request for an answer from a model."""

    id: RequestId
    face: str
    """Name of the face that it came through."""
    operation: str
    """The face's name for what is asked, such as `chat.completions`."""
    model: str
    """Name of the model as the caller wrote it."""
    input: Input
    sampling: Sampling = Sampling()
    """Without meaning for embeddings and reranking."""
    streams: bool = False
    """Whether the caller sees the answer while it is made."""
    batch: bool = False
    """Whether the call is part of a batch, which costs half and waits its turn."""
    resolves_uploads: bool = False
    """Whether the caller allowed `oss://` addresses to be looked up."""
    refusal: ParameterInvalid | None = None
    """What is wrong with the content, said only after it is known that the model exists and the key may use it."""
