"""What texts of operators may hold, and which of them can be looked for at all."""

from __future__ import annotations

import re
from datetime import datetime

from qwenport.accounts.errors import NotFound, SettingInvalid

MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2_000
MAX_EMAIL_LENGTH = 254
"""RFC 5321 allows no longer path."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LONGEST_SHOWN = 100
_ALSO_SHOWN = frozenset("\n\t\u3000\u200d")
"""Line ends, the blank of Chinese text, and what joins emoji: Python does not count them as printable."""


def checked_text(setting: str, value: str, most: int, *, least: int = 0) -> str:
    """Return a text that both databases store as it is; `setting` is such as `name of a key`."""
    if len(value) > most:
        raise SettingInvalid(f"the {setting} may hold {most} characters, not {len(value)}; shorten it")
    if len(value.strip()) < least:
        raise SettingInvalid(f"the {setting} is empty; give it one")
    if any(not character.isprintable() and character not in _ALSO_SHOWN for character in value):
        raise SettingInvalid(f"the {setting} holds a character that cannot be shown: {shown(value)}; leave it out")
    return value


def checked_name(setting: str, value: str) -> str:
    """Return a name by which something is told from others: not empty, on one line, without blanks around it."""
    stripped = value.strip()
    if not stripped.isprintable():
        raise SettingInvalid(f"the {setting} holds a character that cannot be shown: {shown(value)}; leave it out")
    return checked_text(setting, stripped, MAX_NAME_LENGTH, least=1)


def checked_email(value: str) -> str:
    """Return an email address in lower case, so that one address is not taken twice."""
    email = value.strip()
    if len(email) > MAX_EMAIL_LENGTH:
        raise SettingInvalid(f"an email address may hold {MAX_EMAIL_LENGTH} characters, not {len(email)}")
    if not email.isprintable() or not _EMAIL.fullmatch(email):
        raise SettingInvalid(f"{shown(value)} is no email address; write it like `name@example.com`")
    return email.lower()


def checked_currency(value: str) -> str:
    """Return an ISO 4217 code."""
    if not _CURRENCY.fullmatch(value):
        raise SettingInvalid(f"{shown(value)} is no currency; write three capital letters, such as `CNY` or `USD`")
    return value


def checked_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    """Return an aware moment in the future."""
    if expires_at is None:
        return None
    if expires_at.utcoffset() is None:
        raise SettingInvalid(f"the expiry `{expires_at.isoformat()}` names no time zone; add one, such as `Z`")
    if expires_at <= now:
        raise SettingInvalid(
            f"the expiry `{expires_at.isoformat()}` is not in the future; it is `{now.isoformat()}` now"
        )
    return expires_at


def checked_number(setting: str, value: int, *, least: int, most: int) -> int:
    """Return a whole number within a range."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SettingInvalid(f"the {setting} must be a whole number from {least} to {most}, not {_number(value)}")
    return value


def _number(value: object) -> str:
    # Python refuses to write out numbers of thousands of digits.
    huge = isinstance(value, int) and value.bit_length() > 300
    return "one of more than 90 digits" if huge else shown(str(value))


def refuse_unstorable(*values: object) -> None:
    """Refuse to look for texts that no database can hold, such as half of a surrogate pair."""
    for value in values:
        if isinstance(value, str) and not value.isprintable():
            raise SettingInvalid(f"{shown(value)} cannot be looked for: it holds characters that cannot be shown")


def known_form(value: str, missing: type[NotFound]) -> None:
    """Raise that nothing has this id where no database could even be asked for it."""
    if not value.isprintable():
        raise missing(value)


def shown(value: str) -> str:
    """Return a text of any length and content, fit for a line."""
    return ascii(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")
