"""From the bytes of an image to the answer of a task; what a reading process does with each page."""

from __future__ import annotations

import cv2
import numpy as np

from qwenport.engines.ocr.layout_weights import LayoutUnavailable
from qwenport.engines.ocr.reader_order import ReaderOrder
from qwenport.engines.ocr.recognition import Recognizer
from qwenport.engines.ocr.scaling import Pixels
from qwenport.engines.ocr.tasks import SchemaRefused, TaskWork
from qwenport.engines.ocr.wire import Failure, PageAnswer, PageOrder

_NO_MEMORY = ("bad_alloc", "Failed to allocate memory", "Insufficient memory", "OutOfMemory")
"""Words by which native code says that it was refused memory."""


class PageUnreadable(Exception):
    """A page cannot be read, for a reason that has a name; the words hold nothing of its text."""

    def __init__(self, failure: Failure, reason: str = "") -> None:
        super().__init__(reason)
        self.failure = failure


class PageReader:
    """Reads images and does what is asked with what stands there."""

    def __init__(self, order: ReaderOrder) -> None:
        """Load the models; raises `WeightsUnreadable`."""
        cv2.setNumThreads(order.threads)
        self._recognizer = Recognizer(order)
        self._work = TaskWork(threads=order.threads)

    def read(self, order: PageOrder) -> PageAnswer:
        """Return the answer to one order.

        Raises:
            PageUnreadable: the image is none, or its fields are none, or the task cannot be done here.
            MemoryError: there is too little for this page.
        """
        try:
            sight = self._recognizer.look(_decoded(order.image), rotates=order.rotates, most_pixels=order.most_pixels)
            return self._work.perform(order, sight)
        except SchemaRefused as error:
            raise PageUnreadable(Failure.SCHEMA_INVALID, str(error)) from error
        except LayoutUnavailable as error:
            raise PageUnreadable(Failure.TASK_UNAVAILABLE, str(error)) from error
        except (cv2.error, RuntimeError) as error:
            if any(words in str(error) for words in _NO_MEMORY):
                raise MemoryError from error
            raise


def _decoded(image: bytes) -> Pixels:
    # Whoever sent it has turned it upright already.
    how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(image, dtype=np.uint8), how) if image else None
    except cv2.error as error:
        if any(words in str(error) for words in _NO_MEMORY):
            raise MemoryError from error
        pixels = None
    if pixels is None:
        raise PageUnreadable(Failure.IMAGE_UNREADABLE, "it is no image that can be decoded")
    return np.asarray(pixels, dtype=np.uint8)
