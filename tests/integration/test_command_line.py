"""The command line as a stranger meets it: with a server, from afar, without one, and with everything wrong."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
MakeServer = Callable[..., "Server"]
CHAT = "/v1/chat/completions"
QWENPORT = (sys.executable, "-m", "qwenport")
LIST_KEYS = ("keys", "list", "--json")

# Some run a dozen commands, each a process that may take ten seconds on a machine with other work.


def ask(server: Server, key: str | None = None, **settings: object) -> httpx.Response:
    body = {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2, **settings}
    return httpx.post(
        server.url + CHAT, json=body, headers={"Authorization": f"Bearer {key or server.key}"}, timeout=60
    )


def get(server: Server, path: str, key: str | None = None) -> httpx.Response:
    return httpx.get(server.url + path, headers={"Authorization": f"Bearer {key or server.key}"}, timeout=60)


def as_json(server: Server, *arguments: str, **settings: str) -> Any:
    """Return what a command prints with `--json`."""
    done = server.run(*arguments, "--json", **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refusal(server: Server, *arguments: str, **settings: str) -> str:
    """Return the one line that a command fails with; its temporary files and sockets are gone."""
    temporary = server.folder / "temporary"
    temporary.mkdir(exist_ok=True)
    done = server.run(*arguments, TMPDIR=str(temporary), **settings)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]

    assert (done.returncode, done.stdout, len(lines)) == (1, "", 1), done.stderr + done.stdout
    assert list(temporary.iterdir()) == []
    assert not os.path.lexists(server.data_dir / "admin.sock") or arguments != ("serve",) or server.process is not None
    assert server.key not in lines[0]
    return lines[0]


def test_a_port_in_use_is_named_with_the_setting(make_server: MakeServer) -> None:
    server = make_server()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server.port))
        other.listen()
        words = refusal(server, "serve")

    assert words == (
        f"qwenport: port {server.port} on 127.0.0.1 is in use by another program: "
        "stop it, or set QWENPORT_PORT to a free one"
    )


@pytest.mark.parametrize("place", ["file", "proc"])
def test_a_data_directory_that_cannot_be_written_is_named_with_the_setting(
    make_server: MakeServer, tmp_path: Path, place: str
) -> None:
    if place == "proc" and not Path("/proc/self").exists():
        pytest.skip("this system has no /proc, where nobody can make a folder")
    (tmp_path / "file").write_text("in the way")
    folder = Path("/proc/qwenport") if place == "proc" else tmp_path / "file" / "data"
    words = refusal(make_server(), "serve", QWENPORT_DATA_DIR=str(folder))

    assert words.startswith(f"qwenport: the data directory {folder} cannot be written to (")
    assert words.endswith("free space, change its owner, or set QWENPORT_DATA_DIR")
    assert not folder.exists()


def test_a_full_disk_is_named_with_the_setting(make_server: MakeServer, tmp_path: Path) -> None:
    mount = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=16k none "$1" && shift && exec "$@"', "sh"]
    if sys.platform != "linux" or subprocess.run([*mount, str(tmp_path), "true"], check=False).returncode != 0:
        pytest.skip("only root on Linux may mount a small disk")
    server = make_server()
    server.data_dir.mkdir()
    done = subprocess.run(
        [*mount, str(server.data_dir), sys.executable, "-m", "qwenport", "serve"],
        check=False,
        capture_output=True,
        text=True,
        env=server.environment,
        cwd=server.folder,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"qwenport: only 0 MiB are free for the data directory {server.data_dir}: "
        "free at least 32 MiB, or set QWENPORT_DATA_DIR\n"
    )


def test_a_second_server_on_the_same_data_is_refused(make_server: MakeServer, eventually: Eventually) -> None:
    server = make_server()
    server.start()
    words = refusal(server, "serve", QWENPORT_PORT="0")

    assert words == (
        f"qwenport: a server (process {server.pid}) already uses the data directory {server.data_dir}: "
        "stop it, or set QWENPORT_DATA_DIR to another one"
    )
    assert server.answers("/readyz")
    assert as_json(server, "keys", "list")[0]["name"] == "bootstrap"
    assert server.stop() == 0
    assert list(server.data_dir.glob("admin.sock")) == []


def test_a_database_that_is_none_is_refused(make_server: MakeServer) -> None:
    server = make_server()
    server.data_dir.mkdir()
    (server.data_dir / "qwenport.db").write_bytes(b"no database" * 1000)

    for command in (("serve",), ("keys", "list")):
        words = refusal(server, *command)
        assert words.startswith(f"qwenport: the database in {server.data_dir} cannot be used: ")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"QWENPORT_PORT": "http"}, "QWENPORT_PORT is `http`; it must be a whole number from 0 to 65535"),
        ({"QWENPORT_WORKERS": "2"}, "QWENPORT_WORKERS is `2`; several workers must share their counters"),
        ({"QWENPORT_HOST": "no such host"}, "QWENPORT_HOST is `no such host`, which is no address"),
        ({"QWENPORT_BOOTSTRAP_API_KEY": "secret-of-mine"}, "the bootstrap API key (14 characters) has the wrong form"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(make_server: MakeServer, settings: dict[str, str], words: str) -> None:
    said = refusal(make_server(), "serve", **settings)

    assert words in said
    assert "secret-of-mine" not in said


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("qwenport.toml", "[server", "is not valid: "),
        ("qwenport.toml", "[server]\ndrian_s = 1", "is not valid: Object contains unknown field `drian_s`"),
        ("qwenport.toml", '[[routes]]\nmodel = "qwen-plus"\nto = ["nobody/none"]', "nobody/none"),
        ("catalog/own.toml", 'name = "own"', "own.toml: `"),
        ("qwenport.toml", '[check]\nwebhook = "file:///etc/passwd"', "qwenport: [check]: `webhook`: the address "),
        (
            "qwenport.toml",
            '[check]\nwebhook = "http://check.example.com/"',
            "qwenport: [check]: `webhook` is a public address without TLS, ",
        ),
        ("qwenport.toml", '[check]\nwords_file = "none.txt"', "qwenport: [check]: `words_file`: the list of words `"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(make_server: MakeServer, name: str, text: str, words: str) -> None:
    server = make_server()
    path = server.data_dir / name
    path.parent.mkdir(parents=True)
    path.write_text(text)

    assert words in refusal(server, "serve")


def test_commands_before_the_first_start_say_so(make_server: MakeServer) -> None:
    server = make_server()

    assert refusal(server, "keys", "list") == (
        f"qwenport: no server has run with the data directory {server.data_dir} yet: "
        "start `qwenport serve` once, or set QWENPORT_DATA_DIR"
    )
    assert not server.data_dir.exists()


def test_without_weights_the_server_is_ready_and_calls_are_told_the_command(
    make_server: MakeServer, eventually: Eventually
) -> None:
    server = make_server()
    server.start()
    refused = ask(server)
    ready = get(server, "/readyz")

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert "`qwenport models pull smollm2-135m-instruct`" in refused.json()["error"]["message"]
    assert ready.status_code == 200
    assert ready.json()["engines"]["llama/smollm2-135m-instruct"]["state"] == "absent"
    eventually(lambda: "No weights for smollm2-135m-instruct" in server.output, "the banner names what is missing")
    assert [row["status"] for row in as_json(server, "calls")] == [503]


def test_corrupt_weights_are_a_503_until_a_pull_repairs_them(
    make_server: MakeServer, models_dir: Path, tmp_path: Path, eventually: Eventually
) -> None:
    [whole] = models_dir.glob("smollm2-135m-instruct-*.gguf")
    models = tmp_path / "models"
    models.mkdir()
    with (models / whole.name).open("wb") as corrupt:
        corrupt.truncate(whole.stat().st_size)
    server = make_server(models)
    shipped = (files("qwenport.catalog") / "models" / "smollm2-135m-instruct.toml").read_text("utf-8")
    own = server.data_dir / "catalog" / "smollm2-135m-instruct.toml"
    own.parent.mkdir(parents=True)
    own.write_text(re.sub(r'source = ".*"', f'source = "file:{whole}"', shipped))
    server.start(until="/healthz")
    eventually(lambda: "damaged" in get(server, "/readyz").text, "the engine says what is wrong")
    refused = ask(server)
    unwell = server.run("doctor")
    pulled = server.run("models", "pull", "smollm2-135m-instruct")

    assert refused.status_code == 503
    assert "damaged: run `qwenport models pull smollm2-135m-instruct`" in refused.json()["error"]["message"]
    assert unwell.returncode == 1
    assert "run `qwenport models pull smollm2-135m-instruct` to fetch them anew" in unwell.stdout
    assert pulled.returncode == 0, pulled.stderr
    # An engine without whole weights is absent, which is no failure of the server; so its own state is waited for.
    eventually(
        lambda: get(server, "/readyz").json()["engines"]["llama/smollm2-135m-instruct"]["state"] == "ready",
        "the engine is ready",
    )
    assert ask(server).status_code == 200


def test_keys_and_books_are_the_same_by_socket_from_afar_and_offline(make_server: MakeServer, models_dir: Path) -> None:
    server = make_server(models_dir)
    server.start()
    made = as_json(server, "keys", "create", "--name", "mine", "--models", "qwen-plus")
    assert sorted(made) == ["id", "key"]
    answered = ask(server, made["key"])
    assert answered.status_code == 200
    usage = answered.json()["usage"]
    afar = {"QWENPORT_URL": server.url, "QWENPORT_DATA_DIR": str(server.folder / "elsewhere")}
    reports = (("usage", "--by", "key"), ("ledger", "check"))

    by_socket = [as_json(server, *report) for report in reports]
    from_afar = [as_json(server, *report, **afar) for report in reports]
    assert server.stop() == 0
    offline = [as_json(server, *report) for report in reports]
    keys, calls = as_json(server, "keys", "list"), as_json(server, "calls")

    assert by_socket == from_afar == offline
    used, ledger = offline
    assert [(key["id"], key["name"], key["models"]) for key in keys][1] == (made["id"], "mine", ["qwen-plus"])
    expected = {"key_id": made["id"], "requests": 1, "currency": "CNY"} | {
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
    }
    assert [{name: row[name] for name in expected} for row in used] == [expected]
    assert calls == server_rows(calls)
    assert (calls[0]["request_id"], calls[0]["cost"]) == (
        answered.json()["id"].removeprefix("chatcmpl-"),
        used[0]["cost"],
    )
    assert (ledger["balanced"], ledger["open_holds"], ledger["unposted"]) == (True, 0, 0)


def server_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that have the fields of the operator's contract and tell of a finished call."""
    fields = {"key_id", "model", "face", "served_by", "status", "input_tokens", "output_tokens", "cost", "currency"}
    return [row for row in rows if fields <= set(row) and (row["status"], row["face"]) == (200, "openai")]


