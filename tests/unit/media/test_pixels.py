"""What an image counts in tokens."""

from __future__ import annotations

import pytest

from qwenport.core.content import ImagePart
from qwenport.core.errors import ParameterInvalid
from qwenport.core.model_card import ModelCard
from qwenport.media.pixels import image_tokens, most_image_tokens, pixel_bounds
from qwenport.testing.models import model_card

READER, VIEWER = "qwen-vl-ocr", "qwen3-vl"


def card(family: str, patch: int) -> ModelCard:
    return model_card(
        family=family,
        image_patch_pixels=patch,
    )


def bounds(
    family: str, patch: int, least: int | None = None, most: int | None = None, *, high_resolution: bool = False
) -> tuple[int, int]:
    part = ImagePart(url="", min_pixels=least, max_pixels=most)
    found = pixel_bounds(card(family, patch), part, high_resolution=high_resolution)
    assert found.patch == patch
    return found.least, found.most


@pytest.mark.parametrize(("patch", "tokens"), [(32, 332), (28, 427)])
def test_the_published_sample_counts_what_it_is_published_with(patch: int, tokens: int) -> None:
    """The ticket of the Qwen-OCR API reference is 689 by 487 pixels and counts 332 tokens with patches of 32."""
    asked = pixel_bounds(card(READER, patch), ImagePart(url=""), high_resolution=False)

    assert image_tokens(689, 487, asked) == tokens


@pytest.mark.parametrize(
    ("family", "patch", "expected", "ceiling"),
    [
        (READER, 32, (3_072, 8_388_608), 30_720_000),
        (READER, 28, (3_136, 6_422_528), 23_520_000),
        (VIEWER, 32, (4_096, 2_621_440), 16_777_216),
        (VIEWER, 28, (3_136, 1_003_520), 12_845_056),
    ],
)
def test_each_group_of_models_has_its_bounds(family: str, patch: int, expected: tuple[int, int], ceiling: int) -> None:
    assert bounds(family, patch) == expected
    assert bounds(family, patch, 1, 10**12) == (expected[0], ceiling)
    assert most_image_tokens(card(family, patch)) == ceiling // (patch * patch) + 2


def test_the_callers_bounds_hold_within_those_of_the_model() -> None:
    assert bounds(VIEWER, 32, 65_536, 1_000_000) == (65_536, 1_000_000)
    assert bounds(VIEWER, 32, least=4_000_000) == (4_000_000, 4_000_000)
    assert bounds(VIEWER, 32, most=1) == (4_096, 4_096)


@pytest.mark.parametrize(("patch", "most"), [(32, 16_777_216), (28, 12_845_056)])
def test_high_resolution_is_a_bound_of_its_own_for_models_that_view(patch: int, most: int) -> None:
    assert bounds(VIEWER, patch, most=50_000, high_resolution=True)[1] == most
    assert bounds(READER, patch, most=50_000, high_resolution=True)[1] == 50_000


def test_bounds_that_contradict_one_another_are_refused() -> None:
    with pytest.raises(ParameterInvalid, match="The min_pixels parameter is 9000; it must not be greater than"):
        bounds(VIEWER, 32, 9_000, 5_000)
