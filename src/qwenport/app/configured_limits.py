"""Limits of the configuration file, as limits; they are checked as those of the admin API are."""

from __future__ import annotations

from qwenport.accounts.errors import SettingInvalid
from qwenport.accounts.limit_settings import CreateLimit, new_limit
from qwenport.app.refusal import StartRefused
from qwenport.core.ids import AccountId, KeyId, LimitId, WorkspaceId
from qwenport.core.limits import Limit
from qwenport.settings.configuration_file import LimitTable
from qwenport.settings.settings import Settings


def configured_limits(settings: Settings) -> tuple[Limit, ...]:
    """Return the limits of `[[limits]]`; the id of each is `config-` and its name.

    Raises:
        StartRefused: one of them is not valid, or two have the same name.
    """
    names = [table.name for table in settings.file.limits]
    for name in names:
        if not name or names.count(name) > 1:
            raise StartRefused(f"[[limits]] of the configuration file: each needs a name of its own, not `{name}`")
    return tuple(_limit(table) for table in settings.file.limits)


def _limit(table: LimitTable) -> Limit:
    wish = CreateLimit(
        unit=table.unit,
        window=table.window,
        cap=table.cap,
        mode=table.mode,
        name=table.name,
        currency=table.currency,
        burst_ms=table.burst_ms,
        level=table.level,
        account_id=None if table.account is None else AccountId(table.account),
        workspace_id=None if table.workspace is None else WorkspaceId(table.workspace),
        key_id=None if table.key is None else KeyId(table.key),
        model=table.model,
        per=table.per,
    )
    try:
        return new_limit(LimitId(f"config-{table.name}"), wish)
    except SettingInvalid as error:
        raise StartRefused(f"[[limits]] `{table.name}` of the configuration file: {error}") from error
