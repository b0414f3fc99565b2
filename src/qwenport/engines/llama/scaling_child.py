"""The child process that scales one picture for llama.cpp: `python -I -m … SECONDS MEMORY MOST_PIXELS`.

It reads the picture from its standard input and writes a PNG to its standard output. It opens no file.
"""

from __future__ import annotations

import io
import math
import sys

from PIL import Image, ImageOps

from qwenport.children.withdrawal import withdraw

UNREADABLE = 3
"""Exit code for what is no picture that can be decoded within the bounds."""

_QUICK = 1
"""Level of compression; the PNG goes no further than to a process of this machine."""
_WHITE = (255, 255, 255, 255)


def main(most_pixels: int) -> int:
    """Scale the picture down to so many pixels, 0 for as many as it has; return the exit code."""
    try:
        scaled = scale(sys.stdin.buffer.read(), most_pixels)
    except (OSError, SyntaxError, ValueError, MemoryError, Image.DecompressionBombError):
        return UNREADABLE
    sys.stdout.buffer.write(scaled)
    return 0


def scale(picture: bytes, most_pixels: int) -> bytes:
    """Return a picture as a PNG of 8-bit RGB with at most so many pixels, 0 for as many as it has.

    Raises:
        OSError, SyntaxError, ValueError, MemoryError, Image.DecompressionBombError: it cannot be decoded.
    """
    with Image.open(io.BytesIO(picture)) as image:
        if most_pixels and image.width * image.height > most_pixels:
            factor = math.sqrt(most_pixels / (image.width * image.height))
            sides = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
            image.draft("RGB", sides)
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail(sides if image.size == upright.size else sides[::-1], Image.Resampling.LANCZOS)
        else:
            upright = ImageOps.exif_transpose(image)
        output = io.BytesIO()
        _on_white(upright).save(output, "PNG", compress_level=_QUICK)
    return output.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, _WHITE), seen).convert("RGB")


if __name__ == "__main__":
    withdraw(int(sys.argv[1]), int(sys.argv[2]))
    sys.exit(main(int(sys.argv[3])))
