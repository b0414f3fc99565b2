"""What happens in one schedule: some calls at once, each with its ending, and perhaps a storm in their middle."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from qwenport.faces.registry import FACES
from qwenport.testing.plain_call import PlainCall, every_plain_call

CALLERS = 4
"""Keys that calls come from; the world says what each may do."""


class Ending(StrEnum):
    """How a call ends, as far as its engine and its client decide it."""

    FINISHES = "finishes"
    FAILS_AT_FIRST = "fails at first"
    FAILS_MIDWAY = "fails midway"
    BREAKS_OFF = "ends without finishing"
    IS_A_DEFECT = "meets a defect midway"
    LEAVES_AT_FIRST = "its client leaves before the first event"
    LEAVES_MIDWAY = "its client leaves midway"
    LEAVES_AT_ONCE = "its client leaves as soon as it has asked"
    LEAVES_WHILE_SETTLED = "its client leaves while the last event is on its way"
    IS_ABSURD = "its engine counts what cannot be"
    RECOVERS_AT_FIRST = "fails before its first event and is tried again"
    RECOVERS_MIDWAY = "fails midway and is tried again where nothing was seen of it"


class Storm(StrEnum):
    """What befalls the whole gateway while calls run."""

    CALM = "calm"
    SHUTDOWN = "shutdown"
    KILL = "kill -9"
    BOOKS_DOWN = "the database does not answer"
    DISK_FULL = "the disk takes no more"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One call of a schedule."""

    number: int
    """Unique over all schedules of a run; the engine finds it in the text."""
    plain: PlainCall
    ending: Ending
    caller: int
    pieces: int
    """Events with content that the whole answer has."""
    failures: int = 1
    """Tries that fail of a call that recovers."""

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"call {self.number} to {self.plain.name} by caller {self.caller}, which {self.ending}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Calls that begin together, and what befalls them."""

    number: int
    calls: tuple[PlannedCall, ...]
    storm: Storm
    storm_after: int
    """Calls that have come as far as they can by themselves when the storm begins."""


def draw(seed: int, number: int) -> Schedule:
    """Return the schedule of this number; the same for the same seed."""
    choice = random.Random(f"{seed}/{number}")
    size = choice.randint(1, 8)
    calls = tuple(_call(choice, number * 8 + index) for index in range(size))
    storm = choice.choices(list(Storm), (70, 10, 10, 5, 5))[0]
    return Schedule(number=number, calls=calls, storm=storm, storm_after=choice.randint(0, size))


_PLAIN: Sequence[PlainCall] = every_plain_call(FACES)


def _call(choice: random.Random, number: int) -> PlannedCall:
    plain = choice.choice(_PLAIN)
    parameters: dict[str, object] = {"max_tokens": choice.choice((16, 64, 512))} if choice.random() < 0.5 else {}
    asked = PlainCall(
        face=plain.face,
        operation=plain.operation,
        streams=plain.streams,
        model=plain.model,
        text=f"call {number}",
        parameters=parameters if plain.generates and plain.operation.name != "responses" else {},
    )
    return PlannedCall(
        number=number,
        plain=asked,
        ending=choice.choices(list(Ending), (8, 2, 3, 2, 1, 2, 3, 2, 2, 2, 4, 4))[0],
        caller=choice.randrange(CALLERS),
        pieces=choice.randint(1, 5),
        failures=choice.randint(1, 2),
    )
