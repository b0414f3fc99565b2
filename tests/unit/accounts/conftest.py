"""A fresh database file and the services on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qwenport.storage.database import Database
from qwenport.testing.account_services import AccountServices, account_services


@pytest.fixture
def services(tmp_path: Path) -> Iterator[AccountServices]:
    with Database.open(tmp_path / "qwenport.db") as database:
        yield account_services(database)
