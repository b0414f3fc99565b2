"""How an answer is to look: `result_format` and `incremental_output`, by the caller's word, else by the model card."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from qwenport.core.call import Call, ChatInput
from qwenport.core.capabilities import Thinking, thinks
from qwenport.core.errors import ParameterInvalid
from qwenport.core.model_card import ModelCard, ResultFormat
from qwenport.faces.dashscope.generation import Form
from qwenport.faces.dashscope.schema import GenerationParameters
from qwenport.faces.shown import shown

TELLS_PROCESSED = frozenset({"qwen3.5-ocr", "qwen-vl-ocr-latest"})
"""Models whose answers carry `processed_text`; those of older ones have none."""

_FORMS: dict[str, Form] = {ResultFormat.TEXT: Form.TEXT, ResultFormat.MESSAGE: Form.MESSAGE}


class Style(Struct, frozen=True, kw_only=True):
    """How an answer is to look."""

    form: Form
    thinks: bool = False
    """Whether the model reasons before it answers this call."""
    incremental: bool = False
    """Whether the frames of a stream hold only what is new."""
    tells_processed: bool = False
    """Whether the end says the text again without what repeats (`processed_text`)."""


def choose_style(call: Call, parameters: GenerationParameters, card: ModelCard | None, *, multimodal: bool) -> Style:
    """Return the style; without a card, which no answer will come of, that of a plain model.

    Raises:
        ParameterInvalid: a format that there is not or that has no room for what is asked, or thinking out of which
            the whole answer so far is to be repeated.
    """
    is_thinking = card is not None and isinstance(call.input, ChatInput) and thinks(call.input, card.capabilities)
    asked = parameters.result_format
    form = Form.PARTS if multimodal else _choose_form(asked, card, tuple(_needs_of_message(call, thinks=is_thinking)))
    if call.streams and is_thinking and parameters.incremental_output is False:
        words = 'The incremental_output parameter must be "true" when enable_thinking is true'
        raise ParameterInvalid(words, parameter="incremental_output")
    incremental = parameters.incremental_output
    if incremental is None:
        incremental = card is not None and card.capabilities.thinking is Thinking.ALWAYS
    tells_processed = multimodal and card is not None and card.name in TELLS_PROCESSED
    return Style(form=form, thinks=is_thinking, incremental=incremental, tells_processed=tells_processed)


def _needs_of_message(call: Call, *, thinks: bool) -> Iterator[str]:
    """Give the reasons for which the answer does not fit into a text."""
    if thinks:
        yield "enable_thinking is true"
    if call.sampling.choices > 1:
        yield "n is greater than 1"
    if isinstance(call.input, ChatInput) and call.input.tools:
        yield "tools are given"
    if call.sampling.logprobs is not None:
        yield "logprobs is true"


def _choose_form(asked: str | None, card: ModelCard | None, needs: tuple[str, ...]) -> Form:
    if asked is not None and asked not in _FORMS:
        raise _format_refusal(f"'{shown(asked)}' is not one of ['text', 'message'] - 'result_format'")
    if needs:
        if asked == ResultFormat.TEXT:
            raise _format_refusal(f'The result_format parameter must be "message" when {needs[0]}')
        return Form.MESSAGE
    default = card.default_result_format if card is not None else ResultFormat.TEXT
    return _FORMS[default if asked is None else asked]


def _format_refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="result_format")
