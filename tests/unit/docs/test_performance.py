"""The page on performance holds the figures of the results that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rows = Callable[[Path], list[list[str]]]
Prose = Callable[[Path], str]

KINDS = ("with_breaker", "without_breaker")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_of_failing_upstreams_is_that_of_its_result(
    language: str, root: Path, rows: Rows, prose: Prose
) -> None:
    page = root / "docs" / language / "performance.md"
    (name,) = re.findall(r"bench/results/[a-z0-9-]*-failover\.json", prose(page))
    result = json.loads((root / name).read_text("utf-8"))
    expected = list(zip(*(figures(result[kind]["report"]) for kind in KINDS), strict=True))
    table = [tuple(row[1:]) for row in rows(page)]

    assert expected[0] in table
    begin = table.index(expected[0])
    assert table[begin : begin + len(expected)] == expected


def figures(report: dict[str, Any]) -> list[str]:
    """Return what one column says, from its top."""
    whole, streams = report["whole"], report["streams"]
    latencies = [
        report[f"{kind}_latency"][name]
        for kind in ("whole", "stream")
        for name in ("one_try_p99_ms", "more_tries_p99_ms")
    ]
    return [
        f"{whole['answered']:,} / {whole['calls']:,}",
        f"{streams['failed_before']:,}",
        f"{streams['broke_midway']:,} / {streams['calls']:,}",
        f"{report['tried_more_than_once']:,}",
        *(f"{latency:,.1f}" for latency in latencies),
        f"{report['billed_twice']:,}",
    ]
