"""Embeddings on both faces: what is asked, what is refused, and what the official clients read."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import dashscope
import openai
import pytest
from dashscope.v2.resources.embeddings import parse_embedding_response

from qwenport.core.call import EmbeddingInput, TextKind
from qwenport.core.errors import AsynchronousRefused, BodyNotJson, EngineFailed, InputMissing, ModelMissing, Refused
from qwenport.core.events import Embedded, Finished, Started
from qwenport.core.usage import Usage
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.dashscope.embeddings import decode_text_embedding
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.openai import OPENAI
from qwenport.faces.openai.embeddings import decode_embeddings
from qwenport.testing.scripted_face import ScriptedFace, Step

MakeRequest = Callable[..., Request]
ID = "00000000-0000-9000-8000-000000000001"
FIRST = (0.5, -0.25, 0.0)
SECOND = (1.0, 2.0, -3.0)
NO_TOKEN_IDS = (
    "<400> InternalError.Algo.InvalidParameter: Value error, contents is neither str nor list of str.: input.contents "
)


def packed(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


TWO: tuple[Step, ...] = (
    Started(served_by="scripted/model", input_tokens=5),
    Embedded(index=1, vector=packed(*SECOND)),
    Embedded(index=0, vector=packed(*FIRST)),
    Finished(usage=Usage(input_tokens=5)),
)


def whole(exchange: Exchange) -> Any:
    """Return the answer to the script of two texts, as JSON."""
    answer: Any = exchange.answer
    for event in TWO:
        answer.add(event)
    reply = answer.reply()
    assert (reply.status, reply.headers) == (200, ((b"content-type", b"application/json"),))
    return json.loads(reply.body)


@pytest.fixture
def openai_face(cards: Cards) -> ScriptedFace:
    face = ScriptedFace(OPENAI, cards)
    face.script = TWO
    return face


@pytest.fixture
def client(openai_face: ScriptedFace, connect_openai: Callable[[ScriptedFace], openai.OpenAI]) -> openai.OpenAI:
    return connect_openai(openai_face)


@pytest.fixture
def native_face(cards: Cards) -> ScriptedFace:
    face = ScriptedFace(DASHSCOPE, cards)
    face.script = TWO
    return face


@pytest.fixture
def embed(native_face: ScriptedFace, dashscope_session: Callable[[ScriptedFace], Any]) -> Callable[..., Any]:
    def call(texts: object, **parameters: Any) -> Any:
        return dashscope.TextEmbedding.call(
            model="text-embedding-v4",
            input=texts,  # type: ignore[arg-type]  # some tests hand in what its signature does not know
            api_key="sk-test",
            session=dashscope_session(native_face),
            base_address="http://test/api/v1",
            **parameters,
        )

    return call


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_openai_reads_vectors_in_every_encoding(
    openai_face: ScriptedFace, client: openai.OpenAI, encoding: Any
) -> None:
    asked = {} if encoding is None else {"encoding_format": encoding}
    answer = client.embeddings.create(model="text-embedding-v4", input=["a", "b"], dimensions=3, **asked)

    vectors: list[Any] = [item.embedding for item in answer.data]
    if encoding == "base64":  # then the client leaves it to its caller
        assert vectors == ["AAAAPwAAgL4AAAAA", "AACAPwAAAEAAAEDA"]
    else:
        assert vectors == [list(FIRST), list(SECOND)]
    assert [item.index for item in answer.data] == [0, 1]
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (5, 5)
    assert openai_face.calls[0].input == EmbeddingInput(texts=("a", "b"), dimension=3)


def test_an_openai_answer_has_the_documented_members(make_request: MakeRequest, cards: Cards) -> None:
    exchange = decode_embeddings(make_request({"model": "text-embedding-v4", "input": ["a", "b"]}), cards)

    assert whole(exchange) == {
        "data": [
            {"embedding": list(FIRST), "index": 0, "object": "embedding"},
            {"embedding": list(SECOND), "index": 1, "object": "embedding"},
        ],
        "model": "text-embedding-v4",
        "object": "list",
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
        "id": ID,
    }


@pytest.mark.parametrize(
    ("asked", "texts"),
    [("a", ("a",)), (["a", "", "你"], ("a", "", "你")), ("", ("",)), (["x"] * 11, ("x",) * 11)],
)
def test_texts_are_taken_as_they_are(asked: object, texts: tuple[str, ...], make_request: MakeRequest) -> None:
    """How many there may be is a fact of the model, which the gate looks at."""
    compatible = decode_embeddings(make_request({"model": "m", "input": asked}), {}).call
    native = decode_text_embedding(make_request({"model": "m", "input": {"texts": asked}}), {}).call

    assert (compatible.input, compatible.refusal) == (EmbeddingInput(texts=texts), None)
    assert (native.input, native.refusal) == (EmbeddingInput(texts=texts), None)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (None, "'{}' is a required property"),
        ([], "[] is too short - '{}'"),
        ([15339, 1917], NO_TOKEN_IDS + "(token ids are not served, send '{}' as text)"),
        ([[15339], [1917]], NO_TOKEN_IDS + "(token ids are not served, send '{}' as text)"),
        (["a", 7], NO_TOKEN_IDS + "(token ids are not served, send '{}' as text)"),
    ],
)
def test_what_is_no_text_is_refused_once_the_model_was_looked_at(
    asked: object, words: str, make_request: MakeRequest
) -> None:
    compatible = decode_embeddings(make_request({"model": "m", "input": asked}), {}).call.refusal
    native = decode_text_embedding(make_request({"model": "m", "input": {"texts": asked}}), {}).call.refusal
    assert compatible is not None
    assert native is not None

    assert (compatible.message, compatible.parameter) == (words.format("input"), "input")
    assert (native.message, native.parameter) == (words.format("texts"), "texts")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"text_type": "queries"}, "'queries' is not one of ['query', 'document'] - 'text_type'"),
        ({"output_type": "sparse"}, 'The output_type parameter must be "dense": sparse vectors are not served'),
        ({"output_type": "dense&sparse"}, 'The output_type parameter must be "dense": sparse vectors are not served'),
    ],
)
def test_native_parameters_that_cannot_be_honoured_are_refused(
    parameters: dict[str, Any], words: str, make_request: MakeRequest
) -> None:
    body = {"model": "m", "input": {"texts": ["a"]}, "parameters": parameters}
    refusal = decode_text_embedding(make_request(body), {}).call.refusal

    assert refusal is not None
    assert refusal.message == words


def test_an_unknown_encoding_is_refused(make_request: MakeRequest) -> None:
    body = {"model": "m", "input": "a", "encoding_format": "int8"}
    refusal = decode_embeddings(make_request(body), {}).call.refusal

    assert refusal is not None
    assert refusal.message == "'int8' is not one of ['float', 'base64'] - 'encoding_format'"


@pytest.mark.parametrize(
    ("decode", "body", "error"),
    [
        (decode_embeddings, {"input": "a"}, ModelMissing),
        (decode_embeddings, b"[]", BodyNotJson),
        (decode_embeddings, b'{"model":"m","input":"\xff"}', BodyNotJson),
        (decode_embeddings, b'{"model":"m","input":"\\ud800 alone"}', BodyNotJson),
        (decode_text_embedding, {"input": {"texts": ["a"]}}, ModelMissing),
        (decode_text_embedding, {"model": "m"}, InputMissing),
        (decode_text_embedding, b"not JSON", BodyNotJson),
    ],
)
def test_a_body_that_cannot_be_understood_is_refused(
    decode: Callable[[Request, Cards], Exchange], body: object, error: type[Refused], make_request: MakeRequest
) -> None:
    with pytest.raises(error):
        decode(make_request(body), {})


def test_an_asynchronous_task_is_refused(make_request: MakeRequest) -> None:
    body = {"model": "m", "input": {"texts": ["a"]}}
    with pytest.raises(AsynchronousRefused):
        decode_text_embedding(make_request(body, headers={"x-dashscope-async": "enable"}), {})


def test_a_native_answer_has_the_documented_members(make_request: MakeRequest) -> None:
    exchange = decode_text_embedding(make_request({"model": "m", "input": {"texts": ["a", "b"]}}), {})

    assert whole(exchange) == {
        "output": {
            "embeddings": [
                {"text_index": 0, "embedding": list(FIRST)},
                {"text_index": 1, "embedding": list(SECOND)},
            ]
        },
        "usage": {"total_tokens": 5},
        "request_id": ID,
    }


def test_dashscope_reads_vectors(native_face: ScriptedFace, embed: Callable[..., Any]) -> None:
    response = embed(["a", "b"], text_type="query", dimension=3, output_type="dense", instruct="Find it.")

    assert (response.status_code, response.request_id) == (200, ID)
    assert [item["embedding"] for item in response.output["embeddings"]] == [list(FIRST), list(SECOND)]
    assert [item["text_index"] for item in response.output["embeddings"]] == [0, 1]
    assert response.usage["total_tokens"] == 5
    assert native_face.calls[0].input == EmbeddingInput(
        texts=("a", "b"), kind=TextKind.QUERY, dimension=3, instruct="Find it."
    )


def test_dashscope_reads_a_refusal_and_a_failure(native_face: ScriptedFace, embed: Callable[..., Any]) -> None:
    refused = embed([[1, 2]])
    native_face.script = (EngineFailed("the engine broke off"),)
    failed = embed("a")

    assert (refused.status_code, refused.code) == (400, "InvalidParameter")
    assert (failed.status_code, failed.code, failed.message) == (500, "InternalError", "the engine broke off")


def test_the_second_client_of_dashscope_reads_vectors(native_face: ScriptedFace) -> None:
    """It posts the same body, and reads the answer so."""
    body = {"model": "m", "input": {"texts": ["a", "b"]}, "parameters": {}}
    path = "/api/v1/services/embeddings/text-embedding/text-embedding"
    reply = native_face.answer("POST", path, {}, json.dumps(body).encode())
    response = parse_embedding_response(json.loads(reply.body))

    assert [(item.index, item.embedding) for item in response.embeddings] == [(0, list(FIRST)), (1, list(SECOND))]
    assert response.usage is not None
    assert response.usage.total_tokens == 5
