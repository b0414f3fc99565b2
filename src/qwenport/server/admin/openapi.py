"""The OpenAPI description of the admin API, made of the table of its operations.

https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any, get_args

from msgspec import Struct, inspect

from qwenport.server.admin.answers import ErrorAnswer
from qwenport.server.admin.operation import AdminOperation, ObjectOf, Plain, Streamed
from qwenport.server.openapi_schemas import Schema, Schemas

_ABOUT = (
    "What operators, and members of accounts, do with accounts, keys, limits, prices and the books. Amounts are exact "
    "decimals as text, times ISO 8601. Each operation names the permission that it needs; members see nothing but "
    "their own account, and in it their own workspace where they are bound to one."
)
_JSON = "application/json"
_IN_PATH = re.compile(r"\{(\w+)\}")
_TEXT: Schema = {"type": "string"}
_RETRY_AFTER = {"retry-after": {"description": "Seconds after which to ask again.", "schema": {"type": "integer"}}}
_WORDS = {
    "400": "The query or the body is not what it must be.",
    "401": "No token, or one that is not valid.",
    "403": "The role does not allow it.",
    "404": "There is nothing of this id that whoever asks may see.",
    "405": "The address takes other methods, which `allow` names.",
    "408": "The body did not arrive in time.",
    "409": "It does not fit what is there, such as a change that was made from an older version.",
    "413": "The body is too large.",
    "503": "The database cannot be used now.",
}


def admin_document(operations: Sequence[AdminOperation]) -> dict[str, Any]:
    """Return the document."""
    schemas = Schemas(_types(operations), by_face=False)
    paths: dict[str, dict[str, Schema]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.1",
        "info": {"title": "Qwenport's admin API", "version": version("qwenport"), "description": _ABOUT},
        "servers": [{"url": "/admin/v1"}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(each) for each in operations)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The operator's token (QWENPORT_ADMIN_TOKEN), or a member's (`qpm-…`).",
                },
            },
        },
    }


def _types(operations: Sequence[AdminOperation]) -> Iterator[Any]:
    yield ErrorAnswer
    for each in operations:
        if each.json_body is not None:
            yield each.json_body
        yield from (kind for kind in _answers(each) if kind not in {Plain, Streamed})


def _answers(operation: AdminOperation) -> tuple[Any, ...]:
    arms = get_args(operation.answers)
    return arms if Plain in arms or Streamed in arms else (operation.answers,)


def _tag(operation: AdminOperation) -> str:
    return operation.path.split("/")[1]


def _operation(operation: AdminOperation, schemas: Schemas) -> Schema:
    written: Schema = {
        "operationId": _identity(operation),
        "summary": operation.summary,
        "description": f"Needs the permission `{operation.permission}`.",
        "tags": [_tag(operation)],
        "parameters": [*_in_path(operation), *_in_query(operation, schemas)],
        "responses": _responses(operation, schemas),
    }
    if operation.body is bytes:
        written["requestBody"] = {"required": True, "content": {"text/csv": {"schema": _TEXT}}}
    elif operation.json_body is not None:
        schema = schemas.of(operation.json_body)
        is_required = any(each.required for each in _fields(operation.json_body))
        written["requestBody"] = {"required": is_required, "content": {_JSON: {"schema": schema}}}
    return written


def _identity(operation: AdminOperation) -> str:
    return f"{operation.method.lower()}{_IN_PATH.sub('one', operation.path).replace('/', '-').replace('.', '-')}"


def _in_path(operation: AdminOperation) -> list[Schema]:
    names = _IN_PATH.findall(operation.path)
    return [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]


def _in_query(operation: AdminOperation, schemas: Schemas) -> list[Schema]:
    return [
        {"name": each.encode_name, "in": "query", "required": each.required, "schema": schemas.written(each.type)}
        for each in _fields(operation.query)
    ]


@functools.cache
def _fields(kind: type[Struct]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)  # noqa: S101 - what a struct is described as
    return described.fields


def _responses(operation: AdminOperation, schemas: Schemas) -> Schema:
    content: Schema = {}
    for kind in _answers(operation):
        if kind in {Plain, Streamed}:
            content |= {media_type: {"schema": _TEXT} for media_type in operation.media_types}
        else:
            content[_JSON] = {"schema": schemas.of(kind)}
    written: Schema = {str(operation.status): {"description": "Done.", "content": content}}
    error = {_JSON: {"schema": schemas.of(ErrorAnswer)}}
    for status in _refusals(operation):
        written[status] = {"description": _WORDS[status], "content": error}
        if status == "503":
            written[status]["headers"] = _RETRY_AFTER
    return written


def _refusals(operation: AdminOperation) -> list[str]:
    found = {"400", "401", "403", "405", "503"}
    if operation.changes:
        found |= {"408", "413"}
    # What a query or a body names may belong to others too, and is not told of then.
    if operation.names_object or isinstance(operation.scope, ObjectOf) or operation.body is not None:
        found.add("404")
    if operation.conflicts:
        found.add("409")
    return sorted(found)
