"""Every role on every operation, on things of its own, of the workspace beside, of others, and on none at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwenport.accounts import ChangeMember, Permission
from qwenport.server.admin.desk import Desk
from qwenport.server.admin.operation import AdminOperation, Asked, ObjectOf, Reach, operation
from qwenport.server.admin.queries import KeysQuery
from qwenport.server.admin.table import OPERATIONS

pytestmark = pytest.mark.anyio


@pytest.fixture
def any_place(tmp_path: Path) -> Path:
    """Return a file: what is refused here never gets to a database, so that one kind of them is enough."""
    return tmp_path / "qwenport.db"


ROLES = {"o": "owner", "a": "admin", "d": "developer", "b": "billing", "v": "viewer"}
ALLOWED = {
    "GET /accounts": "oadbv",
    "POST /accounts": "",
    "GET /accounts/{id}": "oadbv",
    "PATCH /accounts/{id}": "o",
    "POST /accounts/{id}/suspend": "",
    "POST /accounts/{id}/resume": "",
    "POST /accounts/{id}/arrears": "",
    "POST /accounts/{id}/close": "",
    "PUT /accounts/{id}/free-quota": "",
    "PUT /accounts/{id}/free-tier-only": "o",
    "PUT /accounts/{id}/discounts": "",
    "PUT /accounts/{id}/activation": "",
    "POST /accounts/{id}/credit": "",
    "POST /accounts/{id}/debit": "",
    "GET /accounts/{id}/balance": "oab",
    "GET /accounts/{id}/entries": "oab",
    "GET /accounts/{id}/statement": "oab",
    "GET /accounts/{id}/workspaces": "oadbv",
    "POST /accounts/{id}/workspaces": "oa",
    "PATCH /workspaces/{id}": "oa",
    "DELETE /workspaces/{id}": "oa",
    "GET /accounts/{id}/members": "oadv",
    "POST /accounts/{id}/members": "oa",
    "PATCH /members/{id}": "oa",
    "DELETE /members/{id}": "oa",
    "POST /members/{id}/disable": "oa",
    "POST /members/{id}/enable": "oa",
    "POST /members/{id}/rotate": "oa",
    "GET /me": "oadbv",
    "GET /keys": "oadv",
    "POST /keys": "oad",
    "POST /keys/revoke": "oad",
    "GET /keys/{id}": "oadv",
    "PATCH /keys/{id}": "oad",
    "DELETE /keys/{id}": "oad",
    "POST /keys/{id}/disable": "oad",
    "POST /keys/{id}/enable": "oad",
    "POST /keys/{id}/rotate": "oad",
    "GET /limits": "oadv",
    "POST /limits": "oa",
    "POST /limits/apply-published": "",
    "GET /limits/{id}": "oadv",
    "PATCH /limits/{id}": "oa",
    "DELETE /limits/{id}": "oa",
    "GET /levels": "",
    "POST /levels": "",
    "DELETE /levels/{name}": "",
    "GET /rates": "oab",
    "PUT /rates": "",
    "GET /models": "oadbv",
    "GET /models/{name}/price": "oadbv",
    "GET /usage": "oadbv",
    "GET /calls": "oadbv",
    "GET /calls/export": "oadbv",
    "GET /calls/{id}": "oadbv",
    "GET /calls/{id}/body": "oad",
    "GET /ledger/check": "",
    "POST /ledger/refund": "",
    "POST /ledger/correct": "",
    "POST /ledger/reconcile": "",
    "GET /audit": "oa",
    "GET /status": "",
    "GET /maintenance": "",
    "PUT /maintenance": "",
    "GET /upstreams": "",
    "POST /upstreams/{name}/check": "",
    "POST /reload": "",
    "POST /retention": "",
    "GET /openapi.json": "oadbv",
}
"""Roles that may, without being bound to a workspace."""

NOT_WHEN_BOUND = frozenset({"POST /keys/revoke", "GET /audit"})
"""What is about a whole account, though its address names none."""
WHEN_BOUND = frozenset({"GET /accounts/{id}"})
"""What of a whole account is open to who is bound to a workspace."""

BODIES: dict[str, dict[str, Any]] = {
    "POST /accounts": {"email": "new@example.com"},
    "PUT /accounts/{id}/free-quota": {"tokens": 1},
    "PUT /accounts/{id}/free-tier-only": {"on": True},
    "PUT /accounts/{id}/discounts": {"models": {}},
    "POST /accounts/{id}/credit": {"amount": "1", "currency": "CNY"},
    "POST /accounts/{id}/debit": {"amount": "1", "currency": "CNY"},
    "POST /accounts/{id}/workspaces": {"name": "x"},
    "PATCH /workspaces/{id}": {"name": "x"},
    "POST /accounts/{id}/members": {"email": "x@example.com", "role": "viewer"},
    "POST /keys/revoke": {"texts": []},
    "PATCH /limits/{id}": {"version": 1},
    "POST /levels": {"name": "x"},
    "PUT /rates": {"base": "USD", "quote": "CNY", "since": "2026-01-01", "rate": "7"},
    "POST /ledger/refund": {"request_id": "own"},
    "POST /ledger/correct": {"request_id": "own", "cost": "1"},
    "PUT /maintenance": {"on": True},
    "POST /retention": {"keep_months": 3},
}
QUERIES = {
    "GET /accounts/{id}/statement": {"month": "2026-01"},
    "POST /ledger/reconcile": {"upstream": "x"},
}
OBJECTS = [each for each in OPERATIONS if isinstance(each.scope, ObjectOf)]
OTHERS = [each for each in OPERATIONS if not isinstance(each.scope, ObjectOf)]


def name_of(each: AdminOperation) -> str:
    return f"{each.method} {each.path}"


def id_in(each: AdminOperation, things: Any) -> str:
    """Return the id of the thing that an operation's address means."""
    kind = each.path.split("/")[1].removesuffix("s")
    return str(getattr(things, kind))


