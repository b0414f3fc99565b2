"""Calls that are in the books: found, summed, exported, compared, given back."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Done, Refusal, Run


def test_a_statement_is_the_same_as_json_and_as_csv(
    run: Run, done: Done, account: str, called: tuple[str, str]
) -> None:
    done("accounts", "credit", account, "--amount", "10.00", "--currency", "CNY")
    month = done("calls", "show", called[1])["at"][:7]
    statement = done("accounts", "statement", account, "--month", month)
    code, out, err = run("accounts", "statement", account, "--month", month, "--csv")

    assert statement["closing_balance"] == done("accounts", "balance", account)["balance"] == "9.998"
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].count("9.998") == 1


def test_calls_are_found_summed_and_given_back(
    done: Done, refused: Refusal, account: str, called: tuple[str, str]
) -> None:
    key_id, request_id = called
    by_key = done("usage", "--by", "key", "--account", account)

    assert [(row["key_id"], row["requests"], row["cost"]) for row in by_key] == [(key_id, 1, "0.002")]
    assert [row["request_id"] for row in done("calls", "--key", key_id)] == [request_id]
    assert done("calls", "list", "--model", "qwen-%") == []
    assert done("calls", "show", request_id)["cost"] == "0.002"
    assert refused("calls", "body", request_id)
    done("ledger", "refund", request_id, "--note", "sorry")
    refused("ledger", "refund", request_id)
    done("ledger", "correct", request_id, "--cost", "0.001")
    assert done("accounts", "balance", account)["balance"] == "-0.001"
    assert done("ledger", "check")["balanced"]
    assert "r-none" in refused("ledger", "refund", "r-none")


@pytest.mark.parametrize("format", ["csv", "ndjson", "parquet"])
def test_calls_are_exported(
    run: Run,
    tmp_path: Path,
    called: tuple[str, str],
    format: str,  # noqa: A002 - as the option is called
) -> None:
    code, out, err = run("calls", "export", "--out", "calls", "--format", format)
    path = tmp_path / "calls"
    if format == "csv":
        rows: list[Any] = list(csv.DictReader(io.StringIO(path.read_text())))
    elif format == "ndjson":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        import pyarrow.parquet  # type: ignore[import-untyped]  # has no types

        rows = pyarrow.parquet.read_table(path).to_pylist()

    assert (code, out, err) == (0, "1 calls are in calls.\n", "calls\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [(row["request_id"], float(row["cost"]), int(row["status"])) for row in rows] == [(called[1], 0.002, 200)]


def test_an_upstream_s_export_is_compared_with_the_books(
    run: Run, done: Done, tmp_path: Path, called: tuple[str, str]
) -> None:
    (tmp_path / "theirs.csv").write_text(
        f"request id,model,input tokens,output tokens,amount,currency\n{called[1]},qwen-plus,7,3,0.002,CNY\n"
    )
    same = run("ledger", "reconcile", "theirs.csv", "--upstream", "llama", "--json")
    (tmp_path / "theirs.csv").write_text("nothing\nof use\n")
    useless = run("ledger", "reconcile", "theirs.csv", "--upstream", "llama")

    assert (same[0], json.loads(same[1])["differing"]) == (0, 0)
    assert (useless[0], useless[1], useless[2].count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("accounts", "list"),
        ("keys", "list"),
        ("limits", "list"),
        ("levels", "list"),
        ("rates", "list"),
        ("audit",),
        ("usage",),
        ("calls",),
        ("status",),
        ("maintenance",),
        ("members", "me"),
        ("ledger", "check"),
        ("models", "price", "qwen-plus", "--tokens", "1,1"),
    ],
    ids=" ".join,
)
def test_people_get_a_table_or_words(run: Run, called: tuple[str, str], arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)

    assert (code, err) == (0, "")
    assert out.strip()
    assert not out.lstrip().startswith(("{", "["))
