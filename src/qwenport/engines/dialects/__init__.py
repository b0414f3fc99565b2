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
from qwenport.engines.dialects.image_frames import frames_of
from qwenport.engines.dialects.native_bodies import MULTIMODAL_SERVICE, task_body, task_headers
from qwenport.engines.dialects.ocr_answers import TaskAnswer, recognized_in
from qwenport.engines.dialects.ocr_prompts import TASK_PROMPTS, asked_for_task

__all__ = [
    "DIALECTS",
    "LLAMA_CPP",
    "MODEL_STUDIO",
    "MULTIMODAL_SERVICE",
    "PLAIN",
    "SGLANG",
    "TASK_PROMPTS",
    "VLLM",
    "BudgetPlace",
    "Dialect",
    "JsonObject",
    "TaskAnswer",
    "asked_for_task",
    "call_headers",
    "chat_body",
    "frames_of",
    "prompt_body",
    "recognized_in",
    "task_body",
    "task_headers",
]
