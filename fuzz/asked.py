"""One request of the fuzzer, as bytes that reach the application, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from qwenport.faces.face import Face, Operation

Leaves = Literal["never", "in the body", "before the answer", "in the answer"]
"""When the client goes away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request."""

    face: Face
    operation: Operation | None
    """What is asked for; None where address or method are none of the face's."""
    method: str
    path: str
    """As it stands in the request line, so escaped."""
    query: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    pieces: int = 1
    """How many pieces the body arrives in."""
    leaves: Leaves = "never"

    def __str__(self) -> str:
        """Return it as a finding is told."""
        target = f"{self.path}?{self.query}" if self.query else self.path
        shown = self.body if len(self.body) <= 2000 else self.body[:2000] + b"..."
        return f"{self.method} {target}\n  headers {self.headers!r}\n  body ({len(self.body)} bytes) {shown!r}"


@dataclass(slots=True)
class Answered:
    """What came back; the status is 0 while nothing did."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False
    seconds: float = 0.0
