"""What an engine may say to a call, event by event, for faces, gateways and clients to be tried with."""

from __future__ import annotations

from qwenport.core.errors import EngineFailed, QwenportError
from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Reasoning,
    Started,
    ToolCallDelta,
)
from qwenport.core.usage import Usage

Script = tuple[Event | QwenportError, ...]
"""An error is what the engine breaks off with."""

GOOD: Script = (
    Started(served_by="scripted/model", input_tokens=7, cached_tokens=3),
    Delta(text="Hel"),
    Delta(text="lo\n\n你"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=3, cached_tokens=3)),
)
"""A text of two pieces, a part of whose prompt was cached."""

TWICE: Script = (
    Started(served_by="scripted/model", input_tokens=7),
    Delta(text="a", choice=0),
    Delta(text="b", choice=1, tokens=2),
    ChoiceFinished(reason=FinishReason.STOP, choice=0),
    ChoiceFinished(reason=FinishReason.STOP, choice=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=3)),
)
"""Two choices, by turns."""

THOUGHT: Script = (
    Started(served_by="scripted/model", input_tokens=7),
    Reasoning(text="So ", tokens=1),
    Reasoning(text="what?", tokens=2),
    Delta(text="Hel"),
    Delta(text="lo"),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=6, reasoning_tokens=3)),
)
"""A text after reasoning."""

CALLED: Script = (
    Started(served_by="scripted/model", input_tokens=7),
    ToolCallDelta(index=0, id="call_1", name="weather", arguments=""),
    ToolCallDelta(index=0, arguments='{"city":'),
    ToolCallDelta(index=0, arguments='"Ulm"}'),
    ToolCallDelta(index=1, id="call_2", name="time", arguments="{}"),
    ChoiceFinished(reason=FinishReason.TOOL_CALLS, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=5)),
)
"""Two tool calls, one of them in pieces."""

BROKEN: Script = (*GOOD[:2], EngineFailed("the engine broke off"))
"""A text that breaks off."""
