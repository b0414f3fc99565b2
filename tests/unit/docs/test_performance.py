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
PHASES = ("well", "hanging", "back")
MIB = 1 << 20


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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_said_of_a_hanging_upstream_is_in_its_result(language: str, root: Path, prose: Prose) -> None:
    told, result = sentences_of("hanging", root / "docs" / language / "performance.md", prose)
    parts, changes = result["parts"], result["changes"]
    held = {phase: [each["anonymous_bytes"] for each in parts if each["phase"] == phase] for phase in PHASES}
    memory = (held["well"][-1], max(held["hanging"]), max(held["back"]))
    opened = next(each["seconds"] for each in changes if each["state"] == "open") - result["hung_at"]
    figures = {
        f"{sum(each['calls'] for each in parts):,}",
        f"{sum(each['answered'] for each in parts):,}",
        f"{max(each['longest_s'] for each in parts):.2f}",
        f"{result['most_s']:g}",
        f"{opened:.1f}",
        f"{changes[-1]['seconds'] - result['back_at']:.1f}",
        *(f"{each / MIB:.1f}" for each in memory),
    }

    assert result["problems"] == []
    assert figures - numbers_in(told) == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_said_of_idle_streams_is_in_their_result(language: str, root: Path, prose: Prose) -> None:
    told, result = sentences_of("idle", root / "docs" / language / "performance.md", prose)
    figures = {
        f"{result['streams']:,}",
        f"{result['held']['opened']:,}",
        f"{result['held']['lost']}",
        f"{result['held']['open_s']:.0f}",
        f"{result['hold_s']:.0f}",
        f"{result['idle_bytes'] / MIB:.0f}",
        f"{result['open_bytes'] / MIB:.0f}",
        f"{result['bytes_a_stream']:,}",
        f"{100 * result['hold_cpu_share']:.0f}",
        f"{result['open_files_limit']:,}",
    }

    assert figures - numbers_in(told) == set()


def sentences_of(kind: str, page: Path, prose: Prose) -> tuple[str, dict[str, Any]]:
    """Return the paragraph that names the one result of a kind, without that name, and the result."""
    (told,) = (each for each in prose(page).split("\n\n") if f"-{kind}.json" in each)
    (name,) = re.findall(rf"bench/results/[a-z0-9-]*-{kind}\.json", told)
    return told.replace(name, ""), json.loads((page.parents[2] / name).read_text("utf-8"))


def numbers_in(told: str) -> set[str]:
    """Return every number of a text, as it is written."""
    return set(re.findall(r"\d+(?:[.,]\d+)*", told))


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
        " + ".join(f"{tries:,}" for tries in report["tries"]),
        *(f"{latency:,.1f}" for latency in latencies),
        f"{report['billed_twice']:,}",
    ]
