"""Whether a page looks like a shop receipt."""

from __future__ import annotations

from qwenport.documents.page import Page
from qwenport.documents.receipts.amounts import amounts_of
from qwenport.documents.receipts.dates import dates_in
from qwenport.documents.receipts.sheet import Sheet, sheet_of
from qwenport.documents.receipts.vocabulary import COMPANY_MARKS, TOTAL_KEYS


def receipt_likelihood(page: Page) -> float:
    """Return from 0 to 1 how much a page looks like a shop receipt; from 0.5 on it is better read as one."""
    sheet = sheet_of(page)
    amounts = amounts_of(sheet)
    if not amounts:
        return 0.0
    signs = (
        0.25 * _says(sheet, "total"),
        0.15 * _says(sheet, "paid"),
        0.15 * _says(sheet, "change"),
        0.10 * any(COMPANY_MARKS["heading"].search(row.key) for row in sheet.rows),
        0.10 * any(dates_in(piece.text) for row in sheet.rows for piece in row.pieces),
        0.15 * (len(amounts) >= 3),
        0.10 * (page.height > 1.25 * page.width),
    )
    return round(sum(signs), 2)


def _says(sheet: Sheet, name: str) -> bool:
    return any(TOTAL_KEYS[name].search(row.key) for row in sheet.rows)
