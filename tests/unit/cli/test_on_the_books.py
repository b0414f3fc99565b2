"""The commands on a real database and the real admin API, without a server between."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Done, Refusal, Run

KEY = "sk-" + "0123456789abcdef" * 4
"""The first key of the database."""


def test_an_account_lives_from_creation_to_closing(done: Done, refused: Refusal, account: str) -> None:
    listed = {row["id"]: (row["email"], row["kind"], row["state"]) for row in done("accounts", "list")}
    assert listed[account] == ("own@example.com", "prepaid", "active")
    assert done("accounts", "list", "--email", "own%") == []
    assert "own@example.com" in refused("accounts", "create", "--email", "own@example.com")

    assert done("accounts", "change", account, "--name", "Own; DROP TABLE")["name"] == "Own; DROP TABLE"
    assert done("accounts", "suspend", account)["state"] == "suspended"
    assert done("accounts", "resume", account)["state"] == "active"
    assert done("accounts", "arrears", account)["state"] == "in_arrears"
    assert done("accounts", "resume", account)["state"] == "active"
    assert done("accounts", "close", account, "--yes")["state"] == "closed"


def test_the_terms_of_an_account_are_set_and_shown(done: Done, refused: Refusal, account: str) -> None:
    done("levels", "create", "gold")
    done("accounts", "level", account, "gold")
    done("accounts", "discount", account, "--model", "qwen-plus", "--rate", "0.9")
    done("accounts", "deactivate", account, "--model", "qwen-max", "--region", "beijing")
    done("accounts", "free-tier-only", account, "on")
    done("accounts", "free-quota", account, "--tokens", "5000", "--days", "3")
    shown = done("accounts", "show", account)

    assert shown["level"] == "gold"
    assert shown["discounts"] == {"qwen-plus": "0.9"}
    assert (shown["deactivated_models"], shown["deactivated_regions"]) == (["qwen-max"], ["beijing"])
    assert (shown["free_tier_only"], shown["free_quota"]["tokens"]) == (True, 5000)
    assert "gold" in refused("levels", "delete", "gold")
    for arguments in (
        ("accounts", "discount", account, "--model", "qwen-plus", "--rate", "-1"),
        ("accounts", "discount", account, "--model", "gpt-4", "--rate", "0.5"),
        ("accounts", "deactivate", account, "--model", "gpt-4"),
        ("accounts", "level", account, "silver"),
        ("accounts", "free-quota", account, "--tokens", "1" * 19),
    ):
        refused(*arguments)

    done("accounts", "activate", account, "--model", "qwen-max")
    done("accounts", "discount", account, "--model", "qwen-plus", "--rate", "none")
    done("accounts", "level", account)
    shown = done("accounts", "show", account)
    assert (shown["deactivated_models"], shown["discounts"], shown["level"]) == ([], {}, "")
    done("levels", "delete", "gold")
    assert done("levels", "list") == []


def test_money_is_moved_once_and_only_in_the_currency_of_the_account(
    done: Done, refused: Refusal, account: str
) -> None:
    for _ in range(2):
        done("accounts", "credit", account, "--amount", "10.00", "--currency", "CNY", "--idempotency-key", "once")
    done("accounts", "debit", account, "--amount", "0.000000001", "--currency", "CNY", "--note", "'; --")

    assert done("accounts", "balance", account)["balance"] == "9.999999999"
    assert [row["kind"] for row in done("accounts", "entries", account)] == ["debit", "credit"]
    assert "USD" in refused("accounts", "credit", account, "--amount", "1", "--currency", "USD")
    for amount in ("-1", "0", "1e3", "NaN", "1,00", "0.0000000001", "99999999999", "ten"):
        refused("accounts", "credit", account, "--amount", amount, "--currency", "CNY")
    assert "acc-none" in refused("accounts", "credit", "acc-none", "--amount", "1", "--currency", "CNY")
    assert done("accounts", "balance", account)["balance"] == "9.999999999"
    assert done("ledger", "check")["balanced"]
    assert refused("accounts", "close", account, "--yes")


def test_a_workspace_and_its_keys(done: Done, refused: Refusal, account: str) -> None:
    made = done("workspaces", "create", account, "team")["id"]
    done("workspaces", "rename", made, "crew")
    key = done("keys", "create", "--account", account, "--workspace", made, "--name", "k")

    assert {row["name"] for row in done("workspaces", "list", account)} == {"default", "crew"}
    assert [row["id"] for row in done("keys", "list", "--workspace", made)] == [key["id"]]
    refused("workspaces", "delete", made, "--yes")
    done("keys", "delete", key["id"])
    done("workspaces", "delete", made, "--yes")
    assert "ws-none" in refused("workspaces", "rename", "ws-none", "x")


def test_a_member_of_an_account(done: Done, refused: Refusal, account: str) -> None:
    made = done("members", "add", account, "--email", "a@b.c", "--role", "owner")
    other = done("members", "add", account, "--email", "d@e.f", "--role", "viewer")
    assert made["token"].startswith("qpm-")
    done("members", "role", other["id"], "billing")
    done("members", "change", other["id"], "--name", "D", "--expires", "2030-01-01T00:00:00Z")
    done("members", "change", other["id"], "--clear", "expires")
    done("members", "disable", other["id"])
    done("members", "enable", other["id"])
    assert done("members", "rotate", other["id"])["token"] != other["token"]
    listed = {row["id"]: row for row in done("members", "list", account)}

    assert (listed[other["id"]]["role"], listed[other["id"]]["name"]) == ("billing", "D")
    assert listed[other["id"]]["expires_at"] is None
    done("members", "remove", other["id"], "--yes")
    refused("members", "remove", made["id"], "--yes")
    assert done("members", "me")["actor"] == "operator"


def test_a_key_with_everything_and_its_limits(done: Done, refused: Refusal, account: str) -> None:
    limits = ("--rpm", "60", "--tpm", "1000", "--concurrency", "3", "--daily-requests", "9", "--monthly-spend", "5.00")
    made = done(
        *("keys", "create", "--account", account, "--models", "qwen-plus,qwen-max", "--ip", "10.0.0.0/8", *limits),
        *("--hours", "22:00-06:00", "--timezone", "Asia/Shanghai", "--rotate-after", "90d", "--keep-bodies", "1024"),
    )
    shown = done("keys", "show", made["id"])
    bound = {(row["unit"], row["window"]): row for row in done("limits", "list", "--key", made["id"])}

    assert shown["hours"] == {"begin": "22:00", "end": "06:00", "timezone": "Asia/Shanghai", "days": []}
    assert (shown["bodies"], shown["rotate_after_days"]) == ({"most_bytes": 1024, "days": 30}, 90)
    assert {name: row["cap"] for name, row in bound.items()} == {
        ("requests", "minute"): "60",
        ("total_tokens", "minute"): "1000",
        ("requests", "at_once"): "3",
        ("requests", "day"): "9",
        ("money", "month"): "5.00",
    }
    done("keys", "change", made["id"], "--clear", "hours", "--clear", "models", "--clear", "keep-bodies")
    shown = done("keys", "show", made["id"])
    assert (shown["hours"], shown["models"], shown["bodies"]) == (None, [], None)
    for arguments in (
        ("--monthly-spend", "-5"),
        ("--monthly-spend", "lots"),
        ("--models", "gpt-4"),
        ("--ip", "10.0.0.1/8"),
        ("--hours", "25:00-26:00"),
        ("--hours", "08:00-20:00", "--timezone", "Mars/Base"),
        ("--expires", "2020-01-01T00:00:00Z"),
        ("--name", "x" * 5_000),
        ("--account", "acc-none"),
    ):
        refused("keys", "create", *arguments)


def test_a_key_found_in_a_text_is_revoked(done: Done, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'export DASHSCOPE_API_KEY="{KEY}" # and sk-ffffffffffffffffffffffffffffffff'

    class Piped:
        buffer = io.BytesIO(text.encode())

    monkeypatch.setattr(sys, "stdin", Piped())
    code, out, err = run("keys", "revoke", "--stdin")
    [key] = done("keys", "list")

    assert (code, err, out.splitlines()) == (
        0,
        "",
        [f"{key['id']} is disabled.", "Disabled: 1. Not of this server: 1."],
    )
    assert key["disabled"]


def test_limits_are_changed_by_one_at_a_time(done: Done, refused: Refusal, account: str) -> None:
    made = done("limits", "create", "--unit", "requests", "--window", "minute", "--cap", "5", "--account", account)
    changed = done("limits", "change", made["id"], "--cap", "7", "--mode", "shadow")

    assert (changed["cap"], changed["mode"], changed["version"]) == ("7", "shadow", 2)
    assert "version" in refused("limits", "change", made["id"], "--cap", "9", "--if-version", "1")
    assert [row["id"] for row in done("limits", "list", "--account", account)] == [made["id"]]
    for arguments in (
        ("--unit", "input-tokens", "--window", "at-once", "--cap", "1"),
        ("--unit", "money", "--window", "day", "--cap", "5.00"),
        ("--unit", "requests", "--window", "day", "--cap", "-1"),
        ("--unit", "requests", "--window", "day", "--cap", "many"),
        ("--unit", "requests", "--window", "day", "--cap", "1", "--level", "none"),
    ):
        refused("limits", "create", *arguments)
    done("limits", "delete", made["id"])
    assert made["id"] in refused("limits", "show", made["id"])


def test_published_limits_bind_an_account_once_they_are_applied(done: Done, account: str) -> None:
    made = done("limits", "apply-published", "--account", account)

    assert made
    assert {row["account_id"] for row in made} == {account}
    assert {row["id"] for row in made} == {row["id"] for row in done("limits", "list", "--account", account)}


def test_rates_and_prices(done: Done, refused: Refusal) -> None:
    done("rates", "set", "USD", "CNY", "7.12", "--since", "2026-11-01", "--source", "bank")
    priced = done("models", "price", "qwen-plus", "--tokens", "1000,500", "--currency", "CNY")

    assert done("rates", "list") == [
        {"base": "USD", "quote": "CNY", "since": "2026-11-01", "rate": "7.12", "source": "bank"}
    ]
    assert float(priced["cost"]) > 0
    for arguments in (
        ("USD", "USD", "1", "--since", "2026-11-01"),
        ("USD", "CNY", "-7", "--since", "2026-11-01"),
        ("USD", "CNY", "7", "--since", "2026-13-01"),
    ):
        refused("rates", "set", *arguments)
    assert "gpt-4" in refused("models", "price", "gpt-4", "--tokens", "1,1")


def test_every_change_is_in_the_audit_log(done: Done, account: str) -> None:
    done("accounts", "suspend", account)
    [suspended] = done("audit", "--object", account, "--limit", "1")

    assert (suspended["actor"], suspended["account_id"]) == ("operator", account)
    assert (suspended["before"]["terms"]["state"], suspended["after"]["terms"]["state"]) == ("active", "suspended")
    assert done("audit", "--actor", "%") == []


def test_a_change_is_shown_to_people_by_what_is_different(run: Run, done: Done, account: str) -> None:
    done("accounts", "suspend", account)
    _, out, _ = run("audit", "--object", account, "--limit", "1")

    assert re.split(r"  +", out.splitlines()[1].strip())[-2:] == ["terms=(state=active)", "terms=(state=suspended)"]


def test_the_house_is_closed_for_maintenance_and_opened_again(done: Done, refused: Refusal) -> None:
    assert done("maintenance")["on"] is False
    assert done("maintenance", "on", "--words", "back at noon")["words"] == "back at noon"
    assert done("maintenance")["on"] is True
    refused("maintenance", "on", "--words", "x" * 501)
    assert done("maintenance", "off")["on"] is False
    assert done("status")["open_holds"] == 0
    done("retention", "--keep-months", "3", "--yes")
