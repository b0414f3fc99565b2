"""What may be asked of a limit, checked and put into its stored form; and stored limits, read back."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType, structs

from qwenport.accounts.errors import LimitUnknown, SettingInvalid
from qwenport.accounts.keys import checked_models, chosen
from qwenport.accounts.money import cap_nanos
from qwenport.accounts.texts import MAX_NAME_LENGTH, checked_currency, checked_number, checked_text, shown
from qwenport.core.ids import AccountId, KeyId, LimitId, WorkspaceId
from qwenport.core.limits import Dimension, Limit, Mode, Unit, Window
from qwenport.storage.limit_rows import LimitRow
from qwenport.storage.moments import moment
from qwenport.storage.records import LimitRecord

MOST = 2**62
"""The greatest cap; with it, sums of two stay within 64 bits."""
SHORTEST_BURST_MS = 10

SLIDING_MS = {Window.SECOND: 1_000, Window.MINUTE: 60_000, Window.HOUR: 3_600_000}
"""Lengths of the windows that slide."""

E = TypeVar("E", bound=StrEnum)


class CreateLimit(Struct, frozen=True, kw_only=True):
    """What a new limit shall be. It binds the calls that fit everything it names; what it leaves empty fits all."""

    unit: str
    """One of `Unit`."""
    window: str
    """One of `Window`."""
    cap: int | str
    """A whole number; of money an exact decimal, as text."""
    mode: str = Mode.ENFORCE
    name: str = ""
    currency: str = ""
    """Of money alone, and demanded there."""
    burst_ms: int | None = None
    level: str = ""
    account_id: AccountId | None = None
    """Filled in where a workspace or a key is named."""
    workspace_id: WorkspaceId | None = None
    key_id: KeyId | None = None
    model: str = ""
    """Whether it exists is the caller's to check."""
    per: tuple[str, ...] = ()
    """Each one of `Dimension`."""


class ChangeLimit(Struct, frozen=True, kw_only=True):
    """What changes of a limit; what is not set stays. To count something else, make another limit."""

    version: int
    """The one that the change was made from."""
    cap: int | str | UnsetType = UNSET
    mode: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    burst_ms: int | UnsetType | None = UNSET


def new_limit(limit_id: LimitId, wish: CreateLimit) -> Limit:
    """Return the limit that is wished for; raises `SettingInvalid`. Whether what it names exists is not looked at."""
    unit = _one_of(Unit, "unit", wish.unit)
    return _checked(
        Limit(
            id=limit_id,
            unit=unit,
            window=_one_of(Window, "window", wish.window),
            cap=_cap(unit, wish.cap),
            mode=_one_of(Mode, "mode", wish.mode),
            name=checked_text("name of a limit", wish.name, MAX_NAME_LENGTH),
            currency=wish.currency,
            burst_ms=wish.burst_ms,
            level=wish.level,
            account_id=wish.account_id,
            workspace_id=wish.workspace_id,
            key_id=wish.key_id,
            model=wish.model,
            per=tuple(_one_of(Dimension, "dimension", each) for each in wish.per),
        )
    )


def changed(limit: Limit, wish: ChangeLimit) -> Limit:
    """Return a limit as it shall be, under the next version; raises `SettingInvalid`."""
    return _checked(
        structs.replace(
            limit,
            cap=limit.cap if isinstance(wish.cap, UnsetType) else _cap(limit.unit, wish.cap),
            mode=limit.mode if isinstance(wish.mode, UnsetType) else _one_of(Mode, "mode", wish.mode),
            name=checked_text("name of a limit", chosen(wish.name, limit.name), MAX_NAME_LENGTH),
            burst_ms=chosen(wish.burst_ms, limit.burst_ms),
            version=limit.version + 1,
        )
    )


def read_limit(row: LimitRow) -> LimitRecord:
    """Return a stored limit; raises `LimitUnknown` for one of a kind that only a newer version knows."""
    limit = Limit(
        id=row.id,
        unit=_known(Unit, "unit", row.unit, row.id),
        window=_known(Window, "window", row.window, row.id),
        cap=row.cap,
        mode=_known(Mode, "mode", row.mode, row.id),
        name=row.name,
        currency=row.currency,
        burst_ms=row.burst_ms,
        level=row.level,
        account_id=row.account_id,
        workspace_id=row.workspace_id,
        key_id=row.key_id,
        model=row.model,
        per=tuple(_known(Dimension, "dimension", each, row.id) for each in row.per),
        version=row.version,
    )
    return LimitRecord(limit=limit, created_at=moment(row.created_at))


def _checked(limit: Limit) -> Limit:
    if limit.window is Window.AT_ONCE and limit.unit is not Unit.REQUESTS:
        raise SettingInvalid(
            f"`at_once` counts calls that run at the same time; it goes with `requests`, not `{limit.unit}`"
        )
    if limit.unit is Unit.MONEY:
        if not limit.currency:
            raise SettingInvalid("a limit of money needs a currency, such as `CNY`")
        checked_currency(limit.currency)
    elif limit.currency:
        raise SettingInvalid(f"a limit of `{limit.unit}` has no currency; leave `{shown(limit.currency)[1:-1]}` out")
    if limit.model:
        checked_models((limit.model,))
    if len(set(limit.per)) != len(limit.per):
        raise SettingInvalid(f"a limit names each dimension once, not `{', '.join(limit.per)}`")
    _check_burst(limit)
    return limit


def _check_burst(limit: Limit) -> None:
    if limit.burst_ms is None:
        return
    length = SLIDING_MS.get(limit.window)
    if length is None:
        raise SettingInvalid(f"a burst goes with a limit by second, minute or hour, not `{limit.window}`")
    checked_number("burst in milliseconds", limit.burst_ms, least=SHORTEST_BURST_MS, most=length - 1)


def _cap(unit: Unit, cap: int | str) -> int:
    if unit is Unit.MONEY:
        return cap_nanos(cap if isinstance(cap, str) else str(checked_number("cap", cap, least=0, most=MOST)), MOST)
    if isinstance(cap, str):
        if not cap.isascii() or not cap.isdecimal() or len(cap) > len(str(MOST)):
            raise SettingInvalid(f"the cap {shown(cap)} of a limit of `{unit}` is no whole number from 0 on")
        cap = int(cap)
    return checked_number("cap of a limit", cap, least=0, most=MOST)


def _one_of(kind: type[E], setting: str, value: str) -> E:
    try:
        return kind(value)
    except ValueError as error:
        raise SettingInvalid(f"the {setting} {shown(value)} of a limit is none of {_listed(kind)}") from error


def _known(kind: type[E], setting: str, value: str, limit_id: LimitId) -> E:
    try:
        return kind(value)
    except ValueError as error:
        raise LimitUnknown(limit_id, setting, value, _listed(kind)) from error


def _listed(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)
