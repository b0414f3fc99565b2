"""The OpenAPI document: valid, complete, and in the words of the faces."""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from qwenport.faces.description import UNDESCRIBED, Description, Parameter
from qwenport.faces.face import CallOperation, Face, LookupOperation, Operation, QueryOperation, UploadOperation
from qwenport.faces.registry import FACES
from qwenport.server.openapi import listed_operations, openapi_document
from qwenport.server.openapi_schemas import Schemas

DOCUMENT = json.loads(openapi_document(FACES))
OPERATIONS = [(face, operation) for face in FACES for operation in listed_operations(face)]


def name_of(value: object) -> str:
    if isinstance(value, Face):
        return value.name
    if isinstance(value, CallOperation | LookupOperation | QueryOperation | UploadOperation):
        return f"{value.method} {value.path}"
    return repr(value)


def written(operation: Operation, document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    """Return what the document says of an operation."""
    found: dict[str, Any] = document["paths"][operation.path][operation.method.lower()]
    return found


def described(**words: Any) -> dict[str, Any]:
    """Return what the document says of the only operation of a toy face."""
    operation = CallOperation(
        name="shout",
        method="POST",
        path="/shout/{room}",
        decode=lambda request, cards: pytest.fail("nothing is decoded"),
        description=Description(**words),
    )
    face = Face(
        name="shout",
        prefixes=("/shout",),
        operations=(operation,),
        encode_error=lambda error, request_id: pytest.fail("nothing goes wrong"),
    )
    return written(operation, json.loads(openapi_document([face])))


def test_the_document_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


@pytest.mark.parametrize(("face", "operation"), OPERATIONS, ids=name_of)
def test_every_operation_is_described(face: Face, operation: Operation) -> None:
    assert operation.description is not UNDESCRIBED
    assert written(operation)["summary"] == operation.description.summary
    assert ("200" in written(operation)["responses"]) is (operation.description.answer is not None)


@pytest.mark.parametrize(("face", "operation"), OPERATIONS, ids=name_of)
def test_a_stream_is_described_where_there_can_be_one(face: Face, operation: Operation) -> None:
    streams = isinstance(operation, CallOperation) and operation.streams
    answers = written(operation)["responses"].get("200", {}).get("content", {})

    assert ("text/event-stream" in answers) is streams


@pytest.mark.parametrize(("face", "operation"), OPERATIONS, ids=name_of)
def test_what_is_sent_is_described_by_the_way_it_is_sent(face: Face, operation: Operation) -> None:
    kinds = {*written(operation).get("requestBody", {}).get("content", {})}

    if isinstance(operation, UploadOperation):
        assert kinds == {"multipart/form-data"}
    elif isinstance(operation, CallOperation) or operation.description.body is not None:
        assert kinds == {"application/json"}
    else:
        assert kinds == set()


def test_every_address_is_listed_but_for_a_slash_at_its_end() -> None:
    served = {(operation.method, operation.path.rstrip("/")) for face in FACES for operation in face.operations}

    assert {(operation.method, operation.path) for _, operation in OPERATIONS} == served


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]

    assert len(names) > 50
    assert len(set(names)) == len(names)


def test_addresses_without_a_key_say_so_and_no_others_do() -> None:
    is_open = {
        path
        for path, operations in DOCUMENT["paths"].items()
        if any(operation.get("security") == [] for operation in operations.values())
    }

    assert is_open == {"/healthz", "/readyz", "/oss"}
    assert DOCUMENT["security"] == [{"bearer": []}, {"key": []}]


class Volume(msgspec.Struct):
    """How loud."""

    loud: int
    kind: Literal["b", "a"] = "a"


