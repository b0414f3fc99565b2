"""The events of an answer on their way through the checks, held back as long as they are not decided."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from qwenport.core.call import Call, NativeInput
from qwenport.core.errors import ContentBlocked
from qwenport.core.events import ChoiceFinished, Event, Finished
from qwenport.pipeline.inspection.answer_texts import Place, texts_of
from qwenport.pipeline.inspection.held_text import HeldText, ToldText, WordFound
from qwenport.pipeline.inspection.inspection import Inspection
from qwenport.pipeline.inspection.words import WordList

SECTION = 512
"""Characters of a stream that are put to the operator's check at once; what is not decided is held back."""
OVERLAP = 128
"""Characters before a section that are shown with it, so that nothing slips through between two sections."""


@dataclass(slots=True, eq=False)
class _Passing:
    """An event on its way."""

    event: Event
    texts: Sequence[tuple[Place, str]]
    held_at: int
    """Of how many places the words are not decided yet."""


class GuardedEvents:
    """Takes in events one by one and gives out those that may be seen.

    Raises `ContentBlocked` at the first that may not. What was produced and is not given out is told to `count`.
    """

    def __init__(self, inspection: Inspection, call: Call) -> None:
        self._inspection = inspection
        self._call = call
        self.count: Callable[[Event], None] = _ignore
        """Hears of what was produced for nothing; of nothing until somebody wants to."""
        self._held: dict[Place, HeldText[_Passing] | ToldText[_Passing]] = {}
        self._inside: list[_Passing] = []
        """Events that were taken in and not given out, in their order."""
        self._section: list[_Passing] = []
        self._sections = Sections(is_told_anew=isinstance(call.input, NativeInput))

    async def add(self, event: Event) -> Sequence[Event]:
        """Return what may be seen now."""
        texts = texts_of(event)
        passing = _Passing(event, texts, len(texts))
        self._inside.append(passing)
        try:
            given = await self._asked(self._searched(passing), event)
        except WordFound:
            self.abandon()
            raise ContentBlocked("Output") from None
        except BaseException:
            self.abandon()
            raise
        for each in given:
            self._inside.remove(each)
        return [each.event for each in given]

    def abandon(self) -> None:
        """Tell what was taken in and not given out: the answer breaks off."""
        for each in self._inside:
            self.count(each.event)
        self._inside.clear()

    def _searched(self, passing: _Passing) -> list[_Passing]:
        """Return what the list of words lets through."""
        words = self._inspection.words
        if words is None:
            return [passing]
        decided = _decided(self._let_go(passing, words))
        return decided if passing.texts else [*decided, passing]

    def _let_go(self, passing: _Passing, words: WordList) -> Iterator[_Passing]:
        """Yield, for each place at which it is decided, an event that waited there."""
        here = [place for place, _ in passing.texts]
        event = passing.event
        if here:
            yield from self._ended(here[0].choice, here)
        else:
            yield from self._ended(event.choice if isinstance(event, ChoiceFinished) else None)
        for place, text in passing.texts:
            if place not in self._held:
                self._held[place] = ToldText(words) if place.kind == "relayed" else HeldText(words)
            yield from self._held[place].add(passing, text)

    def _ended(self, choice: int | None, but: Collection[Place] = ()) -> Iterator[_Passing]:
        """Yield what is held back of texts that have ended: of a choice, or of all of them."""
        for place in [place for place in self._held if place not in but and choice in {None, place.choice}]:
            yield from self._held.pop(place).end()

    async def _asked(self, passing: list[_Passing], cause: Event) -> Sequence[_Passing]:
        """Return what the operator's check lets through: a section at a time, all that is left at the end."""
        if self._inspection.webhook is None:
            return passing
        self._section += passing
        for each in passing:
            self._sections.add(each.texts)
        is_over = isinstance(cause, Finished)
        size = self._sections.size
        if size and (is_over or (self._call.streams and size >= SECTION)):
            await self._inspection.ask_of_answer(self._call, self._sections.take())
        elif size:
            return ()
        given, self._section = self._section, []
        return given


class Sections:
    """What of the texts of an answer was not put to the operator's check yet."""

    def __init__(self, *, is_told_anew: bool) -> None:
        """Take no text twice of an answer whose pieces may say it anew."""
        self._is_told_anew = is_told_anew
        self._last: dict[Place, str] = {}
        self._texts: dict[Place, str] = {}
        self.size = 0
        """Characters that were not put to it."""

    def add(self, texts: Iterable[tuple[Place, str]]) -> None:
        """Take in what a piece says."""
        for place, text in texts:
            new = self._new(place, text)
            if new:
                self._texts[place] = self._texts.get(place, "") + new
                self.size += len(new)

    def take(self) -> tuple[str, ...]:
        """Return what is to be put to it, and keep what is shown again with what follows."""
        taken = tuple(self._texts.values())
        self._texts = {place: text[-OVERLAP:] for place, text in self._texts.items()}
        self.size = 0
        return taken

    def _new(self, place: Place, text: str) -> str:
        if not self._is_told_anew or not text:
            return text
        last = self._last.get(place, "")
        self._last[place] = text
        return text.removeprefix(last)


def _ignore(_event: Event) -> None:
    """Hear of nothing."""


def _decided(let_go: Iterable[_Passing]) -> list[_Passing]:
    """Return the events that are held back nowhere any more."""
    decided: list[_Passing] = []
    for each in let_go:
        each.held_at -= 1
        if not each.held_at:
            decided.append(each)
    return decided
