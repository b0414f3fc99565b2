"""Accounts and their API keys."""

from qwenport.accounts.accounts import ADMIN_CURRENCY, ADMIN_EMAIL, Accounts
from qwenport.accounts.key_errors import AccountNotFound, KeyNotFound, KeySettingInvalid
from qwenport.accounts.keys import CreateKey, NewKey, hash_key
from qwenport.storage.records import AccountRecord, KeyRecord

__all__ = [
    "ADMIN_CURRENCY",
    "ADMIN_EMAIL",
    "AccountNotFound",
    "AccountRecord",
    "Accounts",
    "CreateKey",
    "KeyNotFound",
    "KeyRecord",
    "KeySettingInvalid",
    "NewKey",
    "hash_key",
]