def more(each: AdminOperation, **named: Any) -> dict[str, Any]:
    """Return query and body that the operation takes."""
    name = name_of(each)
    body = {**BODIES.get(name, {}), **named}
    if name == "POST /limits":
        body = {"unit": "requests", "window": "day", "cap": 1, **body}
    return {
        "params": QUERIES.get(name, {}),
        **({"json": body} if each.json_body is not None else {"content": b"x"} if each.body is bytes else {}),
    }


def expected(who: str, each: AdminOperation, *, is_own: bool = True, is_beside: bool = False) -> int:
    """Return the status that the table above demands."""
    role, _, bound = who.partition(" ")
    if not is_own or (bound and is_beside and not each.path.startswith("/accounts")):
        return 404
    letter = next(letter for letter, name in ROLES.items() if name == role)
    if letter not in ALLOWED[name_of(each)]:
        return 403
    about_all = each.path.startswith("/accounts/") or name_of(each) in NOT_WHEN_BOUND
    return 403 if bound and about_all and name_of(each) not in WHEN_BOUND else each.status


WHO = [*ROLES.values(), *(f"{role} bound" for role in ROLES.values() if role != "owner")]


def test_the_table_of_this_test_is_whole() -> None:
    assert [name_of(each) for each in OPERATIONS] == list(ALLOWED)


@pytest.mark.parametrize("who", WHO)
async def test_each_role_does_what_it_may_with_its_own_things_and_nothing_with_those_of_others(
    telling: Any, who: str
) -> None:
    wrong = []
    async with telling.client(who) as client:
        for each in OBJECTS:
            for things, rules in (
                (telling.own, {}),
                (telling.beside, {"is_beside": True}),
                (telling.foreign, {"is_own": False}),
                (dataclasses.replace(telling.own, **dict.fromkeys(vars(telling.own), "none")), {"is_own": False}),
                (dataclasses.replace(telling.own, **dict.fromkeys(vars(telling.own), "a%00b")), {"is_own": False}),
            ):
                path = each.path.replace("{id}", id_in(each, things))
                answer = await client.request(each.method, path, **more(each))
                status = expected(who, each, **rules)
                if answer.status_code != status:
                    wrong.append((name_of(each), path, answer.status_code, status, answer.text))
    assert wrong == []


