"""The sides of an image as a model sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.core.image_scaling import PixelBounds, scaled_size


@pytest.mark.parametrize(
    ("width", "height", "most", "expected"),
    [
        (11, 11, 2_621_440, (64, 64)),  # grown to four patches
        (16, 48, 2_621_440, (64, 128)),  # half a patch is rounded to the even number
        (10_000, 10_000, 2_621_440, (1_600, 1_600)),  # shrunk
        (20_000, 100, 4_096, (128, 32)),  # one patch high, and cut to the bound all the same
        (100, 20_000, 4_096, (32, 128)),
    ],
)
def test_sides_become_multiples_of_the_patch(width: int, height: int, most: int, expected: tuple[int, int]) -> None:
    assert scaled_size(width, height, PixelBounds(patch=32, least=4_096, most=most)) == expected


SIDES = st.integers(11, 100_000)


@given(width=SIDES, height=SIDES, patch=st.sampled_from([28, 32]), least=st.integers(4, 5_000), times=st.integers(4, 9))
def test_scaling_keeps_within_the_bounds(width: int, height: int, patch: int, least: int, times: int) -> None:
    area = patch * patch
    scaled = scaled_size(width, height, PixelBounds(patch=patch, least=least * area, most=least * times * area))
    turned = scaled_size(height, width, PixelBounds(patch=patch, least=least * area, most=least * times * area))

    assert all(side >= patch and side % patch == 0 for side in scaled)
    assert scaled[0] * scaled[1] <= least * times * area
    assert turned == (scaled[1], scaled[0])
    if max(width, height) <= 200 * min(width, height) and least >= 200:
        assert scaled[0] * scaled[1] >= least * area
