"""The official `openai` client for Node.js, in processes of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwenport.core.events import ChoiceFinished, Delta, Finished, FinishReason, Started, TokenLogprob, TopToken
from qwenport.core.usage import Usage
from qwenport.testing.scripts import CALLED, THOUGHT, TWICE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted
    from tests.conftest import Server

Node = Callable[..., Any]
HELLO: list[Any] = [{"role": "user", "content": "Say hello."}]
ASK: dict[str, Any] = {"model": "qwen-plus", "messages": HELLO}
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 12},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
}


# --- with the real small model ---


def test_a_call_is_answered_and_a_stream_adds_up_to_it(node: Node, live: Server) -> None:
    body = {**ASK, "max_tokens": 6, "seed": 3}
    whole = node("create", live.url, live.key, body=body)
    chunks = node("chunks", live.url, live.key, body=body)
    added = node("accumulate", live.url, live.key, body=body)

    content = whole["choices"][0]["message"]["content"]
    assert content
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == content
    assert added["choices"][0]["message"]["content"] == content


def test_a_round_of_tools_is_run_by_the_client(node: Node, live: Server) -> None:
    body = {
        **ASK,
        "max_tokens": 40,
        "top_k": 1,
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    }
    seen = node("runTools", live.url, live.key, body=body, tool=WEATHER, result="Sunny, 21 degrees.")
    (arguments,) = seen["received"]

    # The client asks once where the tool is named, and hands back what its function returned.
    assert sorted(arguments) == ["city", "unit"]
    assert arguments["unit"] in {"celsius", "fahrenheit"}
    _, called, result = seen["messages"][:3]
    assert json.loads(called["tool_calls"][0]["function"]["arguments"]) == arguments
    assert (result["role"], result["content"]) == ("tool", "Sunny, 21 degrees.")
    assert result["tool_call_id"] == called["tool_calls"][0]["id"]
    answer = node("create", live.url, live.key, body={**ASK, "messages": seen["messages"], "max_tokens": 6, "top_k": 1})
    assert answer["choices"][0]["message"]["content"]


def test_an_answer_follows_its_schema(node: Node, live: Server) -> None:
    json_schema = {"name": "weather", "schema": WEATHER["parameters"], "strict": True}
    shape = {"type": "json_schema", "json_schema": json_schema}
    body = {**ASK, "max_tokens": 150, "top_k": 1, "response_format": shape}
    answer = node("create", live.url, live.key, body=body)

    assert sorted(json.loads(answer["choices"][0]["message"]["content"])) == ["city", "unit"]


def test_models_embeddings_and_completions_are_had(node: Node, live: Server) -> None:
    models = node("models", live.url, live.key)
    vectors = node("embeddings", live.url, live.key, body={"model": "multilingual-e5-small", "input": ["one", "二"]})
    filled = node(
        "completion", live.url, live.key, body={"model": "qwen-coder-turbo", "prompt": "def f(", "max_tokens": 4}
    )

    assert models["one"] in models["all"]
    assert [len(each["embedding"]) for each in vectors["data"]] == [384, 384]
    assert filled["choices"][0]["text"]


# --- with a script ---


def test_thoughts_stream_beside_the_text(node: Node, scripted: Scripted) -> None:
    scripted.say("Say hello.", *THOUGHT)
    chunks = node("chunks", scripted.url, scripted.key, body={**ASK, "enable_thinking": True})
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]

    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "So what?"
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hello"
    assert scripted.conversation.thinking is True


def test_parallel_calls_and_choices_are_told_apart(node: Node, scripted: Scripted) -> None:
    scripted.say("two tools", *CALLED)
    scripted.say("two choices", *TWICE)
    tools = [{"type": "function", "function": {"name": name}} for name in ("weather", "time")]
    calls = {"model": "qwen-plus", "messages": [{"role": "user", "content": "two tools"}], "tools": tools}
    twice = {"model": "qwen-plus", "messages": [{"role": "user", "content": "two choices"}], "n": 2}
    called = node("accumulate", scripted.url, scripted.key, body={**calls, "parallel_tool_calls": True})
    chosen = node("accumulate", scripted.url, scripted.key, body=twice)

    assert [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in called["choices"][0]["message"]["tool_calls"]
    ] == [("call_1", "weather", '{"city":"Ulm"}'), ("call_2", "time", "{}")]
    assert [choice["message"]["content"] for choice in chosen["choices"]] == ["a", "b"]


def test_log_probabilities_are_told(node: Node, scripted: Scripted) -> None:
    likely = TokenLogprob(token="Hi", logprob=-0.5, bytes=(72, 105), top=(TopToken(token="Ho", logprob=-1.5),))
    scripted.say(
        "Say hello.",
        Started(served_by="scripted/model", input_tokens=7),
        Delta(text="Hi", logprobs=(likely,)),
        ChoiceFinished(reason=FinishReason.STOP),
        Finished(usage=Usage(input_tokens=7, output_tokens=1)),
    )
    answer = node("accumulate", scripted.url, scripted.key, body={**ASK, "logprobs": True, "top_logprobs": 1})

    (told,) = answer["choices"][0]["logprobs"]["content"]
    assert (told["token"], told["logprob"], told["bytes"]) == ("Hi", -0.5, [72, 105])
    assert [other["token"] for other in told["top_logprobs"]] == ["Ho"]


def test_a_local_image_is_seen(node: Node, scripted: Scripted, picture: Path) -> None:
    answer = node("image", scripted.url, scripted.key, body={"model": "qwen-vl-max"}, path=str(picture))

    assert answer["choices"][0]["message"]["content"] == "Hello\n\n你"
    assert scripted.seen == [picture.read_bytes()]


def test_files_come_and_go(node: Node, scripted: Scripted, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text("{}\n")
    seen = node("files", scripted.url, scripted.key, path=str(path))

    assert (seen["made"]["filename"], seen["made"]["bytes"], seen["made"]["purpose"]) == ("calls.jsonl", 3, "batch")
    assert seen["made"] in seen["listed"]
    assert seen["found"] == seen["made"]
    assert seen["gone"] == {"id": seen["made"]["id"], "object": "file", "deleted": True}
    assert seen["made"] not in seen["left"]


def test_a_response_goes_on_from_another(node: Node, scripted: Scripted) -> None:
    seen = node("responses", scripted.url, scripted.key, body={"model": "qwen-turbo", "input": "Hi"}, next="More")

    assert (seen["first"]["output_text"], seen["second"]["status"]) == ("Hello\n\n你", "completed")
    assert (seen["events"][0], seen["events"][-1]) == ("response.created", "response.completed")
    assert (seen["again"]["id"], seen["again"]["output_text"]) == (seen["second"]["id"], "Hello\n\n你")
    assert [message.text for message in scripted.conversation.messages] == ["Hi", "Hello\n\n你", "More"]
