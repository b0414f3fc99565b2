"""What can be wrong with a request to make or change a key; the words are for the operator."""

from __future__ import annotations

from qwenport.core.ids import AccountId, KeyId


class KeyNotFound(LookupError):
    """No key has this id, or it was deleted."""

    def __init__(self, key_id: KeyId) -> None:
        super().__init__(f"no API key has the id `{key_id}`; see `qwenport keys list`")
        self.key_id = key_id


class AccountNotFound(LookupError):
    """No account has this id."""

    def __init__(self, account_id: AccountId) -> None:
        super().__init__(f"no account has the id `{account_id}`; see `qwenport accounts list`")
        self.account_id = account_id


class KeySettingInvalid(ValueError):
    """A setting of a key cannot be what was asked for."""
