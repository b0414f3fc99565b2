"""What wrk prints is read whole."""

from __future__ import annotations

import pytest
from bench.wrk import Rate, read_report

GOOD = """Running 2s test @ http://127.0.0.1:8600/v1/chat/completions
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    41.00ms    1.20ms   1.50s    98.00%
    Req/Sec   782.00     50.10   900.00     90.00%
  Latency Distribution
     50%  940.00us
     75%    2.00ms
     90%    9.00ms
     99%    1.30s
  2373 requests in 3.03s, 1.35MB read
{faults}Requests/sec:    782.37
Transfer/sec:    456.26KB
"""
FAULTS = "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n"


@pytest.mark.parametrize(("faults", "failed"), [("", 0), (FAULTS, 15)])
def test_calls_rate_and_every_kind_of_fault_are_read(faults: str, failed: int) -> None:
    assert read_report(GOOD.format(faults=faults)) == Rate(
        calls=2373, failed=failed, calls_a_second=782.37, p50_ms=0.94, p99_ms=1300.0
    )


def test_a_run_without_a_result_is_an_error() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        read_report("unable to connect to 127.0.0.1:1 Connection refused")
