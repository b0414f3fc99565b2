"""What is said of images and documents that cannot be taken.

Source: the error messages page of Model Studio, help.aliyun.com/zh/model-studio/error-code, and where it names none,
the words of its open inference engine, github.com/alibaba/rtp-llm. What stands in brackets after them is our own.
"""

from __future__ import annotations

from qwenport.core.errors import ParameterInvalid

URL_INVALID = "The provided URL does not appear to be valid. Ensure it is correctly formatted."
DOWNLOAD_FAILED = "Failed to download multimodal content."
DOWNLOAD_TIMED_OUT = "Download multimodal file timed out"
LENGTH_MISSING = "Missing Content-Length of multimodal url."
TYPE_WRONG = "Wrong Content-Type of multimodal url"
TOO_LARGE = "Multimodal file size is too large"
FORMAT_ILLEGAL = "The image format is illegal and cannot be opened"
TOO_MANY_FILES = "Too many files provided."


def refused(words: str) -> ParameterInvalid:
    """Return the refusal of a message's content in these words."""
    return ParameterInvalid(words, parameter="messages")


def data_url_too_long(most_bytes: int) -> ParameterInvalid:
    """Return the refusal of a `data:` URL that is longer than it may be."""
    return refused(f"Exceeded limit on max bytes per data-uri item : {most_bytes}")


def size_unfit(reason: str) -> ParameterInvalid:
    """Return the refusal of an image whose sides are out of bounds."""
    return refused(f"The image length and width do not meet the model restrictions. [{reason}]")


def drawing_refused() -> ParameterInvalid:
    """Return the refusal of an SVG: a program that draws, and no image."""
    return refused(f"{FORMAT_ILLEGAL} (SVG is not taken; send the drawing as PNG or JPEG)")


def image_broken() -> ParameterInvalid:
    """Return the refusal of an image whose header is fine, and the rest is not."""
    return refused(f"{FORMAT_ILLEGAL} (it is damaged, or takes too much time or memory to decode)")


def pixels_too_many(most_pixels: int) -> ParameterInvalid:
    """Return the refusal of an image, or a page of one, with more pixels than are decoded here."""
    return size_unfit(f"height*width must not be larger than {most_pixels}")


def pdf_broken() -> ParameterInvalid:
    """Return the refusal of a PDF whose pages cannot be drawn."""
    return refused(f"{FORMAT_ILLEGAL} (the PDF is damaged, or takes too much time or memory to draw)")


def pdf_protected() -> ParameterInvalid:
    """Return the refusal of a PDF that is opened with a password."""
    return refused(f"{FORMAT_ILLEGAL} (the PDF is protected by a password)")


def pages_too_many(most_pages: int) -> ParameterInvalid:
    """Return the refusal of more pages than one call may have drawn or decoded."""
    return refused(f"{TOO_LARGE} (the documents of one call may have {most_pages} pages together)")


def images_too_many(most_images: int, given: int) -> ParameterInvalid:
    """Return the refusal of more images than one call may name, a page of a document counted as one."""
    return refused(f"Range of the number of images should be [1, {most_images}], but {given} were given")


def file_invalid(file_id: str) -> ParameterInvalid:
    """Return the refusal of a file that does not exist or belongs to another account."""
    return refused(f"Invalid file [id:{_shown(file_id)}].")


def file_unsupported(file_id: str, reason: str) -> ParameterInvalid:
    """Return the refusal of a file that holds no text that can be read here."""
    return refused(f"File [id:{_shown(file_id)}] format is not supported. ({reason})")


def file_blank(file_id: str) -> ParameterInvalid:
    """Return the refusal of a file without any text, such as a scanned one."""
    return refused(f"File [id:{_shown(file_id)}] content blank.")


def file_too_large(file_id: str) -> ParameterInvalid:
    """Return the refusal of a file with more text than a call may load."""
    return refused(f"File [id:{_shown(file_id)}] exceeds size limit.")


def file_too_many_pages(file_id: str, most_pages: int) -> ParameterInvalid:
    """Return the refusal of a file with more pages than are read."""
    return refused(f"File [id:{_shown(file_id)}] exceeds page limits ({most_pages} pages).")


def _shown(file_id: str) -> str:
    return file_id[:128]
