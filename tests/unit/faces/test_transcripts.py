"""What every transcript keeps, whatever is said and however an engine cuts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qwenport.core.events import (
    ChoiceFinished,
    Delta,
    Event,
    Finished,
    FinishReason,
    Reasoning,
    Started,
    TokenLogprob,
    ToolCallDelta,
)
from qwenport.core.usage import Usage
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.face import Exchange, Request
from qwenport.faces.openai.decode import decode_chat_completion

MakeRequest = Callable[..., Request]
Encode = Callable[[Exchange, Iterable[Event]], bytes]
Piece = Delta | Reasoning | ToolCallDelta
Run = tuple[list[Piece], int, int]
CHOICES = 2
CALLS = 2
END_OF_SECOND = ChoiceFinished(reason=FinishReason.LENGTH, choice=1, tokens=1)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
WHICH = st.integers(0, CHOICES - 1)
TOKENS = st.integers(0, 5)
LOGPROBS = st.lists(st.builds(TokenLogprob, token=TEXTS, logprob=st.floats(-9, 0)), max_size=2).map(tuple)
DELTAS = st.builds(Delta, text=TEXTS, choice=WHICH, tokens=TOKENS, logprobs=LOGPROBS)
THOUGHTS = st.builds(Reasoning, text=TEXTS, choice=WHICH, tokens=TOKENS)
CALL_PIECES = st.builds(ToolCallDelta, index=st.integers(0, CALLS - 1), arguments=TEXTS, choice=WHICH, tokens=TOKENS)


def named(pieces: list[Piece]) -> list[Piece]:
    """Name each tool call in its first piece."""
    seen = set[tuple[int, int]]()
    result: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, ToolCallDelta) and (piece.choice, piece.index) not in seen:
            seen.add((piece.choice, piece.index))
            result.append(
                ToolCallDelta(
                    index=piece.index,
                    id=f"call_{piece.choice}{piece.index}",
                    name=f"tool_{piece.index}",
                    arguments=piece.arguments,
                    choice=piece.choice,
                    tokens=piece.tokens,
                )
            )
        else:
            result.append(piece)
    return result


RUNS = st.tuples(st.lists(DELTAS | THOUGHTS | CALL_PIECES).map(named), st.integers(0, 50), st.integers(0, 50))


def events_of(run: Run) -> list[Event]:
    """Return a run of two choices, whose last events come in the order 1, 0."""
    pieces, prompt, cached = run
    output = sum(piece.tokens for piece in pieces) + CHOICES
    thought = sum(piece.tokens for piece in pieces if isinstance(piece, Reasoning))
    usage = Usage(input_tokens=prompt, output_tokens=output, cached_tokens=cached, reasoning_tokens=thought)
    return [
        Started(served_by="scripted/model", input_tokens=prompt, cached_tokens=cached),
        *pieces,
        END_OF_SECOND,
        ChoiceFinished(reason=FinishReason.STOP, choice=0, tokens=1),
        Finished(usage=usage),
    ]


def alone(run: Run) -> list[Event]:
    """Return a run of one choice, of whose tokens nobody asks how likely they were."""
    pieces, prompt, cached = run
    of_first = [piece for piece in pieces if piece.choice == 0]
    plain = [replace(piece, logprobs=()) if isinstance(piece, Delta) else piece for piece in of_first]
    return [event for event in events_of((plain, prompt, cached)) if event != END_OF_SECOND]


def nothing_said() -> dict[str, Any]:
    return {"text": "", "reasoning": "", "calls": {}, "logprobs": []}


def said(events: Iterable[Event]) -> dict[int, dict[str, Any]]:
    """Return what each choice says in all."""
    choices: dict[int, dict[str, Any]] = {choice: nothing_said() for choice in range(CHOICES)}
    for event in events:
        match event:
            case Delta():
                choices[event.choice]["text"] += event.text
                choices[event.choice]["logprobs"] += [token.logprob for token in event.logprobs]
            case Reasoning():
                choices[event.choice]["reasoning"] += event.text
            case ToolCallDelta():
                call = choices[event.choice]["calls"].setdefault(event.index, ["", "", ""])
                choices[event.choice]["calls"][event.index] = [
                    old + new for old, new in zip(call, (event.id, event.name, event.arguments), strict=True)
                ]
            case _:
                pass
    return choices


def message_of(message: dict[str, Any], logprobs: dict[str, Any] | None) -> dict[str, Any]:
    """Return what a message of either protocol says, in the shape of `said`."""
    content = message.get("content") or ""
    return {
        "text": content if isinstance(content, str) else "".join(part["text"] for part in content),
        "reasoning": message.get("reasoning_content") or "",
        "calls": {
            call["index"]: [call["id"], call["function"].get("name", ""), call["function"]["arguments"]]
            for call in message.get("tool_calls") or ()
        },
        "logprobs": [token["logprob"] for token in (logprobs or {}).get("content") or ()],
    }


def join(pieces: Iterable[tuple[int, dict[str, Any]]]) -> dict[int, dict[str, Any]]:
    """Add up what pieces of choices say, as clients do."""
    choices: dict[int, dict[str, Any]] = {choice: nothing_said() for choice in range(CHOICES)}
    for index, piece in pieces:
        choice = choices[index]
        for part in ("text", "reasoning", "logprobs"):
            choice[part] += piece[part]
        for call, strings in piece["calls"].items():
            old = choice["calls"].get(call, ["", "", ""])
            choice["calls"][call] = [before + more for before, more in zip(old, strings, strict=True)]
    return choices


def tokens_of(events: Iterable[Event]) -> dict[int, int]:
    counts = dict.fromkeys(range(CHOICES), 0)
    for event in events:
        if isinstance(event, Piece | ChoiceFinished):
            counts[event.choice] += event.tokens
    return counts


def lines_of(transcript: bytes) -> list[dict[str, Any]]:
    """Return what the data lines hold, having checked the frames' outline."""
    frames = transcript.decode().split("\n\n")
    assert frames.pop() == ""
    lines = [frame.split("\n")[-1] for frame in frames]
    assert all(line.startswith("data:") for line in lines)
    return [json.loads(line.removeprefix("data:")) for line in lines if line != "data: [DONE]"]


