"""The accounts of the ledger. Every row of it debits one and credits another, so that all together hold nothing."""

from __future__ import annotations

from qwenport.core.ids import AccountId

REVENUE = "house:revenue"
"""What calls cost goes here."""
PAYMENTS = "house:payments"
"""What customers pay in comes from here."""
ADJUSTMENTS = "house:adjustments"
"""What the operator takes off a balance goes here."""


def customer(account_id: AccountId) -> str:
    """Return the ledger account of a customer."""
    return f"customer:{account_id}"
