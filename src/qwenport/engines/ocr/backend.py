"""RapidOCR's detector and sessions with every file named: nothing is looked up, and nothing is ever downloaded."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rapidocr.ch_ppocr_det import TextDetector
from rapidocr.inference_engine.base import get_engine
from rapidocr.main import DEFAULT_CFG_PATH
from rapidocr.utils.parse_parameters import ParseParams
from rapidocr.utils.typings import EngineType

from qwenport.engines.ocr.model_files import checked
from qwenport.engines.ocr.reader_order import ReaderOrder
from qwenport.engines.ocr.scaling import Pixels

Floats = NDArray[np.float32]

_NOT_ENLARGED = 1 << 20
"""More than any side: images are given in the size in which they are to be looked at."""


class Session(Protocol):
    """A model that computes."""

    def __call__(self, values: Floats) -> Floats:
        """Return its first output."""
        ...


def open_detector(order: ReaderOrder) -> TextDetector:
    """Return what finds lines of text; raises `WeightsUnreadable`."""
    configuration = _configuration(order).Det
    configuration.model_path = str(checked(order.detector))
    configuration.limit_type = "max"
    configuration.limit_side_len = _NOT_ENLARGED
    detector = TextDetector(configuration)
    detector.session = _watched(detector.session, order)
    return detector


def open_recogniser(order: ReaderOrder) -> tuple[Session, tuple[str, ...]]:
    """Return what reads one line, and the character of each of its classes; raises `WeightsUnreadable`."""
    configuration = _configuration(order).Rec
    configuration.model_path = str(checked(order.recogniser))
    session = get_engine(configuration.engine_type)(configuration)
    known = session.get_character_list() if order.characters is None else _lines(checked(order.characters))
    # Class 0 says that there is nothing, the last one is a space (PaddleOCR's CTCLabelDecode).
    return _watched(session, order), ("", *known, " ")


def find_boxes(detector: TextDetector, image: Pixels) -> Floats:
    """Return the four corners of each line of text, in the image's pixels; clockwise from the top left."""
    boxes = detector(image).boxes
    if boxes is None:
        return np.zeros((0, 4, 2), dtype=np.float32)
    return np.asarray(boxes, dtype=np.float32).reshape(-1, 4, 2)


def _watched(session: Any, order: ReaderOrder) -> Session:
    opened: Session = session if order.backend.value == "onnxruntime" else WatchedSession(session)
    return opened


class WatchedSession:
    """OpenVINO within a bound on memory: where it is refused some it says nothing, and its answer before stays.

    So with OpenVINO 2026.4.1 an account number was told for the two lines below it as well.
    """

    def __init__(self, session: Any) -> None:
        """Take RapidOCR's session, which keeps OpenVINO's request as its own `session`."""
        self._session = session
        self._has_answered = False

    def __call__(self, values: Floats) -> Floats:
        """Return the first output, which the next call overwrites; raises `MemoryError` where there is no new one."""
        if self._has_answered:
            self._session.session.get_output_tensor().data.flat[0] = np.nan
        answer: Floats = self._session(values)
        if np.isnan(answer.flat[0]):
            raise MemoryError
        self._has_answered = True
        return answer


def _configuration(order: ReaderOrder) -> Any:
    # It would tell in the log of each process which files it uses.
    logging.getLogger("RapidOCR").setLevel(logging.WARNING)
    configuration = ParseParams.load(DEFAULT_CFG_PATH)
    for part in (configuration.Det, configuration.Rec):
        part.engine_type = EngineType(order.backend.value)
        part.engine_cfg = configuration.EngineConfig[order.backend.value]
        if order.backend.value == "onnxruntime":
            part.engine_cfg.intra_op_num_threads = order.threads
            part.engine_cfg.inter_op_num_threads = 1
        else:
            part.engine_cfg.inference_num_threads = order.threads
    return configuration


def _lines(path: Path) -> list[str]:
    return [line.rstrip("\r\n") for line in path.read_text("utf-8").split("\n") if line.rstrip("\r\n")]
