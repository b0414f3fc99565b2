"""What is said in a conversation: messages and the parts that they are made of."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from qwenport.core.tools import ToolCall


class Role(StrEnum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class TextPart(Struct, frozen=True, kw_only=True, tag="text", gc=False):
    """A piece of text."""

    text: str


class ImagePart(Struct, frozen=True, kw_only=True, tag="image", gc=False):
    """An image as the caller named it; nothing of it was fetched yet."""

    url: str
    """`http(s)://`, `data:`, `oss://`, or `fileid://` and the id of a stored file."""
    min_pixels: int | None = None
    max_pixels: int | None = None
    rotates: bool = False
    """Whether to turn it upright first (`enable_rotate`)."""


class VideoPart(Struct, frozen=True, kw_only=True, tag="video"):
    """A video, or the frames of one, as the caller named them."""

    urls: tuple[str, ...]
    is_frames: bool
    frames_per_second: float | None = None
    max_frames: int | None = None


class FilePart(Struct, frozen=True, kw_only=True, tag="file", gc=False):
    """A stored document whose text the model reads, such as `fileid://file-fe-…`."""

    id: str


class Picture(Struct, frozen=True, kw_only=True, tag="picture", gc=False):
    """An image that was fetched and looked at: what an engine gets in the place of an `ImagePart`."""

    data: bytes
    media_type: str
    """Found by content, such as `image/png`."""
    width: int
    """Pixels, as the image is shown: a camera's note that it is to be turned is followed."""
    height: int
    tokens: int
    """What the image counts by the model card's patch size."""
    least_pixels: int = 0
    """How many pixels it is scaled up to at the least, where the caller said so (`min_pixels`); 0 where he did not."""
    most_pixels: int = 0
    """How many pixels of it the model sees at most, to which engines scale it down; 0 for all."""
    rotates: bool = False
    """Whether to turn it upright first, by what it shows (`enable_rotate`)."""
    page: int = 0
    """Which page of a document it is, from 1; 0 for an image that is none."""


Part = TextPart | ImagePart | VideoPart | FilePart | Picture


class Message(Struct, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: Role
    content: str | tuple[Part, ...] = ""
    """A string where there is nothing but text."""
    reasoning: str = ""
    """What the assistant thought before it said this."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Tools that the assistant called."""
    tool_call_id: str = ""
    """Which call the answer of a tool belongs to."""
    is_partial: bool = False
    """Whether the assistant's answer goes on from here (`partial`, prefix mode)."""

    @property
    def text(self) -> str:
        """The text of all parts, joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, TextPart))
