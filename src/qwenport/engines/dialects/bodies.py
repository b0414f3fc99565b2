"""From a prepared call to the JSON body that a server of some dialect understands."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Raw

from qwenport.core.call import AnyJson, ChatInput, JsonSchema, PromptInput, Sampling
from qwenport.core.content import ImagePart
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolChoice, ToolUse
from qwenport.engines.dialects.dialect import BudgetPlace, Dialect
from qwenport.engines.dialects.messages import said_messages

JsonObject = dict[str, object]
"""A JSON object that is about to be encoded by msgspec; a schema of the caller's stands in it as `Raw`."""

Field = tuple[str, object]


def chat_body(prepared: PreparedCall, dialect: Dialect, model: str = "", *, streams: bool = True) -> JsonObject:
    """Return the body of `chat/completions`; what neither caller nor card says is left to the server.

    A built-in task was made a prompt before (`asked_for_task`).

    `streams` says whether the answer comes in pieces, which is not for the caller of the house alone to decide.

    Raises:
        TypeError: the call is no chat.
    """
    asked = prepared.call.input
    if not isinstance(asked, ChatInput):
        raise TypeError(f"a call of `{type(asked).__name__}` has no chat body")
    sampling = prepared.call.sampling
    body: JsonObject = {"model": model} if model else {}
    body["messages"] = said_messages(asked.messages, dialect)
    body.update(dialect.constants)
    if streams:
        body.update(dialect.streaming)
    body.update(sampling_fields(sampling, dialect))
    body.update(bound_fields(sampling, asked, dialect))
    body.update(logprob_fields(sampling, dialect))
    body.update(_thinking(asked, dialect))
    body.update(_shape(asked, dialect))
    return body


def prompt_body(prepared: PreparedCall, dialect: Dialect, model: str = "", *, streams: bool = True) -> JsonObject:
    """Return the body of `completions`; a suffix is told by the tokens of Qwen's coder models.

    Raises:
        TypeError: the call is no completion.
    """
    asked = prepared.call.input
    if not isinstance(asked, PromptInput):
        raise TypeError(f"a call of `{type(asked).__name__}` has no completions body")
    sampling = prepared.call.sampling
    body: JsonObject = {"model": model} if model else {}
    body["prompt"] = asked.prompt if not asked.suffix else fill_in_the_middle(asked.prompt, asked.suffix)
    body.update(dialect.constants)
    if streams:
        body.update(dialect.streaming)
    body.update(sampling_fields(sampling, dialect))
    bound = _smaller(sampling.max_tokens, sampling.max_completion_tokens)
    if bound is not None:
        body["max_tokens"] = bound
    if sampling.logprobs is not None:
        body["logprobs"] = max(sampling.logprobs, dialect.least_top_logprobs)
    return body


def call_headers(prepared: PreparedCall, dialect: Dialect) -> dict[str, str]:
    """Return the headers that a call needs beside those of its connection."""
    headers = dict(prepared.trace)
    if dialect.request_id_header:
        headers[dialect.request_id_header] = prepared.call.id
    asked = prepared.call.input
    if dialect.sees_pixels and isinstance(asked, ChatInput) and any(map(_is_stored, asked.images)):
        headers["X-DashScope-OssResourceResolve"] = "enable"
    return headers


def fill_in_the_middle(before: str, after: str) -> str:
    """Return a prompt whose answer goes between two texts (Qwen2.5-Coder's README, "Fill in the middle")."""
    return f"<|fim_prefix|>{before}<|fim_suffix|>{after}<|fim_middle|>"


def said_tool(tool: Tool) -> JsonObject:
    """Return a tool as every dialect, and Qwen's chat template, says it."""
    function: JsonObject = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters:
        function["parameters"] = Raw(tool.parameters)
    return {"type": "function", "function": function}


