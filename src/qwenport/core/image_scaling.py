"""How an image is scaled before a model sees it: `smart_resize` of github.com/QwenLM/Qwen2.5-VL, `qwen-vl-utils`."""

from __future__ import annotations

import math

from msgspec import Struct


class PixelBounds(Struct, frozen=True, kw_only=True):
    """Between how many pixels an image is scaled."""

    patch: int
    """Side of the square of pixels that counts one token."""
    least: int
    most: int


def scaled_size(width: int, height: int, bounds: PixelBounds) -> tuple[int, int]:
    """Return the sides after scaling, each a multiple of the patch; the upper bound goes before the lower one."""
    patch = bounds.patch
    scaled = max(1, round(width / patch)), max(1, round(height / patch))
    pixels = scaled[0] * scaled[1] * patch * patch
    if pixels > bounds.most:
        shrink = math.sqrt(width * height / bounds.most) * patch
        scaled = max(1, math.floor(width / shrink)), max(1, math.floor(height / shrink))
    elif pixels < bounds.least:
        grow = math.sqrt(bounds.least / (width * height)) / patch
        scaled = math.ceil(width * grow), math.ceil(height * grow)
    across, down = _within(scaled, bounds.most // (patch * patch))
    return across * patch, down * patch


def _within(patches: tuple[int, int], most: int) -> tuple[int, int]:
    """Shorten the longer side where a very long image, one patch wide, still holds too many."""
    across, down = patches
    if across * down <= most:
        return patches
    return (max(1, most // down), down) if across > down else (across, max(1, most // across))
