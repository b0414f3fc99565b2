from __future__ import annotations

import pytest

from qwenport.engines.upstream.native_usage import MOST_COUNT, MOST_ITEMS, reported_items


@pytest.mark.parametrize(
    ("usage", "items"),
    [
        ({"image_count": 2}, (("image_count", 2),)),
        (
            {"video_duration": 5, "video_ratio": "1280*720", "video_count": 1},
            (("video_count", 1), ("video_duration", 5)),
        ),
        ({"input_tokens": 20, "output_tokens": 7, "total_tokens": 27, "characters": 120}, (("characters", 120),)),
        ({"tokens": 3, "duration": 9}, (("duration", 9),)),
    ],
)
def test_what_is_no_token_is_an_item(usage: object, items: object) -> None:
    assert reported_items(usage) == items


def test_a_begun_second_counts_as_whole() -> None:
    assert reported_items({"duration": 3.2}) == (("duration", 4),)


@pytest.mark.parametrize(
    "count", [0, -1, -0.5, MOST_COUNT + 1, True, "2", None, [2], {"a": 1}, float("nan"), float("inf"), 1e300]
)
def test_a_count_that_cannot_be_true_is_left_out(count: object) -> None:
    assert reported_items({"image_count": count, "characters": 1}) == (("characters", 1),)


@pytest.mark.parametrize("name", ["", "a b", "1st", "x" * 41, "größe", "image\ncount"])
def test_a_name_that_no_price_could_have_is_left_out(name: str) -> None:
    assert reported_items({name: 1}) == ()


@pytest.mark.parametrize("usage", [None, [], "image_count", 3, [("image_count", 2)]])
def test_a_report_that_is_no_object_has_no_items(usage: object) -> None:
    assert reported_items(usage) == ()


def test_the_greatest_count_is_taken_and_a_long_report_is_cut() -> None:
    assert reported_items({"characters": MOST_COUNT}) == (("characters", MOST_COUNT),)
    assert len(reported_items({f"item_{number:02}": 1 for number in range(MOST_ITEMS + 1)})) == MOST_ITEMS
