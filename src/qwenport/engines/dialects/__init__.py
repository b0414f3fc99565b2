"""How one call is said to the servers that speak an OpenAI-compatible protocol, each with words of its own."""

from qwenport.engines.dialects.bodies import JsonObject, call_headers, chat_body, prompt_body
from qwenport.engines.dialects.dialect import (
    DIALECTS,
    LLAMA_CPP,
    MODEL_STUDIO,
    PLAIN,
    SGLANG,
    VLLM,
    BudgetPlace,
    Dialect,
)

__all__ = [
    "DIALECTS",
    "LLAMA_CPP",
    "MODEL_STUDIO",
    "PLAIN",
    "SGLANG",
    "VLLM",
    "BudgetPlace",
    "Dialect",
    "JsonObject",
    "call_headers",
    "chat_body",
    "prompt_body",
]
