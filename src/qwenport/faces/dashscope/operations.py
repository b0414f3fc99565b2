"""The operations of the native face."""

from __future__ import annotations

from qwenport.faces.dashscope.answers import GenerationResult
from qwenport.faces.dashscope.decode import decode_multimodal_generation, decode_text_generation
from qwenport.faces.dashscope.embeddings import EMBEDDING_OPERATIONS
from qwenport.faces.dashscope.envelope import STREAM_SWITCH
from qwenport.faces.dashscope.files import FILE_OPERATIONS
from qwenport.faces.dashscope.models import MODEL_OPERATIONS
from qwenport.faces.dashscope.native import NATIVE_OPERATIONS
from qwenport.faces.dashscope.rerank import RERANK_OPERATIONS
from qwenport.faces.dashscope.schema import GenerationRequest
from qwenport.faces.dashscope.tasks import TASK_OPERATIONS
from qwenport.faces.dashscope.tokenizer import TOKENIZER_OPERATIONS
from qwenport.faces.dashscope.uploads import UPLOAD_OPERATIONS
from qwenport.faces.dashscope.websockets import WEBSOCKET_OPERATIONS, WEBSOCKET_PREFIX
from qwenport.faces.description import RESOLVES_UPLOADS, Description
from qwenport.faces.face import CallOperation, Operation

PREFIXES = ("/api/v1", "/api-task/v1", WEBSOCKET_PREFIX)

_ASKED = (RESOLVES_UPLOADS, STREAM_SWITCH)

_CHAT_OPERATIONS: tuple[Operation, ...] = (
    CallOperation(
        name="text-generation",
        method="POST",
        path="/api/v1/services/aigc/text-generation/generation",
        decode=decode_text_generation,
        description=Description(
            summary="Go on with a conversation in text",
            body=GenerationRequest,
            required=("model", "input"),
            headers=_ASKED,
            example={"model": "qwen-plus", "input": {"messages": [{"role": "user", "content": "Who are you?"}]}},
            answer=GenerationResult,
            piece=GenerationResult,
        ),
    ),
    CallOperation(
        name="multimodal-generation",
        method="POST",
        path="/api/v1/services/aigc/multimodal-generation/generation",
        decode=decode_multimodal_generation,
        description=Description(
            summary="Go on with a conversation with images",
            body=GenerationRequest,
            required=("model", "input"),
            headers=_ASKED,
            example={
                "model": "qwen-vl-plus",
                "input": {"messages": [{"role": "user", "content": [{"text": "Who are you?"}]}]},
            },
            answer=GenerationResult,
            piece=GenerationResult,
        ),
    ),
)
OPERATIONS: tuple[Operation, ...] = (
    *_CHAT_OPERATIONS,
    *EMBEDDING_OPERATIONS,
    *RERANK_OPERATIONS,
    *MODEL_OPERATIONS,
    *TOKENIZER_OPERATIONS,
    *TASK_OPERATIONS,
    *FILE_OPERATIONS,
    *UPLOAD_OPERATIONS,
    *WEBSOCKET_OPERATIONS,
    # The last of all: its address holds those of the services above.
    *NATIVE_OPERATIONS,
)
