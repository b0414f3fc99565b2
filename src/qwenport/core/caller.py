"""Who is calling."""

from __future__ import annotations

from msgspec import Struct

from qwenport.core.ids import AccountId, KeyId


class Caller(Struct, frozen=True, kw_only=True):
    """A key that was found valid, and what it may do."""

    key_id: KeyId
    account_id: AccountId
    currency: str
    """Currency of the account, an ISO 4217 code."""
    models: tuple[str, ...] = ()
    """Names of the models that the key is restricted to; empty for all."""

    def may_use(self, model: str) -> bool:
        """Tell whether the key is allowed to call the model of this name."""
        return not self.models or model in self.models
