"""A reading process that reads nothing and does what its orders say: `python -m qwenport.testing.scripted_reader`.

The image of an order is the word for what to do; its prompt is a file that grows by a byte when the work begins.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from qwenport.engines.ocr.frames import framed, read_frame
from qwenport.engines.ocr.wire import Failure, PageAnswer, PageFailed, PageReply, decode_order, encode
from qwenport.engines.ocr.worker_order import READY, WorkerExit, decode_worker_order

MODULE = "qwenport.testing.scripted_reader"

TELL_PID = b"pid"
DIE = b"die"
HANG = b"hang"
NO_MEMORY = b"memory"
BABBLE = b"babble"
REFUSE_TO_START = "refuse"
"""Path of the recogniser with which a process ends before it is ready."""


def main() -> None:
    """Answer orders until there are none."""
    first = read_frame(sys.stdin.buffer)
    if first is None or decode_worker_order(first).reader.recogniser.path == REFUSE_TO_START:
        sys.exit(WorkerExit.WEIGHTS_UNREADABLE)
    _say(READY)
    while (message := read_frame(sys.stdin.buffer)) is not None:
        order = decode_order(message)
        if order.prompt:
            with Path(order.prompt).open("ab") as begun:
                begun.write(b"1")
        if order.image == DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        if order.image == HANG:
            time.sleep(3_600)
        _say(b"no reply" if order.image == BABBLE else encode(_reply(order.image)))


def _reply(word: bytes) -> PageReply:
    if word == NO_MEMORY:
        return PageFailed(failure=Failure.OUT_OF_MEMORY)
    return PageAnswer(text=str(os.getpid()))


def _say(message: bytes) -> None:
    sys.stdout.buffer.write(framed(message))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
