"""The child process that hosts reading processes: `python -m qwenport.engines.ocr.host`.

It listens on a Unix socket, keeps a pool of processes that read, and waits until the supervisor is gone. No line of its
log holds a text. It loads no model itself, so that it stays small and nothing that a page does can end it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NoReturn

from qwenport.engines.host_process import HostExit, HostProcess
from qwenport.engines.host_server import serve
from qwenport.engines.ocr.host_parameters import OcrParameters
from qwenport.engines.ocr.layout_weights import missing_layout
from qwenport.engines.ocr.model_files import WeightsUnreadable, check_all
from qwenport.engines.ocr.pool import ReadingPool
from qwenport.engines.ocr.reading_models import missing_backend
from qwenport.engines.ocr.service import ReadingService


def main() -> NoReturn:
    """Host the models of the environment's parameters until the supervisor ends."""
    process = HostProcess("ocr")
    process.begin()
    parameters = process.parameters(OcrParameters)
    _check(process, parameters)
    process.free_socket(Path(parameters.socket))
    asyncio.run(_serve(process, parameters))


def _check(process: HostProcess, parameters: OcrParameters) -> None:
    reader = parameters.pool.reader
    if words := missing_backend(reader.backend):
        process.end(HostExit.PARAMETERS_INVALID, words)
    try:
        check_all(reader)
    except WeightsUnreadable as error:
        process.end(HostExit.WEIGHTS_CORRUPT, str(error))
    if words := missing_layout():
        process.say(f"whole documents cannot be parsed (`document_parsing`), all else can: {words}")


async def _serve(process: HostProcess, parameters: OcrParameters) -> NoReturn:
    async with ReadingPool(parameters.pool) as pool:
        more = f", with {parameters.pool.size} processes at most"
        await serve(process, parameters, ReadingService(pool), more=more)


if __name__ == "__main__":
    main()
