"""`ocr_options`: a built-in task for the images of a call, and the fields that it is to find.

Shapes as in the Qwen-OCR API reference (https://help.aliyun.com/zh/model-studio/qwen-vl-ocr-api-reference): the task is
required, `result_schema` belongs to one task alone and has at most three levels.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.json import Decoder

from qwenport.core.errors import ParameterInvalid
from qwenport.core.ocr import OcrOptions, OcrTask
from qwenport.faces.body import given
from qwenport.faces.dashscope.schema import TaskConfig, WireOcrOptions
from qwenport.faces.shown import shown

MOST_LEVELS = 3
"""Of objects in a schema; a list in a list counts as one too."""
MOST_SCHEMA_BYTES = 65_536
"""As a schema of `response_format`."""

_TASKS = {task.value: task for task in OcrTask}
_DECODE = Decoder(dict[str, Any]).decode


def read_ocr_options(wire: WireOcrOptions | None) -> OcrOptions | None:
    """Return the task that is asked for; None where none is.

    Raises:
        ParameterInvalid: the task is missing or unknown, or the schema is none, too large or too deep, or something is
            asked that is for another task.
    """
    if wire is None:
        return None
    if wire.task is None:
        raise _refusal("'task' is a required property - 'ocr_options'")
    if wire.task not in _TASKS:
        raise _refusal(f"'{shown(wire.task)}' is not one of {list(_TASKS)} - 'ocr_options.task'")
    config = wire.task_config or TaskConfig()
    schema, places = given(config.result_schema), bool(config.result_places)
    if schema:
        _refuse_elsewhere("result_schema", wire.task)
    if places:
        _refuse_elsewhere("result_places", wire.task)
    return OcrOptions(
        task=_TASKS[wire.task], result_schema=_read_schema(schema) if schema else b"", result_places=places
    )


def _refuse_elsewhere(name: str, task: str) -> None:
    """Refuse what is for fields with a task that is for something else."""
    if task != OcrTask.KEY_INFORMATION_EXTRACTION:
        raise _refusal(
            f"The {name} of ocr_options is for the task '{OcrTask.KEY_INFORMATION_EXTRACTION}' alone, and the "
            f"task is '{task}'."
        )


def _read_schema(schema: bytes) -> bytes:
    """Return a schema that names fields; empty where it names none, which asks for all of them."""
    if len(schema) > MOST_SCHEMA_BYTES:
        raise _refusal(f"The result_schema of ocr_options may hold at most {MOST_SCHEMA_BYTES} bytes.")
    try:
        fields = _DECODE(schema)
    except msgspec.MsgspecError as error:
        raise _refusal("'ocr_options.task_config.result_schema' must be Object") from error
    if not _fits(fields, MOST_LEVELS):
        raise _refusal(f"The result_schema of ocr_options may be nested at most {MOST_LEVELS} levels deep.")
    return schema if fields else b""


def _fits(value: object, levels: int) -> bool:
    """Tell whether a value has at most so many levels."""
    if levels < 0:
        return False
    if isinstance(value, dict):
        return levels > 0 and all(_fits(each, levels - 1) for each in value.values())
    if isinstance(value, list):
        return all(_fits(each, levels - isinstance(each, list)) for each in value)
    return True


def _refusal(words: str) -> ParameterInvalid:
    return ParameterInvalid(words, parameter="ocr_options")
