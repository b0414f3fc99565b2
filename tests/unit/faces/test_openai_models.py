from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from qwenport.core.errors import ModelNotFound
from qwenport.faces.face import Cards, Reply, Request
from qwenport.faces.openai.operations import list_models, retrieve_model

MakeRequest = Callable[..., Request]
JSON = ((b"content-type", b"application/json"),)
TURBO = (
    b'{"id":"qwen-turbo","object":"model","created":1726704000,"owned_by":"qwenport (stand-in: smollm2-135m-instruct)"}'
)
MAX = b'{"id":"qwen3-max","object":"model","created":1758585600,"owned_by":"qwenport"}'


def test_the_list_has_four_keys_a_model_and_names_stand_ins(make_request: MakeRequest, cards: Cards) -> None:
    assert list_models(make_request(), cards) == Reply(
        status=200, headers=JSON, body=b'{"object":"list","data":[' + TURBO + b"," + MAX + b"]}"
    )


def test_a_stand_in_without_a_route_is_named_too(make_request: MakeRequest, cards: Cards) -> None:
    card = replace(cards["qwen-turbo"], route=())

    assert b'"owned_by":"qwenport (stand-in)"' in list_models(make_request(), {card.name: card}).body


def test_one_model_is_found_by_name(make_request: MakeRequest, cards: Cards) -> None:
    request = replace(make_request(), path_parameters={"model": "qwen3-max"})

    assert retrieve_model(request, cards) == Reply(status=200, headers=JSON, body=MAX)


def test_an_unknown_model_is_not_found(make_request: MakeRequest, cards: Cards) -> None:
    with pytest.raises(ModelNotFound) as caught:
        retrieve_model(make_request(path_parameters={"model": "gpt-4"}), cards)

    assert caught.value.model == "gpt-4"
