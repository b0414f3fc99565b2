"""The encoder of multilingual-e5-small on NumPy: BERT with twelve layers, the mean of its last states as vector.

Devlin et al., "BERT" (2018); Wang et al., "Multilingual E5 Text Embeddings" (2024). The weights of the layers are
unpacked to 32-bit floats once; those of the words stay packed, since a text needs few of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from qwenport.engines.embed.packed_weights import Floats, PackedWeights, unpack


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linear:
    """`x @ weight + bias`."""

    weight: Floats
    """Inputs x outputs."""
    bias: Floats

    def __call__(self, states: Floats) -> Floats:
        result: Floats = states @ self.weight
        result += self.bias
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Norm:
    """Layer normalization."""

    weight: Floats
    bias: Floats
    epsilon: float

    def __call__(self, states: Floats) -> Floats:
        """Normalize each row in place."""
        states -= states.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", states, states) / states.shape[1]
        states *= (1.0 / np.sqrt(variance + self.epsilon))[:, None]
        states *= self.weight
        states += self.bias
        return states


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    attend: _Linear
    """To queries, keys and values, side by side."""
    merge: _Linear
    merge_norm: _Norm
    widen: _Linear
    narrow: _Linear
    narrow_norm: _Norm


class Encoder:
    """Turns tokens into vectors of unit length."""

    def __init__(self, weights: PackedWeights) -> None:
        """Unpack the layers.

        Raises:
            WeightsUnreadable: a tensor is missing.
        """
        size = weights.shape.vector_size
        self.shape = weights.shape
        self._words = weights.blocks("emb.word", size)
        kinds = weights.floats("emb.type").reshape(-1, size)
        # Each token also has a kind; E5 knows only the first.
        self._places: Floats = weights.floats("emb.pos").reshape(-1, size) + kinds[0]
        self._norm = _norm(weights, "emb.ln")
        self._layers = [_layer(weights, f"l{index}.") for index in range(weights.shape.layers)]

    def encode(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Return the vector of each text, rows of unit length; the texts are tokens with their marks."""
        bounds = [0]
        for text in texts:
            bounds.append(bounds[-1] + len(text))
        spans = [slice(begin, end) for begin, end in pairwise(bounds)]
        # All texts lie in one matrix, one after the other, so that each weight is read once for all of them.
        states = unpack(self._words[np.concatenate([np.asarray(text) for text in texts])])
        for span in spans:
            states[span] += self._places[: span.stop - span.start]
        states = self._norm(states)
        for layer in self._layers:
            states = self._through(layer, states, spans)
        means = np.stack([states[span].mean(axis=0) for span in spans])
        return unit(means)

    def _through(self, layer: _Layer, states: Floats, spans: Sequence[slice]) -> Floats:
        mixed = layer.attend(states)
        merged = layer.merge(self._attention(mixed, spans))
        merged += states
        states = layer.merge_norm(merged)
        narrowed = layer.narrow(_gelu(layer.widen(states)))
        narrowed += states
        return layer.narrow_norm(narrowed)

    def _attention(self, mixed: Floats, spans: Sequence[slice]) -> Floats:
        """Let each token look at those of its own text."""
        size, heads = self.shape.vector_size, self.shape.heads
        scale = 1.0 / math.sqrt(size // heads)
        found = np.empty((len(mixed), size), dtype=np.float32)
        for span in spans:
            parts = mixed[span].reshape(-1, 3, heads, size // heads)
            query, key, value = (parts[:, which].transpose(1, 0, 2) for which in range(3))
            shares = query @ key.transpose(0, 2, 1)
            shares *= scale
            shares -= shares.max(axis=2, keepdims=True)
            np.exp(shares, out=shares)
            shares /= shares.sum(axis=2, keepdims=True)
            found[span] = (shares @ value).transpose(1, 0, 2).reshape(-1, size)
        return found


def unit(vectors: Floats) -> Floats:
    """Return rows of length 1."""
    result: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return result


def _gelu(values: Floats) -> Floats:
    """Return the Gaussian error linear unit in its tanh form, which differs from the exact one by less than 0.001."""
    bent = values * values
    bent *= 0.044715
    bent += 1.0
    bent *= values
    bent *= math.sqrt(2.0 / math.pi)
    np.tanh(bent, out=bent)
    bent += 1.0
    bent *= values
    bent *= 0.5
    return bent


def _layer(weights: PackedWeights, prefix: str) -> _Layer:
    size, inner = weights.shape.vector_size, weights.shape.inner_size
    return _Layer(
        attend=_linear(weights, [f"{prefix}{name}" for name in "qkv"], size),
        merge=_linear(weights, [f"{prefix}ao"], size),
        merge_norm=_norm(weights, f"{prefix}aln"),
        widen=_linear(weights, [f"{prefix}fi"], size),
        narrow=_linear(weights, [f"{prefix}fo"], inner),
        narrow_norm=_norm(weights, f"{prefix}oln"),
    )


def _linear(weights: PackedWeights, names: Sequence[str], inputs: int) -> _Linear:
    rows = np.concatenate([weights.matrix(f"{name}.w", inputs) for name in names])
    bias = np.concatenate([weights.floats(f"{name}.b") for name in names])
    return _Linear(weight=np.ascontiguousarray(rows.T), bias=bias)


def _norm(weights: PackedWeights, name: str) -> _Norm:
    return _Norm(weight=weights.floats(f"{name}.w"), bias=weights.floats(f"{name}.b"), epsilon=weights.shape.epsilon)
