"""From the result of a run to the tables of the documentation."""

from __future__ import annotations

import pytest
from bench.books import GateCost
from bench.engine_speed import EngineSpeed, Pair
from bench.figures import ALONE, MAIN, STREAMS, CellFigures, Figures, figures_of
from bench.goals import Goal, goals_of
from bench.ledger_speed import DatabaseSpeed, LedgerSpeed
from bench.load import Load
from bench.machine import Machine, slug
from bench.percentile import percentile
from bench.places import QUICK, Cell, Measured, Round, as_load
from bench.report import PAGES, PageInvalid, markdown, put_in
from bench.result import BooksCheck, Result
from bench.wire_cases import Form, Kind
from bench.wire_cost import FormCost, Spread, WireCost
from bench.words import WORDS, Language
from bench.wrk import Rate
from msgspec.structs import replace

NO_LOAD = Load(
    calls=10,
    failed=0,
    wrong=0,
    seconds=2.0,
    p50_ms=1.0,
    p99_ms=2.0,
    first_p50_ms=0.5,
    first_p99_ms=0.75,
    pieces=1000,
    lost=0,
    doubled=0,
    misplaced=0,
    cpu_share=0.1,
)
BOOKS = BooksCheck(
    balanced=True,
    open_holds=0,
    unposted=0,
    exact_sent=30,
    exact_counted=30,
    tokens_sent=2100,
    tokens_counted=2100,
    wrk_answered=200,
    wrk_under_way=32,
    wrk_counted=203,
)


def measured(cell: Cell, load: Load) -> Measured:
    return Measured(cell=cell, load=load, by_wrk=False, server_cpu_s=0.5, host_cpu_s=0.2, seconds=2.0)


def a_round(place: str, *, rate: float, p50_ms: float, memory: int = 60 << 20) -> Round:
    by_wrk = as_load(Rate(calls=1000, failed=0, calls_a_second=rate, p50_ms=p50_ms, p99_ms=3 * p50_ms))
    return Round(
        place=place,
        measured=(
            measured(ALONE, replace(NO_LOAD, p50_ms=p50_ms, p99_ms=2 * p50_ms)),
            replace(measured(MAIN, by_wrk), by_wrk=True, server_cpu_s=1.0),
            measured(STREAMS, replace(NO_LOAD, calls=10, pieces=round(rate / 2))),
        ),
        memory_after=memory,
    )


NO_WIRE = WireCost(forms=(), rounds=3, calls_a_round=40, whole_chunks=11, streamed_chunks=99)


def a_result(*rounds: Round, engine: EngineSpeed | None = None) -> Result:
    return Result(
        date="2026-11-22T00:00:00+00:00",
        command="python -m bench --quick",
        quick=True,
        machine=Machine(
            cpu="Some CPU (R) 1",
            cores=2,
            memory_gib=8.0,
            kernel="Linux 6",
            python="3.11.7",
            packages={},
            nginx="1.22.1",
            commit="none",
        ),
        layout=(),
        plan=QUICK,
        rounds=rounds,
        memory_idle={"qwenport": 50 << 20},
        books=BOOKS,
        gate=GateCost(
            bare_us=1, gated_us=2, flush_us=3, added_us=81, added_p90_us=90, rounds=1, calls_a_round=1, pieces=1
        ),
        engine=engine,
        wire=NO_WIRE,
        skipped={} if engine else {"engine": "the weights are not here"},
        rivals={"litellm": "1.2.3", "portkey": "4.5.6"},
        seconds=1.0,
    )


DIRECT = a_round("direct", rate=40_000, p50_ms=0.1)
NGINX = a_round("nginx", rate=16_000, p50_ms=0.2)
OWN = a_round("qwenport", rate=2_000, p50_ms=0.6)
LITELLM = a_round("litellm", rate=80, p50_ms=9)
PORTKEY = a_round("portkey", rate=400, p50_ms=3)


def test_a_figure_is_the_median_of_the_rounds_of_its_place() -> None:
    rounds = [
        OWN,
        NGINX,
        *(a_round("qwenport", rate=rate, p50_ms=1.0, memory=m << 20) for rate, m in ((1_000, 61), (9_000, 63))),
    ]

    figures = figures_of("qwenport", rounds)

    assert figures is not None
    assert figures.at(MAIN) == CellFigures(
        calls_a_second=2_000,
        pieces_a_second=0.0,
        call_cpu_us=1000.0,
        piece_cpu_us=0.0,
        server_share=0.5,
        p50_ms=1.0,
        p99_ms=3.0,
        first_p50_ms=0.0,
        first_p99_ms=0.0,
    )
    assert figures.at(STREAMS) == CellFigures(
        calls_a_second=5.0,
        pieces_a_second=500.0,
        call_cpu_us=50_000.0,
        piece_cpu_us=500.0,
        server_share=0.25,
        p50_ms=1.0,
        p99_ms=2.0,
        first_p50_ms=0.5,
        first_p99_ms=0.75,
    )
    assert figures.at(Cell(streams=True, concurrency=256)) is None
    assert replace(figures, cells=()) == Figures(
        place="qwenport", cells=(), pieces=9000, faults=0, memory_after=63 << 20, memory_grown=3 << 20
    )


