"""Reranking on both faces: what is asked, what is refused, the order of the answer, and what the clients read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import dashscope
import pytest
from dashscope.v2.resources.rerank import _parse
from hypothesis import given
from hypothesis import strategies as st

from qwenport.core.call import RerankInput
from qwenport.core.errors import AsynchronousRefused, BodyNotJson, InputMissing, ModelMissing, ParameterInvalid, Refused
from qwenport.core.events import Finished, Ranked, Started
from qwenport.core.usage import Usage
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.dashscope.rerank import decode_text_rerank
from qwenport.faces.face import Cards, Exchange, Request
from qwenport.faces.openai.reranks import decode_reranks
from qwenport.faces.ranking import Ranking, WireRanking
from qwenport.testing.scripted_face import ScriptedFace, Step

MakeRequest = Callable[..., Request]
ID = "00000000-0000-9000-8000-000000000001"
DOCUMENTS = ["about cats", "about 狗", "about tea"]
THREE: tuple[Step, ...] = (
    Started(served_by="scripted/model", input_tokens=9),
    Ranked(index=0, score=0.25),
    Ranked(index=1, score=0.75),
    Ranked(index=2, score=0.25),
    Finished(usage=Usage(input_tokens=9)),
)


def whole(exchange: Exchange) -> Any:
    """Return the answer to the script of three documents, as JSON."""
    answer: Any = exchange.answer
    for event in THREE:
        answer.add(event)
    reply = answer.reply()
    assert (reply.status, reply.headers) == (200, ((b"content-type", b"application/json"),))
    return json.loads(reply.body)


@pytest.fixture
def native_face(cards: Cards) -> ScriptedFace:
    face = ScriptedFace(DASHSCOPE, cards)
    face.script = THREE
    return face


def native(**parameters: Any) -> dict[str, Any]:
    return {
        "model": "qwen3-rerank",
        "input": {"query": "dogs?", "documents": DOCUMENTS},
        "parameters": parameters,
    }


def compatible(**parameters: Any) -> dict[str, Any]:
    return {"model": "qwen3-rerank", "query": "dogs?", "documents": DOCUMENTS, **parameters}


@pytest.mark.parametrize(
    ("parameters", "results"),
    [
        (
            {},
            [
                {"index": 1, "relevance_score": 0.75},
                {"index": 0, "relevance_score": 0.25},
                {"index": 2, "relevance_score": 0.25},
            ],
        ),
        (
            {"top_n": 2, "return_documents": True},
            [
                {"index": 1, "relevance_score": 0.75, "document": {"text": "about 狗"}},
                {"index": 0, "relevance_score": 0.25, "document": {"text": "about cats"}},
            ],
        ),
        ({"top_n": 1, "return_documents": False}, [{"index": 1, "relevance_score": 0.75}]),
    ],
)
def test_the_best_come_first_and_the_earlier_of_equal_ones(
    parameters: dict[str, Any], results: list[dict[str, Any]], make_request: MakeRequest
) -> None:
    assert whole(decode_text_rerank(make_request(native(**parameters)), {})) == {
        "output": {"results": results},
        "usage": {"total_tokens": 9},
        "request_id": ID,
    }
    assert whole(decode_reranks(make_request(compatible(**parameters)), {})) == {
        "id": ID,
        "object": "list",
        "model": "qwen3-rerank",
        "results": results,
        "usage": {"total_tokens": 9},
    }


def test_more_than_there_are_is_all(make_request: MakeRequest) -> None:
    answer = whole(decode_reranks(make_request(compatible(top_n=100)), {}))

    assert [result["index"] for result in answer["results"]] == [1, 0, 2]


@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=50), top_n=st.none() | st.integers(1, 60))
def test_any_scores_are_sorted_and_cut(scores: list[float], top_n: int | None) -> None:
    asked = RerankInput(query="q", documents=tuple(str(index) for index in range(len(scores))))
    ranking = Ranking(asked, WireRanking(top_n=top_n))
    for index, score in enumerate(scores):
        ranking.add(Ranked(index=index, score=score))
    results = [(result["relevance_score"], result["index"]) for result in json.loads(ranking.encode_results())]

    best = sorted(enumerate(scores), key=lambda pair: (-pair[1], pair[0]))[:top_n]
    assert results == [(score, index) for index, score in best]


def test_what_was_asked_is_what_the_call_says(make_request: MakeRequest) -> None:
    asked = RerankInput(query="dogs?", documents=tuple(DOCUMENTS), instruct="Find animals.")

    assert decode_text_rerank(make_request(native(instruct="Find animals.")), {}).call.input == asked
    assert decode_reranks(make_request(compatible(instruct="Find animals.")), {}).call.input == asked


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"query": None}, "'query' is a required property and must not be empty"),
        ({"query": ""}, "'query' is a required property and must not be empty"),
        ({"documents": None}, "'documents' is a required property"),
        ({"documents": []}, "[] is too short - 'documents'"),
        ({"top_n": 0}, "The top_n parameter must be greater than or equal to 1"),
        ({"top_n": -1}, "The top_n parameter must be greater than or equal to 1"),
    ],
)
def test_content_that_cannot_be_ordered_is_refused_once_the_model_was_looked_at(
    change: dict[str, Any], words: str, make_request: MakeRequest
) -> None:
    inside = {"query": "q", "documents": ["a"], **change}
    top_n = inside.pop("top_n", None)
    body = {"model": "m", "input": inside, "parameters": {"top_n": top_n}}
    refusals = (
        decode_text_rerank(make_request(body), {}).call.refusal,
        decode_reranks(make_request({"model": "m", **inside, "top_n": top_n}), {}).call.refusal,
    )

    assert [refusal and refusal.message for refusal in refusals] == [words] * 2


@pytest.mark.parametrize(
    ("decode", "body", "error", "words"),
    [
        (decode_reranks, {"query": "q", "documents": ["a"]}, ModelMissing, "model"),
        (decode_reranks, b"{", BodyNotJson, "Required body invalid"),
        (decode_reranks, compatible(top_n="3"), ParameterInvalid, "'top_n' must be Integer"),
        (decode_reranks, {**compatible(), "documents": [1]}, ParameterInvalid, r"'documents\[0\]' must be String"),
        (decode_text_rerank, {"input": {}}, ModelMissing, "model"),
        (decode_text_rerank, {"model": "m"}, InputMissing, "Required input"),
        (decode_text_rerank, native(top_n=1.5), ParameterInvalid, "'top_n' must be Integer"),
    ],
)
def test_a_body_that_cannot_be_understood_is_refused(
    decode: Callable[[Request, Cards], Exchange],
    body: object,
    error: type[Refused],
    words: str,
    make_request: MakeRequest,
) -> None:
    with pytest.raises(error, match=words):
        decode(make_request(body), {})


def test_an_asynchronous_task_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(AsynchronousRefused):
        decode_text_rerank(make_request(native(), headers={"x-dashscope-async": "enable"}), {})


def test_dashscope_reads_results(native_face: ScriptedFace, dashscope_session: Callable[[ScriptedFace], Any]) -> None:
    response: Any = dashscope.TextReRank.call(
        model="qwen3-rerank",
        query="dogs?",
        documents=DOCUMENTS,
        top_n=2,
        return_documents=True,
        instruct="Find animals.",
        api_key="sk-test",
        session=dashscope_session(native_face),
        base_address="http://test/api/v1",
    )

    assert (response.status_code, response.request_id, response.usage.total_tokens) == (200, ID, 9)
    # Its attribute `document` is always None; the item holds the document all the same.
    assert [(item.index, item.relevance_score, item["document"]["text"]) for item in response.output.results] == [
        (1, 0.75, "about 狗"),
        (0, 0.25, "about cats"),
    ]
    assert native_face.calls[0].input == RerankInput(
        query="dogs?", documents=tuple(DOCUMENTS), instruct="Find animals."
    )


def test_the_second_client_of_dashscope_reads_results(native_face: ScriptedFace) -> None:
    """It posts the same body, and reads the answer so."""
    path = "/api/v1/services/rerank/text-rerank/text-rerank"
    reply = native_face.answer("POST", path, {}, json.dumps(native(return_documents=True)).encode())
    response = _parse(json.loads(reply.body))

    best = response.results[0]
    assert best.document is not None
    assert (best.index, best.relevance_score, best.document.text) == (1, 0.75, "about 狗")
    assert response.usage is not None
    assert response.usage.total_tokens == 9
