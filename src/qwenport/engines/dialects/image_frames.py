"""In what a model counts when it says where something is in an image, and how that becomes pixels of the image.

Qwen3-VL and later say thousandths of the sides (github.com/QwenLM/Qwen3-VL, `cookbooks/2d_grounding.ipynb`), Qwen2.5-VL
pixels of the image as it was scaled (github.com/QwenLM/Qwen2.5-VL, `cookbooks/spatial_understanding.ipynb`).
"""

from __future__ import annotations

from typing import NamedTuple

from qwenport.core.call import ChatInput
from qwenport.core.capabilities import Coordinates
from qwenport.core.content import Part, Picture, Role, TextPart
from qwenport.core.image_scaling import PixelBounds, scaled_size

_PATCH = 28
"""Side of a patch of Qwen2.5-VL."""
_LEAST_PATCHES = 4
_MOST_PIXELS = 12_845_056
"""Where nothing less is said (`preprocessor_config.json` of Qwen2.5-VL)."""
_THOUSAND = 1000


class Frame(NamedTuple):
    """One image, and the size that a model takes it to have."""

    picture: Picture
    told_width: int
    """Where the right edge is in the model's numbers."""
    told_height: int


def last_images(asked: ChatInput) -> tuple[Part, ...]:
    """Return what the last message of the user shows, which is all that a task is about."""
    last = next((message for message in reversed(asked.messages) if message.role is Role.USER), None)
    content = () if last is None or isinstance(last.content, str) else last.content
    return tuple(part for part in content if not isinstance(part, TextPart))


def frames_of(asked: ChatInput, coordinates: Coordinates) -> tuple[Frame, ...]:
    """Return the frames of the pictures that a task is about, in their order."""
    return tuple(_frame(image, coordinates) for image in last_images(asked) if isinstance(image, Picture))


def _frame(picture: Picture, coordinates: Coordinates) -> Frame:
    width, height = picture.width, picture.height
    match coordinates:
        case Coordinates.PIXELS:
            return Frame(picture, width, height)
        case Coordinates.SCALED_PIXELS:
            area = _PATCH * _PATCH
            most = min(picture.most_pixels or _MOST_PIXELS, _MOST_PIXELS)
            bounds = PixelBounds(patch=_PATCH, least=_LEAST_PATCHES * area, most=max(most, _LEAST_PATCHES * area))
            return Frame(picture, *scaled_size(width, height, bounds))
        case Coordinates.THOUSANDTHS:
            return Frame(picture, _THOUSAND, _THOUSAND)
