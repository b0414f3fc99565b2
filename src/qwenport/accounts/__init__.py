"""Accounts, their workspaces, members and API keys, and what binds them."""

from qwenport.accounts.account_settings import ChangeAccount, CreateAccount
from qwenport.accounts.accounts import Accounts
from qwenport.accounts.api_keys import ApiKeys, Revoked
from qwenport.accounts.audit import AuditLog
from qwenport.accounts.bootstrap import ADMIN_CURRENCY, ADMIN_EMAIL
from qwenport.accounts.changes import Changes, read_changes
from qwenport.accounts.errors import (
    AccountNotFound,
    AccountsError,
    ChangeDenied,
    Conflict,
    EmailTaken,
    KeyNotFound,
    LevelNotFound,
    LimitNotFound,
    LimitUnknown,
    MemberNotFound,
    NameTaken,
    NotFound,
    SettingInvalid,
    StillInUse,
    VersionConflict,
    WorkspaceNotFound,
)
from qwenport.accounts.house import House, MaintenanceState
from qwenport.accounts.keys import ChangeKey, CreateKey, KeyLimits, NewKey, hash_key, needs_rotation
from qwenport.accounts.levels import Levels
from qwenport.accounts.limit_settings import ChangeLimit, CreateLimit
from qwenport.accounts.limits import Limits, PublishedFor
from qwenport.accounts.member_settings import AddMember, ChangeMember, NewMember
from qwenport.accounts.members import Members
from qwenport.accounts.rates import Rates
from qwenport.accounts.roles import GRANTS, OPERATOR, OPERATOR_ACTOR, Permission, Principal, Role
from qwenport.accounts.workspaces import Workspaces
from qwenport.storage.account_rows import AccountFilter
from qwenport.storage.audit_log_rows import AuditFilter
from qwenport.storage.key_rows import KeyFilter
from qwenport.storage.limit_rows import LimitFilter
from qwenport.storage.records import AccountRecord, KeyRecord

__all__ = [
    "ADMIN_CURRENCY",
    "ADMIN_EMAIL",
    "GRANTS",
    "OPERATOR",
    "OPERATOR_ACTOR",
    "AccountFilter",
    "AccountNotFound",
    "AccountRecord",
    "Accounts",
    "AccountsError",
    "AddMember",
    "ApiKeys",
    "AuditFilter",
    "AuditLog",
    "ChangeAccount",
    "ChangeDenied",
    "ChangeKey",
    "ChangeLimit",
    "ChangeMember",
    "Changes",
    "Conflict",
    "CreateAccount",
    "CreateKey",
    "CreateLimit",
    "EmailTaken",
    "House",
    "KeyFilter",
    "KeyLimits",
    "KeyNotFound",
    "KeyRecord",
    "LevelNotFound",
    "Levels",
    "LimitFilter",
    "LimitNotFound",
    "LimitUnknown",
    "Limits",
    "MaintenanceState",
    "MemberNotFound",
    "Members",
    "NameTaken",
    "NewKey",
    "NewMember",
    "NotFound",
    "Permission",
    "Principal",
    "PublishedFor",
    "Rates",
    "Revoked",
    "Role",
    "SettingInvalid",
    "StillInUse",
    "VersionConflict",
    "WorkspaceNotFound",
    "Workspaces",
    "hash_key",
    "needs_rotation",
    "read_changes",
]
