"""What a call is refused for first: an unknown model, a model that is not for this key, then its content."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import Caller
from qwenport.core.errors import ModelDenied, ModelNotFound, ParameterInvalid
from qwenport.core.ids import AccountId, KeyId, RequestId
from qwenport.faces.face import CallOperation, Request
from qwenport.faces.registry import FACES
from qwenport.gate.permit import permit

CATALOG = Catalog.load()
CALLS = [operation for face in FACES for operation in face.operations if isinstance(operation, CallOperation)]
HELLO = [{"role": "user", "content": "Hello"}]
IMAGE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
CONTENTS: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    (HELLO, {"tools": [{}]}),
    (HELLO, {"enable_thinking": True}),
    (HELLO, {"logprobs": True}),
    (HELLO, {"top_logprobs": 6}),
    (HELLO, {"response_format": {"type": "zz"}}),
    (HELLO, {"stop": [1, 2]}),
    (HELLO, {"temperature": 2}),
    (IMAGE, {}),
    ([], {}),
]


def check(operation: CallOperation, model: str, content: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    """Decode and permit a call by a key that may use qwen-plus alone."""
    messages, parameters = content
    if operation.path.startswith("/api/"):
        body: dict[str, Any] = {"model": model, "input": {"messages": messages}, "parameters": parameters}
    else:
        body = {"model": model, "messages": messages, **parameters}
    request = Request(
        id=RequestId("r"),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        headers={},
        query={},
        path_parameters={},
        body=json.dumps(body).encode(),
    )
    call = operation.decode(request, CATALOG.cards).call
    caller = Caller(key_id=KeyId("k"), account_id=AccountId("a"), currency="CNY", models=("qwen-plus",))
    permit(caller, CATALOG.resolve(call.model), call)


@pytest.mark.parametrize("operation", CALLS, ids=lambda operation: operation.path)
@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: json.dumps(content)[-40:])
@pytest.mark.parametrize(
    ("model", "error"), [("nope", ModelNotFound), ("qwen-max", ModelDenied), ("qwen-plus", ParameterInvalid)]
)
def test_the_model_and_the_right_to_it_are_looked_at_before_the_content(
    operation: CallOperation,
    content: tuple[list[dict[str, Any]], dict[str, Any]],
    model: str,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        check(operation, model, content)
