"""What a scrape says."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from qwenport.observability.metrics import Metrics


def lines(metrics: Metrics, *names: str) -> list[str]:
    return [line for line in metrics.text().decode().splitlines() if line.startswith(names)]


def test_settled_calls_are_counted_by_outcome_and_their_tokens_by_model() -> None:
    metrics = Metrics()
    metrics.count_settlement("qwen-plus", "finished", 7, 3)
    metrics.count_settlement("qwen-plus", "lost", 0, 0)

    assert lines(metrics, "qwenport_settlements_total", "qwenport_tokens_total") == [
        'qwenport_settlements_total{outcome="finished"} 1.0',
        'qwenport_settlements_total{outcome="lost"} 1.0',
        'qwenport_tokens_total{direction="input",model="qwen-plus"} 7.0',
        'qwenport_tokens_total{direction="output",model="qwen-plus"} 3.0',
    ]


def test_costs_are_counted_by_currency_and_calls_without_a_price_by_themselves() -> None:
    metrics = Metrics()
    metrics.count_cost("CNY", 1_500_000_000)
    metrics.count_cost("CNY", 250_000_000)
    metrics.count_cost("USD", 0)
    metrics.count_cost("USD", None)

    assert lines(metrics, "qwenport_cost_total", "qwenport_unpriced_calls_total") == [
        'qwenport_cost_total{currency="CNY"} 1.75',
        "qwenport_unpriced_calls_total 1.0",
    ]


def test_what_is_odd_is_counted_and_shows_as_nothing_before() -> None:
    metrics = Metrics()
    names = ("qwenport_clamped_usage_total", "qwenport_bodies_dropped_total", "qwenport_shadow_refusals_total")
    before = lines(metrics, *names)
    metrics.count_clamped()
    metrics.count_dropped_body()
    metrics.count_shadow_refusal("lim-1")

    assert (before, lines(metrics, *names)) == (
        ["qwenport_clamped_usage_total 0.0", "qwenport_bodies_dropped_total 0.0"],
        [
            "qwenport_clamped_usage_total 1.0",
            'qwenport_shadow_refusals_total{limit="lim-1"} 1.0',
            "qwenport_bodies_dropped_total 1.0",
        ],
    )


def test_a_posting_is_counted_with_its_rows_and_its_time() -> None:
    metrics = Metrics()
    metrics.count_posting(500, 0.03)

    assert lines(metrics, "qwenport_posted", "qwenport_flush_seconds_sum", "qwenport_flush_seconds_count") == [
        "qwenport_posted_calls_total 500.0",
        "qwenport_flush_seconds_count 1.0",
        "qwenport_flush_seconds_sum 0.03",
    ]


def test_books_count_as_balanced_until_a_look_at_them_says_otherwise() -> None:
    metrics = Metrics()
    before = lines(metrics, "qwenport_books_balanced")
    metrics.note_books(balanced=False)

    assert (before, lines(metrics, "qwenport_books_balanced")) == (
        ["qwenport_books_balanced 1.0"],
        ["qwenport_books_balanced 0.0"],
    )


def test_gauges_are_read_at_every_scrape() -> None:
    metrics = Metrics()
    values = {"a": 1.0}
    metrics.watch(lambda: {"qwenport_alone": ("Alone", {"": 5.0}), "qwenport_named": ("Named", values)})
    first = lines(metrics, "qwenport_alone", "qwenport_named")
    values["b"] = 2.0

    assert first == ["qwenport_alone 5.0", 'qwenport_named{name="a"} 1.0']
    assert lines(metrics, "qwenport_named") == ['qwenport_named{name="a"} 1.0', 'qwenport_named{name="b"} 2.0']


def test_a_scrape_is_readable_to_prometheus_whatever_a_label_holds() -> None:
    metrics = Metrics()
    odd = 'a "model"\\with\nlines'
    metrics.count_settlement(odd, "finished", 1, 0)
    families = {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}

    assert [sample.labels["model"] for sample in families["qwenport_tokens"].samples] == [odd]


def test_without_other_workers_there_is_nothing_to_write_down() -> None:
    metrics = Metrics()
    before = metrics.text()
    metrics.publish()
    metrics.leave()

    assert metrics.text() == before


def test_tries_are_counted_by_target_and_outcome_and_timed_where_an_event_came() -> None:
    metrics = Metrics()
    metrics.count_try("beijing/qwen-plus", "engine_timed_out", None)
    metrics.count_try("beijing/qwen-plus", "ok", 0.03)

    assert lines(metrics, "qwenport_tries_total", "qwenport_try_first_event_seconds_sum") == [
        'qwenport_tries_total{outcome="engine_timed_out",target="beijing/qwen-plus"} 1.0',
        'qwenport_tries_total{outcome="ok",target="beijing/qwen-plus"} 1.0',
        'qwenport_try_first_event_seconds_sum{target="beijing/qwen-plus"} 0.03',
    ]
