"""What the functions of this package are handed, and nobody else looks into."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction; only modules of `storage` look inside."""

    connection: Connection
