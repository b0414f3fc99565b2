"""Every command asks the admin API for what it says, in a form that the admin API takes, and prints its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import pytest
from cyclopts import App

from qwenport.cli.main import app
from qwenport.server.admin.reading import read_body, read_query
from qwenport.server.admin.table import OPERATIONS

if TYPE_CHECKING:
    from tests.unit.cli.conftest import AdminApi, Run

LISTED = {"limit": "1000"}
NO_TOKENS = {
    "input_tokens": "0",
    "output_tokens": "0",
    "cached_tokens": "0",
    "explicitly_cached_tokens": "0",
    "cache_creation_tokens": "0",
    "reasoning_tokens": "0",
    "image_tokens": "0",
    "images": "0",
    "pages": "0",
}


class Case(NamedTuple):
    """A command, and what it sends."""

    arguments: str
    method: str
    path: str
    query: Mapping[str, str] = MappingProxyType({})
    body: Any = None


CASES = (
    Case(
        "accounts create --email a@b.c",
        "POST",
        "/accounts",
        body={"email": "a@b.c", "name": "", "kind": "prepaid", "currency": "CNY", "level": ""},
    ),
    Case(
        "accounts create --email a@b.c --name N --kind metered --currency USD --level gold"
        " --free-tokens 0 --free-days 5",
        "POST",
        "/accounts",
        body={
            "email": "a@b.c",
            "name": "N",
            "kind": "metered",
            "currency": "USD",
            "level": "gold",
            "free_tokens": 0,
            "free_days": 5,
        },
    ),
    Case("accounts list", "GET", "/accounts", LISTED),
    Case(
        "accounts list --state in-arrears --kind prepaid --level gold --email a%b --limit 5 --after acc-1",
        "GET",
        "/accounts",
        {"state": "in_arrears", "kind": "prepaid", "level": "gold", "email": "a%b", "limit": "5", "after": "acc-1"},
    ),
    Case("accounts show acc-1", "GET", "/accounts/acc-1"),
    Case(
        "accounts change acc-1 --name N --email x@y.z --kind metered",
        "PATCH",
        "/accounts/acc-1",
        body={"name": "N", "email": "x@y.z", "kind": "metered"},
    ),
    Case("accounts level acc-1 gold", "PATCH", "/accounts/acc-1", body={"level": "gold"}),
    Case("accounts level acc-1", "PATCH", "/accounts/acc-1", body={"level": ""}),
    Case("accounts suspend acc-1", "POST", "/accounts/acc-1/suspend", body={}),
    Case("accounts resume acc-1", "POST", "/accounts/acc-1/resume", body={}),
    Case("accounts arrears acc-1", "POST", "/accounts/acc-1/arrears", body={}),
    Case("accounts close acc-1 --yes", "POST", "/accounts/acc-1/close", body={}),
    Case(
        "accounts free-quota acc-1 --tokens 5000",
        "PUT",
        "/accounts/acc-1/free-quota",
        body={"tokens": 5000, "days": 90},
    ),
    Case("accounts free-tier-only acc-1 on", "PUT", "/accounts/acc-1/free-tier-only", body={"on": True}),
    Case("accounts free-tier-only acc-1 off", "PUT", "/accounts/acc-1/free-tier-only", body={"on": False}),
    Case(
        "accounts discount acc-1 --model * --rate 0.9",
        "PUT",
        "/accounts/acc-1/discounts",
        body={"models": {"*": "0.9"}},
    ),
    Case(
        "accounts discount acc-1 --model qwen-plus --rate none",
        "PUT",
        "/accounts/acc-1/discounts",
        body={"models": {"qwen-plus": None}},
    ),
    Case(
        "accounts activate acc-1 --model qwen-plus",
        "PUT",
        "/accounts/acc-1/activation",
        body={"models": {"qwen-plus": True}, "regions": {}},
    ),
    Case(
        "accounts deactivate acc-1 --region beijing",
        "PUT",
        "/accounts/acc-1/activation",
        body={"models": {}, "regions": {"beijing": False}},
    ),
    Case(
        "accounts credit acc-1 --amount 10.00 --currency CNY --note paid --idempotency-key k",
        "POST",
        "/accounts/acc-1/credit",
        body={"amount": "10.00", "currency": "CNY", "note": "paid", "idempotency_key": "k"},
    ),
    Case(
        "accounts debit acc-1 --amount 0.000000001 --currency CNY",
        "POST",
        "/accounts/acc-1/debit",
        body={"amount": "0.000000001", "currency": "CNY", "note": ""},
    ),
    Case("accounts balance acc-1", "GET", "/accounts/acc-1/balance"),
    Case(
        "accounts entries acc-1 --since 2026-01-01 --until 2026-02-01T00:00:00+08:00 --before ent-1",
        "GET",
        "/accounts/acc-1/entries",
        {"since": "2026-01-01", "until": "2026-02-01T00:00:00+08:00", "limit": "100", "before": "ent-1"},
    ),
    Case("accounts statement acc-1 --month 2026-11", "GET", "/accounts/acc-1/statement", {"month": "2026-11"}),
    Case("workspaces list acc-1", "GET", "/accounts/acc-1/workspaces"),
    Case("workspaces create acc-1 team", "POST", "/accounts/acc-1/workspaces", body={"name": "team"}),
    Case("workspaces rename ws-1 crew", "PATCH", "/workspaces/ws-1", body={"name": "crew"}),
    Case("workspaces delete ws-1 --yes", "DELETE", "/workspaces/ws-1"),
    Case("members list acc-1", "GET", "/accounts/acc-1/members"),
    Case(
        "members add acc-1 --email a@b.c --role developer --workspace ws-1 --expires 2030-01-01T00:00:00Z",
        "POST",
        "/accounts/acc-1/members",
        body={
            "email": "a@b.c",
            "role": "developer",
            "name": "",
            "workspace_id": "ws-1",
            "expires_at": "2030-01-01T00:00:00+00:00",
        },
    ),
    Case("members role mem-1 viewer", "PATCH", "/members/mem-1", body={"role": "viewer"}),
    Case(
        "members change mem-1 --name N --clear workspace --clear expires",
        "PATCH",
        "/members/mem-1",
        body={"name": "N", "workspace_id": None, "expires_at": None},
    ),
    Case("members disable mem-1", "POST", "/members/mem-1/disable", body={}),
    Case("members enable mem-1", "POST", "/members/mem-1/enable", body={}),
    Case("members rotate mem-1", "POST", "/members/mem-1/rotate", body={}),
    Case("members remove mem-1 --yes", "DELETE", "/members/mem-1"),
    Case("members me", "GET", "/me"),
    Case("keys create", "POST", "/keys", body={}),
    Case(
        "keys create --account acc-1 --workspace ws-1 --name N --description D --expires 2030-01-01T00:00:00Z"
        " --models qwen-plus,qwen-max --ip 10.0.0.0/8 --hours 22:00-06:00 --timezone Asia/Shanghai --weekdays 1,5"
        " --rotate-after 90d --keep-bodies 1024 --regions beijing,singapore --priority 3 --cache 60"
        " --rpm 60 --tpm 0 --concurrency 3 --daily-requests 9 --monthly-spend 5.00",
        "POST",
        "/keys",
        body={
            "account_id": "acc-1",
            "workspace_id": "ws-1",
            "name": "N",
            "description": "D",
            "expires_at": "2030-01-01T00:00:00+00:00",
            "models": ["qwen-plus", "qwen-max"],
            "ip_ranges": ["10.0.0.0/8"],
            "hours": {"begin": "22:00", "end": "06:00", "timezone": "Asia/Shanghai", "days": [1, 5]},
            "rotate_after_days": 90,
            "bodies": {"most_bytes": 1024, "days": 30},
            "regions": ["beijing", "singapore"],
            "priority": 3,
            "cache_s": 60,
            "rpm": 60,
            "tpm": 0,
            "concurrency": 3,
            "daily_requests": 9,
            "monthly_spend": "5.00",
        },
    ),
    Case(
        "keys list --account acc-1 --workspace ws-1", "GET", "/keys", LISTED | {"account": "acc-1", "workspace": "ws-1"}
    ),
    Case("keys show key-1", "GET", "/keys/key-1"),
    Case(
        "keys change key-1 --hours 08:00-20:00 --keep-bodies 1 --keep-days 2 --clear expires --clear models --clear ip",
        "PATCH",
        "/keys/key-1",
        body={
            "hours": {"begin": "08:00", "end": "20:00", "timezone": "UTC", "days": []},
            "bodies": {"most_bytes": 1, "days": 2},
            "expires_at": None,
            "models": [],
            "ip_ranges": [],
        },
    ),
    Case(
        "keys change key-1 --clear hours --clear rotate-after --clear keep-bodies --clear regions --clear cache",
        "PATCH",
        "/keys/key-1",
        body={"hours": None, "rotate_after_days": None, "bodies": None, "regions": [], "cache_s": None},
    ),
    Case("keys disable key-1", "POST", "/keys/key-1/disable", body={}),
    Case("keys enable key-1", "POST", "/keys/key-1/enable", body={}),
    Case("keys rotate key-1 --overlap 2d", "POST", "/keys/key-1/rotate", body={"overlap_s": 172_800}),
    Case("keys delete key-1", "DELETE", "/keys/key-1"),
    Case("limits list", "GET", "/limits", LISTED),
    Case(
        "limits list --account acc-1 --workspace ws-1 --key key-1 --model qwen-plus --level gold --unit input-tokens",
        "GET",
        "/limits",
        LISTED
        | {"account": "acc-1", "workspace": "ws-1", "key": "key-1", "model": "qwen-plus", "level": "gold"}
        | {"unit": "input_tokens"},
    ),
    Case("limits show lim-1", "GET", "/limits/lim-1"),
    Case(
        "limits create --unit requests --window at-once --cap 5",
        "POST",
        "/limits",
        body={"unit": "requests", "window": "at_once", "cap": "5", "mode": "enforce", "name": "", "currency": ""}
        | {"model": "", "level": "", "per": []},
    ),
    Case(
        "limits create --unit money --window month --cap 5.00 --mode shadow --name N --currency CNY --burst-ms 1000"
        " --account acc-1 --workspace ws-1 --key key-1 --model qwen-plus --level gold --per key --per model",
        "POST",
        "/limits",
        body={
            "unit": "money",
            "window": "month",
            "cap": "5.00",
            "mode": "shadow",
            "name": "N",
            "currency": "CNY",
            "burst_ms": 1000,
            "account_id": "acc-1",
            "workspace_id": "ws-1",
            "key_id": "key-1",
            "model": "qwen-plus",
            "level": "gold",
            "per": ["key", "model"],
        },
    ),
    Case(
        "limits change lim-1 --if-version 3 --cap 7 --mode shadow --name N --no-burst",
        "PATCH",
        "/limits/lim-1",
        body={"cap": "7", "mode": "shadow", "name": "N", "burst_ms": None, "version": 3},
    ),
    Case("limits delete lim-1", "DELETE", "/limits/lim-1"),
    Case(
        "limits apply-published --level gold --region singapore",
        "POST",
        "/limits/apply-published",
        body={"level": "gold", "region": "singapore"},
    ),
    Case("levels list", "GET", "/levels"),
    Case("levels create gold --description D", "POST", "/levels", body={"name": "gold", "description": "D"}),
    Case("levels delete 50%?", "DELETE", "/levels/50%25%3F"),
    Case("rates list", "GET", "/rates"),
    Case(
        "rates set USD CNY 7.12 --since 2026-11-01 --source bank",
        "PUT",
        "/rates",
        body={"base": "USD", "quote": "CNY", "rate": "7.12", "since": "2026-11-01", "source": "bank"},
    ),
    Case(
        "models price qwen-plus --tokens 1000,500 --cached 10 --explicitly-cached 11 --cache-creation 12 --reasoning 13"
        " --image-tokens 14 --images 15 --pages 16 --currency USD --on 2026-11-01 --batch --account acc-1",
        "GET",
        "/models/qwen-plus/price",
        {
            "input_tokens": "1000",
            "output_tokens": "500",
            "cached_tokens": "10",
            "explicitly_cached_tokens": "11",
            "cache_creation_tokens": "12",
            "reasoning_tokens": "13",
            "image_tokens": "14",
            "images": "15",
            "pages": "16",
            "currency": "USD",
            "on": "2026-11-01",
            "batch": "true",
            "account": "acc-1",
        },
    ),
    Case("models price q --input-tokens 3", "GET", "/models/q/price", NO_TOKENS | {"input_tokens": "3"}),
    Case("usage", "GET", "/usage", {"by": "day"}),
    Case(
        "usage --by day,key --account acc-1 --workspace ws-1 --key key-1 --model m --served-by e/m"
        " --since 2026-01-01 --until 2026-01-02 --top 20 --order tokens --timezone Asia/Shanghai",
        "GET",
        "/usage",
        {"by": "day,key", "account": "acc-1", "workspace": "ws-1", "key": "key-1", "model": "m"}
        | {"since": "2026-01-01", "until": "2026-01-02", "top": "20", "order": "tokens"}
        | {"served_by": "e/m", "timezone": "Asia/Shanghai"},
    ),
    Case("calls", "GET", "/calls", {"limit": "20"}),
    Case(
        "calls list --limit 3 --account acc-1 --workspace ws-1 --key key-1 --model m --face openai --outcome finished"
        " --status 200 --since 2026-01-01 --until 2026-01-02 --before r-1"
        " --served-by e/m --upstream e --least-cost 0.5",
        "GET",
        "/calls",
        {"limit": "3", "account": "acc-1", "workspace": "ws-1", "key": "key-1", "model": "m", "face": "openai"}
        | {"outcome": "finished", "status": "200", "since": "2026-01-01", "until": "2026-01-02", "before": "r-1"}
        | {"served_by": "e/m", "upstream": "e", "least_cost": "0.5"},
    ),
    Case("calls show r-1", "GET", "/calls/r-1"),
    Case("calls body r-1", "GET", "/calls/r-1/body"),
    Case(
        "ledger refund r-1 --amount 0.5 --note sorry",
        "POST",
        "/ledger/refund",
        body={"request_id": "r-1", "amount": "0.5", "note": "sorry"},
    ),
    Case("ledger refund r-1", "POST", "/ledger/refund", body={"request_id": "r-1", "note": ""}),
    Case(
        "ledger correct r-1 --cost 0 --note why",
        "POST",
        "/ledger/correct",
        body={"request_id": "r-1", "cost": "0", "note": "why"},
    ),
    Case("audit", "GET", "/audit", {"limit": "100"}),
    Case(
        "audit --actor operator --action key.disable --object key-1 --account acc-1"
        " --since 2026-01-01 --until 2026-01-02 --before 7",
        "GET",
        "/audit",
        {
            "limit": "100",
            "actor": "operator",
            "action": "key.disable",
            "object": "key-1",
            "account": "acc-1",
            "before": "7",
        }
        | {"since": "2026-01-01", "until": "2026-01-02"},
    ),
    Case("status", "GET", "/status"),
    Case("reload", "POST", "/reload", body={}),
    Case("upstreams list", "GET", "/upstreams"),
    Case("maintenance", "GET", "/maintenance"),
    Case("maintenance on --words back-soon", "PUT", "/maintenance", body={"on": True, "words": "back-soon"}),
    Case("maintenance off", "PUT", "/maintenance", body={"on": False, "words": ""}),
    Case(
        "retention --keep-months 3 --keep-audit-months 12 --yes",
        "POST",
        "/retention",
        body={"keep_months": 3, "keep_audit_months": 12},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.arguments)
def test_a_command_sends_one_request_that_the_admin_api_takes_and_prints_its_answer(
    case: Case, run: Run, api: AdminApi
) -> None:
    api.answer({"answered": "你好"})
    code, out, err = run(*case.arguments.split(), "--json")

    assert (code, err) == (0, "")
    assert json.loads(out) == {"answered": "你好"}
    [sent] = api.sent
    assert (sent.method, sent.path, sent.query, sent.body) == (case.method, case.path, case.query, case.body)
    operation = next(each for each in OPERATIONS if each.method == case.method and matches(each.path, case.path))
    read_query(urlencode(sent.query).encode(), operation.query)
    if operation.body is not None and issubclass(operation.body, msgspec.Struct):
        read_body(json.dumps(sent.body).encode(), operation.body)


def matches(template: str, path: str) -> bool:
    """Tell whether an address is one of this form."""
    return re.fullmatch(re.sub(r"\\?\{\w+\\?\}", "[^/]+", re.escape(template)), path) is not None


def test_every_command_of_the_admin_api_is_tried() -> None:
    local = {"serve", "engine", "chat", "call", "doctor", "db", "ocr", "bench"}
    others = {("models", "list"), ("models", "show"), ("models", "pull"), ("models", "remove")}
    elsewhere = {
        ("keys", "revoke"),
        ("calls", "export"),
        ("ledger", "check"),
        ("ledger", "reconcile"),
        ("calls", "list"),
        ("upstreams", "check"),
    }
    tried = {
        command for case in CASES for command in commands(app) if case.arguments.split()[: len(command)] == [*command]
    }

    assert {each for each in commands(app) if each[0] not in local} - others - elsewhere == tried - {("calls", "list")}


def commands(group: App, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command that users see."""
    for name in group:
        if name.startswith("-") or not group[name].show:
            continue
        below = [each for each in group[name] if not each.startswith("-")]
        if below:
            yield from commands(group[name], (*words, name))
        else:
            yield (*words, name)
