"""The checks of one configuration, put to the texts of a call and of its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qwenport.core.call import Call, NativeInput
from qwenport.core.clock import Clock
from qwenport.core.errors import ContentBlocked, ModelUnavailable
from qwenport.core.ids import RequestId
from qwenport.core.secret import Secret
from qwenport.pipeline.inspection.answer_texts import texts_in_answer
from qwenport.pipeline.inspection.asked_texts import texts_of
from qwenport.pipeline.inspection.permitted import Permitted
from qwenport.pipeline.inspection.webhook import CheckFailed, Question, Webhook, is_sent_openly
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
    _permitted: Permitted = field(default_factory=Permitted, init=False, compare=False)
    """Results that may be seen, by these very checks."""

    def concerns(self, model: str) -> bool:
        """Tell whether the calls of a model are checked."""
        return not self.models or model in self.models

    async def check_input(self, call: Call) -> None:
        """Raise `ContentBlocked` for a question that may not be asked, `ModelUnavailable` where nobody can tell."""
        # Of all that is asked, only bodies that are handed on may be so long that reading them holds up others.
        is_long = isinstance(call.input, NativeInput) and len(call.input.body) > MOST_AT_ONCE
        texts = await asyncio.to_thread(texts_of, call) if is_long else texts_of(call)
        await self._check(Question(request_id=call.id, direction="input", model=call.model, texts=texts))

    async def check_result(self, request_id: RequestId, model: str, content: bytes) -> None:
        """Raise the same for what an asynchronous task of a checked model says, a JSON object.

        Clients ask for a result often: what may be seen is checked once.
        """
        if not self.output or not self.concerns(model):
            return
        texts = tuple(text for _, text in texts_in_answer(content) if text)
        question = Question(request_id=request_id, direction="output", model=model, texts=texts)
        if not self._permitted.knows(question) and await self._check(question):
            self._permitted.add(question)

    async def ask_of_answer(self, call: Call, texts: tuple[str, ...]) -> None:
        """Raise the same for a part of an answer to which the operator's check says no."""
        await self._ask(Question(request_id=call.id, direction="output", model=call.model, texts=texts))

    async def _check(self, question: Question) -> bool:
        """Raise what `check_input` raises; return whether every check has said yes, and none could not be had."""
        if not question.texts:
            return True
        if self.words is not None and await _holds_any(self.words, question.texts):
            log.info("the list of words refused request %s", question.request_id)
            raise _blocked(question)
        return await self._ask(question)

    async def _ask(self, question: Question) -> bool:
        if self.webhook is None:
            return True
        try:
            permits = await self.webhook.permits(question)
        except CheckFailed as error:
            log.warning("the check of request %s could not be had: %s", question.request_id, error)
            if self.passes_failures:
                return False
            raise ModelUnavailable("the content could not be checked") from error
        if not permits:
            raise _blocked(question)
        return True

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
    if webhook is not None and is_sent_openly(table.webhook) and not table.allow_http:
        raise CheckInvalid(
            "`webhook` is a public address without TLS, which would send every question and answer in clear text over "
            "the public internet; use https, or write `allow_http = true` if that is meant"
        )
    return Inspection(
        words=words,
        webhook=webhook,
        passes_failures=table.on_failure == "pass",
        input=table.input,
        output=table.output,
        models=frozenset(table.models),
    )


def _blocked(question: Question) -> ContentBlocked:
    return ContentBlocked(question.direction.capitalize())


async def _holds_any(words: WordList, texts: Sequence[str]) -> bool:
    def search() -> bool:
        return any(words.is_in(normal_form(text)) for text in texts)

    return search() if sum(map(len, texts)) <= MOST_AT_ONCE else await asyncio.to_thread(search)