def test_after_one_round_nothing_is_said_of_growth() -> None:
    figures = figures_of("qwenport", [OWN])

    assert figures is not None
    assert figures.memory_grown is None


def test_faults_of_every_kind_and_round_are_added_up() -> None:
    faulty = replace(NO_LOAD, failed=1, wrong=2, lost=3, doubled=4, misplaced=5)
    refused = as_load(Rate(calls=1, failed=6, calls_a_second=1, p50_ms=1, p99_ms=1))
    bad = replace(OWN, measured=(measured(ALONE, faulty), measured(MAIN, refused), measured(STREAMS, faulty)))

    figures = figures_of("qwenport", [OWN, bad])

    assert figures is not None
    assert figures.faults == 36


def test_each_goal_is_compared_with_what_was_reached() -> None:
    engine = EngineSpeed(
        model="small",
        tokens=8,
        one_stream=(Pair(direct=100, api=96), Pair(direct=100, api=99), Pair(direct=100, api=10)),
        eight_streams=(Pair(direct=100, api=90),),
    )

    assert goals_of(a_result(DIRECT, NGINX, OWN, LITELLM, PORTKEY, engine=engine)) == (
        Goal(figure="rate", goal="≥ 1/8", reached="1/8.0", is_met=True),
        Goal(figure="times_litellm", goal="≥ 30", reached="25.0", is_met=False),
        Goal(figure="times_portkey", goal="≥ 3", reached="5.0", is_met=True),
        Goal(figure="times_litellm_chunks", goal="≥ 40", reached="25.0", is_met=False),
        Goal(figure="added_p50_ms", goal="≤ 0.5", reached="0.5", is_met=True),
        Goal(figure="added_p99_ms", goal="≤ 2", reached="1", is_met=True),
        Goal(figure="gate_us", goal="≤ 80", reached="81", is_met=False),
        Goal(figure="memory_mb", goal="≤ 150", reached="62.9", is_met=True),
        Goal(figure="engine_one", goal="≥ 0.95", reached="0.960", is_met=True),
        Goal(figure="engine_eight", goal="≥ 0.95", reached="0.900", is_met=False),
        Goal(figure="faults", goal="0", reached="0", is_met=True),
        Goal(figure="books", goal="✓", reached="✓", is_met=True),
    )


def test_what_was_not_measured_meets_no_goal() -> None:
    unmeasured = [goal.figure for goal in goals_of(a_result(OWN)) if goal.is_met is None]

    assert unmeasured == [
        "rate",
        "times_litellm",
        "times_portkey",
        "times_litellm_chunks",
        "added_p50_ms",
        "added_p99_ms",
        "engine_one",
        "engine_eight",
    ]


@pytest.mark.parametrize(
    ("change", "agrees"),
    [
        ({}, True),
        ({"wrk_counted": 200}, True),
        ({"wrk_counted": 232}, True),
        ({"wrk_counted": 199}, False),
        ({"wrk_counted": 233}, False),
        ({"exact_counted": 29}, False),
        ({"tokens_counted": 2101}, False),
        ({"balanced": False}, False),
        ({"open_holds": 1}, False),
        ({"unposted": 1}, False),
    ],
)
def test_books_agree_only_when_every_call_is_in_them_once(change: dict[str, int | bool], agrees: bool) -> None:
    assert replace(BOOKS, **change).agrees is agrees


@pytest.mark.parametrize(("language", "words"), [(Language.ENGLISH, "not measured"), (Language.CHINESE, "未测量")])
def test_the_report_names_goals_places_and_what_was_left_out(language: Language, words: str) -> None:
    lines = markdown(a_result(DIRECT, NGINX, OWN), "run.json", language).splitlines()

    assert f"| {WORDS['rate'][language]} | ≥ 1/8 | 1/8.0 | {WORDS['yes'][language]} |" in lines
    assert f"| {WORDS['engine_one'][language]} | ≥ 0.95 | {words} | - |" in lines
    assert f"| {WORDS['times_portkey'][language]} | ≥ 3 | {words} | - |" in lines
    named = WORDS["whole_load"][language].format(concurrency=1, body=1)
    assert f"| {named} | 0.1 / 0.2 | 0.2 / 0.4 | 0.6 / 1.2 | - | - |" in lines
    assert f"| {WORDS['memory_idle'][language]} | - | - | 50.0 | - | - |" in lines
    assert "- engine: the weights are not here" in lines
    assert WORDS["quick_run"][language] in lines


