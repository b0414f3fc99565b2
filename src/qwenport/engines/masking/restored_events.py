"""Placeholders in an answer become what they stand for, also where one is spread over several pieces."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, Reasoning, Recognized, Relayed, ToolCallDelta
from qwenport.engines.masking.memory import Memory
from qwenport.engines.masking.restored_json import RestoredPieces, restored_json

_Place = tuple[str, int]
"""What of a choice a piece belongs to: its text, its reasoning, or one of its tool calls."""


class RestoredEvents:
    """Takes in the events of one run and gives out those that the caller sees.

    What may be the beginning of a placeholder is held back until more is known. Each event keeps its tokens, so that
    what was produced is counted when it was.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._held: dict[tuple[int, _Place], str] = {}
        self._pieces = RestoredPieces(memory)

    def add(self, event: Event) -> Iterator[Event]:
        """Yield what can be said now."""
        match event:
            case Delta():
                yield from self._flush(event.choice, ("text", 0))
                yield replace(event, text=self._say(event.choice, ("text", 0), event.text))
            case Reasoning():
                yield from self._flush(event.choice, ("reasoning", 0))
                yield replace(event, text=self._say(event.choice, ("reasoning", 0), event.text))
            case ToolCallDelta():
                place = ("tool", event.index)
                yield from self._flush(event.choice, place)
                yield replace(event, arguments=self._say(event.choice, place, event.arguments))
            case Recognized():
                yield replace(event, result=restored_json(event.result, self._memory))
            case Relayed():
                yield from self._pieces.add(event)
            case ChoiceFinished():
                yield from self._flush(event.choice, None)
                yield event
            case Finished():
                yield from self.end()
                yield event
            case _:
                yield event

    def end(self) -> Iterator[Event]:
        """Yield what is held back still: nothing more comes."""
        for choice in sorted({choice for choice, _ in self._held}):
            yield from self._flush(choice, None)
        yield from self._pieces.end()

    def _say(self, choice: int, place: _Place, text: str) -> str:
        text = self._held.pop((choice, place), "") + text
        end = self._memory.open_end(text)
        if end < len(text):
            self._held[choice, place] = text[end:]
        return self._memory.unmask(text[:end])

    def _flush(self, choice: int, place: _Place | None) -> Iterator[Event]:
        """Yield what a choice holds back elsewhere: it goes on at another place, so that was no placeholder."""
        for key in [key for key in self._held if key[0] == choice and key[1] != place]:
            text = self._held.pop(key)
            kind, index = key[1]
            if kind == "tool":
                yield ToolCallDelta(index=index, arguments=text, choice=choice, tokens=0)
            elif kind == "reasoning":
                yield Reasoning(text=text, choice=choice, tokens=0)
            else:
                yield Delta(text=text, choice=choice, tokens=0)
