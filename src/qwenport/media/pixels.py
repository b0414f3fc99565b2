"""What an image counts in tokens: one for each square of pixels after scaling, and two markers.

Source: the visual understanding guide (help.aliyun.com/zh/model-studio/vision) and the Qwen-OCR API reference of Model
Studio.
"""

from __future__ import annotations

from msgspec import Struct

from qwenport.core.content import ImagePart
from qwenport.core.image_scaling import PixelBounds, scaled_size
from qwenport.core.model_card import ModelCard
from qwenport.media.refusals import refused

MARKERS = 2
"""Tokens before and after each image."""
HIGH_RESOLUTION_PATCHES = 16_384


class _Family(Struct, frozen=True, kw_only=True):
    """A group of models, in patches."""

    least: int
    most: int
    """Where the caller says nothing."""
    ceiling: int


_READERS = {
    32: _Family(least=3, most=8_192, ceiling=30_000),
    28: _Family(least=4, most=8_192, ceiling=30_000),
}
"""Models that read text, by the side of their patch."""
_VIEWERS = {
    32: _Family(least=4, most=2_560, ceiling=HIGH_RESOLUTION_PATCHES),
    28: _Family(least=4, most=1_280, ceiling=HIGH_RESOLUTION_PATCHES),
}
"""All other models that see."""


def most_image_tokens(card: ModelCard) -> int:
    """Return what one image can count at most, whatever its call asks."""
    return _family(card).ceiling + MARKERS


def pixel_bounds(card: ModelCard, part: ImagePart, *, high_resolution: bool) -> PixelBounds:
    """Return the bounds for one image: the caller's within those of the model.

    Raises:
        ParameterInvalid: the caller's contradict one another.
    """
    if part.min_pixels is not None and part.max_pixels is not None and part.min_pixels > part.max_pixels:
        raise refused(
            f"The min_pixels parameter is {part.min_pixels}; it must not be greater than max_pixels, {part.max_pixels}"
        )
    family, patch = _family(card), card.image_patch_pixels
    area = patch * patch
    floor, ceiling = family.least * area, family.ceiling * area
    given = family.most * area if part.max_pixels is None else part.max_pixels
    if high_resolution and not _reads_text(card):
        given = HIGH_RESOLUTION_PATCHES * area
    least = floor if part.min_pixels is None else min(max(part.min_pixels, floor), ceiling)
    return PixelBounds(patch=patch, least=least, most=min(max(given, least), ceiling))


def image_tokens(width: int, height: int, bounds: PixelBounds) -> int:
    """Return what an image of this size counts."""
    scaled_width, scaled_height = scaled_size(width, height, bounds)
    return scaled_width * scaled_height // (bounds.patch * bounds.patch) + MARKERS


def _family(card: ModelCard) -> _Family:
    families = _READERS if _reads_text(card) else _VIEWERS
    return families.get(card.image_patch_pixels, families[32])


def _reads_text(card: ModelCard) -> bool:
    return card.family.endswith("-ocr")
