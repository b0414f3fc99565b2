"""The weights file: what it holds, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from qwenport.engines.embed.packed_weights import PackedWeights, Shape, Vocabulary, WeightsUnreadable, unpack
from qwenport.testing.tiny_embedding_model import LONGEST, NORMALIZED, PIECES, SCORES


def test_a_block_is_a_scale_and_two_halves_of_each_byte() -> None:
    block = struct.pack("<e", 0.5) + bytes([0x80 + index for index in range(16)])

    values = unpack(np.frombuffer(block, dtype=np.uint8).reshape(1, 1, 18))

    assert values.tolist() == [[(index - 8) * 0.5 for index in range(16)] + [0.0] * 16]


def test_a_file_tells_its_shape_and_its_vocabulary(weights: PackedWeights) -> None:
    assert weights.shape == Shape(
        vector_size=384,
        layers=1,
        heads=12,
        inner_size=64,
        longest=LONGEST,
        epsilon=float(np.float32(1e-12)),
    )
    assert weights.vocabulary == Vocabulary(
        pieces=PIECES, scores=SCORES, begin=0, end=2, padding=1, unknown=3, normalized=NORMALIZED
    )


def test_tensors_are_read_by_name(weights: PackedWeights) -> None:
    assert weights.floats("emb.ln.w").tolist() == [1.0] * 384
    assert weights.matrix("l0.fo.w", 64).shape == (384, 64)
    assert weights.blocks("emb.word", 384).shape == (len(PIECES), 12, 18)


def test_a_missing_tensor_is_named(weights: PackedWeights) -> None:
    with pytest.raises(WeightsUnreadable, match=r"no tensor `l1\.q\.w`"):
        weights.floats("l1.q.w")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda content: b"GGUF" + content[4:], id="another kind of file"),
        pytest.param(lambda content: content[:8] + struct.pack("<i", 768) + content[12:], id="another model"),
        pytest.param(lambda content: content[:100], id="cut in its vocabulary"),
        pytest.param(lambda content: content[:-1], id="cut in its last tensor"),
        pytest.param(lambda _: b"E5S1", id="cut in its head"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
def test_what_is_no_such_file_is_refused(weights_file: Path, tmp_path: Path, spoil: object) -> None:
    path = tmp_path / "spoiled.bin"
    path.write_bytes(spoil(weights_file.read_bytes()))  # type: ignore[operator]  # a function, as the list shows

    with pytest.raises(WeightsUnreadable, match=r"spoiled.bin` is no 4-bit file of multilingual-e5-small"):
        PackedWeights(path)
