"""What is seen of one row that may be a part of an address."""

from __future__ import annotations

import re

from qwenport.documents.receipts.companies import without_registration
from qwenport.documents.receipts.dates import dates_in
from qwenport.documents.receipts.sheet import Sheet
from qwenport.documents.receipts.vocabulary import ADDRESS_MARKS, COMPANY_ENDS, COMPANY_MARKS, NO_ADDRESS

ADDRESS_SIGNS = tuple(f"has_{name}" for name in ADDRESS_MARKS)
"""Features of which every address has one in one of its rows."""
_AMOUNT = re.compile(r"\d[.,]\d{2}(?!\d)")


def row_features(sheet: Sheet, at: int) -> dict[str, float]:
    """Return the words, marks and characters of a row; what is 0 may be left out."""
    row = sheet.rows[at]
    text, key = row.text, row.key
    features = {f"has_{name}": 1.0 for name, pattern in ADDRESS_MARKS.items() if pattern.search(key)}
    features |= {f"mark_{name}": 1.0 for name, pattern in COMPANY_MARKS.items() if pattern.search(key)}
    size = max(len(key), 1)
    digits = sum(letter.isdigit() for letter in key)
    return features | {
        "bias": 1.0,
        "ends_address": float(NO_ADDRESS.search(key) is not None),
        "has_end": float(COMPANY_ENDS.search(key) is not None),
        "commas": min(text.count(","), 3) / 3,
        "ends_with_comma": float(text.rstrip().endswith(",")),
        "ends_with_stop": float(text.rstrip().endswith(".")),
        "has_colon": float(":" in text),
        "has_amount": float(_AMOUNT.search(text) is not None),
        "has_date": float(bool(dates_in(text))),
        "is_registration": float(not without_registration(text) and "has_postcode" not in features),
        "is_bracketed": float(text.lstrip().startswith("(")),
        "digits": digits / size,
        "mostly_digits": float(digits > size / 2),
        "no_digits": float(digits == 0),
        "begins_with_digit": float(key[:1].isdigit()),
        "is_short": float(size <= 6),
        "size": min(size, 40) / 40,
        "is_large": min(max(row.height / sheet.height - 1, -1.0), 2.0),
        "is_split": float(len(row.pieces) > 1),
    }
