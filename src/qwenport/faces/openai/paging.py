"""`limit`, `order` and `after` of this face's lists."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from qwenport.core.errors import ParameterInvalid
from qwenport.faces.description import Parameter
from qwenport.faces.face import Request
from qwenport.faces.shown import shown

_ORDERS = ("asc", "desc")


class Paging(Struct, frozen=True, kw_only=True):
    """Which entries of a list are wanted."""

    limit: int
    oldest_first: bool
    after: str
    """Id of the entry that they follow; empty for the first of all."""


def paging_parameters(greatest: int) -> tuple[Parameter, ...]:
    """Describe the query of a list with at most so many entries on a page."""
    return (
        Parameter(name="limit", meaning=f"Entries on a page, at most {greatest}.", type=int),
        Parameter(name="order", meaning="Newest first or oldest first.", type=Literal["desc", "asc"]),
        Parameter(name="after", meaning="Id of the entry that the page follows."),
    )


def read_paging(request: Request, *, default: int, greatest: int) -> Paging:
    """Return what the query asks for; the newest come first where it does not say.

    Raises:
        ParameterInvalid: a limit that is no number from 1 to the greatest, or an order that there is not.
    """
    written = request.query.get("limit") or str(default)
    is_number = written.isascii() and written.isdigit() and len(written) <= len(str(greatest))
    if not is_number or not 1 <= int(written) <= greatest:
        raise ParameterInvalid(f"Range of limit should be [1, {greatest}]", parameter="limit")
    order = request.query.get("order") or "desc"
    if order not in _ORDERS:
        raise ParameterInvalid(f"'{shown(order)}' is not one of {list(_ORDERS)} - 'order'", parameter="order")
    return Paging(limit=int(written), oldest_first=order == "asc", after=request.query.get("after", ""))
