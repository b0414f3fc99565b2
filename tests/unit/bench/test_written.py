"""Results are kept under their date, machine and kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.machine import Machine
from bench.written import RESULTS, place_of, write_down
from msgspec import Struct

MACHINE = Machine(
    cpu="Some CPU (R)", cores=2, memory_gib=8.0, kernel="k", python="3.11.7", packages={}, nginx="", commit="none"
)


class Found(Struct, frozen=True):
    date: str = "2026-11-23T12:00:00+00:00"
    machine: Machine = MACHINE


def test_a_result_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    place = tmp_path / "new" / "result.json"

    assert write_down(Found(), "idle", place) == place
    assert place.read_text("utf-8").startswith('{\n "date": "2026-11-23T12:00:00+00:00",\n')


@pytest.mark.parametrize(
    ("kind", "name"),
    [("idle", "2026-11-23-some-cpu-r-2-cores-idle.json"), ("", "2026-11-23-some-cpu-r-2-cores.json")],
)
def test_a_result_has_its_date_machine_and_kind_in_its_name(kind: str, name: str) -> None:
    assert place_of(Found(), kind) == RESULTS / name
