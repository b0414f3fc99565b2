"""Content blocks of a request: which kinds there are where, and what each becomes in the house's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from qwenport.core.content import ImagePart, Part, TextPart
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.anthropic.schema import Block, Source
from qwenport.faces.parts import file_address
from qwenport.faces.shown import shown

_IMAGE_TYPE = re.compile(r"image/[A-Za-z0-9.+-]+")
_PDF = "application/pdf"
_TEXT_SOURCES = frozenset({"text", "content"})
_READABLE = ("text", "image", "document")

_Value = TypeVar("_Value")


def refusal(path: str, words: str) -> ParameterInvalid:
    """Return the error of a field, in the form in which Anthropic says it: the path, then what is wrong."""
    return ParameterInvalid(f"{path}: {words}", parameter=path.partition(".")[0])


def missing(path: str) -> ParameterInvalid:
    """Return the error of a field that is not there."""
    return refusal(path, "Field required")


def required(value: _Value | None, path: str) -> _Value:
    """Return a field that must be there.

    Raises:
        ParameterInvalid: it is not.
    """
    if value is None:
        raise missing(path)
    return value


def numbered(blocks: Sequence[Block], path: str, kinds: Sequence[str]) -> Iterator[tuple[Block, str]]:
    """Give each block with its path.

    Raises:
        ParameterInvalid: a block has no type, or one that is not served here.
    """
    for position, block in enumerate(blocks):
        place = f"{path}.{position}"
        kind = required(block.type, f"{place}.type")
        if kind not in kinds:
            known = ", ".join(f"'{each}'" for each in kinds)
            raise refusal(f"{place}.type", f"'{shown(kind)}' blocks are not served here; only {known}")
        yield block, place


def read_text(content: str | Sequence[Block], path: str) -> str:
    """Return content that holds nothing but text; blocks are joined as they stand.

    Raises:
        ParameterInvalid: a block is of another kind, or has no text.
    """
    if isinstance(content, str):
        return content
    blocks = numbered(content, path, ("text",))
    return "".join(required(block.text, f"{place}.text") for block, place in blocks)


def read_parts(content: str | Sequence[Block], path: str) -> str | tuple[Part, ...]:
    """Return content of text, images and documents: a string where there is nothing but text.

    Raises:
        ParameterInvalid: a block is of another kind, or something of it is missing or cannot be read here.
    """
    if isinstance(content, str):
        return content
    blocks = numbered(content, path, _READABLE)
    return joined(part for block, place in blocks for part in read_block(block, place))


def joined(parts: Iterable[TextPart | ImagePart]) -> str | tuple[Part, ...]:
    """Return parts as content: a string where there is nothing but text."""
    whole = tuple(parts)
    texts = [part.text for part in whole if isinstance(part, TextPart)]
    return "".join(texts) if len(texts) == len(whole) else whole


def read_block(block: Block, path: str) -> Iterator[TextPart | ImagePart]:
    """Give the parts of a block of text, an image or a document; one of a document in PDF is an image of its pages.

    Raises:
        ParameterInvalid: something of it is missing, or cannot be read here.
    """
    if block.type == "text":
        yield TextPart(text=required(block.text, f"{path}.text"))
        return
    source = required(block.source, f"{path}.source")
    if block.type == "image":
        yield _read_image(source, f"{path}.source")
        return
    heading = "\n".join(line for line in (block.title, block.context) if line)
    if source.type in _TEXT_SOURCES:
        text = _read_document(source, f"{path}.source")
        yield TextPart(text=f"{heading}\n{text}" if heading else text)
        return
    if heading:
        yield TextPart(text=heading + "\n")
    yield _read_pages(source, f"{path}.source")


def _read_image(source: Source, path: str) -> ImagePart:
    if source.type != "base64":
        return _read_elsewhere(source, path, "images are read from a source of type 'base64', 'url' or 'file'")
    media_type = required(source.media_type, f"{path}.media_type")
    if _IMAGE_TYPE.fullmatch(media_type) is None:
        raise refusal(f"{path}.media_type", f"'{shown(media_type)}' is not the type of an image")
    return ImagePart(url=f"data:{media_type};base64,{required(source.data, f'{path}.data')}")


def _read_pages(source: Source, path: str) -> ImagePart:
    if source.type != "base64":
        words = "documents are read from a source of type 'text', 'content', 'base64', 'url' or 'file'"
        return _read_elsewhere(source, path, words)
    media_type = required(source.media_type, f"{path}.media_type")
    if media_type != _PDF:
        raise refusal(f"{path}.media_type", f"'{shown(media_type)}' is not '{_PDF}'")
    return ImagePart(url=f"data:{_PDF};base64,{required(source.data, f'{path}.data')}")


def _read_elsewhere(source: Source, path: str, words: str) -> ImagePart:
    """Return what is named by an address or an id."""
    if source.type == "url":
        return ImagePart(url=required(source.url, f"{path}.url"))
    if source.type != "file":
        raise _other_source(source, path, words)
    file_id = required(source.file_id, f"{path}.file_id")
    return ImagePart(url=file_address(file_id, f"{path}.file_id"))


def _read_document(source: Source, path: str) -> str:
    if source.type == "text":
        return required(source.data, f"{path}.data")
    if source.content is None:
        raise missing(f"{path}.content")
    return read_text(source.content, f"{path}.content")


def _other_source(source: Source, path: str, words: str) -> ParameterInvalid:
    kind = required(source.type, f"{path}.type")
    return refusal(f"{path}.type", f"'{shown(kind)}' is not served here; {words}")