@pytest.mark.parametrize("who", WHO)
async def test_each_role_asks_what_it_may_of_lists_and_of_the_house(telling: Any, who: str) -> None:
    wrong = []
    async with telling.client(who) as client:
        for each in OTHERS:
            answer = await client.request(each.method, each.path.replace("{name}", "qwen-plus"), **more(each))
            status = expected(who, each)
            if answer.status_code != status:
                wrong.append((name_of(each), answer.status_code, status, answer.text))
    assert wrong == []


async def test_the_operator_may_do_everything(telling: Any) -> None:
    async with telling.client("operator") as client:
        for each in OPERATIONS:
            path = each.path.replace("{id}", id_in(each, telling.foreign)) if each in OBJECTS else each.path
            answer = await client.request(each.method, path.replace("{name}", "x"), **more(each))
            assert answer.status_code == each.status, (name_of(each), answer.text)


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer qpm-unknown"}, {"authorization": "Basic x"}])
async def test_nobody_else_is_told_anything(telling: Any, header: dict[str, str]) -> None:
    async with telling.client("") as client:
        for each in [*OPERATIONS, dataclasses.replace(OPERATIONS[0], path="/nothing")]:
            answer = await client.request(each.method, each.path, headers=header, **more(each))
            assert (answer.status_code, answer.json()["code"]) == (401, "operator_token_invalid")
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("change", "allowed"), [({"disabled": True}, 401), ({"removed": True}, 401), ({"role": "viewer"}, 403)]
)
async def test_a_member_who_was_changed_has_the_new_rights_at_once(
    house: Any, change: dict[str, Any], allowed: int
) -> None:
    me = (await house.ask("developer", "GET", "/me")).json()
    if "disabled" in change:
        await house.ask("owner", "POST", f"/members/{me['actor']}/disable")
    elif "removed" in change:
        await house.ask("owner", "DELETE", f"/members/{me['actor']}")
    else:
        await house.ask("owner", "PATCH", f"/members/{me['actor']}", json=change)

    assert (await house.ask("developer", "POST", "/keys", json={})).status_code == allowed


async def test_a_member_whose_time_is_over_is_nobody(house: Any) -> None:
    me = (await house.ask("viewer", "GET", "/me")).json()["actor"]
    ends = house.services.clock.now().replace(hour=1)
    house.services.members.change("operator", me, ChangeMember(expires_at=ends))
    await house.parts.follow()
    assert (await house.ask("viewer", "GET", "/me")).status_code == 200
    house.services.clock.advance(3601)

    assert (await house.ask("viewer", "GET", "/me")).status_code == 401


@pytest.mark.parametrize("filters", [{}, {"account": "foreign"}, {"workspace": "foreign"}])
@pytest.mark.parametrize("who", ["owner", "admin bound"])
async def test_the_filters_of_lists_are_forced_to_what_is_ones_own(
    telling: Any, who: str, filters: dict[str, str]
) -> None:
    given = {name: str(getattr(telling.foreign, name)) for name in filters}
    async with telling.client(who) as client:
        for each in OTHERS:
            if each.scope is not Reach.OWN or each.method != "GET" or name_of(each) in NOT_WHEN_BOUND:
                continue
            fitting = {name: value for name, value in given.items() if name in each.query.__struct_fields__}
            query = (await client.get(each.path.replace("{name}", "x"), params=fitting)).json()["query"]
            assert query["account"] == telling.own.account
            if "workspace" in query and "bound" in who:
                assert query["workspace"] == telling.own.workspace


@pytest.mark.parametrize("path", ["/keys", "/limits"])
@pytest.mark.parametrize("field", ["account_id", "workspace_id", "key_id"])
async def test_a_body_that_names_things_of_others_is_told_that_there_are_none(
    telling: Any, path: str, field: str
) -> None:
    if path == "/keys" and field == "key_id":
        return
    base = {"unit": "requests", "window": "day", "cap": 1} if path == "/limits" else {}
    kind = field.removesuffix("_id")
    answers = [
        await telling.ask("admin", "POST", path, json={**base, field: name})
        for name in (getattr(telling.foreign, kind), "none", "a\0b", "x" * 10_000)
    ]
    own = await telling.ask("admin", "POST", path, json={**base, field: getattr(telling.beside, kind)})
    bound = await telling.ask("admin bound", "POST", path, json={**base, field: getattr(telling.beside, kind)})

    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]
    assert own.json()["body"]["account_id"] == telling.own.account
    assert bound.status_code == (201 if field == "account_id" else 404)