@given(run=RUNS)
def test_openai_deltas_join_to_the_whole_answer(make_request: MakeRequest, encode: Encode, run: Run) -> None:
    events = events_of(run)
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n": CHOICES, "logprobs": True}
    whole = json.loads(encode(decode_chat_completion(make_request(body), {}), events))
    stream = body | {"stream": True, "stream_options": {"include_usage": True}}
    chunks = lines_of(encode(decode_chat_completion(make_request(stream), {}), events))

    joined = join(
        (choice["index"], message_of(choice["delta"], choice["logprobs"]))
        for chunk in chunks
        for choice in chunk["choices"]
    )
    ends = {choice["index"]: message_of(choice["message"], choice["logprobs"]) for choice in whole["choices"]}
    assert joined == ends == said(events)
    assert chunks[-1]["usage"] == whole["usage"]
    assert whole["usage"]["completion_tokens"] == sum(tokens_of(events).values())


def native_choices(answer: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    return [
        (choice.get("index", 0), message_of(choice["message"], choice.get("logprobs")))
        for choice in answer["output"]["choices"]
    ]


@pytest.mark.parametrize("multimodal", [False, True])
@pytest.mark.parametrize(
    ("script", "parameters"),
    [(events_of, {"n": CHOICES, "logprobs": True}), (alone, {"result_format": "message"})],
    ids=["two choices", "one choice"],
)
@given(run=RUNS)
def test_native_deltas_join_to_the_cumulative_end_and_to_the_whole_answer(  # noqa: PLR0917 - two tables and fixtures
    make_request: MakeRequest,
    encode: Encode,
    multimodal: bool,
    script: Callable[[Run], list[Event]],
    parameters: dict[str, Any],
    run: Run,
) -> None:
    events = script(run)
    decode = decode_multimodal_generation if multimodal else decode_text_generation

    def ask(headers: dict[str, str], **more: Any) -> bytes:
        body = {"model": "m", "input": {"prompt": "Hi"}, "parameters": parameters | more}
        return encode(decode(make_request(body, headers=headers), {}), events)

    consumed = next(event for event in events if isinstance(event, Finished))
    whole = json.loads(ask({}))
    sse = {"x-dashscope-sse": "enable"}
    cumulative = lines_of(ask(sse))
    deltas = lines_of(ask(sse, incremental_output=True))

    joined = join(piece for frame in deltas for piece in native_choices(frame))
    ends = dict(choice for frame in cumulative for choice in native_choices(frame))
    present = set(ends)
    everything = {choice: what for choice, what in said(events).items() if choice in present}
    assert {choice: what for choice, what in joined.items() if choice in present} == ends == everything
    assert dict(native_choices(whole)) == ends
    assert [frame["usage"] for frame in deltas] == [frame["usage"] for frame in cumulative]
    own = {native_choices(frame)[0][0]: frame["usage"]["output_tokens"] for frame in deltas}
    assert own == {choice: tokens for choice, tokens in tokens_of(events).items() if choice in present}
    assert whole["usage"]["output_tokens"] == consumed.usage.output_tokens
    assert all(
        usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        for usage in (answer["usage"] for answer in (*deltas, whole))
    )
