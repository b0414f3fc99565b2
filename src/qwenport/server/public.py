"""The addresses that anyone may read without a key. Every other route asks for one; a test walks the table."""

from __future__ import annotations

PUBLIC = frozenset({"/healthz", "/readyz"})
