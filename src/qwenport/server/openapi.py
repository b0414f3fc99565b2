"""The OpenAPI description of everything that holders of API keys may ask: made of what the faces say of themselves.

https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from qwenport.faces.description import Description, Parameter
from qwenport.faces.face import CallOperation, Face, Operation
from qwenport.server.openapi_house import HOUSE_PATHS, HOUSE_TAG
from qwenport.server.openapi_schemas import Schema, Schemas

_ABOUT = (
    "A self-hosted Qwen platform. Each face is one wire protocol, and the official clients of each work with nothing "
    "changed but the address. What is done with which parameter is told in `docs/en/parameters.md` of the project, "
    "what goes wrong in `docs/en/errors.md`."
)
_WORKSPACE = Parameter(name="X-DashScope-WorkSpace", meaning="A workspace of the account; another one is refused.")
_ASYNC = Parameter(
    name="X-DashScope-Async", meaning="`enable` makes a task where a service is handed on; all others refuse it."
)
_PATH_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_JSON = "application/json"
_EVENTS = "text/event-stream"
_REQUEST_ID: Schema = {"description": "Id of the request, as bodies of errors tell it.", "schema": {"type": "string"}}
_SERVED_BY: Schema = {"description": "Engine and model that answered.", "schema": {"type": "string"}}


def openapi_document(faces: Sequence[Face]) -> bytes:
    """Return the document as JSON."""
    schemas = Schemas(_types(faces))
    paths: dict[str, dict[str, Schema]] = {}
    for face in faces:
        for operation in listed_operations(face):
            path = _PATH_PARAMETER.sub(r"{\1}", operation.path)
            paths.setdefault(path, {})[operation.method.lower()] = _Writer(face, schemas).operation(operation)
    document = {
        "openapi": "3.1.1",
        "info": {"title": "Qwenport", "version": version("qwenport"), "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"key": []}],
        "tags": [*({"name": name} for face in faces for name in _tags(face)), HOUSE_TAG],
        "paths": {**paths, **HOUSE_PATHS},
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key of this server."},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The same key."},
            },
        },
    }
    return msgspec.json.encode(document)


def listed_operations(face: Face) -> list[Operation]:
    """Return the operations without those that are others once more, with a slash at the end of the address."""
    addresses = {(operation.method, operation.path) for operation in face.operations}
    return [
        each
        for each in face.operations
        if (each.method, each.path.rstrip("/")) not in addresses - {(each.method, each.path)}
    ]


def _types(faces: Sequence[Face]) -> Iterator[Any]:
    for face in faces:
        yield from face.errors
        for described in (operation.description for operation in face.operations):
            yield from (each for each in (described.body, described.answer, described.piece) if each is not None)


def _tags(face: Face) -> list[str]:
    return [f"{face.title or face.name} at {prefix}" for prefix in face.prefixes]


class _Writer:
    """Writes the operations of one face."""

    def __init__(self, face: Face, schemas: Schemas) -> None:
        self._face = face
        self._schemas = schemas

    def operation(self, operation: Operation) -> Schema:
        """Return the Operation Object."""
        described = operation.description
        where = next(at for at, prefix in enumerate(self._face.prefixes) if operation.path.startswith(f"{prefix}/"))
        prefix = self._face.prefixes[where].strip("/").replace("/", "-")
        written: Schema = {
            "operationId": f"{prefix}-{operation.name}",
            "summary": described.summary or operation.name,
            "tags": [_tags(self._face)[where]],
            "parameters": self._parameters(operation),
            "responses": self._responses(operation),
        }
        if described.body is not None:
            written["requestBody"] = {"required": True, "content": {_JSON: self._body(described)}}
        if described.form:
            written["requestBody"] = {"required": True, "content": {"multipart/form-data": self._form(described.form)}}
        return written

    def _parameters(self, operation: Operation) -> list[Schema]:
        described = operation.description
        names = [match[1] for match in _PATH_PARAMETER.finditer(operation.path)]
        in_path = [Parameter(name=name, meaning="", required=True) for name in names]
        in_header = [*described.headers, _WORKSPACE]
        if self._face.name == "dashscope" and isinstance(operation, CallOperation):
            in_header.append(_ASYNC)
        places = (("path", in_path), ("query", described.query), ("header", in_header))
        return [self._parameter(each, place) for place, parameters in places for each in parameters]

    def _parameter(self, parameter: Parameter, place: str) -> Schema:
        written = {"name": parameter.name, "in": place, "schema": self._schemas.of(parameter.type)}
        if parameter.meaning:
            written["description"] = parameter.meaning
        return {**written, "required": True} if parameter.required else written

    def _body(self, described: Description) -> Schema:
        schema = self._schemas.of(described.body)
        if described.required:
            schema = {"allOf": [schema, {"required": list(described.required)}]}
        return {"schema": schema, "example": described.example} if described.example else {"schema": schema}

    def _form(self, fields: Sequence[Parameter]) -> Schema:
        properties = {each.name: {**self._schemas.of(each.type), "description": each.meaning} for each in fields}
        required = [each.name for each in fields if each.required]
        return {"schema": {"type": "object", "properties": properties, "required": required}}

    def _responses(self, operation: Operation) -> Schema:
        described = operation.description
        content = {_JSON: self._error_schema()} if self._face.errors else {}
        refused = {"description": "The face's words for an error.", "headers": {"x-request-id": _REQUEST_ID}}
        error = {**refused, "content": content}
        written: Schema = {"4XX": error, "5XX": error}
        if described.answer is not None:
            headers = {"x-request-id": _REQUEST_ID}
            if isinstance(operation, CallOperation):
                headers["x-qwenport-served-by"] = _SERVED_BY
            written = {"200": {"description": "The answer.", "headers": headers, "content": self._answer(described)}}
            written |= {"4XX": error, "5XX": error}
        return written

    def _answer(self, described: Description) -> Mapping[str, Schema]:
        kind = "application/octet-stream" if described.answer is bytes else _JSON
        content = {kind: {"schema": self._schemas.of(described.answer)}}
        if described.piece is not None:
            words = "Each `data:` line of the server-sent events holds this."
            content[_EVENTS] = {"schema": {"description": words, **self._schemas.of(described.piece)}}
        return content

    def _error_schema(self) -> Schema:
        shapes = [self._schemas.of(shape) for shape in self._face.errors]
        return {"schema": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}
