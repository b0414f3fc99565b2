"""Tool calls in text that comes in pieces of any size."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwenport.engines.llama.call_text import CallPiece, ConstrainedReader, HermesReader, Said, TextReader

NAMES = frozenset({"weather", "stop"})
CALL = '{"name": "weather", "arguments": {"city": "x"}}'


def read(reader: TextReader, *pieces: str) -> list[Said]:
    return [said for piece in pieces for said in reader.feed(piece)] + list(reader.finish())


def joined(said: list[Said]) -> list[str | tuple[str, str]]:
    """Return texts and calls whole: what is the same however the answer was cut."""
    whole: list[str | tuple[str, str]] = []
    for each in said:
        last = whole[-1] if whole else ("", "")
        if isinstance(each, str):
            whole[len(whole) - isinstance(last, str) :] = [last + each if isinstance(last, str) else each]
        elif each.name:
            whole.append((each.name, each.arguments))
        else:
            assert isinstance(last, tuple)
            whole[-1] = (last[0], last[1] + each.arguments)
    return whole


def test_the_name_comes_first_and_the_arguments_as_they_come() -> None:
    reader = ConstrainedReader()

    said = [list(reader.feed(piece)) for piece in ('{"na', 'me": "weather", "arguments": ', '{"a', '": 1}', "}")]

    assert said == [
        [],
        [],
        [CallPiece(index=0, name="weather"), CallPiece(index=0, arguments='{"a')],
        [CallPiece(index=0, arguments='": 1}')],
        [],
    ]
    assert (reader.calls, list(reader.finish())) == (1, [])


def test_what_the_prompt_said_of_a_call_belongs_to_it() -> None:
    assert read(ConstrainedReader('{"name": "stop", "arguments": '), "{}}") == [
        CallPiece(index=0, name="stop"),
        CallPiece(index=0, arguments="{}"),
    ]


def test_a_list_of_calls_is_several() -> None:
    text = f'[\n  {CALL},\n  {{"name":"stop","arguments":{{}}}}\n]'

    assert joined(read(ConstrainedReader(), *text)) == [("weather", '{"city": "x"}'), ("stop", "{}")]


def test_a_call_that_is_cut_off_keeps_what_it_has() -> None:
    assert joined(read(ConstrainedReader(), CALL[:-5])) == [("weather", '{"city": ')]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
ARGUMENTS = st.dictionaries(st.text(), JSON, max_size=4)


@given(st.text(min_size=1), ARGUMENTS, st.booleans(), st.lists(st.integers(1, 9), max_size=30))
def test_any_call_is_read_back_however_it_is_cut(
    name: str, arguments: dict[str, object], is_ascii: bool, sizes: list[int]
) -> None:
    said = json.dumps(arguments, ensure_ascii=is_ascii)
    text = f'{{"name": {json.dumps(name)}, "arguments": {said}}}'
    pieces = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]

    assert joined(read(ConstrainedReader(), *pieces, text)) == [(name, said)]


def tagged(call: str) -> str:
    return f"<tool_call>\n{call}\n</tool_call>"


FREE_TEXT: dict[str, tuple[str, list[str | tuple[str, str]]]] = {
    "text alone": ("Hello <b>you</b>", ["Hello <b>you</b>"]),
    "a call alone": (tagged(CALL), [("weather", '{"city": "x"}')]),
    "text before and after": (f"So: {tagged(CALL)}\n\nThere.", ["So: ", ("weather", '{"city": "x"}'), "There."]),
    "two calls": (
        f"{tagged(CALL)}\n{tagged(CALL.replace('x', 'y'))}",
        [("weather", '{"city": "x"}'), ("weather", '{"city": "y"}')],
    ),
    "no closing tag": (f"<tool_call>\n{CALL}", [("weather", '{"city": "x"}')]),
    "something behind the arguments": (
        f"<tool_call>{CALL[:-1]}, oops}}</tool_call>.",
        [("weather", '{"city": "x"}'), "."],
    ),
    "the name last": (
        tagged('{"arguments": {"a": 1}, "name": "stop"}'),
        [("stop", '{"a": 1}')],
    ),
    "the name last and no closing tag": ('<tool_call>{"arguments": {}, "name": "stop"}', [("stop", "{}")]),
    "no arguments at all": (tagged('{"name": "stop"}'), [("stop", "{}")]),
    "arguments that are cut off": ('<tool_call>{"name": "stop", "arguments": {"a', [("stop", '{"a')]),
    "the tag in the arguments": (
        tagged('{"name": "stop", "arguments": {"a": "</tool_call> \\" }"}}'),
        [("stop", '{"a": "</tool_call> \\" }"}')],
    ),
    "half a tag at the end": ("so <tool_ca", ["so <tool_ca"]),
    "a tag and no more": ("<tool_call>", ["<tool_call>"]),
    "another tag": ("<tool_cat> <tool_call", ["<tool_cat> <tool_call"]),
    "no JSON": ("<tool_call>weather</tool_call>!", ["<tool_call>weather</tool_call>!"]),
    "JSON that is no call": (tagged('{"a": 1}') + "!", [tagged('{"a": 1}') + "!"]),
    "a tool that was not offered": (
        tagged('{"name": "rm", "arguments": {}}'),
        [tagged('{"name": "rm", "arguments": {}}')],
    ),
    "arguments that are no object": (
        tagged('{"name": "stop", "arguments": 1}'),
        [tagged('{"name": "stop", "arguments": 1}')],
    ),
    "a head without end": ('<tool_call>{"name": "' + "x" * 2000, ['<tool_call>{"name": "' + "x" * 2000]),
}


@pytest.mark.parametrize(("text", "said"), FREE_TEXT.values(), ids=FREE_TEXT)
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_calls_are_found_in_free_text(text: str, said: list[str | tuple[str, str]], size: int) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    reader = HermesReader(NAMES)

    assert joined(read(reader, *pieces)) == said
    assert reader.calls == sum(isinstance(each, tuple) for each in said)


def test_only_what_may_be_a_tag_is_held_back() -> None:
    reader = HermesReader(NAMES)

    said = [list(reader.feed(piece)) for piece in ("a <", "b <too", "l <tool_call", "x", "")]

    assert said == [["a "], ["<b "], ["<tool "], ["<tool_callx"], []]


def test_a_named_call_is_told_before_its_arguments_are_whole() -> None:
    reader = HermesReader(NAMES)

    said = [list(reader.feed(piece)) for piece in ('<tool_call>{"name": "stop", "arguments": {', '"a"', ": 1}")]

    assert said == [
        [CallPiece(index=0, name="stop"), CallPiece(index=0, arguments="{")],
        [CallPiece(index=0, arguments='"a"')],
        [CallPiece(index=0, arguments=": 1}")],
    ]


@given(st.text(alphabet='<>tool_cal/ {}"name:,rgumets1\\\n'), st.lists(st.integers(1, 9), max_size=20))
def test_free_text_reads_the_same_however_it_is_cut(text: str, sizes: list[int]) -> None:
    pieces, rest = [], text
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]

    assert joined(read(HermesReader(NAMES), *pieces, rest)) == joined(read(HermesReader(NAMES), text))
