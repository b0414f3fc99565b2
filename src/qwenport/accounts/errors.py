"""What can be wrong with a request to make or change something of accounts; the words are for the operator.

AccountsError
├── NotFound           no such thing, or it was deleted: AccountNotFound, WorkspaceNotFound, MemberNotFound,
│                      KeyNotFound, LimitNotFound, LevelNotFound
├── SettingInvalid     a setting cannot be what was asked for
├── ChangeDenied       whoever asks may not make this change
├── Conflict           it cannot be done as things stand: EmailTaken, NameTaken, StillInUse, VersionConflict
└── LimitUnknown       a stored limit is of a kind that this version does not know
"""

from __future__ import annotations

from typing import ClassVar

from qwenport.core.ids import LimitId
from qwenport.core.printable import printable

_LONGEST_SHOWN = 100


class AccountsError(Exception):
    """Root of the tree; `str(error)` is fit for one line on a terminal."""


class NotFound(AccountsError, LookupError):
    """Nothing has this id, or it was deleted."""

    kind: ClassVar[str] = "thing"
    command: ClassVar[str] = ""

    def __init__(self, missing: str) -> None:
        shown = printable(missing[:_LONGEST_SHOWN])
        super().__init__(f"no {self.kind} has the id `{shown}`; see `qwenport {self.command} list`")
        self.missing = missing


class AccountNotFound(NotFound):
    """No account has this id."""

    kind, command = "account", "accounts"


class WorkspaceNotFound(NotFound):
    """No workspace has this id, or it was deleted."""

    kind, command = "workspace", "workspaces"


class MemberNotFound(NotFound):
    """No member has this id, or was removed."""

    kind, command = "member", "members"


class KeyNotFound(NotFound):
    """No key has this id, or it was deleted."""

    kind, command = "API key", "keys"


class LimitNotFound(NotFound):
    """No limit has this id."""

    kind, command = "limit", "limits"


class LevelNotFound(NotFound):
    """No level has this name."""

    kind, command = "level", "levels"


class SettingInvalid(AccountsError, ValueError):
    """A setting cannot be what was asked for."""


class ChangeDenied(AccountsError):
    """Whoever asks may not make this change."""


class Conflict(AccountsError):
    """It cannot be done as things stand."""


class EmailTaken(Conflict):
    """Somebody has this email address already."""


class NameTaken(Conflict):
    """Something has this name already."""


class StillInUse(Conflict):
    """Something else would be left hanging: money, keys, accounts."""


class VersionConflict(Conflict):
    """Somebody else has changed it since it was read."""


class LimitUnknown(AccountsError):
    """A stored limit counts something, over some time or in some way, that only a newer version knows."""

    def __init__(self, limit_id: LimitId, setting: str, value: str, known: str) -> None:
        super().__init__(
            f"the limit `{limit_id}` has the {setting} `{printable(value[:_LONGEST_SHOWN])}`, which this version of "
            f"qwenport does not know (it knows {known}); start the version that wrote it, or delete the limit there"
        )
        self.limit_id = limit_id
