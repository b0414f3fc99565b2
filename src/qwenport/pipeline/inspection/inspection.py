"""The checks of one configuration, put to the texts of a call and of its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qwenport.core.call import Call, ChatInput, EmbeddingInput, NativeInput, PromptInput
from qwenport.core.clock import Clock
from qwenport.core.errors import ContentBlocked, ModelUnavailable
from qwenport.core.model_card import ModelCard
from qwenport.core.native_body import read_native, texts_in
from qwenport.core.secret import Secret
from qwenport.pipeline.inspection.webhook import CheckFailed, Question, Webhook
from qwenport.pipeline.inspection.words import WordList, WordsInvalid, normal_form
from qwenport.settings.configuration_file import CheckTable

log = logging.getLogger(__name__)

MOST_AT_ONCE = 16_384
"""Characters that are looked through on the event loop; what is longer goes to a thread."""


class CheckInvalid(ValueError):
    """The check cannot be set up; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What is looked for, where, and what happens when that fails."""

    words: WordList | None
    webhook: Webhook | None
    passes_failures: bool = False
    """Whether a call goes on whose check could not be had."""
    input: bool = True
    output: bool = True
    models: frozenset[str] = frozenset()
    """Whose calls are checked; empty for all."""

    def concerns(self, card: ModelCard) -> bool:
        """Tell whether the calls of a model are checked."""
        return not self.models or card.name in self.models

    async def check_input(self, call: Call) -> None:
        """Raise `ContentBlocked` for a question that may not be asked, `ModelUnavailable` where nobody can tell."""
        texts = tuple(text for text in texts_of(call) if text)
        if not texts:
            return
        if self.words is not None and await _holds_any(self.words, texts):
            log.info("the list of words refused request %s", call.id)
            raise ContentBlocked("Input")
        if not await self.permits(call, "input", texts):
            raise ContentBlocked("Input")

    async def permits(self, call: Call, direction: str, texts: tuple[str, ...]) -> bool:
        """Return what the operator's check says, if there is one; raises `ModelUnavailable` where it says nothing."""
        if self.webhook is None:
            return True
        question = Question(request_id=call.id, direction=direction, model=call.model, texts=texts)
        try:
            return await self.webhook.permits(question)
        except CheckFailed as error:
            log.warning("the check of request %s could not be had: %s", call.id, error)
            if self.passes_failures:
                return True
            raise ModelUnavailable("the content could not be checked") from error

    async def close(self) -> None:
        """Close connections."""
        if self.webhook is not None:
            await self.webhook.close()


def words_of(table: CheckTable) -> WordList | None:
    """Return the words that the configuration looks for, None for none; raises `CheckInvalid`."""
    try:
        return WordList.read(Path(table.words_file)) if table.words_file else None
    except WordsInvalid as error:
        raise CheckInvalid(f"`words_file`: {error}") from error


def inspection_of(table: CheckTable, words: WordList | None, secret: Secret | None, clock: Clock) -> Inspection | None:
    """Return the checks that the configuration asks for, None for none; raises `CheckInvalid`.

    `words` are those of its `words_of`, `secret` is what `webhook_secret_env` names.
    """
    if words is None and not table.webhook:
        return None
    if table.webhook_secret_env and secret is None:
        raise CheckInvalid(f"`webhook_secret_env` names `{table.webhook_secret_env}`, which is not set")
    try:
        webhook = Webhook(table.webhook, secret, clock, answer_s=table.webhook_s) if table.webhook else None
    except ValueError as error:
        raise CheckInvalid(f"`webhook`: {error}") from error
    return Inspection(
        words=words,
        webhook=webhook,
        passes_failures=table.on_failure == "pass",
        input=table.input,
        output=table.output,
        models=frozenset(table.models),
    )


def texts_of(call: Call) -> Sequence[str]:
    """Return every text of a call that a model would read, documents included; of images there is none."""
    match call.input:
        case ChatInput(messages=messages, tools=tools):
            said = [text for each in messages for text in (each.text, each.reasoning)]
            called = [made.arguments for each in messages for made in each.tool_calls]
            return (*said, *called, *(tool.description for tool in tools))
        case PromptInput(prompt=prompt, suffix=suffix):
            return prompt, suffix
        case EmbeddingInput(texts=texts, instruct=instruct):
            return (*texts, instruct)
        case NativeInput(body=body):
            return tuple(texts_in(read_native(body).input))
        case asked:
            return (asked.query, *asked.documents, asked.instruct)


async def _holds_any(words: WordList, texts: Sequence[str]) -> bool:
    def search() -> bool:
        return any(words.is_in(normal_form(text)) for text in texts)

    return search() if sum(map(len, texts)) <= MOST_AT_ONCE else await asyncio.to_thread(search)
