"""The judge of calls before failing upstreams finds what is lost, billed twice, or billed for what nobody got."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from qwenport.testing.failover import Evidence, Seen, judge
from qwenport.testing.failover.caller import TOKENS
from qwenport.testing.failover.judge import WHOLE_TEXT, Booked, Ledger
from qwenport.testing.faulty_upstream import Fault, Served

GOOD = Ledger(balanced=True, open_holds=0, unposted=0)
ANSWERED = Seen(
    asked="call 1",
    streams=False,
    status=200,
    request_id="a",
    text=WHOLE_TEXT,
    input_tokens=3,
    output_tokens=TOKENS,
    first_s=0.1,
    seconds=0.1,
)
BROKEN = Seen(
    asked="call 2",
    streams=True,
    status=200,
    request_id="b",
    text=" word0 word1",
    error="internal_error",
    first_s=0.2,
    seconds=0.5,
)
REFUSED = Seen(asked="call 3", streams=True, status=503, request_id="c", error="ModelUnavailable", seconds=0.1)
SEEN = (ANSWERED, BROKEN, REFUSED)
FAILED_TRY = Served(id="1", path="/v1/chat/completions", asked="call 1", fault=Fault.STATUS_500)
GOOD_TRY = Served(
    id="2", path="/v1/chat/completions", asked="call 1", fault=Fault.NONE, input_tokens=3, output_tokens=TOKENS
)
BROKEN_TRY = Served(
    id="3", path="/v1/chat/completions", asked="call 2", fault=Fault.RESET_MIDWAY, input_tokens=3, output_tokens=8
)
SERVED = ((FAILED_TRY, BROKEN_TRY), (GOOD_TRY,))
WHOLE_ROW = Booked(
    request_id="a",
    outcome="finished",
    input_tokens=3,
    output_tokens=TOKENS,
    usage_source="engine",
    cost="0.0000344",
)
BROKEN_ROW = Booked(
    request_id="b", outcome="failed", input_tokens=3, output_tokens=2, usage_source="counted", cost="0.0000064"
)
ROWS = (WHOLE_ROW, BROKEN_ROW)


def findings(
    *,
    seen: tuple[Seen, ...] = SEEN,
    booked: tuple[Booked, ...] = ROWS,
    ledger: Ledger = GOOD,
) -> tuple[str, ...]:
    return judge(Evidence(seen=seen, served=SERVED, booked=booked, ledger=ledger)).findings


def test_what_is_right_is_counted_and_nothing_is_found() -> None:
    report = judge(Evidence(seen=SEEN, served=SERVED, booked=ROWS, ledger=GOOD))

    assert report.findings == ()
    assert (report.whole.calls, report.whole.answered_percent) == (1, 100.0)
    assert (report.streams.broke_midway, report.streams.failed_before, report.streams.begun_percent) == (1, 1, 50.0)
    assert (report.tries, report.tried_more_than_once, report.billed, report.billed_twice) == ((2, 1), 1, 2, 0)
    assert {met.fault: (met.calls, met.answered, met.broke_midway) for met in report.faults} == {
        "status_500": (1, 1, 0),
        "reset_midway": (1, 0, 1),
    }


@pytest.mark.parametrize(
    "booked",
    [
        pytest.param((BROKEN_ROW,), id="an answer is not in the books"),
        pytest.param((*ROWS, WHOLE_ROW), id="a call is there twice"),
        pytest.param((*ROWS, replace(WHOLE_ROW, request_id="d")), id="a call is there that nobody made"),
        pytest.param((replace(WHOLE_ROW, cost="0.0000345"), BROKEN_ROW), id="a cost is not that of its tokens"),
        pytest.param(
            (replace(WHOLE_ROW, input_tokens=4, cost="0.0000352"), BROKEN_ROW), id="tokens are not those that were told"
        ),
        pytest.param((replace(WHOLE_ROW, outcome="failed"), BROKEN_ROW), id="an answer counts as failed"),
        pytest.param((WHOLE_ROW, replace(BROKEN_ROW, outcome="finished")), id="a broken stream counts as finished"),
        pytest.param(
            (WHOLE_ROW, replace(BROKEN_ROW, output_tokens=1, cost="0.0000044")), id="less is billed than was received"
        ),
        pytest.param(
            (WHOLE_ROW, replace(BROKEN_ROW, output_tokens=17, cost="0.0000364")), id="more is billed than was made"
        ),
        pytest.param(
            (*ROWS, replace(BROKEN_ROW, request_id="c", output_tokens=1, cost="0.0000044")),
            id="a refused call is billed for text",
        ),
        pytest.param(
            (*ROWS, replace(BROKEN_ROW, request_id="c", output_tokens=0, cost="0.0000024")),
            id="a refused call is billed for what it asked",
        ),
    ],
)
def test_what_the_books_have_otherwise_than_clients_is_found(booked: tuple[Booked, ...]) -> None:
    assert len(findings(booked=booked)) >= 1


def test_a_whole_answer_that_failed_and_is_billed_is_found() -> None:
    failed = replace(BROKEN, streams=False, status=500, text="")
    row = replace(BROKEN_ROW, output_tokens=0, cost="0.0000024")

    assert findings(seen=(ANSWERED, failed, REFUSED), booked=(WHOLE_ROW, row)) == (
        "call 2 (whole, internal_error): nothing of it reached its client, and it cost 0.0000024",
    )


def test_a_text_with_a_piece_twice_is_found() -> None:
    twice = replace(ANSWERED, text=WHOLE_TEXT + " word15")

    assert len(findings(seen=(twice, BROKEN, REFUSED))) == 1


def test_a_client_that_hears_nothing_is_found() -> None:
    unheard = replace(REFUSED, status=0, is_lost=True, error="TimeoutError")

    assert len(findings(seen=(ANSWERED, BROKEN, unheard))) == 1


@pytest.mark.parametrize(
    "ledger", [replace(GOOD, balanced=False), replace(GOOD, open_holds=1), replace(GOOD, unposted=1)]
)
def test_books_that_are_not_complete_are_found(ledger: Ledger) -> None:
    assert len(findings(ledger=ledger)) == 1


@pytest.mark.parametrize(
    "further",
    [
        WHOLE_ROW,
        replace(WHOLE_ROW, request_id="of a try"),
        replace(BROKEN_ROW, request_id="c", output_tokens=TOKENS + 1),
    ],
    ids=["the same call", "a try of its own", "more than one answer"],
)
def test_a_row_that_a_further_try_left_is_billed_twice(further: Booked) -> None:
    report = judge(Evidence(seen=SEEN, served=SERVED, booked=(*ROWS, further), ledger=GOOD))

    assert report.billed_twice == 1
    assert report.findings != ()
