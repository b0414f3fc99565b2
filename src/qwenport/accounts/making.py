"""What every making of something needs besides the wish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from qwenport.accounts.audit import Deed
from qwenport.core.ids import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Who makes something, when, and where its identifiers come from."""

    actor: str
    at: datetime
    ids: Ids

    def deed(self, action: str, object_id: str, account_id: str = "") -> Deed:
        """Return what the audit log says of it."""
        return Deed(actor=self.actor, at=self.at, action=action, object_id=object_id, account_id=account_id)
