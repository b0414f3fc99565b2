"""Why an address is wrong."""

from __future__ import annotations

import pytest
from bench.address_faults import Fault, fault_of

TRUTH = "NO.7, JALAN UJIAN 2, 40000 SHAH ALAM"


@pytest.mark.parametrize(
    ("given", "blocks", "fault"),
    [
        ("No 7 Jalan Ujian 2 40000 Shah Alam", (), Fault.NONE),
        ("NO.7, JALAN UJIAN 2", ("NO.7, JALAN UJIAN 2", TRUTH), Fault.ROWS),
        ("", (TRUTH,), Fault.ROWS),
        ("NO.7, JALÁN UJIAN 2, 40000 SHAH ALAM", ("NO.7, JALÁN UJIAN 2, 40000 SHAH ALAM",), Fault.ACCENTS),
        ("NO.1", ("NO.1", "NO.1, JALAN UJIAN 2, 40000 SHAH ALAM"), Fault.ONE_CHARACTER),
        ("NO.1", ("NO.1", "NO.1, JALAN UJIAN Z, 4OO00 SHAH ALAM"), Fault.MORE),
        ("NO.1", ("NO.1", "NO.1, JALAN UJIAN Z, 4O000 SHAH ALAM"), Fault.FEW_CHARACTERS),
        ("", (), Fault.MORE),
    ],
)
def test_an_address_is_wrong_by_its_rows_or_by_what_the_nearest_of_them_say(
    given: str, blocks: tuple[str, ...], fault: Fault
) -> None:
    assert fault_of(TRUTH, given, blocks) is fault
