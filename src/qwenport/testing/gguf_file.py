"""Writing a small GGUF file: a table of keys, and tensors of 32-bit floats.

Source: the page "GGUF" of github.com/ggml-org/ggml, `docs/gguf.md`, version 3.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import prod
from pathlib import Path

Value = bool | int | float | str | Sequence[str] | Sequence[int] | Sequence[float]

_ALIGNMENT = 32
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_F32 = 0


class Tensor:
    """A tensor of floats; `shape` as GGUF says it, the fastest dimension first."""

    def __init__(self, name: str, shape: Sequence[int], values: Sequence[float]) -> None:
        if prod(shape) != len(values):
            raise ValueError(f"`{name}` has {len(values)} values and a shape of {tuple(shape)}")
        self.name = name
        self.shape = tuple(shape)
        self.content = array("f", values).tobytes()


def write_gguf(path: Path, table: Mapping[str, Value], tensors: Sequence[Tensor]) -> None:
    """Write the file."""
    sizes = [_aligned(len(tensor.content)) for tensor in tensors]
    offsets = [0, *accumulate(sizes)]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(table))
    head += b"".join(_string(key) + _typed(value) for key, value in table.items())
    head += b"".join(_described(tensor, offset) for tensor, offset in zip(tensors, offsets, strict=False))
    contents = (tensor.content.ljust(size, b"\0") for tensor, size in zip(tensors, sizes, strict=True))
    path.write_bytes(head.ljust(_aligned(len(head)), b"\0") + b"".join(contents))


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _described(tensor: Tensor, offset: int) -> bytes:
    rank = len(tensor.shape)
    return _string(tensor.name) + struct.pack(f"<I{rank}QIQ", rank, *tensor.shape, _F32, offset)


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _typed(value: Value) -> bytes:
    if isinstance(value, Sequence) and not isinstance(value, str):
        kind = _kind(value[0], signed=True)
        return struct.pack("<IIQ", _ARRAY, kind, len(value)) + b"".join(_plain(each, kind) for each in value)
    kind = _kind(value)
    return struct.pack("<I", kind) + _plain(value, kind)


def _kind(value: object, *, signed: bool = False) -> int:
    match value:
        case bool():
            return _BOOL
        case int():
            return _INT32 if signed else _UINT32
        case float():
            return _FLOAT32
        case _:
            return _STRING


def _plain(value: object, kind: int) -> bytes:
    if isinstance(value, str):
        return _string(value)
    return struct.pack({_UINT32: "<I", _INT32: "<i", _FLOAT32: "<f", _BOOL: "<?"}[kind], value)
