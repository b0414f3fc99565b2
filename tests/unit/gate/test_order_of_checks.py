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
from qwenport.faces.face import CallOperation, Exchange, Request
from qwenport.faces.registry import FACES
from qwenport.gate.local_counters import LocalCounters
from qwenport.gate.permit import Permit
from qwenport.testing.clock import FakeClock

CATALOG = Catalog.load()
permit = Permit(LocalCounters(FakeClock()).is_spent, FakeClock())
CHATS = ("chat.completions", "text-generation", "multimodal-generation")
CALLS = [
    operation
    for face in FACES
    for operation in face.operations
    if isinstance(operation, CallOperation) and operation.name in CHATS
]
HELLO = [{"role": "user", "content": "Hello"}]
VIDEO = [{"role": "user", "content": [{"type": "video_url", "video_url": {"url": "x"}}]}]
CONTENTS: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    (HELLO, {"tools": [{}]}),
    (HELLO, {"enable_thinking": True}),
    (HELLO, {"logprobs": True, "top_logprobs": 6}),
    (HELLO, {"top_logprobs": 6}),
    (HELLO, {"response_format": {"type": "zz"}}),
    (HELLO, {"stop": [1, "a"]}),
    (HELLO, {"temperature": 2}),
    (VIDEO, {}),
    ([], {}),
]


def check(operation: CallOperation, model: str, content: tuple[list[dict[str, Any]], dict[str, Any]]) -> None:
    """Decode and permit a call by a key that may use qwen-plus alone, and its like for images where it is for those."""
    messages, parameters = content
    if operation.name == "multimodal-generation" and model == "qwen-plus":
        model = "qwen3.5-plus"
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
    exchange = operation.decode(request, CATALOG.cards)
    assert isinstance(exchange, Exchange)
    call = exchange.call
    caller = Caller(key_id=KeyId("k"), account_id=AccountId("a"), currency="CNY", models=("qwen-plus", "qwen3.5-plus"))
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