def test_a_description_becomes_an_operation_object() -> None:
    operation = described(
        summary="Shout",
        body=Volume,
        required=("kind",),
        example={"loud": 1},
        query=(Parameter(name="far", meaning="How far.", type=int, required=True),),
        answer=Volume,
        piece=int,
    )
    volume = {"$ref": "#/components/schemas/tests.unit.server.Volume"}
    refusal: dict[str, Any] = {
        "description": "The face's words for an error.",
        "headers": {
            "x-request-id": {
                "description": "Id of the request, as bodies of errors tell it.",
                "schema": {"type": "string"},
            }
        },
        "content": {},
    }

    volume["$ref"] = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert volume["$ref"].endswith(".Volume")
    assert operation == {
        "operationId": "shout-shout",
        "summary": "Shout",
        "tags": ["shout at /shout"],
        "parameters": [
            {"name": "room", "in": "path", "schema": {"type": "string"}, "required": True},
            {"name": "far", "in": "query", "schema": {"type": "integer"}, "description": "How far.", "required": True},
            {
                "name": "X-DashScope-WorkSpace",
                "in": "header",
                "schema": {"type": "string"},
                "description": "A workspace of the account; another one is refused.",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"allOf": [volume, {"required": ["kind"]}]},
                    "example": {"loud": 1},
                }
            },
        },
        "responses": {
            "200": {
                "description": "The answer.",
                "headers": {
                    **refusal["headers"],
                    "x-qwenport-served-by": {
                        "description": "Engine and model that answered.",
                        "schema": {"type": "string"},
                    },
                },
                "content": {
                    "application/json": {"schema": volume},
                    "text/event-stream": {
                        "schema": {
                            "description": "Each `data:` line of the server-sent events holds this.",
                            "type": "integer",
                        }
                    },
                },
            },
            "4XX": refusal,
            "5XX": refusal,
        },
    }


def test_a_form_says_its_fields_and_which_are_files() -> None:
    operation = described(
        form=(
            Parameter(name="purpose", meaning="Why."),
            Parameter(name="file", meaning="What.", type=bytes, required=True),
        ),
        answer=bytes,
    )

    assert operation["requestBody"]["content"] == {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "purpose": {"type": "string", "description": "Why."},
                    "file": {"type": "string", "format": "binary", "description": "What."},
                },
                "required": ["file"],
            }
        }
    }
    assert operation["responses"]["200"]["content"] == {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
    }


class First(msgspec.Struct, tag_field="kind", tag="first"):
    """One kind."""

    number: int


class Second(msgspec.Struct, tag_field="kind", tag="second"):
    raw: msgspec.Raw = msgspec.Raw()
    absent: list[First] | msgspec.UnsetType = msgspec.UNSET
    more: dict[str, Volume] | None = None


def test_a_struct_is_named_by_its_face_however_deep_in_it_it_stands() -> None:
    assert {"openai.ChatCompletion", "openai.Response"} <= DOCUMENT["components"]["schemas"].keys()


def test_structs_are_named_once_and_told_apart_by_their_tag() -> None:
    schemas = Schemas([First | Second, list[Second]])
    place = First.__module__.rpartition(".")[0].partition(".")[0]
    first, second, volume = (f"{place}.{name}" if place else name for name in ("First", "Second", "Volume"))

    assert schemas.components == {
        first: {
            "description": "One kind.",
            "type": "object",
            "properties": {"kind": {"const": "first"}, "number": {"type": "integer"}},
            "required": ["kind", "number"],
        },
        second: {
            "type": "object",
            "properties": {
                "kind": {"const": "second"},
                "raw": {},
                "absent": {"type": "array", "items": {"$ref": f"#/components/schemas/{first}"}},
                "more": {
                    "anyOf": [
                        {
                            "type": "object",
                            "additionalProperties": {"$ref": f"#/components/schemas/{volume}"},
                        },
                        {"type": "null"},
                    ]
                },
            },
            "required": ["kind"],
        },
        volume: {
            "description": "How loud.",
            "type": "object",
            "properties": {"loud": {"type": "integer"}, "kind": {"enum": ["a", "b"]}},
            "required": ["loud"],
        },
    }
    assert schemas.of(First | Second) == {
        "anyOf": [{"$ref": f"#/components/schemas/{first}"}, {"$ref": f"#/components/schemas/{second}"}],
        "discriminator": {"propertyName": "kind"},
    }


def test_classes_of_the_same_name_are_told_apart_by_their_modules() -> None:
    one = msgspec.defstruct("_Page", [("number", int)], module="qwenport.faces.openai.files")
    other = msgspec.defstruct("_Page", [("number", int)], module="qwenport.faces.openai.models")
    single = msgspec.defstruct("_Single", [("number", int)], module="qwenport.faces.openai.models")

    names = {*Schemas([one, other, single]).components}

    assert names == {"openai.files.Page", "openai.models.Page", "openai.Single"}


def test_a_type_that_nobody_has_thought_of_is_an_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="DecimalType"):
        Schemas([]).of(__import__("decimal").Decimal)
