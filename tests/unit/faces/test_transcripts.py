"""What every transcript keeps, whatever the text and however an engine cuts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.usage import Usage
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.face import Exchange, Request
from qwenport.faces.openai.decode import decode_chat_completion

MakeRequest = Callable[..., Request]
Encode = Callable[[Exchange, Iterable[Event]], bytes]
CHOICES = 2

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
DELTAS = st.lists(st.tuples(TEXTS, st.integers(0, CHOICES - 1), st.integers(0, 5)))
RUNS = st.tuples(DELTAS, st.integers(0, 50), st.integers(0, 50))


def events_of(run: tuple[list[tuple[str, int, int]], int, int]) -> list[Event]:
    """Return a run of two choices, whose last events come in the order 1, 0."""
    pieces, prompt, cached = run
    output = sum(tokens for _, _, tokens in pieces) + CHOICES
    return [
        Started(served_by="scripted/model", input_tokens=prompt, cached_tokens=cached),
        *(Delta(text=text, choice=choice, tokens=tokens) for text, choice, tokens in pieces),
        ChoiceFinished(reason=FinishReason.LENGTH, choice=1, tokens=1),
        ChoiceFinished(reason=FinishReason.STOP, choice=0, tokens=1),
        Finished(usage=Usage(input_tokens=prompt, output_tokens=output, cached_tokens=cached)),
    ]


def said(events: Iterable[Event]) -> dict[int, str]:
    texts = dict.fromkeys(range(CHOICES), "")
    for event in events:
        if isinstance(event, Delta):
            texts[event.choice] += event.text
    return texts


def tokens_of(events: Iterable[Event]) -> dict[int, int]:
    counts = dict.fromkeys(range(CHOICES), 0)
    for event in events:
        if isinstance(event, Delta | ChoiceFinished):
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
def test_openai_deltas_join_to_the_whole_text(make_request: MakeRequest, encode: Encode, run: Any) -> None:
    events = events_of(run)
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n": CHOICES}
    whole = json.loads(encode(decode_chat_completion(make_request(body), {}), events))
    stream = body | {"stream": True, "stream_options": {"include_usage": True}}
    chunks = lines_of(encode(decode_chat_completion(make_request(stream), {}), events))

    joined = dict.fromkeys(range(CHOICES), "")
    for chunk in chunks:
        for choice in chunk["choices"]:
            joined[choice["index"]] += choice["delta"]["content"]
    assert joined == {choice["index"]: choice["message"]["content"] for choice in whole["choices"]} == said(events)
    assert chunks[-1]["usage"] == whole["usage"]
    assert whole["usage"]["completion_tokens"] == sum(tokens_of(events).values())


@pytest.mark.parametrize("multimodal", [False, True])
@given(run=RUNS)
def test_native_deltas_join_to_the_cumulative_end_and_to_the_whole_text(
    make_request: MakeRequest, encode: Encode, multimodal: bool, run: Any
) -> None:
    events = events_of(run)
    decode = decode_multimodal_generation if multimodal else decode_text_generation

    def choices_of(answer: dict[str, Any]) -> list[tuple[int, str]]:
        contents = [(choice["index"], choice["message"]["content"]) for choice in answer["output"]["choices"]]
        return [(index, content[0]["text"] if multimodal else content) for index, content in contents]

    def ask(headers: dict[str, str], **parameters: Any) -> bytes:
        body = {"model": "m", "input": {"prompt": "Hi"}, "parameters": {"n": CHOICES, **parameters}}
        return encode(decode(make_request(body, headers=headers), {}), events)

    whole = json.loads(ask({}))
    sse = {"x-dashscope-sse": "enable"}
    cumulative = lines_of(ask(sse))
    deltas = lines_of(ask(sse, incremental_output=True))

    joined = dict.fromkeys(range(CHOICES), "")
    for frame in deltas:
        for index, text in choices_of(frame):
            joined[index] += text
    ends = dict(choice for frame in cumulative for choice in choices_of(frame))
    assert joined == ends == dict(choices_of(whole)) == said(events)
    assert [frame["usage"] for frame in deltas] == [frame["usage"] for frame in cumulative]
    own = {choices_of(frame)[0][0]: frame["usage"]["output_tokens"] for frame in deltas}
    assert own == tokens_of(events)
    assert whole["usage"]["output_tokens"] == sum(own.values())
    assert all(
        usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        for usage in (answer["usage"] for answer in (*deltas, whole))
    )
