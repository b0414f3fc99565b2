"""The child process that hosts an embedding model: `python -m qwenport.engines.embed.host`.

It loads one model, listens on a Unix socket, and waits until the supervisor is gone. No line of its log holds a text.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NoReturn

from qwenport.engines.embed.embedder import Embedder
from qwenport.engines.embed.host_parameters import EmbedParameters
from qwenport.engines.embed.packed_weights import PackedWeights, WeightsUnreadable
from qwenport.engines.embed.service import EmbeddingService
from qwenport.engines.host_process import HostExit, HostProcess
from qwenport.engines.host_server import serve


def main() -> NoReturn:
    """Host the model of the environment's parameters until the supervisor ends."""
    process = HostProcess("embed")
    process.begin()
    parameters = process.parameters(EmbedParameters)
    process.check_weights(Path(parameters.weights))
    process.free_socket(Path(parameters.socket))
    embedder = _load(process, Path(parameters.weights))
    asyncio.run(serve(process, parameters, EmbeddingService(embedder)))


def _load(process: HostProcess, weights: Path) -> Embedder:
    try:
        return Embedder(PackedWeights(weights))
    except WeightsUnreadable as error:
        process.end(HostExit.WEIGHTS_CORRUPT, str(error))


if __name__ == "__main__":
    main()
