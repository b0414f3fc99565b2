"""What members may do: roles are sets of permissions, and whoever asks the admin API is a principal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from qwenport.core.ids import AccountId, WorkspaceId

OPERATOR_ACTOR = "operator"
"""Stands in the audit log for whoever runs the house."""


class Permission(StrEnum):
    """What an operation of the admin API demands."""

    ACCOUNT_READ = "account.read"
    ACCOUNT_WRITE = "account.write"
    """Name, email, and whether only the free quota is used."""
    ACCOUNT_TERMS = "account.terms"
    """Making accounts; kind, level, state, free quota, discounts, activation. The operator's alone."""
    WORKSPACE_READ = "workspace.read"
    WORKSPACE_WRITE = "workspace.write"
    MEMBER_READ = "member.read"
    MEMBER_WRITE = "member.write"
    KEY_READ = "key.read"
    KEY_WRITE = "key.write"
    LIMIT_READ = "limit.read"
    LIMIT_WRITE = "limit.write"
    """Of keys and workspaces; what binds a whole account or level is the operator's."""
    LEVEL_READ = "level.read"
    LEVEL_WRITE = "level.write"
    """The operator's alone."""
    USAGE_READ = "usage.read"
    CALL_READ = "call.read"
    BODY_READ = "body.read"
    """What calls said."""
    MONEY_READ = "money.read"
    MONEY_WRITE = "money.write"
    """The operator's alone."""
    PRICE_READ = "price.read"
    RATE_READ = "rate.read"
    RATE_WRITE = "rate.write"
    """The operator's alone."""
    AUDIT_READ = "audit.read"
    HOUSE_READ = "house.read"
    """The operator's alone."""
    HOUSE_WRITE = "house.write"
    """The operator's alone."""


class Role(StrEnum):
    """What a member is to an account."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    BILLING = "billing"
    VIEWER = "viewer"


_VIEWER = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.WORKSPACE_READ,
        Permission.MEMBER_READ,
        Permission.KEY_READ,
        Permission.LIMIT_READ,
        Permission.USAGE_READ,
        Permission.CALL_READ,
        Permission.PRICE_READ,
    }
)
_BILLING = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.WORKSPACE_READ,
        Permission.USAGE_READ,
        Permission.CALL_READ,
        Permission.MONEY_READ,
        Permission.PRICE_READ,
        Permission.RATE_READ,
    }
)
_DEVELOPER = _VIEWER | {Permission.KEY_WRITE, Permission.BODY_READ}
_ADMIN = (
    _DEVELOPER
    | _BILLING
    | {Permission.WORKSPACE_WRITE, Permission.MEMBER_WRITE, Permission.LIMIT_WRITE, Permission.AUDIT_READ}
)

GRANTS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.OWNER: _ADMIN | {Permission.ACCOUNT_WRITE},
        Role.ADMIN: _ADMIN,
        Role.DEVELOPER: _DEVELOPER,
        Role.BILLING: _BILLING,
        Role.VIEWER: _VIEWER,
    }
)
"""What each role allows; what no role allows is the operator's alone."""

_OF_EVERY_MEMBER = frozenset({Permission.ACCOUNT_READ, Permission.PRICE_READ, Permission.RATE_READ})
"""What a member who is bound to a workspace may read of the whole account and of the house."""


class Principal(Struct, frozen=True, kw_only=True):
    """Whoever asks the admin API: the operator, or a member of an account."""

    actor: str
    """What the audit log names: `operator`, or the id of the member."""
    role: Role | None = None
    """None for the operator."""
    account_id: AccountId | None = None
    """The only account that a member sees; None for the operator."""
    workspace_id: WorkspaceId | None = None
    """The only workspace that a member sees; None for all."""

    @property
    def is_operator(self) -> bool:
        """Tell whether everything is allowed."""
        return self.role is None

    def holds(self, permission: Permission) -> bool:
        """Tell whether there is anything at all on which this is allowed."""
        return self.role is None or permission in GRANTS[self.role]

    def sees(self, account_id: AccountId | None, workspace_id: WorkspaceId | None = None) -> bool:
        """Tell whether something that belongs to these exists at all for whoever asks; None is the house's."""
        if self.role is None:
            return True
        if account_id != self.account_id:
            return False
        return self.workspace_id is None or workspace_id in {None, self.workspace_id}

    def may(
        self, permission: Permission, account_id: AccountId | None, workspace_id: WorkspaceId | None = None
    ) -> bool:
        """Tell whether this is allowed on something of an account, and of a workspace if it belongs to one.

        What belongs to the whole account is closed to a member of one workspace, but for the account's own record.
        """
        if self.role is None:
            return True
        if permission not in GRANTS[self.role] or account_id != self.account_id:
            return False
        return self.workspace_id is None or workspace_id == self.workspace_id or permission in _OF_EVERY_MEMBER


OPERATOR = Principal(actor=OPERATOR_ACTOR)


def covers(own: Role, other: Role) -> bool:
    """Tell whether a role allows all that another one does, so that its holder may grant it."""
    return GRANTS[own] >= GRANTS[other]
