"""Parts of a message's content in both spellings: the OpenAI protocol's and the native one's.

Fields beside the kind of a part that are not known here, such as `cache_control` and `detail`, are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Raw, Struct

from qwenport.core.content import FilePart, ImagePart, Part, TextPart, VideoPart
from qwenport.core.errors import ParameterInvalid
from qwenport.faces.body import given
from qwenport.faces.shown import shown

FILE_SCHEME = "fileid://"
"""What a system message begins with that names stored documents: Model Studio's guide to Qwen-Long."""
_MOST_FILES = 100
_FILE = re.compile(r"fileid://([A-Za-z0-9_-]{1,128})", re.ASCII)
_DATA_SCHEME = "data:"


class WireAddress(Struct, frozen=True):
    """What `image_url` and `video_url` hold, unless they are an address themselves."""

    url: str | None = None


class WireFile(Struct, frozen=True):
    """What `file` holds: an image or a PDF, stored or in the request itself; its name says nothing that is needed."""

    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class WirePart(Struct, frozen=True):
    """One part of a message's content; the kinds that nothing here can hear or read are known to be refused by name."""

    type: str | None = None
    text: str | None = None
    image: str | None = None
    image_url: str | WireAddress | None = None
    video: str | list[str] | None = None
    video_url: str | WireAddress | None = None
    audio: Raw = Raw()
    input_audio: Raw = Raw()
    file: WireFile | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    enable_rotate: bool | None = None
    fps: float | None = None
    max_frames: int | None = None


_KINDS = ("text", "image", "image_url", "video", "video_url", "file")
_UNSERVED_KINDS = ("audio", "input_audio")
_IMAGES = frozenset({"image", "image_url", "file"})
_NUMBERS = ("min_pixels", "max_pixels", "fps", "max_frames")


def read_parts(wire: Sequence[WirePart], path: str) -> str | tuple[Part, ...]:
    """Return the parts, or their text where there is nothing else.

    Raises:
        ParameterInvalid: a part of another kind, of several kinds or of none.
    """
    parts = [_read_part(part, f"{path}[{position}]") for position, part in enumerate(wire)]
    if all(isinstance(part, TextPart) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, TextPart))
    return tuple(part for part in parts if not isinstance(part, TextPart) or part.text)


def read_files(content: str, path: str) -> tuple[FilePart, ...]:
    """Return the stored documents that a text of the form `fileid://a,fileid://b` names.

    Raises:
        ParameterInvalid: it begins like one but goes on otherwise, or names too many.
    """
    names = content.split(",")
    if len(names) > _MOST_FILES:
        raise _refusal(f"A system message may name at most {_MOST_FILES} files. - '{path}'")
    matches = [_FILE.fullmatch(name.strip()) for name in names]
    files = tuple(FilePart(id=match[1]) for match in matches if match is not None)
    if len(files) < len(names):
        raise _refusal(
            "A system message that names files holds nothing but `fileid://` and an id, or several of them "
            f"with commas between. - '{path}'"
        )
    return files


def file_address(file_id: str, path: str) -> str:
    """Return the address of a stored file.

    Raises:
        ParameterInvalid: it has no form that an id of a file can have.
    """
    address = FILE_SCHEME + file_id
    if _FILE.fullmatch(address) is None:
        raise _refusal(f"Invalid file [id:{shown(file_id)}]. - '{path}'")
    return address


def _read_part(part: WirePart, path: str) -> Part:
    kind = _find_kind(part, path)
    if kind == "text":
        if part.text is None:
            raise _missing("text", path)
        return TextPart(text=part.text)
    urls = _urls(part, kind, path)
    if not urls or not all(urls):
        raise _missing(kind, path)
    _check_numbers(part, path)
    if kind in _IMAGES:
        return ImagePart(
            url=urls[0],
            min_pixels=part.min_pixels,
            max_pixels=part.max_pixels,
            rotates=bool(part.enable_rotate),
        )
    return VideoPart(
        urls=urls,
        is_frames=isinstance(part.video, list),
        frames_per_second=part.fps,
        max_frames=part.max_frames,
    )


def _find_kind(part: WirePart, path: str) -> str:
    """Return what the part is: by its type, else by the one field that it has."""
    unserved = next((kind for kind in _UNSERVED_KINDS if given(getattr(part, kind))), None)
    if part.type is not None and part.type not in _KINDS:
        unserved = shown(part.type)
    if unserved is not None:
        raise _refusal(
            f"Unexpected item type in content: '{unserved}' is not served, only text, images, files and video are"
            f" - '{path}'"
        )
    named = [kind for kind in _KINDS if getattr(part, kind) is not None]
    if len(named) > 1 or (named and part.type not in {None, named[0]}):
        raise _refusal(f"The item of content should be a message of a certain modal. - '{path}'")
    return part.type or next(iter(named), "text")


def _urls(part: WirePart, kind: str, path: str) -> tuple[str, ...]:
    if kind == "file":
        return () if part.file is None else (_file_url(part.file, path),)
    address: str | WireAddress | list[str] | None = getattr(part, kind)
    if isinstance(address, list):
        return tuple(address)
    url = address.url if isinstance(address, WireAddress) else address
    return (url,) if url else ()


def _file_url(file: WireFile, path: str) -> str:
    if file.file_id:
        return file_address(file.file_id, f"{path}.file.file_id")
    if not file.file_data:
        raise _missing("file_id or file_data", f"{path}.file")
    if file.file_data[: len(_DATA_SCHEME)].lower() != _DATA_SCHEME:
        raise _refusal(
            "The file_data field must be a data: URL of an image or a PDF, such as data:application/pdf;base64,…"
            f" - '{path}.file.file_data'"
        )
    return file.file_data


def _check_numbers(part: WirePart, path: str) -> None:
    for name in _NUMBERS:
        value = getattr(part, name)
        if value is not None and value <= 0:
            raise _refusal(f"'{name}' must be greater than 0 - '{path}'")


def _missing(field: str, path: str) -> ParameterInvalid:
    return _refusal(f"The {field} field is a required field. - '{path}'")


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="messages")
