"""What each operation does, over everything real but the server."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import pytest

from qwenport.storage import body_rows
from qwenport.storage.body_rows import StoredBody
from qwenport.storage.moments import milliseconds

pytestmark = pytest.mark.anyio

START = "2026-01-01T00:00:00Z"


async def ask(house: Any, method: str, path: str, **more: Any) -> Any:
    """Ask as the operator and return the JSON of an answer that must be one."""
    answer = await house.ask("operator", method, path, **more)
    assert answer.is_success, answer.text
    return answer.json()


async def refused(house: Any, method: str, path: str, **more: Any) -> tuple[int, str, str]:
    answer: httpx.Response = await house.ask("operator", method, path, **more)
    said = answer.json()
    return answer.status_code, said["code"], said["message"]


async def test_an_account_is_made_shown_changed_and_closed(house: Any) -> None:
    made = await ask(house, "POST", "/accounts", json={"email": "New@Example.com", "name": "New", "free_tokens": 5})
    account = f"/accounts/{made['id']}"

    assert made == {
        "id": made["id"],
        "email": "new@example.com",
        "name": "New",
        "currency": "CNY",
        "created_at": START,
        "kind": "prepaid",
        "state": "active",
        "level": "",
        "workspace_id": made["workspace_id"],
        "free_quota": {"tokens": 5, "until": "2026-04-01T00:00:00Z"},
        "free_tier_only": False,
        "discounts": {},
        "deactivated_models": [],
        "deactivated_regions": [],
    }
    assert made["workspace_id"].removeprefix("ws") == made["id"].removeprefix("acc")
    assert await ask(house, "GET", account) == {**made, "balance": "0.00", "free_left": []}
    assert [row for row in await ask(house, "GET", "/accounts") if row["id"] == made["id"]] == [made]
    changed = await ask(house, "PATCH", account, json={"name": "Other", "kind": "metered"})
    assert changed == {**made, "name": "Other", "kind": "metered"}
    assert [(await ask(house, "POST", f"{account}/{verb}"))["state"] for verb in ("suspend", "arrears", "resume")] == [
        "suspended",
        "in_arrears",
        "active",
    ]
    assert (await ask(house, "POST", f"{account}/close"))["state"] == "closed"
    assert (await refused(house, "POST", f"{account}/resume"))[:2] == (409, "conflict")


async def test_the_terms_of_an_account_are_set_one_by_one(house: Any) -> None:
    account = f"/accounts/{house.own.account}"
    await ask(house, "PUT", f"{account}/discounts", json={"models": {"qwen-plus": "0.9", "*": "0.95"}})
    after = await ask(house, "PUT", f"{account}/discounts", json={"models": {"*": None}})
    assert after["discounts"] == {"qwen-plus": "0.9"}
    await ask(
        house, "PUT", f"{account}/activation", json={"models": {"qwen-max": False}, "regions": {"beijing": False}}
    )
    after = await ask(house, "PUT", f"{account}/activation", json={"regions": {"beijing": True}})
    assert (after["deactivated_models"], after["deactivated_regions"]) == (["qwen-max"], [])
    assert (await ask(house, "PUT", f"{account}/free-tier-only", json={"on": True}))["free_tier_only"] is True
    assert (await ask(house, "PUT", f"{account}/free-quota", json={"tokens": 0}))["free_quota"] is None


async def test_what_is_left_of_the_free_quota_is_told_by_model(house: Any) -> None:
    account = house.services.accounts.grant_free_quota("operator", house.own.account, 100)
    free = account.terms.free_quota
    assert free is not None
    house.post(house.own, "free", grant=free.grant, cost_nanos=0, price_source="free quota")
    shown = await ask(house, "GET", f"/accounts/{house.own.account}")

    assert shown["free_left"] == [{"model": "qwen-plus", "used": 10, "left": 90}]


async def test_money_is_moved_once_for_each_idempotency_key(house: Any) -> None:
    account = f"/accounts/{house.own.account}"
    credit = {"amount": "10.5", "currency": "CNY", "note": "paid", "idempotency_key": "k-1"}
    first = await ask(house, "POST", f"{account}/credit", json=credit)
    again = await ask(house, "POST", f"{account}/credit", json=credit)
    debit = await ask(house, "POST", f"{account}/debit", json={"amount": "0.5", "currency": "CNY"})

    assert first == again
    assert (first["kind"], first["amount"], first["actor"], debit["amount"]) == ("credit", "10.50", "operator", "-0.50")
    assert await ask(house, "GET", f"{account}/balance") == {
        "account_id": house.own.account,
        "currency": "CNY",
        "balance": "9.996",
    }
    assert await ask(house, "GET", f"{account}/entries") == [debit, first]
    assert await ask(house, "GET", f"{account}/entries", params={"before": debit["id"], "limit": 1}) == [first]
    assert (await refused(house, "POST", f"{account}/close"))[:2] == (409, "conflict")


async def test_a_statement_is_json_or_csv(house: Any) -> None:
    path = f"/accounts/{house.own.account}/statement"
    whole = await ask(house, "GET", path, params={"month": "2026-01"})
    answer = await house.ask("operator", "GET", path, params={"month": "2026-01", "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert (whole["opening_balance"], whole["closing_balance"]) == ("0.00", "-0.004")
    assert [line["amount"] for line in whole["lines"]] == ["-0.004"]
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert [row["balance"] for row in rows] == ["0.00", "-0.004", "-0.004"]


async def test_a_workspace_is_made_renamed_and_deleted(house: Any) -> None:
    path = f"/accounts/{house.own.account}/workspaces"
    made = await ask(house, "POST", path, json={"name": "third"})
    renamed = await ask(house, "PATCH", f"/workspaces/{made['id']}", json={"name": "drei"})

    assert renamed == {**made, "name": "drei"}
    assert {each["name"] for each in await ask(house, "GET", path)} == {"default", "second", "drei"}
    assert await ask(house, "DELETE", f"/workspaces/{made['id']}") == {"id": made["id"], "deleted": True}
    assert (await refused(house, "DELETE", f"/workspaces/{house.own.workspace}"))[0] == 409


async def test_a_member_gets_a_token_once_that_opens_the_account_until_it_is_void(house: Any) -> None:
    path = f"/accounts/{house.own.account}/members"
    made = await ask(house, "POST", path, json={"email": "m@example.com", "role": "viewer"})
    house.tokens["new"] = made["token"]
    me = (await house.ask("new", "GET", "/me")).json()
    listed = next(row for row in await ask(house, "GET", path) if row["id"] == made["id"])

    assert (me["actor"], me["role"], me["account_id"]) == (made["id"], "viewer", house.own.account)
    assert "key.read" in me["permissions"]
    assert "key.write" not in me["permissions"]
    assert made["token"] not in json.dumps(listed)
    rotated = await ask(house, "POST", f"/members/{made['id']}/rotate")
    assert (await house.ask("new", "GET", "/me")).status_code == 401
    house.tokens["new"] = rotated["token"]
    await ask(house, "POST", f"/members/{made['id']}/disable")
    assert (await house.ask("new", "GET", "/me")).status_code == 401
    await ask(house, "POST", f"/members/{made['id']}/enable")
    assert (await house.ask("new", "GET", "/me")).status_code == 200
    await ask(house, "PATCH", f"/members/{made['id']}", json={"role": "admin"})
    assert (await house.ask("new", "GET", "/me")).json()["role"] == "admin"
    await ask(house, "DELETE", f"/members/{made['id']}")
    assert (await house.ask("new", "GET", "/me")).status_code == 401


async def test_the_operator_is_told_who_they_are(house: Any) -> None:
    me = await ask(house, "GET", "/me")

    assert (me["actor"], me["role"], me["account_id"]) == ("operator", "operator", None)
    assert "money.write" in me["permissions"]


KEY = {
    "name": "app",
    "description": "of the app",
    "expires_at": "2027-01-01T08:00:00+08:00",
    "models": ["qwen-plus"],
    "ip_ranges": ["10.0.0.0/8"],
    "hours": {"begin": "08:00", "end": "20:00", "timezone": "Asia/Shanghai", "days": [1, 2]},
    "rotate_after_days": 90,
    "bodies": {"most_bytes": 1000, "days": 3},
    "regions": ["beijing"],
    "priority": 3,
    "cache_s": 60,
}


async def test_a_key_is_made_with_its_limits_and_changed(house: Any) -> None:
    limits = {"rpm": 60, "tpm": 1000, "concurrency": 2, "daily_requests": 500, "monthly_spend": "5.00"}
    made = await ask(house, "POST", "/keys", json={"account_id": house.own.account, **KEY, **limits})
    key = f"/keys/{made['id']}"
    shown = await ask(house, "GET", key)
    found = await ask(house, "GET", "/limits", params={"key": made["id"]})

    assert made["key"].startswith("sk-")
    assert shown == {
        "id": made["id"],
        "account_id": house.own.account,
        "workspace_id": house.own.workspace,
        "currency": "CNY",
        "prefix": f"{made['key'][:7]}...{made['key'][-4:]}",
        "created_at": START,
        "disabled": False,
        "last_used_at": None,
        "needs_rotation": False,
        "rotates_to": None,
        **KEY,
        "expires_at": "2027-01-01T00:00:00Z",
    }
    assert {(each["unit"], each["window"], each["cap"]) for each in found} == {
        ("requests", "minute", "60"),
        ("total_tokens", "minute", "1000"),
        ("requests", "at_once", "2"),
        ("requests", "day", "500"),
        ("money", "month", "5.00"),
    }
    cleared: dict[str, Any] = {
        "hours": None,
        "bodies": None,
        "expires_at": None,
        "models": [],
        "rotate_after_days": None,
        "regions": [],
        "cache_s": None,
    }
    assert await ask(house, "PATCH", key, json={"name": "new", **cleared}) == {**shown, "name": "new", **cleared}


async def test_a_member_puts_no_key_before_those_of_others_and_nobody_names_regions_that_are_none(house: Any) -> None:
    made = await house.ask("developer", "POST", "/keys", json={"priority": -1})
    denied = await house.ask("developer", "POST", "/keys", json={"priority": 1})
    raised = await house.ask("developer", "PATCH", f"/keys/{made.json()['id']}", json={"priority": 1})
    unknown = await refused(house, "POST", "/keys", json={"regions": ["atlantis"]})

    assert (made.status_code, denied.status_code, raised.status_code) == (201, 403, 403)
    assert "it is the operator's to set" in denied.json()["message"]
    assert (await ask(house, "GET", f"/keys/{made.json()['id']}"))["priority"] == -1
    assert unknown[0] == 400
    assert "'atlantis' is no region; known are beijing" in unknown[2]


async def test_a_key_is_switched_rotated_revoked_and_deleted(house: Any) -> None:
    made = await ask(house, "POST", "/keys", json={"account_id": house.own.account})
    key = f"/keys/{made['id']}"
    assert (await ask(house, "POST", f"{key}/disable"))["disabled"] is True
    assert (await ask(house, "POST", f"{key}/enable"))["disabled"] is False
    successor = await ask(house, "POST", f"{key}/rotate", json={"overlap_s": 60})
    assert (await ask(house, "GET", key))["rotates_to"] == successor["id"]
    shown = {"texts": [f"KEY={successor['key']}", "sk-" + "0" * 64]}
    assert (await house.ask("operator", "POST", "/keys/revoke", json=shown)).json() == {
        "revoked": [successor["id"]],
        "unknown": 1,
    }
    assert (await ask(house, "GET", f"/keys/{successor['id']}"))["disabled"] is True
    assert await ask(house, "DELETE", key) == {"id": made["id"], "deleted": True}
    assert (await refused(house, "GET", key))[:2] == (404, "not_found")


async def test_a_member_revokes_keys_of_their_own_account_only(house: Any) -> None:
    foreign = await ask(house, "POST", "/keys", json={"account_id": house.foreign.account})
    answer = await house.ask("developer", "POST", "/keys/revoke", json={"texts": [foreign["key"]]})

    assert answer.json() == {"revoked": [], "unknown": 1}
    assert (await ask(house, "GET", f"/keys/{foreign['id']}"))["disabled"] is False


async def test_keys_are_listed_page_by_page_and_by_account(house: Any) -> None:
    everything = await ask(house, "GET", "/keys")
    pages = [await ask(house, "GET", "/keys", params={"limit": 2})]
    pages.append(await ask(house, "GET", "/keys", params={"limit": 2, "after": pages[0][-1]["id"]}))

    assert [*pages[0], *pages[1]] == everything
    own = await ask(house, "GET", "/keys", params={"account": house.own.account})
    assert {each["id"] for each in own} == {house.own.key, house.beside.key}


async def test_the_second_of_two_who_edit_a_limit_is_told(house: Any) -> None:
    path = f"/limits/{house.own.limit}"
    first = await ask(house, "PATCH", path, json={"version": 1, "cap": 5, "mode": "shadow"})
    status, code, words = await refused(house, "PATCH", path, json={"version": 1, "cap": 7})

    assert (first["cap"], first["mode"], first["version"]) == ("5", "shadow", 2)
    assert (status, code) == (409, "conflict")
    assert "version 2" in words
    assert await ask(house, "GET", path) == first
    assert await ask(house, "DELETE", path) == {"id": house.own.limit, "deleted": True}


async def test_levels_bundle_limits_and_take_published_ones(house: Any) -> None:
    level = await ask(house, "POST", "/levels", json={"name": "small"})
    money = {"unit": "money", "window": "month", "cap": "12.5", "currency": "CNY", "level": "small"}
    limit = await ask(house, "POST", "/limits", json=money)
    published = await house.ask("operator", "POST", "/limits/apply-published", json={"level": "small"})

    assert await ask(house, "GET", "/levels") == [level]
    assert limit["cap"] == "12.50"
    assert published.status_code == 201
    assert {each["level"] for each in published.json()} == {"small"}
    await ask(house, "PATCH", f"/accounts/{house.own.account}", json={"level": "small"})
    assert (await refused(house, "DELETE", "/levels/small"))[:2] == (409, "conflict")
    await ask(house, "PATCH", f"/accounts/{house.own.account}", json={"level": ""})
    assert await ask(house, "DELETE", "/levels/small") == {"id": "small", "deleted": True}
    assert (await refused(house, "DELETE", "/levels/small"))[:2] == (404, "not_found")


async def test_a_rate_is_in_force_for_prices_at_once(house: Any) -> None:
    price = {"input_tokens": 1000, "currency": "EUR"}
    without = await ask(house, "GET", "/models/qwen-plus/price", params=price)
    rate = {"base": "CNY", "quote": "EUR", "since": "2026-01-01", "rate": "0.125", "source": "bank"}
    assert await ask(house, "PUT", "/rates", json=rate) == rate
    assert await ask(house, "GET", "/rates") == [rate]
    with_rate = await ask(house, "GET", "/models/qwen-plus/price", params=price)

    assert (without["cost"], with_rate["cost"] is not None) == (None, True)


async def test_a_price_is_explained_with_the_discount_of_an_account(house: Any) -> None:
    await ask(house, "PUT", f"/accounts/{house.own.account}/discounts", json={"models": {"*": "0.5"}})
    query = {"input_tokens": 1000, "output_tokens": 10}
    full = await ask(house, "GET", "/models/qwen-plus/price", params=query)
    half = await ask(house, "GET", "/models/qwen-plus/price", params={**query, "account": house.own.account})
    own = (await house.ask("viewer", "GET", "/models/qwen-plus/price", params=query)).json()

    assert half["cost_nanos"] * 2 == full["cost_nanos"] > 0
    assert own == half
    assert (await refused(house, "GET", "/models/none/price"))[:2] == (404, "not_found")


async def test_models_are_listed_with_the_currencies_in_which_they_have_a_price(house: Any) -> None:
    models = {each["name"]: each for each in await ask(house, "GET", "/models")}

    assert list(models) == list(house.catalog.cards)
    assert "CNY" in models["qwen-plus"]["currencies"]


async def test_usage_is_summed_in_many_ways(house: Any) -> None:
    for by, field in (("day", "day"), ("hour", "hour"), ("month", "month"), ("account", "account_id")):
        rows = await ask(house, "GET", "/usage", params={"by": by})
        assert sum(row["requests"] for row in rows) == 3
        assert field in rows[0]
    (top,) = await ask(house, "GET", "/usage", params={"by": "key", "top": 1, "order": "tokens"})
    assert top["cost"] == "0.002"
    (second,) = await ask(house, "GET", "/usage", params={"by": "day", "workspace": house.beside.workspace})
    assert second["requests"] == 1


async def test_calls_are_listed_filtered_and_shown(house: Any) -> None:
    house.post(house.own, "late", status=500, error="engine_failed", outcome="failed")
    call = await ask(house, "GET", "/calls/late")

    assert (call["status"], call["error"], call["cost"], call["workspace_id"]) == (
        500,
        "engine_failed",
        "0.002",
        house.own.workspace,
    )
    assert await ask(house, "GET", "/calls", params={"status": 500}) == [call]
    assert await ask(house, "GET", "/calls", params={"key": house.own.key, "status": 500, "face": "openai"}) == [call]
    assert await ask(house, "GET", "/calls", params={"model": "qwen%"}) == []
    assert await ask(house, "GET", "/calls", params={"model": "' OR 1=1 --"}) == []
    newest = await ask(house, "GET", "/calls", params={"limit": 2})
    rest = await ask(house, "GET", "/calls", params={"before": newest[-1]["request_id"]})
    assert len({row["request_id"] for row in (*newest, *rest)}) == 4


async def test_what_a_call_said_is_shown_while_it_is_kept(house: Any) -> None:
    now = milliseconds(house.services.clock.now())
    body = StoredBody(
        request_id=house.own.call,
        account_id=house.own.account,
        key_id=house.own.key,
        at=now,
        expires_at=now + 1000,
        request=b'{"a":"\xff"}',
        answer="早".encode(),
        request_bytes=9,
        answer_bytes=3,
    )
    with house.database.write() as transaction:
        body_rows.add(transaction, [body])
    shown = (await house.ask("developer", "GET", f"/calls/{house.own.call}/body")).json()

    assert (shown["request"], shown["answer"], shown["request_bytes"]) == ('{"a":"\\xff"}', "早", 9)
    assert (await house.ask("viewer", "GET", f"/calls/{house.own.call}/body")).status_code == 403
    assert (await refused(house, "GET", f"/calls/{house.foreign.call}/body"))[:2] == (404, "not_found")
    house.services.clock.advance(2)
    assert (await refused(house, "GET", f"/calls/{house.own.call}/body"))[:2] == (404, "not_found")


async def test_calls_are_exported_whole_as_csv_and_as_lines_of_json(house: Any) -> None:
    listed = await ask(house, "GET", "/calls")
    lines = (await house.ask("operator", "GET", "/calls/export", params={"format": "ndjson"})).text.splitlines()
    answer = await house.ask("operator", "GET", "/calls/export", params={"account": house.own.account})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    nothing = await house.ask("operator", "GET", "/calls/export", params={"model": "none"})

    assert [json.loads(line) for line in lines] == listed
    assert answer.headers["content-type"] == "text/csv"
    assert sorted(row["request_id"] for row in rows) == ["beside", "own"]
    assert nothing.text.splitlines() == [answer.text.splitlines()[0]]


async def test_the_books_are_checked_refunded_and_corrected(house: Any) -> None:
    refund = await ask(house, "POST", "/ledger/refund", json={"request_id": "own", "amount": "0.001", "note": "n"})
    more = await refused(house, "POST", "/ledger/refund", json={"request_id": "own", "amount": "0.002"})
    unknown = await refused(house, "POST", "/ledger/refund", json={"request_id": "none"})
    correction = await ask(house, "POST", "/ledger/correct", json={"request_id": "beside", "cost": "0.005"})
    check = await ask(house, "GET", "/ledger/check")

    assert (refund["kind"], refund["amount"], refund["request_id"]) == ("refund", "0.001", "own")
    assert (more[0], unknown[0]) == (400, 404)
    assert correction["amount"] == "-0.003"
    assert (check["balanced"], check["calls"], check["open_holds"], check["differences"]) == (True, 3, 2, [])


async def test_an_export_of_an_upstream_is_compared_with_the_books(house: Any) -> None:
    export = "Booked on,Product,input tokens,output tokens\n2026-01-01,smollm2,21,9\n2026-01-01,other,1,1\n"
    query = {"upstream": "llama", "columns": "day=Booked on,model=Product"}
    found = await ask(house, "POST", "/ledger/reconcile", params=query, content=export.encode("utf-16"))

    assert (found["agreeing"], found["differing"]) == (1, 1)
    assert [(each["kind"], each["model"]) for each in found["differences"]] == [("only_theirs", "other")]
    assert (await refused(house, "POST", "/ledger/reconcile", params=query, content=b"\0\xff"))[0] == 400


async def test_every_change_is_in_the_audit_log_without_secrets(house: Any) -> None:
    made = (await house.ask("developer", "POST", "/keys", json={"name": "audited"})).json()
    await ask(house, "POST", f"/keys/{made['id']}/disable")
    log = await ask(house, "GET", "/audit", params={"object": made["id"]})
    whole = await house.ask("operator", "GET", "/audit", params={"limit": 1000})
    developer = (await house.ask("developer", "GET", "/me")).json()["actor"]

    assert [(row["actor"], row["action"]) for row in log] == [("operator", "key.disable"), (developer, "key.create")]
    assert (log[0]["before"], log[0]["after"]) == ({"disabled": False}, {"disabled": True})
    assert made["key"] not in whole.text
    assert not any(token in whole.text for token in house.tokens.values())
    assert await ask(house, "GET", "/audit", params={"before": log[0]["id"], "object": made["id"]}) == log[1:]
    own = (await house.ask("admin", "GET", "/audit", params={"limit": 1000})).json()
    assert {row["account_id"] for row in own} == {house.own.account}


async def test_maintenance_is_switched_on_and_off(house: Any) -> None:
    before = await ask(house, "GET", "/maintenance")
    on = await ask(house, "PUT", "/maintenance", json={"on": True, "words": "back at noon"})

    assert before == {"on": False, "words": "", "since": None}
    assert on == {"on": True, "words": "back at noon", "since": START}
    assert await ask(house, "GET", "/maintenance") == on


async def test_old_months_are_let_go_of_and_that_is_audited(house: Any) -> None:
    house.services.clock.advance(90 * 86_400)
    done = await ask(house, "POST", "/retention", json={"keep_months": 1})

    assert done["months"] == ["2026-01"]
    assert (await ask(house, "GET", "/ledger/check"))["balanced"] is True
    (row,) = await ask(house, "GET", "/audit", params={"action": "house.retain"})
    assert row["after"]["months"] == ["2026-01"]


async def test_the_state_of_the_server_is_told(house: Any) -> None:
    assert await ask(house, "GET", "/status") == {
        "gateway_resident_bytes": 4096,
        "engines": {},
        "open_holds": 2,
        "stale_holds": 0,
        "unposted": 0,
        "backlog_bytes": 70,
    }
