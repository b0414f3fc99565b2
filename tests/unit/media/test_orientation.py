"""What cameras noted of how an image is to be turned."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image

from qwenport.media.pictures import Header, read_header

LYING = {5, 6, 7, 8}


def noted(image_format: str, orientation: int) -> bytes:
    note = Image.Exif()
    note[274] = orientation
    packed = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(packed, image_format, exif=note)
    return packed.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_sides_are_those_of_the_upright_image(image_format: str, orientation: int) -> None:
    width, height = (48, 64) if orientation in LYING else (64, 48)

    assert read_header(noted(image_format, orientation)) == Header(
        f"image/{image_format.lower()}", width, height, orientation
    )


def test_a_note_of_webp_may_have_the_prefix_of_jpeg() -> None:
    image = noted("WEBP", 6)
    at = image.index(b"EXIF")
    length = int.from_bytes(image[at + 4 : at + 8], "little")
    prefixed = image[: at + 4] + struct.pack("<L", length + 6) + b"Exif\x00\x00" + image[at + 8 :]

    assert read_header(prefixed) == Header("image/webp", 48, 64, 6)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_note_that_means_nothing_is_left_aside(image_format: str) -> None:
    assert read_header(noted(image_format, 9))[1:] == (64, 48, 1)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_note_does_no_harm(image_format: str) -> None:
    image = noted(image_format, 6)
    at = max(image.find(b"II*\x00"), image.find(b"MM\x00*"))
    far_off = image[: at + 4] + b"\xff\xff\xff\xff" + image[at + 8 :]

    assert read_header(far_off)[1:] == (64, 48, 1)


def test_an_image_that_ends_behind_its_sides_has_no_note() -> None:
    image = Path(__file__).with_name("pictures").joinpath("picture.png").read_bytes()

    assert read_header(image[:40]) == Header("image/png", 64, 48)
