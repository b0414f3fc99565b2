"""The child process that hosts llama.cpp: `python -m qwenport.engines.llama.host`.

It loads one model, lets llama.cpp's own HTTP server listen on a Unix socket, and waits until the supervisor is gone.
What it is told stands in `host_parameters`. No line of its log holds a prompt or an answer.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import NoReturn

import xllamacpp

from qwenport.engines.host_process import HostExit, HostProcess, usable_cores
from qwenport.engines.llama.host_parameters import LlamaParameters

_BATCH_TOKENS = 128
"""So small a piece of the prompt lets a departed caller stop a long prefill within 0.2 s; it costs no speed."""
_PROMPT_CACHE_MIB = 128
"""Prompts kept for reuse beside the slots; llama.cpp's own default of 8 GiB is more than a laptop has."""
_ERRORS_ONLY = 1
"""Verbosity at which llama.cpp's log holds no text of a caller."""
_THREADS_BESIDE_SLOTS = 8
"""Threads of the HTTP server for health checks and for callers who left but are not yet noticed."""


def main() -> NoReturn:
    """Host the model of the environment's parameters until the supervisor ends."""
    process = HostProcess("llama")
    process.begin()
    parameters = process.parameters(LlamaParameters)
    process.check_weights(Path(parameters.weights))
    if parameters.projector:
        process.check_weights(Path(parameters.projector))
    process.free_socket(Path(parameters.socket))
    server = _load(process, parameters)
    process.say(f"`{parameters.model}` is ready, {parameters.slots} slots of {parameters.context_tokens} tokens")
    threading.Event().wait()
    raise AssertionError(server)


def _load(process: HostProcess, parameters: LlamaParameters) -> xllamacpp.Server:
    try:
        return xllamacpp.Server(_llama_parameters(parameters))
    except RuntimeError as error:
        files = " with ".join(f"`{path}`" for path in (parameters.weights, parameters.projector) if path)
        process.end(HostExit.WEIGHTS_CORRUPT, f"llama.cpp cannot load {files}: {error}")


def _llama_parameters(parameters: LlamaParameters) -> xllamacpp.CommonParams:
    chosen = xllamacpp.CommonParams()
    chosen.model.path = parameters.weights
    chosen.model_alias = {parameters.model}
    chosen.hostnames = [parameters.socket]
    chosen.api_keys = [parameters.secret]
    chosen.n_ctx = parameters.context_tokens * parameters.slots
    chosen.n_parallel = parameters.slots
    chosen.n_batch = chosen.n_ubatch = _BATCH_TOKENS
    cores = usable_cores()
    # llama.cpp's threads spin while they wait for one another, so that one that loses its core holds up all of them:
    # with a core busy elsewhere, two threads on two cores made 32-63 tokens a second for one caller, one made 127-132.
    # A core is left to the gateway while one caller is served; prompts and several callers at once use all of them.
    chosen.cpuparams.n_threads = max(1, cores - 1)
    chosen.cpuparams_batch.n_threads = cores
    chosen.n_threads_http = parameters.slots + _THREADS_BESIDE_SLOTS
    # A conversation that ends with the assistant is gone on with only where the caller says so, not by default.
    chosen.prefill_assistant = False
    if parameters.projector:
        chosen.mmproj.path = parameters.projector
        # llama.cpp's word for "as the projector says" is -1.
        chosen.image_max_tokens = parameters.image_tokens or -1
    _bound_memory(chosen)
    _close_doors(chosen)
    return chosen


def _bound_memory(chosen: xllamacpp.CommonParams) -> None:
    # Keys and values stay in f16: q8_0 would hold 583 MB instead of 943 MB for 8 slots of 4,096 tokens of SmolLM2-135M,
    # but reads a prompt at half the speed (168 against 324 tokens a second on two cores).
    chosen.cache_ram_mib = _PROMPT_CACHE_MIB
    # Fitting would load the model twice, and might shrink the context that the gateway counts on.
    chosen.fit_params = False


def _close_doors(chosen: xllamacpp.CommonParams) -> None:
    chosen.verbosity = _ERRORS_ONLY
    chosen.offline = True
    chosen.ui = False
    chosen.endpoint_slots = chosen.endpoint_props = chosen.endpoint_metrics = False
    chosen.cors_origins = "null"
    chosen.cors_credentials = False
    # What is no image it would hand to ffprobe, as a video.
    chosen.video_ffmpeg_bin_dir = os.devnull
    # A ping would keep the gateway's deadline for a silent engine from ever passing.
    chosen.sse_ping_interval = -1


if __name__ == "__main__":
    main()