def response_format(shape: AnyJson | JsonSchema) -> JsonObject:
    """Return what holds an answer to JSON."""
    if isinstance(shape, AnyJson):
        return {"type": "json_object"}
    described: JsonObject = {"name": shape.name, "schema": Raw(shape.schema)}
    if shape.strict:
        described["strict"] = True
    return {"type": "json_schema", "json_schema": described}


def _is_stored(image: object) -> bool:
    return isinstance(image, ImagePart) and image.url.startswith("oss://")


def sampling_fields(sampling: Sampling, dialect: Dialect) -> Iterator[Field]:
    """Give the fields by which tokens are chosen."""
    seed = sampling.seed
    named = (
        ("temperature", sampling.temperature),
        ("top_p", sampling.top_p),
        ("top_k" if dialect.knows_top_k else "", dialect.top_k_off if sampling.top_k == 0 else sampling.top_k),
        (dialect.repetition_penalty, sampling.repetition_penalty),
        ("presence_penalty", sampling.presence_penalty),
        ("seed", seed if seed is None or dialect.random_seed is None else seed % dialect.random_seed),
    )
    yield from ((name, value) for name, value in named if name and value is not None)
    if sampling.stop:
        yield "stop", sampling.stop
    if sampling.choices != 1:
        yield "n", sampling.choices


def _shape(asked: ChatInput, dialect: Dialect) -> Iterator[Field]:
    if asked.tools:
        yield from _tools(asked)
    if asked.json is not None:
        yield "response_format", response_format(asked.json)
    if asked.high_resolution and dialect.sees_pixels:
        yield "vl_high_resolution_images", True
    if asked.messages and asked.messages[-1].is_partial:
        yield from dialect.continues.items()


def bound_fields(sampling: Sampling, asked: ChatInput, dialect: Dialect) -> Iterator[Field]:
    """Give the bounds on the answer."""
    answer, whole = sampling.max_tokens, sampling.max_completion_tokens
    if dialect.bounds_answer_alone:
        if answer is not None:
            yield "max_tokens", answer
        if whole is not None:
            yield "max_completion_tokens", whole
        return
    bound = _one_bound(answer, whole, asked)
    if bound is not None:
        yield dialect.bound_field, bound


def _one_bound(answer: int | None, whole: int | None, asked: ChatInput) -> int | None:
    """Return the bound on reasoning and answer together, where a server knows no other."""
    if not asked.thinking:
        return _smaller(answer, whole)
    if whole is not None or answer is None:
        return whole
    return answer + (asked.thinking_budget or 0)


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def logprob_fields(sampling: Sampling, dialect: Dialect) -> Iterator[Field]:
    """Give the fields of a chat that ask for log probabilities."""
    if sampling.logprobs is not None:
        yield "logprobs", True
        yield "top_logprobs", max(sampling.logprobs, dialect.least_top_logprobs)


def _thinking(asked: ChatInput, dialect: Dialect) -> Iterator[Field]:
    if not dialect.switches_thinking:
        return
    if asked.thinking is not None:
        switch = {"enable_thinking": asked.thinking}
        yield ("chat_template_kwargs", switch) if dialect.thinks_in_template else ("enable_thinking", asked.thinking)
    if asked.thinking_budget is None or asked.thinking is False:
        return
    match dialect.budget_place:
        case BudgetPlace.BODY:
            yield dialect.budget_field, asked.thinking_budget
        case BudgetPlace.CUSTOM:
            yield "custom_params", {dialect.budget_field: asked.thinking_budget}


def _tools(asked: ChatInput) -> Iterator[Field]:
    yield "tools", [said_tool(tool) for tool in asked.tools]
    yield "tool_choice", _tool_choice(asked.tool_choice)
    # Always said: it is off by default at Model Studio and on at the others.
    yield "parallel_tool_calls", asked.parallel_tool_calls


def _tool_choice(choice: ToolChoice) -> object:
    if choice.use is ToolUse.NAMED:
        return {"type": "function", "function": {"name": choice.name}}
    return choice.use.value
