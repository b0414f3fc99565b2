"""Reads the facts of a receipt off its page."""

from __future__ import annotations

from qwenport.documents.page import Page
from qwenport.documents.receipts.addresses import find_address
from qwenport.documents.receipts.companies import find_company
from qwenport.documents.receipts.purchase_dates import find_date
from qwenport.documents.receipts.receipt import Receipt
from qwenport.documents.receipts.sheet import sheet_of
from qwenport.documents.receipts.totals import find_total
from qwenport.documents.receipts.weights import Weights, shipped_weights


def read_receipt(page: Page, weights: Weights | None = None) -> Receipt:
    """Return what a page says when it is read as a shop receipt; nothing is made up.

    Args:
        page: its lines may come in any order.
        weights: None for those that come with the package.
    """
    chosen = weights or shipped_weights()
    sheet = sheet_of(page)
    return Receipt(
        company=find_company(sheet, chosen.company),
        date=find_date(sheet, chosen.date),
        address=find_address(sheet, chosen.address),
        total=find_total(sheet, chosen.total),
    )
