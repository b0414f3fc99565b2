"""A whole server before two upstreams that fail at random: who asks is answered, and billed once."""

from __future__ import annotations

from qwenport.testing.failover import PLAYED, Order, run


def test_calls_before_upstreams_that_fail_are_answered_and_billed_once() -> None:
    played = run(Order(calls=400, seed=7, event_s=1.0, faults=PLAYED, breaker=False))
    report = played.report

    assert report.findings == ()
    assert (report.calls, report.whole.calls, report.streams.calls) == (400, 200, 200)
    # A call fails where both upstreams fail it twice, which 1 of 4,000 meets.
    assert report.whole.answered_percent >= 98.0
    assert report.streams.begun_percent >= 98.0
    assert report.tried_more_than_once > 0
    assert report.billed_twice == 0
    # Of each upstream one for each call at a time, and one for its health check; a leak would leave one a try.
    assert played.open_connections <= 2 * (played.order.at_once + 1)
