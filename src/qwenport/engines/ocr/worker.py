"""The child process that reads pages: `python -I -m qwenport.engines.ocr.worker`.

Messages come at its standard input and go to its standard output. Images hold what strangers put there, and much
native code looks at them: a page that breaks or exhausts its reader ends this process and nothing else. It opens no
connection; none of its words hold a text of a page.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO, NoReturn

import msgspec

from qwenport.children.withdrawal import withdraw_for_long
from qwenport.core.clock import SystemClock
from qwenport.engines.ocr.frames import framed, read_frame
from qwenport.engines.ocr.model_files import WeightsUnreadable
from qwenport.engines.ocr.wire import Failure, PageFailed, PageOrder, PageReply, decode_order, encode
from qwenport.engines.ocr.worker_order import READY, WorkerExit, WorkerOrder, decode_worker_order

_NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo")
_SPARE_S = 2
"""Time for the host to end a page itself."""


class NetworkShut(RuntimeError):
    """Something here wanted a connection."""


def main() -> NoReturn:
    """Read pages until nobody asks for any more."""
    orders, answers = sys.stdin.buffer, _own_output()
    first = read_frame(orders)
    if first is None:
        _end(WorkerExit.DONE)
    try:
        order = decode_worker_order(first)
    except msgspec.MsgspecError:
        _end(WorkerExit.ORDER_INVALID, "the order is not understood")
    _withdraw(order)
    _read_pages(order, orders, answers)
    _end(WorkerExit.DONE)


def _own_output() -> BinaryIO:
    """Keep standard output for answers alone: what libraries print goes to the log."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def _withdraw(order: WorkerOrder) -> None:
    """Bound memory, shut the network, and yield to whatever else runs on the machine."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the host decides.
    withdraw_for_long(order.memory_bytes)
    sys.addaudithook(_refuse_network)


def _refuse_network(event: str, _: tuple[object, ...]) -> None:
    if event in _NETWORK:
        raise NetworkShut(f"a reading process wanted the network ({event})")


def _read_pages(order: WorkerOrder, orders: BinaryIO, answers: BinaryIO) -> None:
    # The models and what computes with them are loaded within the bounds.
    from qwenport.engines.ocr.page_reader import PageReader  # noqa: PLC0415 - see above

    try:
        reader = PageReader(order.reader)
    except WeightsUnreadable as error:
        _end(WorkerExit.WEIGHTS_UNREADABLE, str(error))
    except MemoryError:
        _end(WorkerExit.OUT_OF_MEMORY, f"{order.memory_bytes} bytes of memory are too little to load the models")
    _say(answers, READY)
    while (message := read_frame(orders)) is not None:
        signal.setitimer(signal.ITIMER_REAL, order.page_s + _SPARE_S)
        page = decode_order(message)
        del message  # it holds the image a second time
        reply = _reply(reader, page)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _say(answers, encode(reply))
        if isinstance(reply, PageFailed) and reply.failure is Failure.OUT_OF_MEMORY:
            # What native code does after it was refused memory is nobody's guess.
            _end(WorkerExit.OUT_OF_MEMORY)


def _reply(reader: object, order: PageOrder) -> PageReply:
    from qwenport.engines.ocr.page_reader import PageReader, PageUnreadable  # noqa: PLC0415 - loaded by now

    if not isinstance(reader, PageReader):
        raise TypeError(f"{reader!r} reads no pages")
    clock = SystemClock()
    began = clock.monotonic()
    try:
        answer = reader.read(order)
    except PageUnreadable as error:
        return PageFailed(failure=error.failure, reason=str(error))
    except MemoryError:
        return PageFailed(failure=Failure.OUT_OF_MEMORY)
    return msgspec.structs.replace(answer, seconds=clock.monotonic() - began)


def _say(answers: BinaryIO, message: bytes) -> None:
    try:
        answers.write(framed(message))
        answers.flush()
    except BrokenPipeError:  # the host is gone
        _end(WorkerExit.DONE)


def _end(code: WorkerExit, words: str = "") -> NoReturn:
    if words:
        sys.stderr.write(f"qwenport ocr reader: {words}\n")
        sys.stderr.flush()
    # Native threads may be running; an orderly end of the interpreter would wait for them.
    os._exit(code)


if __name__ == "__main__":
    main()
