"""The status of an error in the history is the one that callers see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from qwenport.core import errors
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.faces.openai.errors import encode_error
from qwenport.gate.history_status import history_status

ARGUMENTS: dict[type[QwenportError], tuple[Any, ...]] = {
    errors.MethodNotAllowed: ("GET", ("POST",)),
    errors.BodyNotForm: ("x",),
    errors.BodyTooLarge: (1,),
    errors.BodyTooSlow: (1.0,),
    errors.ParameterInvalid: ("x",),
    errors.InputTooLong: (1,),
    errors.ResponseNotFound: ("x",),
    errors.ModelNotFound: ("x",),
    errors.ModelNotServedHere: ("x",),
    errors.BillUnpaid: (errors.Bill.NOT_PURCHASED,),
    errors.ModelUnavailable: ("x",),
    errors.UpstreamKeyRefused: ("x",),
    errors.UpstreamExhausted: ("x",),
    errors.StorageUnavailable: ("x",),
}


def every(kind: type[QwenportError]) -> Iterator[type[QwenportError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from every(below)


@pytest.mark.parametrize("kind", list(every(QwenportError)), ids=lambda kind: kind.__name__)
def test_an_error_has_the_status_that_callers_of_the_compatible_face_see(kind: type[QwenportError]) -> None:
    error = kind(*ARGUMENTS.get(kind, ()))

    assert history_status(error) == encode_error(error, RequestId("request-1")).status
