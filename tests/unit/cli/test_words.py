"""What the command line makes of words typed by people, and how it shows values to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwenport.cli import arguments, chat
from qwenport.cli.context import CommandFailed, is_listening, local_url, named_url
from qwenport.cli.display import show_csv, show_json, shown
from qwenport.settings.settings import load_settings

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (1234567, "1,234,567"),
        (["a", "b"], "a, b"),
        ("2026-11-22T13:48:38.507000Z", "2026-11-22 13:48:38"),
        ("2026-11-22T13:48:38Z", "2026-11-22 13:48:38"),
        ({"qwen-plus": "0.9", "*": "1"}, "qwen-plus=0.9, *=1"),
        ({}, "-"),
        ("\x1b[2J", "?[2J"),
        ("0.0001834", "0.0001834"),
    ],
)
def test_a_value_is_shown_as_people_read_it(value: object, cell: str) -> None:
    assert shown(value) == cell


@pytest.mark.parametrize(("text", "expected"), [("1s", 1), ("15m", 900), ("24h", 86_400), ("7d", 604_800)])
def test_a_duration_is_a_number_and_a_unit(text: str, expected: int) -> None:
    assert arguments.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1.5h", "1w", "1234567s", "1h "])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(CommandFailed, match="write a number and s, m, h or d"):
        arguments.seconds(text)


def test_an_expiry_names_its_time_zone() -> None:
    assert arguments.moment("2027-01-31T00:00:00Z") == "2027-01-31T00:00:00+00:00"
    assert arguments.moment("2027-01-31T08:00:00+08:00") == "2027-01-31T08:00:00+08:00"
    for text in ("tomorrow", "2027-01-31", "2027-01-31T00:00:00"):
        with pytest.raises(CommandFailed, match="as ISO 8601 with a time zone"):
            arguments.moment(text)


def test_lists_are_parted_by_commas() -> None:
    assert arguments.separated(" qwen-plus,,qwen-max ,") == ["qwen-plus", "qwen-max"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8600"),
        ("0.0.0.0", "http://127.0.0.1:8600"),  # noqa: S104 - shown, not bound
        ("::1", "http://[::1]:8600"),
        ("::", "http://[::1]:8600"),
        ("gateway.internal", "http://gateway.internal:8600"),
    ],
)
def test_the_server_of_this_machine_is_reached_wherever_it_listens(host: str, url: str) -> None:
    assert local_url(host, 8600) == url


def test_an_address_must_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWENPORT_URL", "https://qwen.example/")
    assert named_url() == "https://qwen.example"
    monkeypatch.setenv("QWENPORT_URL", "")
    assert named_url() is None
    for text in ("localhost:8600", "::::", "http://", "ftp://x", "http://x:port"):
        monkeypatch.setenv("QWENPORT_URL", text)
        with pytest.raises(CommandFailed, match=r"write it like `http://127\.0\.0\.1:8600`"):
            named_url()


def test_the_key_to_chat_with_is_the_first_that_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QWENPORT_API_KEY", "DASHSCOPE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    data = {"QWENPORT_DATA_DIR": str(tmp_path)}
    with pytest.raises(CommandFailed, match="set QWENPORT_API_KEY, or make one with `qwenport keys create`"):
        chat.api_key(load_settings(data, tmp_path))
    (tmp_path / "first-key").write_text("sk-first\n")
    assert chat.api_key(load_settings(data, tmp_path)) == "sk-first"
    chosen = load_settings({**data, "QWENPORT_BOOTSTRAP_API_KEY": "sk-chosen-0123456789"}, tmp_path)
    assert chat.api_key(chosen) == "sk-chosen-0123456789"
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-dashscope")
    assert chat.api_key(chosen) == "sk-dashscope"
    monkeypatch.setenv("QWENPORT_API_KEY", "sk-own")
    assert chat.api_key(chosen) == "sk-own"


def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandFailed) as caught:
        chat.sendable("DASHSCOPE_API_KEY", "sk-mine…")

    assert str(caught.value) == "DASHSCOPE_API_KEY holds a character that no API key has; copy the key into it again"


def test_a_piece_of_a_stream_is_its_text() -> None:
    def text(line: str) -> str:
        return "".join(chat.piece_of(line))

    assert text('data: {"choices":[{"delta":{"content":"Hi"}}]}') == "Hi"
    assert text('data: {"choices":[{"delta":{"content":null}}]}') == ""
    assert [text(line) for line in ("", ": keep-alive", "data: [DONE]", 'data: {"choices":[]}')] == [""] * 4
    with pytest.raises(CommandFailed, match="it broke"):
        text('data: {"error":{"message":"it broke"}}')


def test_csv_has_a_header_and_the_asked_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show_csv([{"day": "2026-01-01", "requests": 2, "more": "x"}], ("day", "requests"))

    assert capsys.readouterr().out == "day,requests\n2026-01-01,2\n"


def test_json_keeps_characters_of_every_script(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"name": "你好"})

    printed = capsys.readouterr().out
    assert "你好" in printed
    assert json.loads(printed) == {"name": "你好"}


def test_nobody_listens_on_a_socket_that_is_not_there(tmp_path: Path) -> None:
    assert not is_listening(tmp_path / "admin.sock")
    (tmp_path / "admin.sock").symlink_to(tmp_path / "gone")
    assert not is_listening(tmp_path / "admin.sock")


def test_models_say_what_answers_for_them(run: Run) -> None:
    code, out, _ = run("models", "list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}

    assert code == 0
    assert rows["qwen-plus"] == {
        "name": "qwen-plus",
        "context_tokens": 131_072,
        "max_output_tokens": 8_192,
        "served_by": "llama/smollm2-135m-instruct",
        "stand_in": True,
        "weights": "absent",
        "size_bytes": 98_362_432,
        "memory_bytes": 98_362_432,
    }
    assert rows["smollm2-135m-instruct"]["stand_in"] is False


def test_a_model_is_shown_with_its_engine(run: Run) -> None:
    code, out, _ = run("models", "show", "qwen-plus", "--json")
    shown_model = json.loads(out)

    assert (code, shown_model["engine"]["name"]) == (0, "smollm2-135m-instruct")


@pytest.mark.parametrize("command", ["show", "pull", "remove"])
def test_an_unknown_model_is_named_with_where_to_look(run: Run, command: str) -> None:
    assert run("models", command, "gpt-4") == (
        1,
        "",
        "qwenport: there is no model `gpt-4`; see `qwenport models list`\n",
    )


def test_weights_that_are_not_there_are_removed_without_a_complaint(run: Run) -> None:
    assert run("models", "remove", "smollm2-135m-instruct") == (
        0,
        "There were no weights of smollm2-135m-instruct.\n",
        "",
    )


def test_weights_that_answer_for_many_models_are_not_removed_by_the_name_of_one_of_them(run: Run) -> None:
    assert run("models", "remove", "qwen-plus") == (
        1,
        "",
        "qwenport: `qwen-plus` has no weights of its own; `smollm2-135m-instruct` answers for it, and for others\n",
    )


def test_json_of_a_conversation_is_refused(run: Run) -> None:
    code, out, err = run("chat", "--json")

    assert (code, out) == (1, "")
    assert "`--json` needs a prompt" in err


def test_an_invalid_setting_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWENPORT_PORT", "none")

    assert run("models", "list") == (
        1,
        "",
        "qwenport: QWENPORT_PORT is `none`; it must be a whole number from 0 to 65535\n",
    )


def test_a_worker_is_not_started_by_hand(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QWENPORT_WORKER_ORDER", raising=False)

    assert run("worker") == (1, "", "qwenport: workers are started by `qwenport serve`\n")


def test_doctor_says_what_is_missing(run: Run) -> None:
    code, out, _ = run("doctor", "--json")
    findings = {finding["check"]: finding for finding in json.loads(out)}

    assert code == 1
    assert findings["weights"]["verdict"] == "problem"
    assert "run `qwenport models pull smollm2-135m-instruct`" in findings["weights"]["words"]
    assert findings["server"]["verdict"] == "note"
