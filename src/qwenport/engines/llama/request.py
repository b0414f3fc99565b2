"""From a prepared call to what llama.cpp is asked, and how its answer is to be read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec import Raw, Struct
from msgspec.structs import replace

from qwenport.core.call import AnyJson, ChatInput, JsonSchema, PromptInput
from qwenport.core.capabilities import Capabilities, Thinking
from qwenport.core.content import ImagePart, Message, Role
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import ToolUse
from qwenport.engines.dialects import LLAMA_CPP, JsonObject, asked_for_task, chat_body, prompt_body
from qwenport.engines.llama.call_text import ConstrainedReader, HermesReader, TextReader
from qwenport.engines.llama.hermes import CLOSE, with_tools, without_calls
from qwenport.engines.llama.json_grammar import ANY_JSON_OBJECT
from qwenport.engines.llama.schema_bounds import check_schema
from qwenport.engines.llama.tool_constraint import Constraint, constraint_of, must_call

_CHAT_PATH = "/v1/chat/completions"
_PROMPT_PATH = "/v1/completions"
COUNT_PATH = f"{_CHAT_PATH}/input_tokens"
PATHS = (_CHAT_PATH, _PROMPT_PATH, COUNT_PATH)
"""Addresses at which a host of this kind is asked for anything."""
_ANY_OBJECT_SCHEMAS = (b"{}", b'{"type":"object"}')


class LlamaRequest(Struct, frozen=True, kw_only=True):
    """One request, and how its answer is read."""

    path: str
    body: JsonObject
    new_reader: Callable[[], TextReader] | None = None
    """Makes what finds tool calls in the text of one choice; None where all text is text."""
    calls_once: bool = False
    """Whether calls after the first are left out; llama.cpp does not hold a model to one."""
    held_by: str = ""
    """The parameter whose schema the answer is held to."""

    @property
    def counted_body(self) -> JsonObject:
        """The same prompt without its pictures, whose tokens can be counted without reading them."""
        messages = self.body["messages"]
        if not isinstance(messages, list):
            raise TypeError("a body without messages has no pictures")
        return {**self.body, "messages": [_said_without_pictures(message) for message in messages]}


def request_of(prepared: PreparedCall, able: Capabilities, *, template_tools: bool) -> LlamaRequest:
    """Return what llama.cpp is asked; what neither caller nor card says is left to it.

    Raises:
        ParameterInvalid: a JSON Schema is more than the engine can be given.
        TypeError: the call asks for no text, or names an image that nobody fetched: llama.cpp would fetch it itself.
    """
    asked = prepared.call.input
    if isinstance(asked, PromptInput):
        return LlamaRequest(path=_PROMPT_PATH, body=prompt_body(prepared, LLAMA_CPP))
    if not isinstance(asked, ChatInput):
        raise TypeError(f"llama.cpp makes text, and a call of `{type(asked).__name__}` asks for none")
    if any(isinstance(image, ImagePart) for image in asked.images):
        raise TypeError("llama.cpp is shown images, not their addresses")
    asked = asked_for_task(asked, able.coordinates)
    messages = asked.messages
    if not template_tools:
        messages = without_calls(messages)
    if able.thinking is Thinking.NONE:
        messages = tuple(map(_without_reasoning, messages))
    asked = replace(asked, messages=messages, thinking=_thinking(asked, able))
    if must_call(asked):
        return _held_to_calls(prepared, asked)
    if asked.json is not None:
        return _held_to_json(prepared, replace(asked, tools=()), asked.json)
    if not asked.tools or asked.tool_choice.use is ToolUse.NONE:
        return LlamaRequest(path=_CHAT_PATH, body=_body(prepared, replace(asked, tools=()) if asked.tools else asked))
    # llama.cpp refuses log probabilities in a stream beside tools that its template tells.
    if template_tools and prepared.call.sampling.logprobs is None:
        return LlamaRequest(path=_CHAT_PATH, body=_body(prepared, asked), calls_once=not asked.parallel_tool_calls)
    return _with_told_tools(prepared, asked)


def _thinking(asked: ChatInput, able: Capabilities) -> bool | None:
    """Return the template's switch; a hybrid Qwen would think unless it is told not to."""
    if able.thinking is Thinking.NONE or _is_begun(asked) or must_call(asked):
        return False
    if able.thinking is Thinking.ALWAYS:
        return None
    return able.thinks_by_default if asked.thinking is None else asked.thinking


def _is_begun(asked: ChatInput) -> bool:
    return bool(asked.messages) and asked.messages[-1].is_partial


def _without_reasoning(message: Message) -> Message:
    return replace(message, reasoning="") if message.reasoning else message


def _body(prepared: PreparedCall, asked: ChatInput) -> JsonObject:
    return chat_body(replace(prepared, call=replace(prepared.call, input=asked)), LLAMA_CPP)


def _with_told_tools(prepared: PreparedCall, asked: ChatInput) -> LlamaRequest:
    """Return a chat whose tools are told in its system text, and whose calls are found in the answer's text."""
    body = _body(prepared, replace(asked, messages=with_tools(asked.messages, asked.tools), tools=()))
    if not asked.parallel_tool_calls:
        # The first call ends the answer; what would follow is not asked for.
        body["stop"] = (*prepared.call.sampling.stop, CLOSE)
    names = frozenset(tool.name for tool in asked.tools)
    return LlamaRequest(path=_CHAT_PATH, body=body, new_reader=partial(HermesReader, names))


def _held_to_calls(prepared: PreparedCall, asked: ChatInput) -> LlamaRequest:
    constraint = constraint_of(asked)
    body = _body(prepared, replace(asked, messages=_asking_for_calls(asked, constraint), tools=(), json=None))
    body["response_format"] = _schema_format("tool_calls", constraint.schema)
    # A stop text of the caller's would cut the JSON of a call.
    body.pop("stop", None)
    return LlamaRequest(
        path=_CHAT_PATH, body=body, new_reader=partial(ConstrainedReader, constraint.begun), held_by="tools"
    )


def _asking_for_calls(asked: ChatInput, constraint: Constraint) -> tuple[Message, ...]:
    messages = with_tools(asked.messages, asked.tools)
    if _is_begun(asked):
        messages = (*messages[:-1], replace(messages[-1], is_partial=False))
    return (*messages, Message(role=Role.ASSISTANT, content=constraint.begun, is_partial=True))


def _held_to_json(prepared: PreparedCall, asked: ChatInput, shape: AnyJson | JsonSchema) -> LlamaRequest:
    body = _body(prepared, asked)
    # The grammar knows nothing of what the prompt already said of an answer; `response_format` does.
    if _is_any_object(shape) and not _is_begun(asked):
        body["grammar"] = ANY_JSON_OBJECT
        del body["response_format"]
    elif isinstance(shape, JsonSchema):
        check_schema(shape.schema)
        body["response_format"] = _schema_format(shape.name, shape.schema)
    return LlamaRequest(path=_CHAT_PATH, body=body, held_by="response_format")


def _said_without_pictures(message: JsonObject) -> JsonObject:
    content = message["content"]
    if not isinstance(content, list):
        return message
    return {**message, "content": [part for part in content if part["type"] != "image_url"]}


def _schema_format(name: str, schema: bytes) -> JsonObject:
    return {"type": "json_schema", "json_schema": {"name": name, "schema": Raw(schema)}}


def _is_any_object(shape: AnyJson | JsonSchema) -> bool:
    """Tell whether any object will do, also where a schema says so: llama.cpp's own rule for it has no end."""
    return isinstance(shape, AnyJson) or b"".join(shape.schema.split()) in _ANY_OBJECT_SCHEMAS
