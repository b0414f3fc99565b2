"""What an upstream reads is masked, and what the caller reads is whole, wherever the answer is cut into pieces."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from qwenport.core.call import (
    Call,
    ChatInput,
    EmbeddingInput,
    Input,
    JsonSchema,
    NativeInput,
    PromptInput,
    RerankInput,
    Sampling,
)
from qwenport.core.content import Message, Role, TextPart
from qwenport.core.errors import EngineFailed, ParameterInvalid
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Reasoning, Started, ToolCallDelta
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.tools import Tool, ToolCall
from qwenport.core.usage import Usage
from qwenport.engines.masking.masked_call import characters_in, masked_call
from qwenport.engines.masking.masked_engine import MaskedEngine
from qwenport.testing.calls import call_of, chat_call
from qwenport.testing.scripted_engine import ScriptedEngine, Step

pytestmark = pytest.mark.anyio

PHONE = "13800138000"
IDENTITY = "11010519491231002X"
STARTED = Started(served_by="up/model", input_tokens=3)
STOPPED = ChoiceFinished(reason=FinishReason.STOP)
FINISHED = Finished(usage=Usage(input_tokens=3, output_tokens=3))


def prepared(call: Call) -> PreparedCall:
    return PreparedCall(call=call, max_input_tokens=1000)


async def collect(engine: ScriptedEngine, events: list[Event], text: str) -> None:
    """Put what the caller sees into `events`, up to an error."""
    async with aclosing(MaskedEngine(engine).run(prepared(chat_call(text)))) as run:
        async for event in run:
            events.append(event)  # noqa: PERF401 - what came before an error counts


async def answered(steps: list[Step], text: str = f"Ring {PHONE}") -> tuple[ScriptedEngine, list[Event]]:
    engine = ScriptedEngine(lambda _: steps)
    events: list[Event] = []
    await collect(engine, events, text)
    return engine, events


def test_every_text_of_a_conversation_is_masked_and_equal_values_alike() -> None:
    call = chat_call(
        messages=(
            Message(role=Role.SYSTEM, content=f"The customer has {PHONE}."),
            Message(role=Role.USER, content=(TextPart(text=f"I am {IDENTITY}"),)),
            Message(
                role=Role.ASSISTANT,
                reasoning=f"{PHONE}?",
                tool_calls=(ToolCall(id="c", name="ring", arguments=f'{{"phone":{PHONE},"mail":"\\u0061@b.cn"}}'),),
            ),
            Message(role=Role.TOOL, content=f"no answer at {PHONE}", tool_call_id="c"),
        ),
        tools=(Tool(name="ring", description=f"not {PHONE}", parameters=b'{"default":"%b"}' % PHONE.encode()),),
        json=JsonSchema(name="s", schema=b'{"const":"%b"}' % PHONE.encode()),
        sampling=Sampling(stop=(PHONE,)),
    )

    masked, memory = masked_call(prepared(call))

    chat = masked.call.input
    assert isinstance(chat, ChatInput)
    assert [message.text for message in chat.messages] == [
        "The customer has [PHONE_1].",
        "I am [ID_1]",
        "",
        "no answer at [PHONE_1]",
    ]
    assert chat.messages[2].reasoning == "[PHONE_1]?"
    assert msgspec.json.decode(chat.messages[2].tool_calls[0].arguments) == {"phone": "[PHONE_1]", "mail": "[EMAIL_1]"}
    assert (chat.tools[0].description, chat.tools[0].parameters) == ("not [PHONE_1]", b'{"default":"[PHONE_1]"}')
    assert isinstance(chat.json, JsonSchema)
    assert chat.json.schema == b'{"const":"[PHONE_1]"}'
    assert masked.call.sampling.stop == ("[PHONE_1]",)
    assert memory.unmask("[ID_1] [PHONE_1] [PHONE_9]") == f"{IDENTITY} {PHONE} [PHONE_9]"


@pytest.mark.parametrize(
    ("asked", "masked"),
    [
        (PromptInput(prompt=PHONE, suffix=PHONE), PromptInput(prompt="[PHONE_1]", suffix="[PHONE_1]")),
        (
            EmbeddingInput(texts=(PHONE, "a"), instruct=PHONE),
            EmbeddingInput(texts=("[PHONE_1]", "a"), instruct="[PHONE_1]"),
        ),
        (
            RerankInput(query=PHONE, documents=(IDENTITY,)),
            RerankInput(query="[PHONE_1]", documents=("[ID_1]",)),
        ),
        (
            NativeInput(service="a/b/c", body=f'{{"input":{{"text":"{PHONE}"}}}}'.encode()),
            NativeInput(service="a/b/c", body=b'{"input":{"text":"[PHONE_1]"}}'),
        ),
    ],
)
def test_other_work_is_masked_too(asked: Input, masked: object) -> None:
    assert masked_call(prepared(call_of(asked)))[0].call.input == masked


def test_a_call_without_personal_data_stays_the_very_same() -> None:
    call = prepared(chat_call("Hi, order 12345"))

    assert masked_call(call)[0] is call


def test_a_placeholder_that_the_caller_wrote_is_not_given_out_again() -> None:
    masked, memory = masked_call(prepared(chat_call(f"[PHONE_1] is no {PHONE}")))

    assert isinstance(masked.call.input, ChatInput)
    assert masked.call.input.messages[0].text == "[PHONE_1] is no [PHONE_2]"
    assert memory.unmask("[PHONE_1] [PHONE_2]") == f"[PHONE_1] {PHONE}"


@pytest.mark.parametrize("depth", [65, 480, 100_000])
def test_what_is_nested_too_deep_to_be_looked_through_is_refused_and_what_is_not_is_masked(depth: int) -> None:
    def nested(levels: int) -> Call:
        arguments = '{"a":' * levels + f'"{PHONE}"' + "}" * levels
        made = ToolCall(id="c", name="ring", arguments=arguments)
        return chat_call(messages=(Message(role=Role.ASSISTANT, tool_calls=(made,)),))

    with pytest.raises(ParameterInvalid, match="nested more than 64 deep"):
        masked_call(prepared(nested(depth)))
    masked, _ = masked_call(prepared(nested(64)))

    assert isinstance(masked.call.input, ChatInput)
    assert '"[PHONE_1]"' in masked.call.input.messages[0].tool_calls[0].arguments


async def test_a_placeholder_in_pieces_is_put_back_and_every_token_counts_when_it_came() -> None:
    engine, events = await answered(
        [STARTED, Delta(text="At [PH"), Delta(text="ONE_"), Delta(text="1] now ["), STOPPED, FINISHED]
    )

    assert isinstance(engine.calls[0].call.input, ChatInput)
    assert engine.calls[0].call.input.messages[0].text == "Ring [PHONE_1]"
    assert events == [
        STARTED,
        Delta(text="At "),
        Delta(text=""),
        Delta(text=f"{PHONE} now "),
        Delta(text="[", tokens=0),
        STOPPED,
        FINISHED,
    ]


async def test_reasoning_and_arguments_are_put_back_each_for_itself() -> None:
    _, events = await answered(
        [
            STARTED,
            Reasoning(text="ring [PHONE"),
            Reasoning(text="_1]"),
            ToolCallDelta(index=0, id="c", name="ring", arguments='{"a":"[PHONE_'),
            ToolCallDelta(index=0, arguments='1]"}'),
            STOPPED,
            FINISHED,
        ]
    )

    assert "".join(event.text for event in events if isinstance(event, Reasoning)) == f"ring {PHONE}"
    made = [event for event in events if isinstance(event, ToolCallDelta)]
    assert "".join(event.arguments for event in made) == f'{{"a":"{PHONE}"}}'
    assert (made[0].id, made[0].name) == ("c", "ring")


async def test_what_is_held_back_when_the_engine_breaks_off_is_said_before_the_error() -> None:
    engine = ScriptedEngine(lambda _: [STARTED, Delta(text="a [PHONE"), EngineFailed("gone")])
    events: list[Event] = []
    with pytest.raises(EngineFailed):
        await collect(engine, events, PHONE)

    assert events == [STARTED, Delta(text="a "), Delta(text="[PHONE", tokens=0)]
    assert engine.open_runs == 0


@pytest.mark.parametrize(("length", "goes_on"), [(1 << 20, True), (1000, False)], ids=["long", "short"])
async def test_a_long_call_is_masked_while_the_loop_goes_on_and_a_short_one_at_once(
    length: int, *, goes_on: bool
) -> None:
    went_on = asyncio.Event()
    seen: list[bool] = []

    async def go_on() -> None:
        went_on.set()

    def script(_: PreparedCall) -> list[Step]:
        seen.append(went_on.is_set())
        return [STARTED, STOPPED, FINISHED]

    other = asyncio.create_task(go_on())
    engine = ScriptedEngine(script)
    await collect(engine, [], f"Ring {PHONE}, " + "and nobody else. " * (length // 17))
    await other

    assert seen == [goes_on]
    assert isinstance(engine.calls[0].call.input, ChatInput)
    assert engine.calls[0].call.input.messages[0].text.startswith("Ring [PHONE_1], and")


TOOL = Tool(name="t", description="d" * 3, parameters=b"p" * 4)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (
            ChatInput(
                messages=(
                    Message(role=Role.USER, content=(TextPart(text="ab"), TextPart(text="c"))),
                    Message(
                        role=Role.ASSISTANT,
                        reasoning="ab",
                        tool_calls=(ToolCall(id="1", name="t", arguments="abcde"),),
                    ),
                ),
                tools=(TOOL,),
            ),
            17,
        ),
        (PromptInput(prompt="ab", suffix="c"), 3),
        (NativeInput(service="a/b/c", body=b"{}"), 2),
        (EmbeddingInput(texts=("ab", "c")), 3),
        (RerankInput(query="ab", documents=("c", "d")), 4),
    ],
)
def test_how_much_there_is_to_look_through(asked: Input, count: int) -> None:
    assert characters_in(asked) == count
