"""The tokens of all members, in memory, as the ring of keys."""

from __future__ import annotations

from collections.abc import Iterable

from qwenport.accounts.keys import hash_key
from qwenport.accounts.member_rules import is_valid
from qwenport.accounts.roles import Principal, Role
from qwenport.core.clock import Clock
from qwenport.core.ids import MemberId
from qwenport.storage.records import MemberRecord

_ROLES = frozenset(role.value for role in Role)


class MemberRing:
    """Members by the SHA-256 of their token; follows the database by what changed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_digest: dict[str, MemberRecord] = {}
        self._digests: dict[MemberId, str] = {}

    def find(self, token: str) -> Principal | None:
        """Return who shows this token; None for one that is unknown, disabled, expired or removed."""
        member = self._by_digest.get(hash_key(token))
        # A role that only a newer version knows opens nothing.
        if member is None or member.role not in _ROLES or not is_valid(member, self._clock.now()):
            return None
        return Principal(
            actor=member.id,
            role=Role(member.role),
            account_id=member.account_id,
            workspace_id=member.workspace_id,
        )

    def update(self, members: Iterable[MemberRecord]) -> None:
        """Take in members that changed, in the order of their changes."""
        for member in members:
            # A token that was rotated has another digest; the one before opens nothing any more.
            self._by_digest.pop(self._digests.pop(member.id, ""), None)
            if not member.deleted:
                self._by_digest[member.digest] = member
                self._digests[member.id] = member.digest
