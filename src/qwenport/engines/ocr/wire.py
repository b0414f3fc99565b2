"""What the gateway, the host and its reading processes say to one another.

`POST /read` takes a `PageOrder` in MessagePack and is answered with a `PageReply`. Closing the connection gives up the
page's place in the queue, or ends its work. Between the host and a reading process the same two travel through pipes,
each behind its length in four bytes, big-endian.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import Struct

from qwenport.core.ocr import OcrTask
from qwenport.documents.blocks import Block
from qwenport.documents.page import Page
from qwenport.documents.tables import Table
from qwenport.engines.ocr.value_places import ValuePlace

PATH = "/read"


class PageOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One image to read, and what is wanted of it."""

    image: bytes
    """A JPEG or PNG, upright as far as its own notes say."""
    task: OcrTask | None = None
    """None for what the prompt asks, text where it asks nothing."""
    result_schema: bytes = b""
    """JSON object of the fields that are wanted; empty for all, or for those that the prompt asks."""
    prompt: str = ""
    """What the caller says beside the image; means nothing with a task."""
    is_json: bool = False
    """Whether the answer must be JSON, without a task."""
    most_pixels: int = 0
    """How many pixels are looked at, at most; 0 for as many as the reader takes."""
    rotates: bool = False
    """Whether the image is turned upright first, by what it shows."""
    wants_page: bool = False
    """Whether the words and their places are told as well, and the places of values."""
    wants_places: bool = False
    """Whether the places of values are told without the page."""


class PageAnswer(Struct, frozen=True, kw_only=True, tag="answer"):
    """What was read."""

    text: str
    """What the answer says, without a fence around it."""
    fence: str = ""
    """Language of the fence that the answer's text stands in; empty for none."""
    result: bytes = b""
    """JSON of `ocr_result`, empty where the task has none."""
    page: Page | None = None
    """Coordinates in pixels of the image as it was given; only where it was wanted."""
    places: tuple[ValuePlace, ...] = ()
    """Of the values of fields; only where they were wanted."""
    tables: tuple[Table, ...] = ()
    """Of the task that tells tables, or the whole document; only where the page was wanted."""
    blocks: tuple[Block, ...] = ()
    """Of the task that tells the whole document; only where the page was wanted."""
    seconds: float = 0.0
    """How long the reading took, without the wait for a free process."""


class Failure(StrEnum):
    """Why a page was not read."""

    IMAGE_UNREADABLE = "image_unreadable"
    SCHEMA_INVALID = "schema_invalid"
    """The caller's fields are none; the reason is for the caller."""
    TOO_SLOW = "too_slow"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    """The reading process ended on the page, or said what cannot be understood."""
    NO_READER = "no_reader"
    """No reading process could be started."""
    TASK_UNAVAILABLE = "task_unavailable"
    """What the task needs beside the reader is not there; the reason is for the caller."""


class PageFailed(Struct, frozen=True, kw_only=True, tag="failed"):
    """Nothing was read."""

    failure: Failure
    reason: str = ""
    """In words, without anything of the image's text."""


PageReply = PageAnswer | PageFailed

_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode
decode_order = msgspec.msgpack.Decoder(PageOrder).decode
_reply_decoder: msgspec.msgpack.Decoder[PageReply] = msgspec.msgpack.Decoder(PageReply)
decode_reply = _reply_decoder.decode
