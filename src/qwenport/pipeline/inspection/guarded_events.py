"""The events of an answer on their way through the checks, held back as long as they are not decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qwenport.core.call import Call
from qwenport.core.errors import ContentBlocked
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, Reasoning, ToolCallDelta
from qwenport.pipeline.inspection.held_text import HeldText, WordFound
from qwenport.pipeline.inspection.inspection import Inspection

SECTION = 512
"""Characters of a stream that are put to the operator's check at once; what is not decided is held back."""
OVERLAP = 128
"""Characters before a section that are shown with it, so that nothing slips through between two sections."""

Place = tuple[int, str, int]
"""Choice, what of it, and which tool call."""


class GuardedEvents:
    """Takes in events one by one and gives out those that may be seen.

    Raises `ContentBlocked` at the first that may not. What was produced and is not given out is told to `count`.
    """

    def __init__(self, inspection: Inspection, call: Call) -> None:
        self._inspection = inspection
        self._call = call
        self.count: Callable[[Event], None] = _ignore
        """Hears of what was produced for nothing; of nothing until somebody wants to."""
        self._held: dict[Place, HeldText[Event]] = {}
        self._inside: list[Event] = []
        """Events that were taken in and not given out, in their order."""
        self._section: list[Event] = []
        self._texts: dict[Place, str] = {}
        self._size = 0

    async def add(self, event: Event) -> Sequence[Event]:
        """Return what may be seen now."""
        self._inside.append(event)
        try:
            given = await self._asked(self._searched(event), event)
        except WordFound:
            self.abandon()
            raise ContentBlocked("Output") from None
        except BaseException:
            self.abandon()
            raise
        for each in given:
            self._inside.remove(each)
        return given

    def abandon(self) -> None:
        """Tell what was taken in and not given out: the answer breaks off."""
        for event in self._inside:
            self.count(event)
        self._inside.clear()

    def _searched(self, event: Event) -> list[Event]:
        """Return what the list of words lets through."""
        words = self._inspection.words
        if words is None:
            return [event]
        place = _place(event)
        if place is None:
            choice = event.choice if isinstance(event, ChoiceFinished) else None
            return [*self._ended(choice, None), event]
        before = self._ended(place[0], place)
        held = self._held.setdefault(place, HeldText(words))
        return [*before, *held.add(event, _text(event))]

    def _ended(self, choice: int | None, but: Place | None) -> list[Event]:
        """Return what is held back of texts that have ended: of a choice, or of all of them."""
        ended = [place for place in self._held if place != but and choice in {None, place[0]}]
        return [event for place in ended for event in self._held.pop(place).end()]

    async def _asked(self, events: list[Event], cause: Event) -> Sequence[Event]:
        """Return what the operator's check lets through: a section at a time, all that is left at the end."""
        if self._inspection.webhook is None:
            return events
        self._section += events
        for event in events:
            place = _place(event)
            if place is not None and (text := _text(event)):
                self._texts[place] = self._texts.get(place, "") + text
                self._size += len(text)
        is_over = isinstance(cause, Finished)
        if self._size and (is_over or (self._call.streams and self._size >= SECTION)):
            if not await self._inspection.permits(self._call, "output", tuple(self._texts.values())):
                raise ContentBlocked("Output")
            self._texts = {place: text[-OVERLAP:] for place, text in self._texts.items()}
            self._size = 0
        if self._size and not is_over:
            return ()
        given, self._section = self._section, []
        return given


def _ignore(_event: Event) -> None:
    """Hear of nothing."""


def _place(event: Event) -> Place | None:
    """Return which text an event adds to; None for one that adds to none."""
    match event:
        case Delta(choice=choice):
            return choice, "text", 0
        case Reasoning(choice=choice):
            return choice, "reasoning", 0
        case ToolCallDelta(choice=choice, index=index):
            return choice, "tool", index
        case _:
            return None


def _text(event: Event) -> str:
    match event:
        case Delta(text=text) | Reasoning(text=text):
            return text
        case ToolCallDelta(arguments=arguments):
            return arguments
        case _:
            return ""
