"""What people type, made into what the admin API takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from qwenport.cli.context import CommandFailed
from qwenport.cli.display import ERRORS
from qwenport.client.admin_client import address


def whole(least: int, most: int) -> Parameter:
    """Return what makes a whole number within bounds of what was typed; 1.5 is refused, not rounded."""

    def read(_kind: object, tokens: Sequence[Token]) -> int:
        text = tokens[0].value
        if not WHOLE.fullmatch(text):
            raise ValueError(f"`{text}` is no whole number from {least} to {most}")
        return int(text)

    return Parameter(converter=read, validator=Number(gte=least, lte=most))


AsJson = Annotated[bool, Parameter(name="--json", negative=())]
AsDrill = Annotated[bool, Parameter(name="--drill", negative=())]
AsCsv = Annotated[bool, Parameter(name="--csv", negative=())]
Yes = Annotated[bool, Parameter(name="--yes", negative=())]
Count = Annotated[int, whole(0, 2**62)]
Priority = Annotated[int, whole(-10, 10)]
Days = Annotated[int, whole(1, 36_500)]
Listed = Annotated[int, whole(1, 1_000)]

ISO_8601 = "write it as ISO 8601 with a time zone, such as `2027-01-31T00:00:00Z`"
DURATION = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
DAYS = re.compile(r"(\d{1,5})d", re.ASCII)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
IDENTIFIER = re.compile(r"[\w-]{1,200}", re.ASCII)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Period:
    """The time that something is asked about."""

    since: str | None = None
    """from this moment on, as ISO 8601 (UTC where no zone is named)."""
    until: str | None = None
    """before this moment."""

    def query(self) -> dict[str, str | None]:
        """Return it as the admin API is asked for it.

        Raises:
            CommandFailed: one of the two is no moment.
        """
        return {"since": instant("--since", self.since), "until": instant("--until", self.until)}


ALWAYS = Period()
"""No bounds."""


def instant(option: str, text: str | None) -> str | None:
    """Return a moment, or the first one of a day, as it was typed.

    Raises:
        CommandFailed: it is none.
    """
    if text is None:
        return None
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(f"`{option}` is `{text}`; write it as ISO 8601, such as `2026-01-31`") from error
    return text


def moment(text: str) -> str:
    """Return the moment at which something expires, with its time zone.

    Raises:
        CommandFailed: it is none, or names no time zone.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(f"the expiry is `{text}`; {ISO_8601}") from error
    if found.tzinfo is None:
        raise CommandFailed(f"the expiry `{text}` names no time zone; {ISO_8601}")
    return found.isoformat()


def seconds(text: str) -> int:
    """Return a duration such as `24h` in seconds.

    Raises:
        CommandFailed: it is none.
    """
    found = DURATION.fullmatch(text)
    if found is None:
        raise CommandFailed(f"the overlap is `{text}`; write a number and s, m, h or d, such as `24h`")
    return int(found[1]) * SECONDS[found[2]]


def days(option: str, text: str) -> int:
    """Return a duration such as `90d` in days.

    Raises:
        CommandFailed: it is none.
    """
    found = DAYS.fullmatch(text)
    if found is None:
        raise CommandFailed(f"`{option}` is `{text}`; write a number of days and d, such as `90d`")
    return int(found[1])


def separated(text: str) -> list[str]:
    """Return the parts of a text with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def identified(kind: str, text: str) -> str:
    """Return an id, which cannot lead to another address.

    Args:
        kind: what it is the id of, such as `account`.
        text: what was typed.

    Raises:
        CommandFailed: no id looks like this.
    """
    if not IDENTIFIER.fullmatch(text):
        commands = "calls" if kind == "call" else f"{kind}s list"
        raise CommandFailed(f"`{text}` is no {kind} id; see `qwenport {commands}`")
    return text


def segment(kind: str, name: str) -> str:
    """Return a name of any characters as one step of an address.

    Raises:
        CommandFailed: no name looks like this.
    """
    if name in {"", ".", ".."} or "/" in name:
        raise CommandFailed(f"there is no {kind} `{name}`; see `qwenport {kind}s list`")
    try:
        return address("{}", name)
    except UnicodeEncodeError as error:
        raise CommandFailed(f"there is no {kind} `{name}`; see `qwenport {kind}s list`") from error


def confirm(consequence: str, *, yes: bool) -> None:
    """Ask whether something that cannot be undone is wanted.

    Raises:
        CommandFailed: it is not, or nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed(f"{consequence}; nobody can be asked here, so say `--yes` if you want it")
    ERRORS.print(f"{consequence}. Go on? [y/N] ", markup=False, end="")
    if input().strip().lower() not in {"y", "yes"}:
        raise CommandFailed("nothing was changed")


def given(**fields: object) -> dict[str, object]:
    """Return the fields of a body that were named, which are those that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
