from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from qwenport.core.errors import ParameterInvalid
from qwenport.faces.dashscope.models import list_models
from qwenport.faces.face import Cards, Reply, Request

MakeRequest = Callable[..., Request]
TURBO = (
    '{"model":"qwen-turbo","name":"qwen-turbo",'
    '"description":"Fast and cheap. (stand-in: answered by smollm2-135m-instruct)",'
    '"source":"qwenport","provider":"qwenport"}'
)
MAX = (
    '{"model":"qwen3-max","name":"qwen3-max","description":"The strongest.","source":"qwenport","provider":"qwenport"}'
)


@pytest.mark.parametrize(
    ("query", "total", "page_no", "page_size", "models"),
    [
        ({}, 2, 1, 10, [TURBO, MAX]),
        ({"page_no": "", "page_size": ""}, 2, 1, 10, [TURBO, MAX]),
        ({"page_no": "1", "page_size": "1"}, 2, 1, 1, [TURBO]),
        ({"page_no": "2", "page_size": "1"}, 2, 2, 1, [MAX]),
        ({"page_no": "3", "page_size": "1"}, 2, 3, 1, []),
        ({"page_no": "999999999", "page_size": "999999999"}, 2, 999999999, 999999999, []),
        ({"model": "qwen3-max", "page_no": "1", "page_size": "1"}, 1, 1, 1, [MAX]),
        ({"model": "gpt-4", "page_no": "1", "page_size": "1"}, 0, 1, 1, []),
    ],
)
def test_the_catalog_comes_in_pages(  # noqa: PLR0917 - the columns of the table above
    make_request: MakeRequest,
    cards: Cards,
    query: dict[str, str],
    total: int,
    page_no: int,
    page_size: int,
    models: list[str],
) -> None:
    assert list_models(make_request(query=query), cards) == Reply(
        status=200,
        headers=((b"content-type", b"application/json"),),
        body=(
            f'{{"output":{{"total":{total},"page_no":{page_no},"page_size":{page_size},"models":[{",".join(models)}]}},'
            '"request_id":"00000000-0000-9000-8000-000000000001"}'
        ).encode(),
    )


def test_a_stand_in_without_a_route_says_so_too(make_request: MakeRequest, cards: Cards) -> None:
    card = replace(cards["qwen-turbo"], route=())

    body = list_models(make_request(), {card.name: card}).body
    assert b'"description":"Fast and cheap. (stand-in: answered by another model)"' in body


@pytest.mark.parametrize("name", ["page_no", "page_size"])
@pytest.mark.parametrize("written", ["0", "-1", "1.5", "one", "1_0", "٣", "²", "9" * 10, "9" * 5000])
def test_a_page_number_that_is_none_is_refused(make_request: MakeRequest, name: str, written: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        list_models(make_request(query={name: written}), {})

    assert (caught.value.parameter, caught.value.message) == (name, f"'{name}' must be Integer and greater than 0")
