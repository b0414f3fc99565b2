"""The request body of the native generation services; unknown fields are ignored, as production ignores them."""

from __future__ import annotations

from msgspec import Raw, Struct

from qwenport.faces.messages import WireMessage
from qwenport.faces.parameters import WireParameters


class Exchanged(Struct, frozen=True, kw_only=True):
    """One turn of `history`: what the user said and what the model, called bot here, answered."""

    user: str | None = None
    bot: str | None = None


class GenerationInput(Struct, frozen=True, kw_only=True):
    """What `input` holds."""

    messages: list[WireMessage] | None = None
    prompt: str | None = None
    history: list[Exchanged] | None = None


class TaskConfig(Struct, frozen=True, kw_only=True):
    """What `ocr_options.task_config` holds."""

    result_schema: Raw = Raw()
    """A JSON object of the fields that are wanted."""
    result_places: bool | None = None
    """Whether the answer says where the values stand; of this server alone, and not sent on."""


class WireOcrOptions(Struct, frozen=True, kw_only=True):
    """What `ocr_options` holds."""

    task: str | None = None
    task_config: TaskConfig | None = None


class GenerationParameters(WireParameters, frozen=True, kw_only=True):
    """What `parameters` holds."""

    result_format: str | None = None
    incremental_output: bool | None = None
    ocr_options: WireOcrOptions | None = None
    vl_enable_image_hw_output: bool | None = None


class GenerationRequest(Struct, frozen=True, kw_only=True):
    """The body."""

    model: str | None = None
    input: GenerationInput | None = None
    parameters: GenerationParameters | None = None


class TokenizerRequest(Struct, frozen=True, kw_only=True):
    """The body of the tokenizer; it has no parameters that mean anything."""

    model: str | None = None
    input: GenerationInput | None = None