def spread(bare_us: float, wire_us: float) -> Spread:
    return Spread(bare_us=bare_us, wire_us=wire_us, wire_p10_us=wire_us - 0.25, wire_p90_us=wire_us + 0.5, ratio=2.0)


@pytest.mark.parametrize("language", list(Language))
def test_the_report_tells_what_the_wire_layer_adds_beside_the_bare_pipeline(language: Language) -> None:
    forms = (
        FormCost(form=Form.OPENAI, whole=spread(10, 20), streamed=spread(8, 16), chunks={Kind.TEXT: spread(0.5, 1)}),
        FormCost(form=Form.ANTHROPIC, whole=spread(12, 30), streamed=spread(9, 17), chunks={}),
    )
    wire = WireCost(forms=forms, rounds=3, calls_a_round=40, whole_chunks=11, streamed_chunks=99)

    lines = markdown(replace(a_result(DIRECT, NGINX, OWN), wire=wire), "run.json", language).splitlines()

    start = lines.index(f"### {WORDS['wire'][language]}")
    assert all(number in lines[start + 2] for number in ("3", "11", "99"))
    assert lines[start + 6 : start + 10] == [
        f"| {WORDS['whole_request'][language]} | 11.00 | 20.00 (19.75 - 20.50), 2.0x | 30.00 (29.75 - 30.50), 2.0x |",
        f"| {WORDS['streamed_request'][language]} | 8.50 | 16.00 (15.75 - 16.50), 2.0x | 17.00 (16.75 - 17.50), 2.0x |",
        f"| {WORDS['chunk_text'][language]} | 0.50 | 1.00 (0.75 - 1.50), 2.0x | - |",
        f"| {WORDS['chunk_reasoning'][language]} | - | - | - |",
    ]


@pytest.mark.parametrize("language", list(Language))
def test_the_report_tells_what_the_ledger_takes_on_each_database(language: Language) -> None:
    own = DatabaseSpeed(
        database="SQLite 3.40.1", calls_a_second=30_000.4, calls_a_second_p10=25_000, cpu_us=21.25, server_cpu_us=0
    )
    other = DatabaseSpeed(
        database="PostgreSQL 15.1", calls_a_second=9_000, calls_a_second_p10=8_500, cpu_us=17, server_cpu_us=60.5
    )
    ledger = LedgerSpeed(databases=(own, other), rounds=3, calls_a_round=1234, batch=500)

    lines = markdown(replace(a_result(DIRECT, NGINX, OWN), ledger=ledger), "run.json", language).splitlines()

    start = lines.index(f"### {WORDS['ledger'][language]}")
    assert all(number in lines[start + 2] for number in ("3", "1234", "500"))
    assert lines[start + 4] == f"| {WORDS['figure'][language]} | SQLite 3.40.1 | PostgreSQL 15.1 |"
    assert lines[start + 6 : start + 10] == [
        f"| {WORDS['posted_a_second'][language]} | 30,000 | 9,000 |",
        f"| {WORDS['posted_a_second_p10'][language]} | 25,000 | 8,500 |",
        f"| {WORDS['posted_cpu_us'][language]} | 21.2 | 17.0 |",
        f"| {WORDS['posted_server_cpu_us'][language]} | - | 60.5 |",
    ]


def test_a_page_keeps_all_but_its_old_tables() -> None:
    page = "before\n<!-- written by bench/report.py from here -->\nold\n<!-- to here -->\nafter\n"

    assert put_in(page, r"new \1") == (
        "before\n<!-- written by bench/report.py from here -->\n\nnew \\1\n\n<!-- to here -->\nafter\n"
    )


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(PageInvalid):
        put_in("no marks", "new")


@pytest.mark.parametrize("language", list(Language))
def test_both_pages_have_a_place_for_the_tables(language: Language) -> None:
    assert "| 1 |" in put_in(PAGES[language].read_text("utf-8"), "| 1 |")


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2.0), (0.99, 4.0), (0.25, 1.0), (0.0, 1.0), (1.0, 4.0)])
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == expected


def test_nothing_measured_has_no_percentile() -> None:
    assert percentile([], 0.5) == 0.0


def test_a_file_is_named_for_the_machine_in_plain_letters() -> None:
    assert slug(a_result().machine) == "some-cpu-r-1-2-cores"
