"""A built-in task as Model Studio's native service takes it: `ocr_options` on the multimodal address.

Shapes as in the Qwen-OCR API reference (https://help.aliyun.com/zh/model-studio/qwen-vl-ocr-api-reference).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Raw

from qwenport.core.call import ChatInput
from qwenport.core.content import ImagePart, Picture, Role
from qwenport.core.ocr import OcrOptions
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.dialects.bodies import (
    JsonObject,
    bound_fields,
    call_headers,
    logprob_fields,
    sampling_fields,
)
from qwenport.engines.dialects.dialect import MODEL_STUDIO
from qwenport.engines.dialects.messages import data_url, pixel_fields

MULTIMODAL_SERVICE = "aigc/multimodal-generation/generation"


def task_body(prepared: PreparedCall, options: OcrOptions, model: str) -> JsonObject:
    """Return the body of a task whose answer streams in pieces: of the last user's message, the images.

    Raises:
        TypeError: the call is no chat.
    """
    asked = prepared.call.input
    if not isinstance(asked, ChatInput):
        raise TypeError(f"a call of `{type(asked).__name__}` has no task")
    sampling = prepared.call.sampling
    parameters: JsonObject = {"ocr_options": _said_options(options), "incremental_output": True}
    parameters.update(sampling_fields(sampling, MODEL_STUDIO))
    parameters.update(bound_fields(sampling, asked, MODEL_STUDIO))
    parameters.update(logprob_fields(sampling, MODEL_STUDIO))
    if asked.high_resolution:
        parameters["vl_high_resolution_images"] = True
    message = {"role": Role.USER.value, "content": list(_images(asked))}
    return {"model": model, "input": {"messages": [message]}, "parameters": parameters}


def task_headers(prepared: PreparedCall) -> dict[str, str]:
    """Return the headers that such a call needs beside those of its connection."""
    streams = {"X-DashScope-SSE": "enable", "Accept": "text/event-stream"}
    return call_headers(prepared, MODEL_STUDIO) | streams


def _said_options(options: OcrOptions) -> JsonObject:
    said: JsonObject = {"task": options.task.value}
    if options.result_schema:
        said["task_config"] = {"result_schema": Raw(options.result_schema)}
    return said


def _images(asked: ChatInput) -> Iterator[JsonObject]:
    last = next((message for message in reversed(asked.messages) if message.role is Role.USER), None)
    content = () if last is None or isinstance(last.content, str) else last.content
    for part in content:
        if isinstance(part, ImagePart | Picture):
            turned: JsonObject = {"enable_rotate": True} if part.rotates else {}
            address = part.url if isinstance(part, ImagePart) else data_url(part)
            yield {"image": address} | pixel_fields(part) | turned
