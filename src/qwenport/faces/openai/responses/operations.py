"""The operations of the Responses API."""

from __future__ import annotations

from qwenport.faces.description import RESOLVES_UPLOADS, Description
from qwenport.faces.face import CallOperation, Operation
from qwenport.faces.openai.responses.answers import Response, ResponseEvent
from qwenport.faces.openai.responses.decode import decode_response
from qwenport.faces.openai.responses.schema import ResponsesRequest
from qwenport.faces.openai.responses.stored import stored_response_operations


def response_operations(prefix: str) -> tuple[Operation, ...]:
    """Return the operations below an address prefix."""
    description = Description(
        summary="Go on with a conversation, which may be stored here",
        body=ResponsesRequest,
        required=("model", "input"),
        headers=(RESOLVES_UPLOADS,),
        example={"model": "qwen-plus", "input": "Who are you?"},
        answer=Response,
        piece=ResponseEvent,
    )
    create = CallOperation(
        name="responses",
        method="POST",
        path=f"{prefix}/responses",
        decode=decode_response,
        description=description,
    )
    return (create, *stored_response_operations(prefix))
