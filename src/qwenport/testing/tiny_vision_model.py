"""A model that sees and its projector, made in a moment: what it says means nothing, and depends on what it is shown.

It is of Qwen2-VL's architecture, with two layers and a vocabulary of single bytes; it says printable ASCII only.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from qwenport.testing.gguf_file import Tensor, Value, write_gguf

PATCH = 28
"""Side of the square of pixels that counts one token."""

_LAYERS = 2
_SIZE, _INNER, _HEADS = 64, 96, 4
_SEEN, _SEEN_INNER, _SEEN_HEADS = 32, 48, 2
_SQUARE = 14
_NORMAL, _CONTROL = 1, 3
_CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_tiny_vision_model(weights: Path, projector: Path) -> None:
    """Write both files."""
    chance = random.Random(7)
    write_gguf(weights, _table(), list(_tensors(chance)))
    write_gguf(projector, _projector_table(), list(_projector_tensors(chance)))


def _table() -> dict[str, Value]:
    tokens = [*_byte_tokens(), *_CONTROLS]
    return {
        "general.architecture": "qwen2vl",
        "general.name": "tiny",
        "qwen2vl.block_count": _LAYERS,
        "qwen2vl.context_length": 4096,
        "qwen2vl.embedding_length": _SIZE,
        "qwen2vl.feed_forward_length": _INNER,
        "qwen2vl.attention.head_count": _HEADS,
        "qwen2vl.attention.head_count_kv": _HEADS,
        "qwen2vl.attention.layer_norm_rms_epsilon": 1e-6,
        "qwen2vl.rope.freq_base": 10000.0,
        "qwen2vl.rope.dimension_sections": (2, 3, 3, 0),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [_NORMAL] * 256 + [_CONTROL] * len(_CONTROLS),
        "tokenizer.ggml.merges": ("q q",),
        "tokenizer.ggml.eos_token_id": 256 + _CONTROLS.index("<|im_end|>"),
        "tokenizer.ggml.padding_token_id": 256,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": _TEMPLATE,
    }


def _byte_tokens() -> list[str]:
    """Return how byte-level vocabularies write each byte: as itself where it is printable, else as a further letter."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _tensors(chance: random.Random) -> Iterator[Tensor]:
    count = 256 + len(_CONTROLS)
    yield _noise(chance, "token_embd.weight", (_SIZE, count), 1.0)
    yield _ones("output_norm.weight", _SIZE)
    said = [chance.gauss(0, 1.0) if 0x21 <= token < 0x7F else 0.0 for token in range(count) for _ in range(_SIZE)]
    yield Tensor("output.weight", (_SIZE, count), said)
    for layer in range(_LAYERS):
        name = f"blk.{layer}"
        yield _ones(f"{name}.attn_norm.weight", _SIZE)
        for part in ("attn_q", "attn_k", "attn_v"):
            yield from _linear(chance, f"{name}.{part}", _SIZE, _SIZE)
        yield _noise(chance, f"{name}.attn_output.weight", (_SIZE, _SIZE), 0.3)
        yield _ones(f"{name}.ffn_norm.weight", _SIZE)
        yield _noise(chance, f"{name}.ffn_gate.weight", (_SIZE, _INNER), 0.1)
        yield _noise(chance, f"{name}.ffn_up.weight", (_SIZE, _INNER), 0.1)
        yield _noise(chance, f"{name}.ffn_down.weight", (_INNER, _SIZE), 0.1)


def _projector_table() -> dict[str, Value]:
    return {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "clip.has_vision_encoder": True,
        "clip.projector_type": "qwen2vl_merger",
        "clip.use_silu": False,
        "clip.use_gelu": False,
        "clip.vision.image_size": 56,
        "clip.vision.patch_size": _SQUARE,
        "clip.vision.embedding_length": _SEEN,
        "clip.vision.feed_forward_length": _SEEN_INNER,
        "clip.vision.projection_dim": _SIZE,
        "clip.vision.block_count": 1,
        "clip.vision.attention.head_count": _SEEN_HEADS,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.image_mean": (0.5, 0.5, 0.5),
        "clip.vision.image_std": (0.5, 0.5, 0.5),
    }


def _projector_tensors(chance: random.Random) -> Iterator[Tensor]:
    for number in ("", ".1"):
        # Two frames of a video are read at once; of a picture, each twice.
        yield _noise(chance, f"v.patch_embd.weight{number}", (_SQUARE, _SQUARE, 3, _SEEN), 0.2)
    for name in ("ln1", "ln2"):
        yield _ones(f"v.blk.0.{name}.weight", _SEEN)
        yield _noise(chance, f"v.blk.0.{name}.bias", (_SEEN,), 0.1)
    for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
        yield from _linear(chance, f"v.blk.0.{name}", _SEEN, _SEEN)
    yield from _linear(chance, "v.blk.0.ffn_up", _SEEN, _SEEN_INNER)
    yield from _linear(chance, "v.blk.0.ffn_down", _SEEN_INNER, _SEEN)
    yield _ones("v.post_ln.weight", _SEEN)
    yield _noise(chance, "v.post_ln.bias", (_SEEN,), 0.1)
    yield from _linear(chance, "mm.0", 4 * _SEEN, 4 * _SEEN)
    yield from _linear(chance, "mm.2", 4 * _SEEN, _SIZE)


def _linear(chance: random.Random, name: str, columns: int, rows: int) -> Iterator[Tensor]:
    yield _noise(chance, f"{name}.weight", (columns, rows), 0.3)
    yield _noise(chance, f"{name}.bias", (rows,), 0.1)


def _noise(chance: random.Random, name: str, shape: Sequence[int], width: float) -> Tensor:
    count = 1
    for side in shape:
        count *= side
    return Tensor(name, shape, [chance.gauss(0, width) for _ in range(count)])


def _ones(name: str, size: int) -> Tensor:
    return Tensor(name, (size,), [1.0] * size)
