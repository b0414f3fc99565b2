"""Identifiers that must not be swapped, and the seam that makes new ones."""

from __future__ import annotations

import os
import secrets
from typing import NewType, Protocol

RequestId = NewType("RequestId", str)
KeyId = NewType("KeyId", str)
AccountId = NewType("AccountId", str)


def workspace_of(account_id: AccountId) -> str:
    """Return the id of an account's workspace, such as `ws-0123456789ab`; every account has this one."""
    return f"ws-{account_id.removeprefix('acc-')}"


class Ids(Protocol):
    """Where new identifiers come from; tests hand in predictable ones."""

    def request_id(self) -> RequestId:
        """Return an identifier for one request, unique for ever."""
        ...

    def key_id(self) -> KeyId:
        """Return an identifier for an API key; it is public, the key is not."""
        ...

    def account_id(self) -> AccountId:
        """Return an identifier for an account."""
        ...


class RandomIds:
    """Identifiers from the operating system's randomness."""

    def request_id(self) -> RequestId:
        """Return a lower-case UUID whose third group starts with 9, as Model Studio's do."""
        digits = os.urandom(16).hex()
        return RequestId(f"{digits[:8]}-{digits[8:12]}-9{digits[13:16]}-{digits[16:20]}-{digits[20:]}")

    def key_id(self) -> KeyId:
        """Return `key-` and 12 random hexadecimal digits."""
        return KeyId(f"key-{secrets.token_hex(6)}")

    def account_id(self) -> AccountId:
        """Return `acc-` and 12 random hexadecimal digits."""
        return AccountId(f"acc-{secrets.token_hex(6)}")
