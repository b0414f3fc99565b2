"""A weights file for the embedding engine that is made in a moment: its vectors mean nothing and are always the same.

Its pieces are a few words, its encoder has one layer and reads sixteen tokens at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

PIECES = (
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "▁query",
    "▁passage",
    ":",
    "▁red",
    "▁green",
    "▁fox",
    "▁f",
    "ox",
    "狐",
    "狸",
)
"""By id. The word `fox` is likelier than its halves."""
SCORES = (0.0, 0.0, 0.0, 0.0, -3.0, -3.0, -3.0, -2.0, -4.0, -4.0, -4.0, -3.5, -3.5, -5.0, -5.0)
NORMALIZED = {0xFF46: "f", 0x09: " ", 0x01: ""}
"""A full-width `f`, a tabulator and a control character."""
LONGEST = 16

_SIZE = 384
_INNER = 64
_FLOATS, _BLOCKS = 0, 1

_Tensor = tuple[str, int, int, bytes]
"""Name, kind, number of values and content."""


def write_tiny_model(path: Path) -> None:
    """Write the file."""
    tensors = list(_tensors(np.random.default_rng(7)))
    head = struct.pack("<4sI7ifi", b"E5S1", 1, _SIZE, 1, 12, _INNER, len(PIECES), LONGEST, 2, 1e-12, 32)
    begin = head + _vocabulary()
    directory_size = 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    place = len(begin) + directory_size
    directory = struct.pack("<i", len(tensors))
    for name, kind, count, content in tensors:
        directory += struct.pack(f"<H{len(name)}sBIQQ", len(name), name.encode(), kind, count, place, len(content))
        place += len(content)
    path.write_bytes(begin + directory + b"".join(content for *_, content in tensors))


def _vocabulary() -> bytes:
    encoded = [piece.encode() for piece in PIECES]
    bounds = [0]
    for piece in encoded:
        bounds.append(bounds[-1] + len(piece))
    normalized = b"".join(
        struct.pack(f"<IB{len(text)}I", code, len(text), *map(ord, text)) for code, text in sorted(NORMALIZED.items())
    )
    return b"".join(
        (
            struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, bounds[-1]),
            struct.pack(f"<{len(bounds)}I", *bounds),
            struct.pack(f"<{len(SCORES)}f", *SCORES),
            *encoded,
            struct.pack("<iI", len(NORMALIZED), len(normalized)),
            normalized,
        )
    )


def _tensors(random: np.random.Generator) -> Iterator[_Tensor]:
    yield _blocks(random, "emb.word", len(PIECES), _SIZE)
    yield _floats("emb.pos", random.normal(0, 0.2, LONGEST * _SIZE))
    yield _floats("emb.type", random.normal(0, 0.2, 2 * _SIZE))
    yield from _norm("emb.ln")
    for name in ("q", "k", "v", "ao"):
        yield from _linear(random, f"l0.{name}", _SIZE, _SIZE)
    yield from _norm("l0.aln")
    yield from _linear(random, "l0.fi", _INNER, _SIZE)
    yield from _linear(random, "l0.fo", _SIZE, _INNER)
    yield from _norm("l0.oln")


def _linear(random: np.random.Generator, name: str, rows: int, columns: int) -> Iterator[_Tensor]:
    yield _blocks(random, f"{name}.w", rows, columns)
    yield _floats(f"{name}.b", random.normal(0, 0.1, rows))


def _norm(name: str) -> Iterator[_Tensor]:
    yield _floats(f"{name}.w", np.ones(_SIZE))
    yield _floats(f"{name}.b", np.zeros(_SIZE))


def _floats(name: str, values: np.ndarray) -> _Tensor:
    return name, _FLOATS, values.size, values.astype("<f4").tobytes()


def _blocks(random: np.random.Generator, name: str, rows: int, columns: int) -> _Tensor:
    blocks = np.empty((rows * columns // 32, 18), dtype=np.uint8)
    blocks[:, :2] = np.frombuffer(np.array([0.02], dtype="<f2").tobytes(), dtype=np.uint8)
    blocks[:, 2:] = random.integers(0, 256, (len(blocks), 16), dtype=np.uint8)
    return name, _BLOCKS, rows * columns, blocks.tobytes()
