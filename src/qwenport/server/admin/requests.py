"""Bodies and query strings of the admin API, and how its errors look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import wraps
from typing import TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from qwenport.accounts.key_errors import AccountNotFound, KeyNotFound, KeySettingInvalid
from qwenport.core.errors import BodyTooLarge, BodyTooSlow, ModelNotFound, StorageUnavailable
from qwenport.core.ids import AccountId
from qwenport.metering.reports import ReportInvalid
from qwenport.server.body import read_body
from qwenport.server.json_reply import error_reply

Handler = Callable[[Request], Awaitable[Response]]

S = TypeVar("S", bound=Struct)

LARGEST_BODY_BYTES = 64 * 1024
LONGEST_BODY_SECONDS = 30.0


class AdminRefused(ValueError):
    """The request cannot be understood or fulfilled; the words are for the operator."""


class NewKeyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/v1/keys`."""

    account_id: AccountId | None = None
    name: str = ""
    description: str = ""
    expires_at: datetime | None = None
    models: tuple[str, ...] = ()
    ip_ranges: tuple[str, ...] = ()


class RotateBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of `POST /admin/v1/keys/{id}/rotate`."""

    overlap_s: float = 86_400.0
    """How long the old key stays valid."""


async def read_json(request: Request, kind: type[S]) -> S:
    """Return the body; an empty one has the defaults.

    Raises:
        AdminRefused: it is too large, too slow, no JSON, or has fields that are unknown or wrong.
    """
    try:
        body = await read_body(
            request.receive, request.headers, limit_bytes=LARGEST_BODY_BYTES, seconds=LONGEST_BODY_SECONDS
        )
    except (BodyTooLarge, BodyTooSlow) as error:
        raise AdminRefused(error.message) from error
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AdminRefused(f"the body is not what this address takes: {error}") from error


def query_moment(request: Request, name: str) -> datetime | None:
    """Return a moment of the query string; a date alone is its first moment, and UTC where no zone is named.

    Raises:
        AdminRefused: it is no ISO 8601.
    """
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise AdminRefused(f"`{name}` is {text!a}; write it as ISO 8601, such as `2026-01-31`") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def query_number(request: Request, name: str, default: int) -> int:
    """Return a whole number of the query string.

    Raises:
        AdminRefused: it is none.
    """
    text = request.query_params.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise AdminRefused(f"`{name}` is {text!a}; it must be a whole number")
    return int(text)


def answered(handler: Handler) -> Handler:
    """Turn the errors of the house into answers."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except (KeyNotFound, AccountNotFound) as error:
            return error_reply(404, "not_found", str(error))
        except ModelNotFound as error:
            return error_reply(400, "model_not_found", f"there is no model `{error.model}`; see `qwenport models list`")
        except (KeySettingInvalid, ReportInvalid, AdminRefused) as error:
            return error_reply(400, "invalid", str(error))
        except StorageUnavailable as error:
            return error_reply(503, error.code, str(error), {"retry-after": "5"})

    return answer
