"""Shop receipts: who sold, where, when and for how much."""

from __future__ import annotations

from qwenport.documents.receipts.likelihood import receipt_likelihood
from qwenport.documents.receipts.reading import read_receipt
from qwenport.documents.receipts.receipt import FieldFound, Receipt

__all__ = ["FieldFound", "Receipt", "read_receipt", "receipt_likelihood"]
