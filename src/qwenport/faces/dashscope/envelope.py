"""What every native service asks of a request before it looks at the input."""

from __future__ import annotations

from typing import Protocol, TypeVar

from qwenport.core.errors import AsynchronousRefused, InputMissing, ModelMissing
from qwenport.faces.description import Parameter
from qwenport.faces.face import Request
from qwenport.faces.switches import is_enabled

STREAM_SWITCH = Parameter(name="X-DashScope-SSE", meaning="`enable` streams the answer.")
"""The header that alone asks for a stream: the official client says nothing of it in the body."""

_Input_co = TypeVar("_Input_co", covariant=True)


class Envelope(Protocol[_Input_co]):
    """A body as it is sent to each service."""

    @property
    def model(self) -> str | None:
        """Name of the model."""

    @property
    def input(self) -> _Input_co | None:
        """What it is to work on."""


def asks_for_stream(request: Request) -> bool:
    """Tell whether the answer is to be sent while it is made."""
    return is_enabled(request, STREAM_SWITCH.name.lower())


def refuse_asynchronous(request: Request) -> None:
    """Raise `AsynchronousRefused` where a task was asked for: the services here answer at once."""
    if is_enabled(request, "x-dashscope-async"):
        raise AsynchronousRefused


def require(body: Envelope[_Input_co]) -> tuple[str, _Input_co]:
    """Return model and input, without which there is no call.

    Raises:
        ModelMissing, InputMissing: it is not there.
    """
    if not body.model:
        raise ModelMissing
    if body.input is None:
        raise InputMissing
    return body.model, body.input
