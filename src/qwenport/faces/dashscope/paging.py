"""`page_no` and `page_size` of the native lists."""

from __future__ import annotations

from msgspec import Struct

from qwenport.core.errors import ParameterInvalid
from qwenport.faces.description import Parameter
from qwenport.faces.face import Request

_PAGE_SIZE = 10
_LONGEST_NUMBER = 9
"""Digits that a page number may have."""


PAGING = (
    Parameter(name="page_no", meaning="Which page, counted from 1.", type=int),
    Parameter(name="page_size", meaning=f"Entries on a page; {_PAGE_SIZE} where nothing is said.", type=int),
)
"""Query parameters of lists."""


class Paging(Struct, frozen=True, kw_only=True):
    """Which page of a list, counted from 1."""

    page_no: int
    page_size: int

    @property
    def start(self) -> int:
        """How many entries come before the page."""
        return (self.page_no - 1) * self.page_size


def read_paging(request: Request) -> Paging:
    """Return the page that is asked for, else the first of ten entries.

    Raises:
        ParameterInvalid: a page number that is none.
    """
    return Paging(page_no=_read_number(request, "page_no", 1), page_size=_read_number(request, "page_size", _PAGE_SIZE))


def _read_number(request: Request, name: str, default: int) -> int:
    written = request.query.get(name)
    if not written:
        return default
    is_number = written.isascii() and written.isdigit() and len(written) <= _LONGEST_NUMBER
    if not is_number or int(written) < 1:
        raise ParameterInvalid(f"'{name}' must be Integer and greater than 0", parameter=name)
    return int(written)
