"""The command line in an empty folder, on a new database, and with an admin API that notes what it is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from qwenport.accounts.accounts import Accounts
from qwenport.catalog.catalog import Catalog
from qwenport.cli.main import main
from qwenport.core.clock import SystemClock
from qwenport.core.ids import AccountId, KeyId, RandomIds, workspace_of
from qwenport.metering.flush import Books
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.storage.database import Database

Run = Callable[..., tuple[int, str, str]]
Done = Callable[..., Any]
Refusal = Callable[..., str]

KEY = "sk-" + "0123456789abcdef" * 4
"""The first key of a new database."""
TOKEN = "0123456789abcdef"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give the command line in an empty folder: arguments in; exit code, output and errors out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QWENPORT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("QWENPORT_MODELS_DIR", str(tmp_path / "models"))

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return command


@dataclass(frozen=True)
class Sent:
    """One request that a command sent."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    """Parsed where it is JSON, bytes where it is not, None where there is none."""
    token: str


@dataclass
class AdminApi:
    """What is answered, in turn; the last answer again and again."""

    url: str
    answers: list[tuple[int, Any]] = field(default_factory=lambda: [(200, {})])
    sent: list[Sent] = field(default_factory=list)

    def answer(self, *contents: Any) -> None:
        """Answer with these, in turn: objects are sent as JSON, bytes as they are."""
        self.answers = [(200, content) for content in contents]

    def refuse(self, status: int, message: str) -> None:
        """Refuse whatever is asked."""
        self.answers = [(status, {"code": "refused", "message": message})]

    def next(self) -> tuple[int, bytes]:
        """Return status and body of the next answer."""
        status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return status, content if isinstance(content, bytes) else json.dumps(content).encode()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminApi]:
    """Give an admin API that the command line finds by QWENPORT_URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    api = AdminApi(f"http://127.0.0.1:{server.server_port}")

    class Noting(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            is_json = self.headers.get("content-type") == "application/json"
            where = urlsplit(self.path)
            api.sent.append(
                Sent(
                    method=self.command,
                    path=where.path.removeprefix("/admin/v1"),
                    query=dict(parse_qsl(where.query, keep_blank_values=True, strict_parsing=bool(where.query))),
                    body=json.loads(content) if is_json else content or None,
                    token=self.headers.get("authorization", "").removeprefix("Bearer "),
                )
            )
            status, answer = api.next()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named by the standard library
            """Say nothing."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Noting, f"do_{method}", Noting.handle_any)
    server.RequestHandlerClass = Noting
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("QWENPORT_URL", api.url)
    monkeypatch.setenv("QWENPORT_ADMIN_TOKEN", TOKEN)
    yield api
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def done(run: Run, tmp_path: Path) -> Done:
    """Give commands on a new database that must succeed; their JSON is returned."""
    (tmp_path / "data").mkdir()
    with Database.open(tmp_path / "data" / "qwenport.db") as database:
        Accounts(database, SystemClock(), RandomIds()).bootstrap(KEY)

    def command(*arguments: str) -> Any:
        code, out, err = run(*arguments, "--json")
        assert (code, err) == (0, ""), (arguments, out, err)
        return json.loads(out)

    return command


@pytest.fixture
def refused(run: Run, done: Done) -> Refusal:
    """Give commands that must fail; their one line is returned."""

    def command(*arguments: str) -> str:
        code, out, err = run(*arguments)
        assert (code, out, err.count("\n")) == (1, "", 1), (arguments, out, err)
        return err.removeprefix("qwenport: ").rstrip("\n")

    return command


@pytest.fixture
def account(done: Done) -> str:
    """Give a prepaid account in CNY."""
    return str(done("accounts", "create", "--email", "own@example.com")["id"])


@pytest.fixture
def called(done: Done, account: str, tmp_path: Path) -> tuple[str, str]:
    """Give the key and the request of one call of that account that cost 0.002 CNY."""
    key_id = done("keys", "create", "--account", account)["id"]
    clock = SystemClock()
    hold = Hold(
        id=RandomIds().request_id(),
        at=clock.timestamp(),
        expires_at=clock.timestamp() + 60,
        key_id=KeyId(key_id),
        account_id=AccountId(account),
        workspace_id=workspace_of(AccountId(account)),
        currency="CNY",
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=10,
        output_tokens=10,
        cost_nanos=3_000_000,
    )
    settlement = Settlement(
        hold=hold,
        at=clock.timestamp(),
        outcome=Outcome.FINISHED,
        status=200,
        served_by="llama/smollm2",
        input_tokens=7,
        output_tokens=3,
        usage_source="engine",
        priced=True,
        cost_nanos=2_000_000,
        price_source="beijing 2025-01-03",
        total_ms=20,
    )
    with Database.open(tmp_path / "data" / "qwenport.db") as database:
        Books(database, PriceBook(Catalog.load(None).cards)).post([settlement])
    return key_id, hold.id
