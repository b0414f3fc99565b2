"""What a drill of failing upstreams tells its operator."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from qwenport.app.drill import Drill, DrillFailed, MetFault
from qwenport.cli.context import CommandFailed
from qwenport.cli.drill import drill

MET = MetFault(fault="status_500", calls=5, answered=4, broke_midway=1, failed=0, longest_s=0.25)
GOOD = Drill(calls=60, tried_more_than_once=12, longest_s=1.5, billed=59, billed_twice=0, faults=(MET,), findings=())
LOST = replace(GOOD, findings=("call 7 (whole): its client got neither an answer nor an error",))
DOUBLE = replace(GOOD, billed_twice=1)


def test_a_drill_in_which_all_went_well_is_a_table_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert drill(json=False, hold=lambda _: GOOD) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["fault", "calls", "answered", "broke", "midway", "failed", "longest", "s"]
    assert lines[2].split() == ["status_500", "5", "4", "1", "0", "0.2"]
    assert lines[-2:] == [
        "60 calls, 12 of them tried more than once, the longest 1.5 s; 59 cost something, 0 were billed twice.",
        "No call was lost, and every one was billed once, for what its client got.",
    ]


def test_what_was_lost_is_named_and_the_exit_code_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert drill(json=False, hold=lambda _: LOST) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == ["1 things are wrong:", f"  {LOST.findings[0]}"]


@pytest.mark.parametrize(("found", "code"), [(GOOD, 0), (LOST, 1), (DOUBLE, 1)])
def test_as_json_everything_is_told(found: Drill, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert drill(json=True, hold=lambda _: found) == code
    told = json.loads(capsys.readouterr().out)
    assert (told["faults"][0]["fault"], told["billed_twice"], told["findings"]) == (
        "status_500",
        found.billed_twice,
        list(found.findings),
    )


def test_a_drill_that_could_not_be_held_is_one_line() -> None:
    def fails(_: int) -> Drill:
        raise DrillFailed("the gateway did not start: no memory")

    with pytest.raises(CommandFailed, match="did not start: no memory"):
        drill(json=True, hold=fails)
