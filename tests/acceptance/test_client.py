"""The house's own client, over the official one, against a gateway."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qwenport.cli.main import main
from qwenport.client import (
    FACES,
    Answered,
    AnswerFolder,
    CallRefused,
    Client,
    Cost,
    CostUnknown,
    KeyMissing,
    Patience,
    Price,
    key_of,
    most_cost,
)
from qwenport.core.call import JsonSchema
from qwenport.core.content import TextPart
from qwenport.core.errors import Bill, BillUnpaid, EngineFailed, FreeQuotaExceeded, RateExceeded
from qwenport.core.secret import Secret
from qwenport.testing.scripts import GOOD

if TYPE_CHECKING:
    from tests.acceptance.conftest import Scripted

pytestmark = pytest.mark.anyio
TEXT = "Hello\n\n你"
Command = Callable[..., tuple[int, str, str]]


EVERY_FACE = pytest.mark.parametrize("face", FACES)


def client(scripted: Scripted, *, face: str = "openai", **settings: Any) -> Client:
    return Client(f"{scripted.url}{FACES[face].base}", Secret(scripted.key), face=FACES[face], **settings)


@pytest.fixture
def command(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Give `qwenport call` in an empty folder: arguments in; exit code, output and errors out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QWENPORT_URL", scripted.url)
    monkeypatch.setenv("QWENPORT_API_KEY", scripted.key)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["call", *(str(each) for each in arguments)])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@EVERY_FACE
async def test_a_question_is_answered_whole_and_in_pieces(scripted: Scripted, face: str) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}]
    async with client(scripted, face=face) as caller:
        answered = await caller.ask("qwen-plus", messages, top_k=3, max_tokens=9)
        asked = scripted.asked
        async with aclosing(caller.stream("qwen-plus", messages)) as pieces:
            streamed = [piece async for piece in pieces]

    assert (answered.text, answered.model) == (TEXT, "qwen-plus")
    assert answered.finish_reason == {"anthropic": "end_turn"}.get(face, "stop")
    assert (answered.input_tokens, answered.output_tokens) == (4 if face == "anthropic" else 7, 3)
    assert answered.request_id
    assert (asked.face, asked.sampling.top_k, asked.sampling.max_tokens) == (face, 3, 9)
    assert [message.text for message in scripted.conversation.messages] == ["Be brief.", "Say hello."]
    assert "".join(streamed) == TEXT
    assert len(streamed) > 1


async def test_many_questions_come_back_in_order_and_errors_stand_in_line(scripted: Scripted) -> None:
    scripted.say("bad", FreeQuotaExceeded())
    async with (
        client(scripted) as caller,
        aclosing(caller.ask_all("qwen-plus", ["one", "bad", "three"], concurrency=2)) as answers,
    ):
        came = [answer async for answer in answers]

    assert [type(each) for each in came] == [Answered, CallRefused, Answered]


@EVERY_FACE
async def test_an_exhausted_quota_is_not_asked_of_again(scripted: Scripted, face: str) -> None:
    # Anthropic's protocol has a word for money, and none for a quota.
    scripted.say("spent", BillUnpaid(Bill.PREPAID_OVERDUE) if face == "anthropic" else FreeQuotaExceeded())
    async with client(scripted, face=face) as caller:
        with pytest.raises(CallRefused) as refused:
            await caller.ask("qwen-plus", "spent")

    codes = {"openai": "insufficient_quota", "anthropic": "billing_error"}
    assert refused.value.code == codes.get(face, refused.value.code)
    assert (refused.value.status, scripted.times("spent")) == (429, 1)


@EVERY_FACE
async def test_another_try_waits_as_long_as_the_server_said_and_succeeds(scripted: Scripted, face: str) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        scripted.say("busy", *GOOD)

    scripted.say("busy", RateExceeded(retry_after_s=7))
    async with client(scripted, face=face, patience=Patience(pause=pause)) as caller:
        answered = await caller.ask("qwen-plus", "busy")
        scripted.say("busy", RateExceeded())
        async with aclosing(caller.stream("qwen-plus", "busy")) as pieces:
            streamed = [piece async for piece in pieces]

    assert (answered.text, "".join(streamed)) == (TEXT, TEXT)
    assert [7 <= pauses[0] <= 8, 0 <= pauses[1] <= 1, len(pauses)] == [True, True, 2]
    assert scripted.times("busy") == 4


async def test_a_server_that_asks_for_long_patience_is_not_asked_again(scripted: Scripted) -> None:
    scripted.say("closed", RateExceeded(retry_after_s=121))
    async with client(scripted) as caller:
        with pytest.raises(CallRefused) as refused:
            await caller.ask("qwen-plus", "closed")

    assert (refused.value.status, scripted.times("closed")) == (429, 1)


async def test_a_call_has_a_cost_before_at_most_and_afterwards_about(scripted: Scripted, tmp_path: Path) -> None:
    price = Price(input=Decimal("0.8"), output=Decimal(2), currency="CNY")
    async with client(scripted, answers=AnswerFolder(tmp_path)) as caller:
        first = await caller.ask("qwen-plus", "Say hello.", max_tokens=9)
        second = await caller.ask("qwen-plus", "Say hello.", max_tokens=9)
    used = {"input_tokens": first.input_tokens, "output_tokens": first.output_tokens}
    amount = (Decimal("0.8") * first.input_tokens + 2 * first.output_tokens) / 1_000_000

    assert price.of(first) == Cost(amount=amount, currency="CNY", **used)
    assert price.of(second) == Cost(amount=Decimal(0), currency="CNY", input_tokens=0, output_tokens=0)
    most = most_cost(price, "说 hi", max_tokens=9, n=2)  # 6 bytes
    assert most == Cost(amount=Decimal("0.0001048"), currency="CNY", input_tokens=86, output_tokens=18)
    with pytest.raises(CostUnknown, match=r"give `max_tokens`$"):
        most_cost(price, "Say hello.")
    with pytest.raises(CostUnknown, match=r"^a message holds more than text"):
        most_cost(price, [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], max_tokens=9)


async def test_a_wrong_key_is_refused_in_the_server_s_words(scripted: Scripted) -> None:
    async with Client(f"{scripted.url}/api/v1", Secret("sk-wrong"), face=FACES["dashscope"]) as caller:
        with pytest.raises(CallRefused, match=r"^Invalid API-key provided") as refused:
            await caller.ask("qwen-plus", "Hi")

    assert (refused.value.status, refused.value.code) == (401, "InvalidApiKey")


@EVERY_FACE
async def test_a_stream_that_breaks_off_is_a_refusal(scripted: Scripted, face: str) -> None:
    scripted.say("broken", *GOOD[:2], EngineFailed("it broke"))
    async with client(scripted, face=face) as caller:
        with pytest.raises(CallRefused):
            [piece async for piece in caller.stream("qwen-plus", "broken")]


async def test_a_failure_is_tried_as_often_as_wanted(scripted: Scripted) -> None:
    scripted.say("broken", EngineFailed("it broke"))
    async with client(scripted, patience=Patience(tries=1)) as caller:
        with pytest.raises(CallRefused) as refused:
            await caller.ask("qwen-plus", "broken")

    assert refused.value.status is not None
    assert refused.value.status >= 500


async def test_a_kept_answer_is_found_for_the_same_call_alone(scripted: Scripted, tmp_path: Path) -> None:
    async with client(scripted, answers=AnswerFolder(tmp_path / "answers", most=1)) as caller:
        first = await caller.ask("qwen-plus", "keep", seed=1)
        again = await caller.ask("qwen-plus", "keep", seed=1)
        other = await caller.ask("qwen-plus", "keep", seed=2)

    assert (first.from_cache, again.from_cache, other.from_cache) == (False, True, False)
    assert again.text == first.text
    assert scripted.times("keep") == 2
    assert len(list((tmp_path / "answers").iterdir())) == 1


def test_a_kept_answer_that_another_process_took_away_stops_nothing(tmp_path: Path) -> None:
    folder = AnswerFolder(tmp_path, most=1)
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    folder.keep({"model": "qwen-plus"}, {"id": "1"})

    assert folder.find({"model": "qwen-plus"}) == {"id": "1"}
    assert len(list(tmp_path.iterdir())) == 1


def test_the_key_is_of_the_environment_else_of_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("DASHSCOPE_API_KEY=sk-file\n")

    assert key_of({"QWENPORT_API_KEY": "sk-one", "DASHSCOPE_API_KEY": "sk-two"}, dotenv) == Secret("sk-one")
    assert key_of({}, dotenv) == Secret("sk-file")
    with pytest.raises(KeyMissing):
        key_of({}, tmp_path / "none")


def test_a_file_of_calls_is_answered_and_gone_on_with(scripted: Scripted, tmp_path: Path, command: Command) -> None:
    source, target = tmp_path / "calls.jsonl", tmp_path / "answers.jsonl"
    source.write_text('{"id":"1","text":"first"}\n{"id":"2","messages":[{"role":"user","content":"second"}]}\n')
    # An earlier run answered the first, and was killed while it wrote the second.
    target.write_text('{"id":"1","answer":{}}\n{"id":"2","ans')
    code, out, err = command("--input", source, "--output", target)
    lines = [json.loads(line) for line in target.read_text().splitlines()]

    assert (code, out, err) == (0, "", "1 answered, 0 refused, 1 answered before\n")
    assert [line["id"] for line in lines] == ["1", "2"]
    assert lines[1]["answer"]["text"] == TEXT
    # 7 tokens of input at 0.0008 and 3 of output at 0.002 for a thousand.
    assert (lines[1]["cost"], lines[1]["currency"]) == ("0.0000116", "CNY")
    assert (scripted.times("first"), scripted.times("second")) == (0, 1)


def test_a_line_that_was_refused_is_asked_again_and_stands_there_once(
    scripted: Scripted, tmp_path: Path, command: Command
) -> None:
    source, target = tmp_path / "calls.jsonl", tmp_path / "answers.jsonl"
    source.write_text('{"id":"1","text":"spent"}\n{"id":"2","text":"good"}\n')
    scripted.say("spent", FreeQuotaExceeded())
    first, _, _ = command("--input", source, "--output", target)
    told = [json.loads(line) for line in target.read_text().splitlines()]
    scripted.say("spent", *GOOD)
    second, _, _ = command("--input", source, "--output", target)
    lines = [json.loads(line) for line in target.read_text().splitlines()]

    assert (first, second) == (1, 0)
    assert (told[0]["id"], told[0]["status"], told[0]["code"]) == ("1", 429, "insufficient_quota")
    assert [(line["id"], line["answer"]["text"]) for line in lines] == [("2", TEXT), ("1", TEXT)]
    assert scripted.times("good") == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "content",
    ['{"id":"1","text":"a"}\n{"id":"1","text":"b"}\n', '{"id":"1","text":"a"}\nx\n', '{"id":"1"}\n', "[]\n"],
)
def test_a_file_with_a_bad_line_is_not_begun(
    scripted: Scripted, tmp_path: Path, command: Command, content: str
) -> None:
    source, target = tmp_path / "calls.jsonl", tmp_path / "answers.jsonl"
    source.write_text(content)
    code, out, err = command("--input", source, "--output", target)

    assert (code, out) == (1, "")
    assert "nothing was sent" in err
    assert (target.exists(), scripted.chat.calls) == (False, [])


def test_a_file_that_is_no_output_is_left_alone(scripted: Scripted, tmp_path: Path, command: Command) -> None:
    source, target = tmp_path / "calls.jsonl", tmp_path / "letters.txt"
    source.write_text('{"id":"1","text":"a"}\n')
    target.write_text("Dear Sir,\n")
    code, _, err = command("--input", source, "--output", target)

    assert code == 1
    assert "no output of an earlier run" in err
    assert target.read_text() == "Dear Sir,\n"


@EVERY_FACE
def test_a_question_is_answered_on_the_command_line(scripted: Scripted, command: Command, face: str) -> None:
    whole = command("--face", face, "--system", "Be brief.", "Say", "hello.")
    streamed = command("--face", face, "--stream", "Say hello.")
    told = json.loads(command("--face", face, "--max-tokens", "50", "--json", "Say hello.")[1])

    assert whole == streamed == (0, f"{TEXT}\n", "")
    assert (scripted.asked.face, scripted.asked.sampling.max_tokens) == (face, 50)
    assert (told["text"], told["currency"]) == (TEXT, "CNY")


@EVERY_FACE
def test_a_picture_and_a_schema_reach_the_model(
    scripted: Scripted, tmp_path: Path, picture: Path, command: Command, face: str
) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    (tmp_path / "shape.json").write_text(json.dumps(schema))
    asked = command(
        *("--face", face, "--model", "qwen3-vl-plus", "--image", picture, "--json-schema", tmp_path / "shape.json"),
        "What is it?",
    )

    assert asked == (0, f"{TEXT}\n", "")
    assert scripted.seen == [picture.read_bytes()]
    assert TextPart(text="What is it?") in scripted.conversation.messages[-1].content
    assert isinstance(scripted.conversation.json, JsonSchema)
    assert json.loads(scripted.conversation.json.schema) == schema


def test_a_folder_of_answers_is_used_on_the_command_line(scripted: Scripted, tmp_path: Path, command: Command) -> None:
    first = command("--cache", tmp_path / "kept", "Keep it.")
    second = json.loads(command("--cache", tmp_path / "kept", "--json", "Keep it.")[1])
    code, _, err = command("--cache", tmp_path / "kept", "--stream", "Keep it.")
    (tmp_path / "file").touch()
    held = command("--cache", tmp_path / "file", "Keep it.")

    assert first == (0, f"{TEXT}\n", "")
    assert (second["from_cache"], "cost" in second, scripted.times("Keep it.")) == (True, False, 1)
    assert (code, "a stream is not kept" in err) == (1, True)
    assert (held[0], "cannot hold answers" in held[2]) == (1, True)


def test_an_estimate_is_told_and_nothing_is_sent(scripted: Scripted, tmp_path: Path, command: Command) -> None:
    source = tmp_path / "calls.jsonl"
    source.write_text('{"id":"1","text":"a"}\n{"id":"2","text":"b"}\n')
    one = json.loads(command("--estimate", "--max-tokens", "1000", "--json", "a")[1])
    two = json.loads(command("--estimate", "--max-tokens", "1000", "--json", "--input", source)[1])
    words = command("--estimate", "--max-tokens", "1000", "a")[1]

    assert (one["calls"], one["output_tokens"], one["currency"]) == (1, 1000, "CNY")
    assert Decimal(two["cost"]) == 2 * Decimal(one["cost"]) > 0
    assert words.startswith("1 call, at most ")
    assert scripted.chat.calls == []


def test_a_model_without_a_price_has_no_estimate(command: Command) -> None:
    code, out, err = command("--estimate", "--model", "smollm2-135m-instruct", "a")

    assert (code, out) == (1, "")
    assert "has no price in CNY" in err
