"""What `processed_text` leaves out."""

from __future__ import annotations

import pytest

from qwenport.faces.dashscope.repeats import without_repeats


@pytest.mark.parametrize(
    ("text", "processed"),
    [
        ("", ""),
        ("Total 12.00\n", "Total 12.00\n"),
        ("ab" * 60, "ab"),
        ("Name\n" + "same line\n" * 30, "Name\nsame line"),
        # Cut off by the bound on the answer, in the middle of the thing that repeats.
        ("Name: " + "abcdefghij" * 20 + "abc", "Name: abcdefghijabc"),
        ("页" * 400, "页"),
        ("x" + "." * 200, "x."),
        # Too short or too seldom to be a loop.
        ("Contents " + "." * 90, "Contents " + "." * 90),
        ("line one\n" * 4, "line one\n" * 4),
        (("a" * 150 + "b") * 4, ("a" * 150 + "b") * 4),
        # Only what stands at the end.
        ("ab" * 100 + " and then the end", "ab" * 100 + " and then the end"),
    ],
)
def test_a_loop_at_the_end_is_said_once(text: str, processed: str) -> None:
    assert without_repeats(text) == processed
