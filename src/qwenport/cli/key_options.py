"""The options of `qwenport keys create` and `qwenport keys change`, and the bodies made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from cyclopts import Parameter

from qwenport.cli.arguments import Count, Days, Priority, days, given, moment, separated
from qwenport.cli.context import CommandFailed, settings

HOURS = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)", re.ASCII)
KEPT_DAYS = 30
"""How long bodies are kept where nothing else is said."""

Clearable = Literal["expires", "models", "ip", "hours", "rotate-after", "keep-bodies", "regions", "cache"]
CLEARED: dict[Clearable, tuple[str, object]] = {
    "expires": ("expires_at", None),
    "models": ("models", []),
    "ip": ("ip_ranges", []),
    "hours": ("hours", None),
    "rotate-after": ("rotate_after_days", None),
    "keep-bodies": ("bodies", None),
    "regions": ("regions", []),
    "cache": ("cache_s", None),
}
"""What can be taken away from a key, and the field that is empty then."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class KeyOptions:
    """What a key may be used for; what is left out is not restricted, or stays."""

    name: str | None = None
    """what you call the key."""
    description: str | None = None
    """what it is for."""
    expires: str | None = None
    """when it ends, as ISO 8601 with a time zone, such as 2027-01-31T00:00:00Z."""
    models: str | None = None
    """names of the models that it is restricted to, with commas."""
    ip: str | None = None
    """addresses or ranges that it may be used from, with commas."""
    hours: str | None = None
    """hours of the day in which it may be used, such as 08:00-20:00; they may pass midnight."""
    timezone: str | None = None
    """time zone of the hours, such as Asia/Shanghai; that of QWENPORT_TIMEZONE where it is left out."""
    weekdays: str | None = None
    """days of the week on which the hours begin, 1 for Monday to 7, with commas; every day where it is left out."""
    rotate_after: str | None = None
    """age at which `keys list` reminds of a rotation, such as 90d."""
    keep_bodies: Count | None = None
    """bytes of each request, and as many of its answer, that are stored; nothing is stored where it is left out."""
    keep_days: Days | None = None
    """how many days they are stored, 30 where it is left out."""
    regions: str | None = None
    """regions that its calls may be answered in, with commas, such as beijing; own machines are always allowed."""
    priority: Priority | None = None
    """whose calls wait less for an engine, from -10, the last, to 10, the first."""
    cache: Count | None = None
    """seconds that an answer from the response cache may be old; 0 for none, left out for what the route says."""

    def body(self) -> dict[str, object]:
        """Return what was named, as the admin API takes it.

        Raises:
            CommandFailed: something was named that cannot be understood.
        """
        return given(
            name=self.name,
            description=self.description,
            expires_at=None if self.expires is None else moment(self.expires),
            models=None if self.models is None else separated(self.models),
            ip_ranges=None if self.ip is None else separated(self.ip),
            hours=self.key_hours(),
            rotate_after_days=None if self.rotate_after is None else days("--rotate-after", self.rotate_after),
            bodies=self.body_keeping(),
            regions=None if self.regions is None else separated(self.regions),
            priority=self.priority,
            cache_s=self.cache,
        )

    def key_hours(self) -> dict[str, object] | None:
        """Return the hours in which the key may be used.

        Raises:
            CommandFailed: they are none, or only half of what they need is named.
        """
        if self.hours is None:
            if self.timezone is not None or self.weekdays is not None:
                raise CommandFailed("`--timezone` and `--weekdays` go with `--hours`, such as `--hours 08:00-20:00`")
            return None
        found = HOURS.fullmatch(self.hours)
        if found is None:
            raise CommandFailed(f"`--hours` is `{self.hours}`; write it like `08:00-20:00`")
        return {
            "begin": found[1],
            "end": found[2],
            "timezone": settings().timezone if self.timezone is None else self.timezone,
            "days": weekdays(self.weekdays or ""),
        }

    def body_keeping(self) -> dict[str, object] | None:
        """Return how much of requests and answers is stored.

        Raises:
            CommandFailed: only the days are named.
        """
        if self.keep_bodies is None:
            if self.keep_days is not None:
                raise CommandFailed("`--keep-days` goes with `--keep-bodies`, such as `--keep-bodies 65536`")
            return None
        return {"most_bytes": self.keep_bodies, "days": KEPT_DAYS if self.keep_days is None else self.keep_days}


NO_OPTIONS = KeyOptions()
"""Nothing was named."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class KeyLimits:
    """Limits that are made with a key; later, `limits` shows and changes them."""

    rpm: Count | None = None
    """requests a minute."""
    tpm: Count | None = None
    """input and output tokens a minute."""
    concurrency: Count | None = None
    """calls that run at the same time."""
    daily_requests: Count | None = None
    """requests a day."""
    monthly_spend: str | None = None
    """what its calls of a month may cost, such as 5.00, in the account's currency."""

    def body(self) -> dict[str, object]:
        """Return what was named, as the admin API takes it."""
        return given(
            rpm=self.rpm,
            tpm=self.tpm,
            concurrency=self.concurrency,
            daily_requests=self.daily_requests,
            monthly_spend=self.monthly_spend,
        )


NO_LIMITS = KeyLimits()
"""Nothing was named."""


def weekdays(text: str) -> list[int]:
    """Return days of the week.

    Raises:
        CommandFailed: they are none.
    """
    parts = separated(text)
    if any(part not in set("1234567") for part in parts):
        raise CommandFailed(f"`--weekdays` is `{text}`; write numbers from 1 for Monday to 7, with commas")
    return [int(part) for part in parts]
