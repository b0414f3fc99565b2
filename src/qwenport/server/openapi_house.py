"""What belongs to no face, in the words of OpenAPI: health, and the upload host."""

from __future__ import annotations

from typing import Any

from qwenport.server.public import UPLOAD_HOST

HOUSE_TAG = {"name": "The house", "description": "Addresses that ask for no API key."}

_TEXT = {"type": "string"}
_ALIVE = {"type": "object", "properties": {"status": {"const": "alive"}}, "required": ["status"]}
_CONDITION = {"type": "object", "properties": {"state": _TEXT}, "required": ["state"]}
_READY = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ready", "draining", "not ready"]},
        "storage": _TEXT,
        "engines": {"type": "object", "additionalProperties": _CONDITION},
    },
    "required": ["status", "storage", "engines"],
}
_FORM = {
    "type": "object",
    "properties": {
        "key": {**_TEXT, "description": "`upload_dir` and a name, with a slash between."},
        "OSSAccessKeyId": _TEXT,
        "policy": _TEXT,
        "Signature": {**_TEXT, "description": "The policy's `signature`."},
        "x-oss-object-acl": _TEXT,
        "x-oss-forbid-overwrite": _TEXT,
        "success_action_status": {"const": "200"},
        "file": {"type": "string", "format": "binary", "description": "The last field of the form."},
    },
    "required": ["key", "OSSAccessKeyId", "policy", "Signature", "file"],
}


def _answer(words: str, schema: Any, kind: str = "application/json") -> dict[str, Any]:
    return {"description": words, "content": {kind: {"schema": schema}}}


def _open_operation(identity: str, summary: str, responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    tags = [HOUSE_TAG["name"]]
    return {"operationId": identity, "summary": summary, "tags": tags, "security": [], "responses": responses, **more}


_REFUSED = _answer("OSS' words for an error.", {"type": "string"}, "application/xml")

HOUSE_PATHS: dict[str, Any] = {
    "/healthz": {
        "get": _open_operation("health.alive", "Is it alive", {"200": _answer("It is.", _ALIVE)}),
    },
    "/readyz": {
        "get": _open_operation(
            "health.ready", "Is it ready", {"200": _answer("It is.", _READY), "503": _answer("It is not.", _READY)}
        ),
    },
    UPLOAD_HOST: {
        "post": _open_operation(
            "uploads.post",
            "Post a file, with leave that an API key got",
            {"200": {"description": "It is stored; the body is empty."}, "4XX": _REFUSED, "5XX": _REFUSED},
            requestBody={"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
        ),
    },
}
"""Path Item Objects by address."""
