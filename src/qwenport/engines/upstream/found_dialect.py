"""Which dialect a server speaks, by its own words."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from qwenport.engines.dialects import LLAMA_CPP, MODEL_STUDIO, PLAIN, SGLANG, VLLM, Dialect
from qwenport.engines.upstream.wire import decode_models

_BY_OWNER = {"vllm": VLLM, "sglang": SGLANG, "llamacpp": LLAMA_CPP, "llama.cpp": LLAMA_CPP}


def dialect_of(models: bytes, headers: Mapping[str, str], host: str) -> Dialect:
    """Return the dialect by the list of models, the `Server` header and the host's name; `PLAIN` where nothing tells.

    The owner is what vLLM, SGLang and llama.cpp each write into the `owned_by` of their list.
    """
    if host.endswith(".aliyuncs.com"):
        return MODEL_STUDIO
    try:
        owners = [model.owned_by for model in decode_models(models).data]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        owners = []
    for owner in owners:
        if isinstance(owner, str) and owner.lower() in _BY_OWNER:
            return _BY_OWNER[owner.lower()]
    return LLAMA_CPP if headers.get("server", "").lower().startswith("llama.cpp") else PLAIN
