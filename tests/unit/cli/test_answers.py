"""Commands whose answers are more than one object: keys that are known to others, exports, sums, checks."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import AdminApi, Run

KEYS = [f"sk-{number:064x}" for number in range(250)]


class Piped:
    """Standard input of a pipe."""

    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)

    def isatty(self) -> bool:
        """Say no."""
        return False


def test_keys_in_a_text_are_revoked_without_being_shown(
    run: Run, api: AdminApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(f'"key": "{key}", # \xff secret words' for key in [*KEYS, KEYS[0]]).encode("latin-1")
    monkeypatch.setattr(sys, "stdin", Piped(text))
    api.answer(*({"revoked": [f"key-{number}"], "unknown": number} for number in (1, 2, 3)))
    code, out, err = run("keys", "revoke", "--stdin")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "key-1 is disabled.",
        "key-2 is disabled.",
        "key-3 is disabled.",
        "Disabled: 3. Not of this server: 6.",
    ]
    assert [each.body["texts"] for each in api.sent] == [KEYS[:100], KEYS[100:200], KEYS[200:]]


def test_a_text_without_keys_is_refused(run: Run, api: AdminApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Piped(b"sk-short, and nothing else"))

    assert run("keys", "revoke", "--stdin", "--json") == (
        1,
        "",
        "qwenport: no key stands on standard input: one begins with `sk-`\n",
    )
    assert api.sent == []


def test_a_new_key_is_shown_once_with_its_id(run: Run, api: AdminApi) -> None:
    api.answer({"id": "key-1", "key": "sk-x"})

    assert run("keys", "create") == (
        0,
        "id   key-1\nkey  sk-x\nKeep the key now: it is not stored and cannot be shown again.\n",
        "",
    )


def test_a_new_member_is_told_where_the_token_goes(run: Run, api: AdminApi) -> None:
    api.answer({"id": "mem-1", "token": "qpm-x"})
    code, out, _ = run("members", "rotate", "mem-1")

    assert code == 0
    assert out.splitlines()[:2] == ["id     mem-1", "token  qpm-x"]
    assert "QWENPORT_ADMIN_TOKEN" in out


def test_a_limit_is_changed_from_the_version_that_it_has(run: Run, api: AdminApi) -> None:
    api.answer({"id": "lim-1", "version": 4}, {"id": "lim-1", "version": 5})
    code, out, _ = run("limits", "change", "lim-1", "--cap", "7", "--json")

    assert (code, json.loads(out)) == (0, {"id": "lim-1", "version": 5})
    assert [(each.method, each.path, each.body) for each in api.sent] == [
        ("GET", "/limits/lim-1", None),
        ("PATCH", "/limits/lim-1", {"cap": "7", "version": 4}),
    ]


def test_a_statement_as_csv_is_what_the_server_wrote(run: Run, api: AdminApi) -> None:
    api.answer(b"date,amount\n2026-11-01,10.00\n")

    assert run("accounts", "statement", "acc-1", "--month", "2026-11", "--csv") == (
        0,
        "date,amount\n2026-11-01,10.00\n",
        "",
    )
    assert api.sent[0].query == {"month": "2026-11", "format": "csv"}


USED: dict[str, Any] = {
    "requests": 2,
    "unpriced_requests": 0,
    "input_tokens": 1,
    "output_tokens": 2,
    "cached_tokens": 3,
    "reasoning_tokens": 4,
    "image_tokens": 5,
    "images": 6,
    "pages": 7,
    "cost": "0.10",
    "currency": "CNY",
}


def test_usage_as_csv_has_the_columns_that_it_is_summed_by(run: Run, api: AdminApi) -> None:
    api.answer([{"day": "2026-01-01", "key_id": "key-1", **USED}])
    code, out, _ = run("usage", "--by", "day,key", "--csv")

    assert (code, out.splitlines()) == (
        0,
        [
            f"day,key_id,{','.join(USED)}",
            "2026-01-01,key-1,2,0,1,2,3,4,5,6,7,0.10,CNY",
        ],
    )


def test_calls_without_a_price_cost_nothing_that_is_known(run: Run, api: AdminApi) -> None:
    api.answer([{"model": "m", **USED, "unpriced_requests": 2, "cost": "0"}])
    _, out, _ = run("usage", "--by", "model")

    assert out.splitlines()[1].split()[-2:] == ["-", "CNY"]


@pytest.mark.parametrize(
    ("balanced", "code", "first"), [(True, 0, "The books balance."), (False, 1, "The books do NOT balance:")]
)
def test_a_check_of_the_books_tells_by_its_exit_code(
    run: Run, api: AdminApi, balanced: bool, code: int, first: str
) -> None:
    api.answer(
        {
            "balanced": balanced,
            "calls": 1_234,
            "open_holds": 3,
            "stale_holds": 2,
            "unposted": 1,
            "differences": [] if balanced else ["a call is missing"],
            "totals": [],
        }
    )
    done, out, _ = run("ledger", "check")
    lines = out.splitlines()

    assert (done, lines[0]) == (code, first)
    assert lines[-2 if lines[-1] == "" else -1] == "1,234 calls, 3 open holds (2 stale), 1 unposted"
    assert ("  a call is missing" in lines) == (not balanced)


@pytest.mark.parametrize(("answer", "code"), [((0, 0), 0), ((1, 0), 1), ((0, 1), 1)])
def test_an_export_of_an_upstream_is_sent_as_it_is(
    run: Run, api: AdminApi, tmp_path: Path, answer: tuple[int, int], code: int
) -> None:
    (tmp_path / "theirs.csv").write_bytes("日期,金额\n".encode("gb18030"))
    content = dict(zip(("differing", "bad"), answer, strict=True))
    api.answer(content)
    done, out, _ = run(
        "ledger", "reconcile", "theirs.csv", "--upstream", "alibaba", "--columns", "date=日期, amount=金额", "--json"
    )

    assert (done, json.loads(out)) == (code, content)
    [sent] = api.sent
    assert (sent.method, sent.path, sent.body) == ("POST", "/ledger/reconcile", "日期,金额\n".encode("gb18030"))
    assert sent.query == {"upstream": "alibaba", "columns": "date=日期,amount=金额"}


def test_calls_are_exported_into_a_file_of_their_owner(run: Run, api: AdminApi, tmp_path: Path) -> None:
    api.answer([{"requests": 1}, {"requests": 1}], b"request_id,at\nr-2,b\nr-1,a\n")
    code, out, err = run("calls", "export", "--out", "calls.csv", "--model", "m", "--since", "2026-01-01", "--json")

    assert (code, json.loads(out), err) == (
        0,
        {"file": "calls.csv", "format": "csv", "calls": 2, "size_bytes": 26},
        "calls\n",
    )
    assert (tmp_path / "calls.csv").read_bytes() == b"request_id,at\nr-2,b\nr-1,a\n"
    assert (tmp_path / "calls.csv").stat().st_mode & 0o777 == 0o600
    assert [(each.path, each.query) for each in api.sent] == [
        ("/usage", {"model": "m", "since": "2026-01-01", "by": "month"}),
        ("/calls/export", {"model": "m", "since": "2026-01-01", "format": "csv"}),
    ]


def test_an_export_that_fails_leaves_what_was_there(run: Run, api: AdminApi, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("mine")
    taken = run("calls", "export", "--out", "calls.csv")
    api.refuse(503, "the database does not answer")
    failed = run("calls", "export", "--out", "calls.csv", "--overwrite", "--status", "200")

    assert taken == (
        1,
        "",
        "qwenport: calls.csv is there already; choose another name, or say `--overwrite`\n",
    )
    assert (failed[0], failed[1], failed[2].splitlines()[-1]) == (1, "", "qwenport: the database does not answer")
    assert [path.name for path in tmp_path.iterdir()] == ["calls.csv"]
    assert (tmp_path / "calls.csv").read_text() == "mine"


def test_a_body_is_shown_without_what_moves_the_cursor(run: Run, api: AdminApi) -> None:
    api.answer({"request": '{"a":\n\t1}', "answer": "\x1b[2J", "request_bytes": 9, "answer_bytes": 4_000})
    code, out, _ = run("calls", "body", "r-1")

    assert code == 0
    assert out == (
        'request, 9 bytes before it was cut to what the key keeps:\n{"a":\n\t1}\n\n'
        "answer, 4,000 bytes before it was cut to what the key keeps:\n?[2J\n\n"
    )
