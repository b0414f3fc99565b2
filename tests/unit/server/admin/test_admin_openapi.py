"""The description of the admin API holds every operation, and nothing is answered that it does not describe."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # stubs would be one more dependency
import msgspec
import pytest
from openapi_spec_validator import validate

from qwenport.server.admin.openapi import admin_document
from qwenport.server.admin.operation import AdminOperation
from qwenport.server.admin.table import OPERATIONS

pytestmark = pytest.mark.anyio

DOCUMENT: dict[str, Any] = json.loads(msgspec.json.encode(admin_document(OPERATIONS)))


def described(operation: AdminOperation) -> dict[str, Any]:
    return DOCUMENT["paths"][operation.path][operation.method.lower()]  # type: ignore[no-any-return]  # plain JSON


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_every_operation_is_described_with_its_errors(operation: AdminOperation) -> None:
    found = described(operation)
    errors = {status for status in found["responses"] if status >= "400"}

    assert found["summary"] == operation.summary
    assert operation.permission in found["description"]
    assert errors >= {"400", "401", "403", "405", "503"}
    assert ("413" in errors) == (operation.method != "GET")
    assert ("requestBody" in found) == (operation.body is not None)
    assert {each["name"] for each in found["parameters"] if each["in"] == "query"} == set(
        operation.query.__struct_fields__
    )


def test_operations_have_names_of_their_own() -> None:
    names = [described(each)["operationId"] for each in OPERATIONS]

    assert len(set(names)) == len(names)


async def test_the_document_is_given_to_whoever_may_use_the_api(house: Any) -> None:
    for who in ("operator", "viewer bound"):
        assert (await house.ask(who, "GET", "/openapi.json")).json() == DOCUMENT


async def test_answers_are_what_is_described(house: Any) -> None:
    for operation in OPERATIONS:
        if operation.method != "GET" or operation.path in {"/calls/{id}/body", "/calls/export", "/openapi.json"}:
            continue
        things = {"accounts": house.own.account, "keys": house.own.key, "limits": house.own.limit, "calls": "own"}
        path = operation.path.replace("{id}", things.get(operation.path.split("/")[1], "")).replace(
            "{name}", "qwen-plus"
        )
        query = {"month": "2026-01"} if path.endswith("statement") else {"input_tokens": "5"} if "price" in path else {}
        answer = await house.ask("operator", "GET", path, params=query)
        assert answer.status_code == 200, answer.text
        schema = described(operation)["responses"]["200"]["content"]["application/json"]["schema"]
        whole = {**schema, "components": DOCUMENT["components"]}
        jsonschema.validate(answer.json(), whole)
