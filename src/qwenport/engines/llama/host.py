"""The child process that hosts llama.cpp: `python -m qwenport.engines.llama.host`.

It loads one model, lets llama.cpp's own HTTP server listen on a Unix socket, and waits until the supervisor is gone.
What it is told stands in `host_parameters`. No line of its log holds a prompt or an answer.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import NoReturn

import msgspec
import xllamacpp

from qwenport.engines.engine import WATCH_VARIABLE
from qwenport.engines.llama.host_parameters import PARAMETERS_VARIABLE, HostExit, HostParameters

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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _withdraw()
    _watch(os.environ.pop(WATCH_VARIABLE, None))
    parameters = _parameters(os.environ.pop(PARAMETERS_VARIABLE, None))
    _check_weights(Path(parameters.weights))
    _free(Path(parameters.socket))
    server = _load(parameters)
    _say(f"`{parameters.model}` is ready, {parameters.slots} slots of {parameters.context_tokens} tokens")
    threading.Event().wait()
    raise AssertionError(server)


def _withdraw() -> None:
    """Let nobody else read what is made here, and leave no memory image behind after a crash."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _watch(descriptor: str | None) -> None:
    """End this process when the other end of the pipe is closed, which the death of the supervisor does."""
    if descriptor is None:
        return
    try:
        number = int(descriptor)
        os.fstat(number)
    except (ValueError, OSError):
        _end(HostExit.PARAMETERS_INVALID, f"{WATCH_VARIABLE} is `{descriptor}`, which is no open file descriptor")

    def wait_for_the_end() -> None:
        while os.read(number, 1):
            pass
        os._exit(HostExit.ENDED)

    threading.Thread(target=wait_for_the_end, daemon=True, name="watch").start()


def _parameters(text: str | None) -> HostParameters:
    if text is None:
        _end(HostExit.PARAMETERS_INVALID, f"{PARAMETERS_VARIABLE} is not set: this process is started by a supervisor")
    try:
        return msgspec.json.decode(text, type=HostParameters)
    except msgspec.MsgspecError as error:
        _end(HostExit.PARAMETERS_INVALID, f"{PARAMETERS_VARIABLE} is not understood: {error}")


def _check_weights(path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        _end(HostExit.WEIGHTS_MISSING, f"the weights file `{path}` cannot be read: {error.strerror}")


def _free(path: Path) -> None:
    """Remove the socket that an earlier host left behind, unless somebody answers on it."""
    try:
        if not _is_in_use(path):
            path.unlink(missing_ok=True)
            return
    except OSError as error:
        _end(HostExit.SOCKET_REFUSED, f"the socket `{path}` cannot be used: {error.strerror or error}")
    _end(HostExit.SOCKET_IN_USE, f"another process answers on the socket `{path}`: end it first")


def _is_in_use(path: Path) -> bool:
    if path.exists() and not path.is_socket():
        raise FileExistsError("something that is no socket lies there")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _load(parameters: HostParameters) -> xllamacpp.Server:
    try:
        return xllamacpp.Server(_llama_parameters(parameters))
    except RuntimeError as error:
        _end(HostExit.WEIGHTS_CORRUPT, f"llama.cpp cannot load `{parameters.weights}`: {error}")


def _llama_parameters(parameters: HostParameters) -> xllamacpp.CommonParams:
    chosen = xllamacpp.CommonParams()
    chosen.model.path = parameters.weights
    chosen.model_alias = {parameters.model}
    chosen.hostnames = [parameters.socket]
    chosen.api_keys = [parameters.secret]
    chosen.n_ctx = parameters.context_tokens * parameters.slots
    chosen.n_parallel = parameters.slots
    chosen.n_batch = chosen.n_ubatch = _BATCH_TOKENS
    cores = _usable_cores()
    # llama.cpp's threads spin while they wait for one another, so that one that loses its core holds up all of them:
    # with a core busy elsewhere, two threads on two cores made 32-63 tokens a second for one caller, one made 127-132.
    # A core is left to the gateway while one caller is served; prompts and several callers at once use all of them.
    chosen.cpuparams.n_threads = max(1, cores - 1)
    chosen.cpuparams_batch.n_threads = cores
    chosen.n_threads_http = parameters.slots + _THREADS_BESIDE_SLOTS
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
    # A ping would keep the gateway's deadline for a silent engine from ever passing.
    chosen.sse_ping_interval = -1


def _usable_cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _say(text: str) -> None:
    sys.stderr.write(f"qwenport llama host: {text}\n")
    sys.stderr.flush()


def _end(code: HostExit, text: str) -> NoReturn:
    _say(text)
    # Native threads may be running; an orderly end of the interpreter would wait for them.
    os._exit(code)


if __name__ == "__main__":
    main()
