"""From a prepared call to the body that llama.cpp understands."""

from __future__ import annotations

from msgspec import Raw

from qwenport.core.call import AnyJson, JsonSchema
from qwenport.core.prepared_call import PreparedCall
from qwenport.engines.llama.json_grammar import ANY_JSON_OBJECT
from qwenport.engines.llama.schema_bounds import check_schema
from qwenport.engines.llama.wire import (
    ChatRequest,
    RequestMessage,
    ResponseFormat,
    SchemaOfAnswer,
    StreamOptions,
    TemplateSwitches,
)

_RANDOM_SEED = 0xFFFF_FFFF
"""llama.cpp takes this value for "choose a seed yourself"."""

_ANY_OBJECT_SCHEMAS = (b"{}", b'{"type":"object"}')


def request_of(prepared: PreparedCall) -> ChatRequest:
    """Return the body of the call; what neither caller nor card says is left to llama.cpp.

    Raises:
        ParameterInvalid: the JSON Schema is more than the engine can be given.
    """
    call = prepared.call
    sampling = call.sampling
    return ChatRequest(
        messages=[RequestMessage(message.role.value, message.content) for message in call.messages],
        stream=True,
        timings_per_token=True,
        return_progress=True,
        stream_options=StreamOptions(include_usage=True),
        min_p=0.0,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        repeat_penalty=sampling.repetition_penalty,
        presence_penalty=sampling.presence_penalty,
        seed=None if sampling.seed is None else sampling.seed % _RANDOM_SEED,
        max_tokens=sampling.max_tokens,
        stop=sampling.stop,
        n=sampling.choices,
        grammar=ANY_JSON_OBJECT if _is_any_object(call.json) else None,
        # Thinking is refused at the faces so far; a hybrid Qwen would think unless it is told not to.
        chat_template_kwargs=TemplateSwitches(enable_thinking=False),
        response_format=None if _is_any_object(call.json) else _format_of(call.json),
    )


def _is_any_object(json: AnyJson | JsonSchema | None) -> bool:
    """Tell whether any object will do, also where a schema says so: llama.cpp's own rule for it has no end."""
    match json:
        case AnyJson():
            return True
        case JsonSchema(schema=schema):
            return b"".join(schema.split()) in _ANY_OBJECT_SCHEMAS
        case None:
            return False


def _format_of(json: AnyJson | JsonSchema | None) -> ResponseFormat | None:
    if not isinstance(json, JsonSchema):
        return None
    check_schema(json.schema)
    return ResponseFormat(SchemaOfAnswer(name=json.name, schema=Raw(json.schema)))
