"""Identifiers that must not be swapped, and the seam that makes new ones."""

from __future__ import annotations

import os
import secrets
import time
from typing import NewType, Protocol

RequestId = NewType("RequestId", str)
KeyId = NewType("KeyId", str)
AccountId = NewType("AccountId", str)
WorkspaceId = NewType("WorkspaceId", str)
MemberId = NewType("MemberId", str)
LimitId = NewType("LimitId", str)
EntryId = NewType("EntryId", str)
"""Of a movement of money that is no call: a credit, a debit, a refund."""
GrantId = NewType("GrantId", str)
"""Of one granting of free tokens; a later one begins anew."""


def workspace_of(account_id: AccountId) -> WorkspaceId:
    """Return the id of the workspace that every account has from the beginning, such as `ws-0123456789ab`."""
    return WorkspaceId(f"ws-{account_id.removeprefix('acc-')}")


def moment_ms_of(request_id: RequestId) -> int:
    """Return when a request id was made, in milliseconds since 1970 in UTC; its first twelve digits say so.

    Ids of other origin give some number, which need not be a moment; one that is no UUID gives 0.
    """
    try:
        return int(request_id[:8] + request_id[9:13], 16)
    except ValueError:
        return 0


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

    def short_id(self, kind: str) -> str:
        """Return an identifier for anything else, beginning with its kind, such as `ws`, `mem`, `lim`."""
        ...


class RandomIds:
    """Identifiers from the operating system's randomness."""

    def request_id(self) -> RequestId:
        """Return a lower-case UUID whose third group starts with 9, as Model Studio's do.

        It begins with the time, so that ids are stored in the order in which they were made: an index of random ones is
        written to all over (UUID version 7 is made for the same reason, RFC 9562).
        """
        moment = f"{time.time_ns() // 1_000_000:012x}"
        digits = os.urandom(10).hex()
        return RequestId(f"{moment[:8]}-{moment[8:]}-9{digits[:3]}-{digits[3:7]}-{digits[7:19]}")

    def key_id(self) -> KeyId:
        """Return `key-` and 12 random hexadecimal digits."""
        return KeyId(f"key-{secrets.token_hex(6)}")

    def account_id(self) -> AccountId:
        """Return `acc-` and 12 random hexadecimal digits."""
        return AccountId(f"acc-{secrets.token_hex(6)}")

    def short_id(self, kind: str) -> str:
        """Return the kind, a hyphen and 12 random hexadecimal digits."""
        return f"{kind}-{secrets.token_hex(6)}"