def test_keys_are_in_force_and_out_of_force_at_once(make_server: MakeServer, eventually: Eventually) -> None:
    server = make_server()
    server.start()

    def status(key: str) -> int:
        return get(server, "/v1/models", key).status_code

    made = as_json(server, "keys", "create")
    assert status(made["key"]) == 200
    assert server.run("keys", "disable", made["id"]).returncode == 0
    eventually(lambda: status(made["key"]) == 401, "the disabled key is refused")
    assert server.run("keys", "enable", made["id"]).returncode == 0
    eventually(lambda: status(made["key"]) == 200, "the enabled key works")
    successor = as_json(server, "keys", "rotate", made["id"], "--overlap", "0s")
    assert status(successor["key"]) == 200
    eventually(lambda: status(made["key"]) == 401, "the rotated key is refused")
    assert server.run("keys", "delete", successor["id"]).returncode == 0
    eventually(lambda: status(successor["key"]) == 401, "the deleted key is refused")


def test_keys_are_managed_without_a_server(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    assert server.stop() == 0

    made = as_json(server, "keys", "create", "--name", "offline")
    as_json(server, "keys", "disable", made["id"])
    successor = as_json(server, "keys", "rotate", as_json(server, *LIST_KEYS[:2])[0]["id"])
    as_json(server, "keys", "delete", made["id"])
    words = refusal(server, "keys", "delete", made["id"])
    names = {key["id"]: key["name"] for key in as_json(server, "keys", "list")}

    assert words == f"qwenport: no API key has the id `{made['id']}`; see `qwenport keys list`"
    assert made["id"] not in names
    assert names[successor["id"]] == "bootstrap"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("keys", "create", "--expires", "2020-01-01T00:00:00Z"), "is not in the future"),
        (("keys", "create", "--expires", "tomorrow"), "`tomorrow`"),
        (("keys", "create", "--models", "gpt-4"), "there is no model `gpt-4`; see `qwenport models list`"),
        (("keys", "create", "--ip", "10.0.0.1/8"), "did you mean `10.0.0.0/8`?"),
        (("keys", "rotate", "key-none", "--overlap", "soon"), "write a number and s, m, h or d, such as `24h`"),
        (("usage", "--since", "yesterday"), "write it as ISO 8601"),
        (("models", "show", "gpt-4"), "gpt-4"),
        (("models", "pull", "gpt-4"), "gpt-4"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(
    stopped: Server, arguments: tuple[str, ...], words: str
) -> None:
    said = refusal(stopped, *arguments)

    assert said.startswith("qwenport: ")
    assert words in said


@pytest.fixture(scope="module")
def stopped(server_class: type[Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Give a server that has run once, and ended."""
    server = server_class(tmp_path_factory.mktemp("stopped"), tmp_path_factory.mktemp("models"))
    try:
        server.start()
        assert server.stop() == 0
    finally:
        server.close()
    return server


def test_a_server_elsewhere_needs_its_token_and_must_be_there(stopped: Server) -> None:
    afar = {"QWENPORT_URL": "http://127.0.0.1:1"}

    assert "QWENPORT_ADMIN_TOKEN" in refusal(stopped, "keys", "list", QWENPORT_ADMIN_TOKEN="", **afar)
    assert refusal(stopped, "keys", "list", **afar).startswith(
        "qwenport: the server at http://127.0.0.1:1 cannot be reached: "
    )


def test_a_wrong_token_is_refused_in_words(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    words = refusal(server, "keys", "list", QWENPORT_URL=server.url, QWENPORT_ADMIN_TOKEN="0123456789abcdef")

    assert words == (
        "qwenport: this address needs the operator token: send `Authorization: Bearer` with QWENPORT_ADMIN_TOKEN, "
        "or to the admin API with the token of a member (`qpm-…`)"
    )


def test_the_bootstrap_key_and_the_operator_token_are_written_nowhere(
    make_server: MakeServer, models_dir: Path
) -> None:
    server = make_server(models_dir)
    server.start()
    assert ask(server).status_code == 200
    assert ask(server, temperature=9).status_code == 400
    assert ask(server, server.key + "x").status_code == 401
    printed = [server.run(*command) for command in (("keys", "list"), ("calls", "--json"), ("doctor",))]
    assert server.stop() == 0
    texts = [each.stdout + each.stderr for each in printed] + [server.output]
    stored = {
        str(path.relative_to(server.data_dir)): path.read_bytes()
        for path in server.data_dir.rglob("*")
        if path.is_file()
    }

    for secret in (server.key, server.token):
        assert [text for text in texts if secret in text] == []
        assert [name for name, content in stored.items() if secret.encode() in content] == []
    assert {"qwenport.db"} < set(stored)


def test_a_first_key_that_was_not_chosen_is_left_in_a_file_for_its_owner(
    make_server: MakeServer, eventually: Eventually
) -> None:
    server = make_server(QWENPORT_BOOTSTRAP_API_KEY="")
    server.start()
    path = server.data_dir / "first-key"
    key = path.read_text().strip()

    assert re.fullmatch(r"sk-[0-9a-f]{64}", key)
    assert path.stat().st_mode & 0o777 == 0o600
    answer = get(server, "/v1/models", key)
    assert answer.status_code == 200
    eventually(lambda: str(path) in server.output, "the banner names the file")
    assert key not in server.output


def test_a_start_that_cannot_keep_the_first_key_makes_none(make_server: MakeServer) -> None:
    server = make_server(QWENPORT_BOOTSTRAP_API_KEY="")
    path = server.data_dir / "first-key"
    path.mkdir(parents=True)
    refused = refusal(server, "serve")
    path.rmdir()
    server.start()
    answer = get(server, "/v1/models", path.read_text().strip())

    assert refused == (
        f"qwenport: the first API key cannot be left in {path} (Is a directory): free space, change the folder's "
        "owner, move away what is there, or choose a key by QWENPORT_BOOTSTRAP_API_KEY"
    )
    assert answer.status_code == 200


def test_a_first_key_that_was_there_is_kept_beside_the_new_one(make_server: MakeServer) -> None:
    server = make_server(QWENPORT_BOOTSTRAP_API_KEY="")
    path = server.data_dir / "first-key"
    path.parent.mkdir(parents=True)
    path.write_text("sk-of-another-database\n")
    path.chmod(0o644)
    server.start()

    assert path.with_name("first-key.old").read_text() == "sk-of-another-database\n"
    assert re.fullmatch(r"sk-[0-9a-f]{64}\n", path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in server.data_dir.glob(".first-key*")] == []


def test_a_first_key_is_shown_once_on_a_terminal_and_kept_nowhere(
    make_server: MakeServer, eventually: Eventually
) -> None:
    server = make_server(QWENPORT_BOOTSTRAP_API_KEY="")
    reader, terminal = pty.openpty()
    os.set_blocking(reader, False)
    server.process = subprocess.Popen(
        [*QWENPORT, "serve"], stdin=subprocess.DEVNULL, stdout=terminal, env=server.environment, cwd=server.folder
    )
    os.close(terminal)
    shown = bytearray()

    def keys() -> list[bytes]:
        with suppress(BlockingIOError):
            shown.extend(os.read(reader, 1 << 16))
        return re.findall(rb"shown this once:  (sk-[0-9a-f]{64})\r\n", shown)

    eventually(lambda: keys() != [], "the key is shown")
    [key] = keys()
    eventually(lambda: not (server.data_dir / "first-key").exists(), "the file is gone")
    answer = get(server, "/v1/models", key.decode())
    assert server.stop() == 0
    os.close(reader)

    assert answer.status_code == 200
    assert [path for path in server.data_dir.rglob("*") if path.is_file() and key in path.read_bytes()] == []


def test_an_account_is_paid_for_limited_billed_and_closed_out_while_the_server_runs(
    make_server: MakeServer, models_dir: Path, eventually: Eventually
) -> None:
    server = make_server(models_dir)
    server.start()
    account = as_json(server, "accounts", "create", "--email", "own@example.com", "--free-tokens", "0")["id"]
    key = as_json(server, "keys", "create", "--account", account, "--daily-requests", "2")["key"]
    unpaid = ask(server, key)
    as_json(server, "accounts", "credit", account, "--amount", "10.00", "--currency", "CNY")

    assert (unpaid.status_code, unpaid.json()["error"]["code"]) == (400, "Arrearage")
    eventually(lambda: ask(server, key).status_code == 200, "the credit is in force")
    assert ask(server, key).status_code == 200
    assert ask(server, key).status_code == 429
    [used] = as_json(server, "usage", "--by", "account", "--account", account)
    balance = as_json(server, "accounts", "balance", account)["balance"]
    assert (used["requests"] >= 2, Decimal(balance)) == (True, 10 - Decimal(used["cost"]))
    assert Decimal(used["cost"]) > 0

    exported = as_json(server, "calls", "export", "--account", account, "--status", "200", "--out", "calls.csv")
    assert exported["calls"] == 2
    assert as_json(server, "db", "backup", "books.zip")["rows"] > 0
    assert "already uses the data directory" in refusal(server, "db", "restore", "books.zip", "--yes")
    found = server.run("keys", "revoke", "--stdin", text=f"a key in a public place: {key}\n")
    assert (found.returncode, key in found.stdout + found.stderr) == (0, False)
    eventually(lambda: ask(server, key).status_code == 401, "the revoked key is refused")
    assert "balance" in refusal(server, "accounts", "close", account, "--yes")
    assert as_json(server, "ledger", "check")["balanced"]
    assert key not in server.output


def test_the_faces_are_closed_for_maintenance_while_the_command_line_goes_on(
    make_server: MakeServer, eventually: Eventually
) -> None:
    server = make_server()
    server.start()

    def models() -> httpx.Response:
        return get(server, "/v1/models")

    as_json(server, "maintenance", "on", "--words", "back at noon")
    eventually(lambda: models().status_code == 503, "the faces are closed")
    closed = models()
    assert "back at noon" in closed.text
    assert int(closed.headers["retry-after"]) > 0
    assert as_json(server, "maintenance")["on"] is True
    as_json(server, "maintenance", "off")
    eventually(lambda: models().status_code == 200, "the faces are open")
