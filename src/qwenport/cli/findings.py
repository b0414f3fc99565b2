"""What `qwenport doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found."""

    check: str
    verdict: Literal["ok", "note", "problem"]
    words: str


def ok(check: str, words: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(check=check, verdict="ok", words=words)


def note(check: str, words: str) -> Finding:
    """Return a finding that is worth knowing."""
    return Finding(check=check, verdict="note", words=words)


def problem(check: str, words: str) -> Finding:
    """Return a finding that needs a fix."""
    return Finding(check=check, verdict="problem", words=words)
