"""What is odd is refused in words: which field, which value, what to do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from qwenport.core.errors import StorageUnavailable
from qwenport.server.admin.operation import ObjectOf, Place
from qwenport.server.admin.table import OPERATIONS

pytestmark = pytest.mark.anyio


@pytest.fixture
def any_place(tmp_path: Path) -> Path:
    """Return a file: what is refused here never gets to a database, so that one kind of them is enough."""
    return tmp_path / "qwenport.db"


ACCOUNT = "/accounts/{own}"


def at(house: Any, path: str) -> str:
    return path.replace("{own}", house.own.account).replace("{limit}", house.own.limit).replace("{key}", house.own.key)


@pytest.mark.parametrize(
    ("method", "path", "content", "words"),
    [
        ("POST", "/keys", b"{", "send one JSON object"),
        ("POST", "/keys", b"[]", "Expected `object`, got `array`"),
        ("POST", "/keys", b'{"a":"\xff"}', "the body is not what this address takes"),
        ("POST", "/keys", b'{"name":"\\ud800"}', "the body is not what this address takes"),
        ("POST", "/keys", b'{"nome":"x"}', "unknown field `nome`"),
        ("POST", "/keys", b'{"hours":{"begin":"08:00","end":"20:00","day":1}}', "unknown field `day`"),
        ("POST", "/keys", b'{"rpm":-1}', "`rpm` is -1"),
        ("POST", "/keys", b'{"rpm":1e999}', "`rpm` is"),
        ("POST", "/keys", b'{"rpm":NaN}', "the body is not what this address takes"),
        ("POST", "/keys", b'{"rpm":99999999999999999999999999}', "`rpm` is 99999999999999999999999999"),
        ("POST", "/keys", b'{"rpm":1.5}', "`rpm` is 1.5: expected `int | null`, got `float`"),
        ("POST", "/keys", b'{"rpm":"1"}', "`rpm` is '1'"),
        ("POST", "/keys", b'{"monthly_spend":"-1"}', "-1"),
        ("POST", "/keys", b'{"monthly_spend":"1e3"}', "1e3"),
        ("POST", "/keys", b'{"models":["qwen-plu"]}', "there is no model `qwen-plu`"),
        ("POST", "/keys", b'{"models":"qwen-plus"}', "`models` is 'qwen-plus': expected `array`"),
        ("POST", "/keys", b'{"ip_ranges":["10.0.0.1/8"]}', "10.0.0.0/8"),
        ("POST", "/keys", b'{"name":"a\\u0000b"}', "name of a key"),
        ("POST", "/keys", b'{"expires_at":"2020-01-01T00:00:00Z"}', "not in the future"),
        ("POST", "/keys", b'{"expires_at":"soon"}', "`expires_at` is 'soon'"),
        ("POST", "/keys/{key}/rotate", b'{"overlap_s":1e300}', "shorten it"),
        ("POST", "/keys/{key}/rotate", b'{"overlap_s":-1}', "must not be negative"),
        ("POST", f"{ACCOUNT}/suspend", b'{"until":"noon"}', "unknown field `until`"),
        ("DELETE", "/keys/{key}", b'{"sure":true}', "unknown field `sure`"),
        ("POST", "/accounts", b"{}", "missing required field `email`"),
        ("POST", "/accounts", b'{"email":"x"}', "email"),
        ("POST", "/accounts", b'{"email":"a@b.c","kind":"free"}', "it must be one of metered, prepaid"),
        ("POST", "/accounts", b'{"email":"a@b.c","currency":"Yuan"}', "Yuan"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":1.5,"currency":"CNY"}', "expected `str`, got `float`"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":"0","currency":"CNY"}', "above 0"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":"-1","currency":"CNY"}', "-1"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":"NaN","currency":"CNY"}', "NaN"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":"1e9","currency":"CNY"}', "1e9"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":"0.0000000001","currency":"CNY"}', "0.0000000001"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":"9999999999","currency":"CNY"}', "9999999999"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":"1","currency":"USD"}', "CNY"),
        ("POST", f"{ACCOUNT}/credit", b'{"amount":"1","currency":"CNY","note":"\\u0000"}', "note"),
        ("PUT", f"{ACCOUNT}/discounts", b'{"models":{"qwen-plus":"eleven"}}', "eleven"),
        ("PUT", f"{ACCOUNT}/discounts", b'{"models":{"none":"0.9"}}', "there is no model `none`"),
        ("PUT", f"{ACCOUNT}/activation", b'{"regions":{"moon":false}}', "'moon' is no region; known are beijing"),
        ("PUT", f"{ACCOUNT}/free-quota", b'{"tokens":-1}', "`tokens` is -1"),
        ("PUT", f"{ACCOUNT}/free-tier-only", b'{"on":"yes"}', "`on` is 'yes'"),
        ("POST", "/limits", b'{"unit":"calls","window":"day","cap":1}', "it must be one of requests, input_tokens"),
        ("POST", "/limits", b'{"unit":"pages","window":"at_once","cap":1}', "at_once"),
        ("POST", "/limits", b'{"unit":"requests","window":"day","cap":"x"}', "no whole number"),
        ("POST", "/limits", b'{"unit":"requests","window":"day","cap":1,"model":"none"}', "no model `none`"),
        ("PATCH", "/limits/{limit}", b'{"cap":1}', "missing required field `version`"),
        ("PUT", "/rates", b'{"base":"USD","quote":"USD","since":"2026-01-01","rate":"7"}', "USD"),
        ("PUT", "/rates", b'{"base":"USD","quote":"CNY","since":"tomorrow","rate":"7"}', "tomorrow"),
        ("POST", "/retention", b'{"keep_months":0}', "`keep_months` is 0"),
        ("POST", "/ledger/reconcile?upstream=x&columns=day", b"a", "`columns` has 'day'"),
        ("POST", "/ledger/reconcile?upstream=x", b"", "there are none"),
    ],
)
async def test_an_odd_body_is_refused_in_words(house: Any, method: str, path: str, content: bytes, words: str) -> None:
    answer = await house.ask("operator", method, at(house, path), content=content)

    assert answer.status_code == 400, answer.text
    assert words in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/usage?by=moon", "`by` is 'moon': invalid enum value 'moon'; it must be one of hour, day"),
        ("/usage?since=yesterday", "`since` is 'yesterday'; write it as ISO 8601"),
        ("/usage?since=2026-02-01&until=2026-01-01", "is not before"),
        ("/usage?since=0001-01-01T00:00:00%2B10:00", "outside of the calendar"),
        ("/usage?top=0", "`top` is '0'"),
        ("/usage?timezone=Mars/Base", "Mars/Base"),
        ("/calls?limit=0", "`limit` is '0'"),
        ("/calls?limit=1001", "`limit` is '1001'"),
        ("/calls?limit=x", "`limit` is 'x'; it must be a whole number"),
        ("/calls?limit=-1", "whole number"),
        ("/calls?limit=1e3", "whole number"),
        ("/calls?limit=%D9%A3", "whole number"),
        ("/calls?status=99", "`status` is '99'"),
        ("/calls?before=none", "is no call in the books"),
        ("/calls?model=a%00b", "characters that cannot be seen"),
        ("/calls?model=%ED%A0%80", "cannot be read"),
        ("/calls?modell=x", "`modell` is nothing that this address can be asked for"),
        ("/calls?model=x&model=y", "`model` is given twice"),
        ("/calls?least_cost=cheap", "cheap"),
        ("/me?x=1", "it takes no query"),
        (f"/calls?model={'x' * 2001}", "2001 characters"),
        ("/calls/export?format=xlsx", "it must be one of csv, ndjson"),
        ("/calls/export?since=2026-02-01&until=2026-01-01", "is not before"),
        ("/accounts?state=happy", "it must be one of active"),
        (f"{ACCOUNT}/statement", "missing required field `month`"),
        (f"{ACCOUNT}/statement?month=2026-13", "`month` is '2026-13'"),
        (f"{ACCOUNT}/entries?before=none", "is no entry"),
        ("/models/qwen-plus/price?input_tokens=1&cached_tokens=2", "`cached_tokens` is 2, more than `input_tokens`"),
        ("/models/qwen-plus/price?on=2026-02-30", "`on` is '2026-02-30'"),
        (f"/models/qwen-plus/price?account={{own}}&currency=USD", "pays in CNY"),  # noqa: F541 - braces as above
    ],
)
async def test_an_odd_query_is_refused_in_words(house: Any, path: str, words: str) -> None:
    answer = await house.ask("operator", "GET", at(house, path))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.text
    assert words in answer.json()["message"]


async def test_values_that_mean_something_elsewhere_are_plain_text_here(house: Any) -> None:
    for text in ("%", "_", "own%", "' OR '1'='1", '"; DROP TABLE accounts; --', "*", "\\", "🙂", "own@example.com'"):
        for path in ("/accounts", "/keys", "/limits", "/calls", "/audit"):
            name = "email" if path == "/accounts" else "account"
            answer = await house.ask("operator", "GET", path, params={name: text})
            assert (answer.status_code, answer.json()) == (200, []), (path, text)


async def test_a_time_without_a_zone_and_a_day_are_in_utc(house: Any) -> None:
    async def count(since: str) -> int:
        return len((await house.ask("operator", "GET", "/calls", params={"since": since})).json())

    assert [
        await count("2026-01-01"),
        await count("2026-01-01T00:00:01"),
        await count("2026-01-01T08:00:00+08:00"),
    ] == [
        3,
        0,
        3,
    ]


async def test_a_body_is_bounded(house: Any) -> None:
    answer = await house.ask("operator", "POST", "/keys", content=b" " * 70_000)

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.headers["connection"] == "close"


async def test_other_methods_and_other_addresses_are_refused_in_json(house: Any) -> None:
    wrong = await house.ask("operator", "PATCH", "/keys")
    unknown = await house.ask("operator", "GET", "/nothing")
    nested = await house.ask("operator", "GET", "/keys/key-1/nothing")
    head = await house.ask("operator", "HEAD", "/keys")

    assert (wrong.status_code, wrong.json(), wrong.headers["allow"]) == (
        405,
        {"code": "method_not_allowed", "message": "this address takes GET, POST, not PATCH"},
        "GET, POST",
    )
    assert (unknown.status_code, unknown.json()["code"], nested.status_code) == (404, "not_found", 404)
    assert head.status_code == 405


async def test_a_database_that_is_down_is_503_with_a_time_to_ask_again(house: Any) -> None:
    async def fail(*_: Any) -> Any:
        raise StorageUnavailable("it was stopped")

    house.parts = dataclasses.replace(house.parts, run=fail, read_aside=fail)
    for each in OPERATIONS:
        if each.place in {Place.LOOP, Place.WAITING}:
            continue
        path = each.path.replace("{id}", "x").replace("{name}", "qwen-plus")
        body: dict[str, Any] = (
            {"json": {}} if each.json_body is not None else {"content": b"x"} if each.body is bytes else {}
        )
        answer = await house.ask("operator", each.method, path, **body)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable"), path
        assert answer.headers["retry-after"] == "5"


async def test_ids_of_any_shape_are_not_found(house: Any) -> None:
    for each in OPERATIONS:
        if not isinstance(each.scope, ObjectOf) or each.method != "GET":
            continue
        for name in ("%25", "a%00b", "%27%20OR%201=1", "x" * 5000, "%F0%9F%99%82", "%ED%A0%80", "%FF"):
            answer = await house.ask("operator", "GET", each.path.replace("{id}", name))
            assert answer.status_code == 404, (each.path, name, answer.text)


@pytest.mark.parametrize("kind", ["same email", "same level", "same workspace"])
async def test_what_exists_already_is_a_conflict(house: Any, kind: str) -> None:
    path, body = {
        "same email": ("/accounts", {"email": "OWN@example.com"}),
        "same level": ("/levels", {"name": "x"}),
        "same workspace": (at(house, f"{ACCOUNT}/workspaces"), {"name": "x"}),
    }[kind]
    await house.ask("operator", "POST", path, json=body)

    answer = await house.ask("operator", "POST", path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
