"""What every native service asks of a request before it looks at the input."""

from __future__ import annotations

from typing import Protocol, TypeVar

from qwenport.core.errors import AsynchronousRefused, InputMissing, ModelMissing
from qwenport.faces.face import Request
from qwenport.faces.switches import is_enabled

_Input_co = TypeVar("_Input_co", covariant=True)


class Envelope(Protocol[_Input_co]):
    """A body as it is sent to each service."""

    @property
    def model(self) -> str | None:
        """Name of the model."""

    @property
    def input(self) -> _Input_co | None:
        """What it is to work on."""


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
