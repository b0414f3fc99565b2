"""What the wire layer's measurements measure: real requests of every face, and answers that hold every chunk."""

from __future__ import annotations

from typing import cast

import pytest
from bench.wire_cases import Form, Kind, case_of, events_of, has
from bench.wire_cost import STREAMED_CHUNKS, WHOLE_CHUNKS, measure

from qwenport.catalog.catalog import Catalog
from qwenport.faces.face import StreamedAnswer, WholeAnswer

CASES = [(form, kind) for form in Form for kind in Kind if has(form, kind)]
CARDS = Catalog.load(None).cards
WORDS = [f" word{number:04}".encode() for number in range(1, 5)]
SAID = {
    (Form.OPENAI, Kind.REASONING): b'"reasoning_content":" word0004"',
    (Form.OPENAI, Kind.TOOL_CALL): b'"arguments":" word0004"',
    (Form.OPENAI, Kind.LOGPROBS): b'"top_logprobs":[{"token":" word0004"',
    (Form.DASHSCOPE_INCREMENTAL, Kind.REASONING): b'"reasoning_content":" word0004"',
    (Form.DASHSCOPE_INCREMENTAL, Kind.TOOL_CALL): b'"arguments":" word0004"',
    (Form.DASHSCOPE_INCREMENTAL, Kind.LOGPROBS): b'"top_logprobs":[{"token":" word0004"',
    (Form.DASHSCOPE_CUMULATIVE, Kind.REASONING): b'"reasoning_content":" word0000 word0001 word0002 word0003 word0004"',
    (Form.DASHSCOPE_CUMULATIVE, Kind.TOOL_CALL): b'"arguments":" word0001 word0002 word0003 word0004"',
    (Form.DASHSCOPE_CUMULATIVE, Kind.LOGPROBS): b'"top_logprobs":[{"token":" word0004"',
    (Form.DASHSCOPE_CUMULATIVE, Kind.TEXT): b'"content":" word0000 word0001 word0002 word0003 word0004"',
    (Form.ANTHROPIC, Kind.REASONING): b'"thinking":" word0004"',
    (Form.ANTHROPIC, Kind.TOOL_CALL): b'"partial_json":" word0004"',
}


@pytest.mark.parametrize(("form", "kind"), CASES)
def test_every_chunk_of_a_stream_is_encoded_as_what_it_is(form: Form, kind: Kind) -> None:
    exchange = case_of(form, kind, streams=True).decode(CARDS)
    answer = cast("StreamedAnswer", exchange.answer)

    frames = [answer.frame(event) for event in events_of(kind, 5)]

    assert exchange.call.streams
    assert [sum(word in frame for frame in frames) > 0 for word in WORDS] == [True] * len(WORDS)
    assert SAID.get((form, kind), b" word0004") in b"".join(frames)


@pytest.mark.parametrize("form", list(Form))
def test_a_whole_answer_holds_every_chunk(form: Form) -> None:
    exchange = case_of(form, Kind.TEXT, streams=False).decode(CARDS)
    answer = cast("WholeAnswer", exchange.answer)

    for event in events_of(Kind.TEXT, 3):
        answer.add(event)

    assert not exchange.call.streams
    assert b" word0000 word0001 word0002" in answer.reply().body


@pytest.mark.anyio
async def test_every_face_is_measured_in_everything_that_it_can_say() -> None:
    cost = await measure(1)

    assert [(form.form, kind) for form in cost.forms for kind in form.chunks] == CASES
    assert (cost.rounds, cost.whole_chunks, cost.streamed_chunks) == (1, WHOLE_CHUNKS, STREAMED_CHUNKS)
