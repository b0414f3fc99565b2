"""The HTTP status that stands for an error in the call history: the one that production answers."""

from __future__ import annotations

from qwenport.core import errors
from qwenport.core.errors import QwenportError

CLIENT_CLOSED_REQUEST = 499
"""After nginx's habit, of a call whose client left."""

_STATUSES: dict[type[QwenportError], int] = {
    QwenportError: 500,
    errors.Refused: 400,
    errors.KeyMissing: 401,
    errors.KeyInvalid: 401,
    errors.WorkspaceDenied: 403,
    errors.PathNotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.BodyTooSlow: 408,
    errors.ResponseNotFound: 404,
    errors.AsynchronousRefused: 403,
    errors.ModelNotFound: 404,
    errors.ModelNotServedHere: 404,
    errors.AccessDenied: 403,
    errors.ModelDenied: 403,
    errors.ModelUnpurchased: 403,
    errors.FreeTierExhausted: 403,
    errors.RequestInProgress: 409,
    errors.Throttled: 429,
    errors.ModelUnavailable: 503,
    errors.Overloaded: 503,
    errors.StorageUnavailable: 503,
    errors.Draining: 503,
    errors.UnderMaintenance: 503,
}
"""What is not named is as what it is a kind of."""


def history_status(error: QwenportError) -> int:
    """Return the status of an error; where faces differ, the compatible face's."""
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
