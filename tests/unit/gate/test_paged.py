"""Which parts are one image, and which may have several pages, by their addresses alone."""

from __future__ import annotations

import base64

import pytest

from qwenport.core.content import ImagePart
from qwenport.core.errors import ParameterInvalid
from qwenport.core.ids import AccountId, KeyId, LimitId, RequestId
from qwenport.core.limits import Limit, Mode, Unit, Window
from qwenport.gate.charges import Ask, Funds, charges_of, counters_of
from qwenport.gate.paged import check_pages, is_one_image, may_have_pages
from qwenport.metering.records import Hold


def inline(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("url", "is_one", "has_pages"),
    [
        (inline(b"\x89PNG\r\n\x1a\n"), True, False),
        (inline(b"\xff\xd8\xff", "image/jpeg"), True, False),
        ("DATA:image/png;BASE64,iVBORw0KGgo=", True, False),
        (inline(b"%PDF-1.7", "application/pdf"), False, True),
        (inline(b"%PDF-1.7"), False, True),
        (inline(b"II*\x00....", "image/tiff"), False, True),
        (inline(b"MM\x00*....", "image/tiff"), False, True),
        ("data:application/pdf;base64,AAAA", True, False),
        (inline(b"\n" * 59 + b"%PDF-1.7"), False, True),
        (inline(b"\n" * 60 + b"%PDF-1.7"), True, False),
        (inline(b" \t\r\n%PDF-1.7").replace(",", "," + " " * 900), False, True),
        (inline(b"\x89PNG\r\n\x1a\n" + bytes(600)).replace(",", "," + " " * 2_000), False, True),
        (inline(b"\n%PDF-1.7").replace("C", "%43"), False, True),
        (inline(b"\x89PNG\r\n\x1a\n" + bytes(5_000)), True, False),
        ("data:image/png;base64,not base64", False, True),
        ("data:image/png,%89PNG", False, True),
        ("fileid://file-fe-1", False, True),
        ("https://example.com/a.PDF?x=1", False, True),
        ("oss://instant/key/scan.tiff", False, True),
        ("https://example.com/a.png", False, False),
        ("https://example.com/download?file=a.pdf", False, False),
        ("http://[", False, False),
    ],
)
def test_an_address_tells_as_much_as_it_can(url: str, is_one: bool, has_pages: bool) -> None:
    part = ImagePart(url=url)

    assert (is_one_image(part), may_have_pages(part)) == (is_one, has_pages)


def ask(unit: Unit, mode: Mode = Mode.ENFORCE) -> Ask:
    """Return what a call with one page takes from one limit."""
    hold = Hold(
        id=RequestId("r"),
        at=0.0,
        expires_at=1.0,
        key_id=KeyId("k"),
        account_id=AccountId("a"),
        currency="CNY",
        model="m",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=1,
        output_tokens=1,
        images=1,
        pages=1,
    )
    limit = Limit(id=LimitId("l"), unit=unit, window=Window.DAY, cap=50, mode=mode)
    funds = Funds(account_id=hold.account_id, currency="CNY", is_checked=False, cost_nanos=0)
    return Ask(hold=hold, funds=funds, charges=charges_of(tuple(counters_of(limit, "")), hold))


def test_more_pages_than_a_limit_has_counted_are_refused_before_they_are_read() -> None:
    words = "have 3 pages, of which 1 were counted against your limit of pages before they were fetched. Name documents"
    with pytest.raises(ParameterInvalid, match=words):
        check_pages(ask(Unit.PAGES), 3)


@pytest.mark.parametrize(
    ("asked", "pages"),
    [(ask(Unit.PAGES), 1), (ask(Unit.IMAGES), 3), (ask(Unit.PAGES, Mode.SHADOW), 3)],
    ids=["as many", "no limit of pages", "one that only counts"],
)
def test_pages_that_no_limit_could_miss_are_let_in(asked: Ask, pages: int) -> None:
    check_pages(asked, pages)