async def test_a_foreign_thing_and_a_missing_one_are_refused_in_the_same_words(house: Any) -> None:
    foreign = (await house.ask("owner", "GET", f"/keys/{house.foreign.key}")).json()
    missing = (await house.ask("owner", "GET", "/keys/none")).json()

    assert foreign["message"].replace(house.foreign.key, "none") == missing["message"]
    assert foreign["code"] == missing["code"] == "not_found"


async def test_a_member_of_one_workspace_makes_keys_there(house: Any) -> None:
    made = await house.ask("developer bound", "POST", "/keys", json={"name": "mine"})
    shown = (await house.ask("developer bound", "GET", f"/keys/{made.json()['id']}")).json()

    assert (shown["account_id"], shown["workspace_id"]) == (house.own.account, house.own.workspace)


async def test_what_binds_a_whole_account_is_not_for_its_members_to_change(house: Any) -> None:
    path = f"/limits/{house.wide_limit}"
    change = await house.ask("owner", "PATCH", path, json={"version": 1, "cap": 10**9})
    removal = await house.ask("owner", "DELETE", path)
    new = await house.ask("owner", "POST", "/limits", json={"unit": "requests", "window": "day", "cap": 1})

    assert [change.status_code, removal.status_code, new.status_code] == [403, 403, 403]
    assert (await house.ask("owner", "GET", path)).json()["cap"] == "9"


@pytest.mark.parametrize(
    ("who", "sees"),
    [("billing", True), ("owner", True), ("developer", False), ("viewer", False), ("admin bound", False)],
)
async def test_an_account_shows_its_balance_to_those_who_may_read_of_money(house: Any, who: str, sees: bool) -> None:
    shown = (await house.ask(who, "GET", f"/accounts/{house.own.account}")).json()

    assert shown["balance"] == ("-0.004" if sees else None)


async def test_nobody_grants_a_role_above_their_own(house: Any) -> None:
    path = f"/accounts/{house.own.account}/members"
    answer = await house.ask("admin", "POST", path, json={"email": "x@example.com", "role": "owner"})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_members_see_their_own_usage_and_calls_alone(house: Any) -> None:
    async def sums(who: str) -> list[tuple[str, int]]:
        rows = (await house.ask(who, "GET", "/usage", params={"by": "key"})).json()
        return sorted((row["key_id"], row["requests"]) for row in rows)

    calls = [row["request_id"] for row in (await house.ask("viewer bound", "GET", "/calls")).json()]

    assert await sums("operator") == sorted((each.key, 1) for each in (house.own, house.beside, house.foreign))
    assert await sums("billing") == sorted((each.key, 1) for each in (house.own, house.beside))
    assert await sums("billing bound") == [(house.own.key, 1)]
    assert calls == [house.own.call]


def test_an_operation_that_would_be_open_cannot_be_declared() -> None:
    me = next(each for each in OPERATIONS if name_of(each) == "GET /me")
    one = next(each for each in OPERATIONS if name_of(each) == "GET /keys/{id}")

    def undescribed(_desk: Desk, _asked: Asked[KeysQuery, None]) -> None: ...

    undeclarable: tuple[Callable[[], AdminOperation], ...] = (
        lambda: operation("GET", "/x", None, Reach.HOUSE, me.handler),  # type: ignore[arg-type]  # that is the point
        lambda: operation("GET", "/x", Permission.KEY_READ, Reach.OWN, me.handler),
        lambda: operation("GET", "/x", Permission.KEY_READ, one.scope, one.handler),
        lambda: operation("GET", "/x", Permission.KEY_READ, Reach.OWN, undescribed),
    )
    for declare in undeclarable:
        with pytest.raises(TypeError):
            declare()
