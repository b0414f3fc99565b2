"""From pixels of any kind to RGB or grey ones of 8 bits a sample; runs in `picture_child`."""

from __future__ import annotations

from PIL import Image

_BITS_PER_SAMPLE = 258
"""Tag of TIFF."""
_DEEP = frozenset({"I", "F"})
_GREY = frozenset({"1", "L"})
_SEE_THROUGH = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})


def plain_pixels(image: Image.Image) -> Image.Image:
    """Return a loaded image as RGB or grey; what can be seen through lies on white."""
    if image.mode.startswith("I;16") or image.mode in _DEEP:
        return _eight_bits(image)
    if image.mode in _SEE_THROUGH or "transparency" in image.info:
        return _on_white(image.convert("RGBA"))
    return image.convert("L" if image.mode in _GREY else "RGB")


def tiff_tag(image: Image.Image, tag: int, default: int) -> int:
    """Return the first value of a tag of the page of a TIFF that is open; the default where it says none."""
    value = getattr(image, "tag_v2", {}).get(tag, default)
    first = value[0] if isinstance(value, tuple) else value
    return first if isinstance(first, int) else default


def _on_white(image: Image.Image) -> Image.Image:
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale grey of many bits, which Pillow would cut off at 255."""
    brightest = _brightest(image)
    wide = image.convert("F")
    return wide.point(lambda value: value * (255 / brightest) + 0).convert("L")


def _brightest(image: Image.Image) -> float:
    """Return what white is: by the bits that a sample has, and where they say nothing, by the samples themselves."""
    if image.mode.startswith("I;16"):
        return float((1 << tiff_tag(image, _BITS_PER_SAMPLE, 16)) - 1)
    most = _most(image)
    ceilings = (1.0, 255.0, 65_535.0) if image.mode == "F" else (255.0, 65_535.0)
    return next((ceiling for ceiling in ceilings if most <= ceiling), most)


def _most(image: Image.Image) -> float:
    extremes = image.getextrema()
    return float(extremes[1]) if not isinstance(extremes[1], tuple) else 255.0
