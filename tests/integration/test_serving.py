"""What a configuration puts around a call, through a server as it is started: cache, check, masking, routes, limits."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from qwenport.testing.faulty_upstream import FaultyUpstream, FaultyUpstreamThread, Manner
from qwenport.testing.operated import CHAT, calls, made, new_key
from qwenport.testing.upstream_tables import configure, route, table, upstream

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
CACHED, CHECKED, MASKED, OWN, SPREAD = "qwen-plus", "qwen-turbo", "qwen-coder-turbo", "qwen-flash", "qwen3-max"
CHEAP = "qwen-max-latest"
DEAR_IN_BEIJING, CHEAP_IN_BEIJING = "qwen-max", "qwen-plus-latest"
DEAF, DEAF_FIRST = "qwen2.5-coder-7b-instruct", "qwen2.5-coder-32b-instruct"
ENDLESS, ENDLESS_FIRST = "qwen2.5-0.5b-instruct", "qwen2.5-1.5b-instruct"
TOKENS = 4
WITH_WORDS = {"type": "object", "properties": {"a": {"type": "string", "description": "the forbidden fruit"}}}


@pytest.fixture(scope="module")
def first() -> Iterator[FaultyUpstreamThread]:
    with FaultyUpstreamThread(FaultyUpstream()) as running:
        yield running


@pytest.fixture(scope="module")
def second() -> Iterator[FaultyUpstreamThread]:
    with FaultyUpstreamThread(FaultyUpstream()) as running:
        yield running


@pytest.fixture(scope="module")
def endless() -> Iterator[FaultyUpstreamThread]:
    """Give an upstream whose streams take minutes, and are never silent for long."""
    with FaultyUpstreamThread(FaultyUpstream(manner=Manner(between_chunks_s=0.05))) as running:
        yield running


@pytest.fixture(scope="module")
def deaf() -> Iterator[str]:
    """Give the address of a server that nobody can connect to, and that refuses nobody either: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            with suppress(BlockingIOError):
                waiting.connect(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


@pytest.fixture(scope="module")
def tables(
    first: FaultyUpstreamThread, second: FaultyUpstreamThread, endless: FaultyUpstreamThread, deaf: str
) -> list[str]:
    """Give the configuration that all tests begin with."""
    limits = {"first_event_s": 1.5, "between_events_s": 1.5, "total_s": 1.5}
    return [
        table("[retries]", tries=2, first_pause_s=0.01),
        table("[cache]", max_bytes=10_000_000, bill_percent=50),
        table("[check]", words_file="words.txt", models=[CHECKED]),
        upstream("first", first.url, region="singapore"),
        upstream("second", second.url),
        upstream("east", second.url, region="beijing"),
        upstream("masked", first.url, mask=True),
        upstream("deaf", deaf, connect_s=0.3),
        upstream("endless", endless.url, dialect="plain", **limits),
        route(CACHED, "first", cache_s=3600),
        route(CHECKED, "first"),
        route(MASKED, "masked"),
        route(OWN, "first"),
        route(SPREAD, "first", "second", choose="weighted", weights=[0, 1]),
        route(CHEAP, "first", "second", choose="cheapest"),
        *(route(model, "first", "east", choose="cheapest") for model in (DEAR_IN_BEIJING, CHEAP_IN_BEIJING)),
        route(DEAF, "deaf"),
        route(DEAF_FIRST, "deaf", "second"),
        route(ENDLESS, "endless"),
        route(ENDLESS_FIRST, "endless", "second"),
    ]


@pytest.fixture(scope="module")
def server(server_class: type[Server], tables: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    server = server_class(folder, folder / "no-models")
    configure(server.data_dir, *tables)
    (server.data_dir / "words.txt").write_text("forbidden fruit\nword3\n")
    try:
        server.start(until="/healthz")
        yield server
    finally:
        server.close()


@pytest.fixture(autouse=True)
def _nothing_served(first: FaultyUpstreamThread, second: FaultyUpstreamThread) -> None:
    first.upstream.reset()
    second.upstream.reset()


def client(server: Server, key: str = "") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=key or server.key, max_retries=0)


def ask(server: Server, model: str, text: str, key: str = "", **settings: Any) -> str:
    """Return the text of an answer to the official client."""
    with client(server, key) as asking:
        answer = asking.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}], max_tokens=TOKENS, **settings
        )
    return str(answer.choices[0].message.content)


def asked(upstream: FaultyUpstreamThread) -> list[str]:
    return [served.asked for served in upstream.upstream.served]


def test_an_equal_call_is_answered_from_the_cache_and_costs_its_part(
    server: Server, first: FaultyUpstreamThread, eventually: Eventually
) -> None:
    body = {"model": CACHED, "messages": [{"role": "user", "content": "Again?"}], "max_tokens": TOKENS, "seed": 1}
    answers = [httpx.post(server.url + CHAT, json=body, headers=server.bearer, timeout=30) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.headers.get("x-qwenport-cache") for answer in answers] == [None, "hit"]
    assert answers[0].json()["choices"] == answers[1].json()["choices"]
    assert asked(first) == ["Again?"]
    ids = [answer.json()["id"].removeprefix("chatcmpl-") for answer in answers]
    eventually(lambda: {*ids} <= {row["request_id"] for row in calls(server)}, "both are in the books")
    costs = {
        row["request_id"]: (float(row["cost"]), row["usage_source"])
        for row in calls(server)
        if row["request_id"] in ids
    }
    # Half of the price of a call whose whole input is cached, which is less than that of the first.
    assert 0 < costs[ids[1]][0] < costs[ids[0]][0] / 2
    assert [costs[each][1] for each in ids] == ["engine", "cache"]
    told = httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {server.token}"}, timeout=30).text
    [size] = re.findall(r"^qwenport_cache_bytes\{.*\} (.*)$", told, re.MULTILINE)
    assert float(size) > 0


def test_a_key_may_have_answers_kept_where_the_route_has_none(server: Server, first: FaultyUpstreamThread) -> None:
    _, key = new_key(server, cache_s=60)
    body = {"model": OWN, "messages": [{"role": "user", "content": "Kept?"}], "max_tokens": TOKENS, "seed": 1}
    keys = (key, key, server.key)
    headers = [{"Authorization": f"Bearer {each}"} for each in keys]
    answers = [httpx.post(server.url + CHAT, json=body, headers=each, timeout=30) for each in headers]

    assert [answer.headers.get("x-qwenport-cache") for answer in answers] == [None, "hit", None]
    assert asked(first) == ["Kept?"] * 2


def test_without_a_seed_every_call_is_answered_anew(server: Server, first: FaultyUpstreamThread) -> None:
    assert ask(server, CACHED, "By chance?") == ask(server, CACHED, "By chance?")
    assert asked(first) == ["By chance?"] * 2


def test_a_question_with_a_listed_word_reaches_no_upstream(server: Server, first: FaultyUpstreamThread) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(server, CHECKED, "Tell me of the Forbidden FRUIT.")

    assert refused.value.code == "data_inspection_failed"
    assert asked(first) == []
    assert ask(server, OWN, "Tell me of the forbidden fruit.") == " word0 word1 word2 word3"


@pytest.mark.parametrize(
    "hidden",
    [
        {"tools": [{"type": "function", "function": {"name": "word3"}}]},
        {"tools": [{"type": "function", "function": {"name": "ring", "parameters": WITH_WORDS}}]},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "json", "schema": WITH_WORDS}}},
        {"stop": ["Forbidden fruit"]},
    ],
    ids=["name of a tool", "schema of a tool", "schema of the answer", "stop"],
)
def test_a_listed_word_beside_the_messages_reaches_no_upstream(
    server: Server, first: FaultyUpstreamThread, hidden: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(server, CHECKED, "Answer in JSON.", **hidden)

    assert refused.value.code == "data_inspection_failed"
    assert asked(first) == []


def test_an_answer_with_a_listed_word_is_not_given(server: Server, first: FaultyUpstreamThread) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(server, CHECKED, "Four words, please.")

    assert refused.value.code == "data_inspection_failed"
    assert asked(first) == ["Four words, please."]


def test_personal_data_does_not_leave_for_an_upstream_that_masks(server: Server, first: FaultyUpstreamThread) -> None:
    ask(server, MASKED, "Write to jane.doe@example.com.")
    ask(server, OWN, "Write to jane.doe@example.com.")

    masked, plain = asked(first)
    assert plain == "Write to jane.doe@example.com."
    assert "jane.doe" not in masked
    assert masked.startswith("Write to ")


def test_a_key_that_is_bound_to_regions_is_answered_there_or_refused(
    server: Server, first: FaultyUpstreamThread, eventually: Eventually
) -> None:
    _, there = new_key(server, name="there", regions=["singapore"])
    _, elsewhere = new_key(server, name="elsewhere", regions=["frankfurt"])
    eventually(lambda: _knows(server, there) and _knows(server, elsewhere), "the keys are known")

    assert ask(server, OWN, "Here?", there) == " word0 word1 word2 word3"
    with pytest.raises(openai.PermissionDeniedError) as refused:
        ask(server, OWN, "There?", elsewhere)
    assert "data residency" in str(refused.value)
    assert asked(first) == ["Here?"]
    # What stands on the operator's own ground is in no region, and open to all.
    assert ask(server, SPREAD, "And here?", elsewhere) == " word0 word1 word2 word3"


def _knows(server: Server, key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{server.url}/v1/models", headers=headers, timeout=30).status_code == 200


def test_weights_and_prices_choose_the_upstream(
    server: Server, first: FaultyUpstreamThread, second: FaultyUpstreamThread
) -> None:
    for model in (SPREAD, CHEAP):
        ask(server, model, model)

    assert (asked(first), asked(second)) == ([], [SPREAD, CHEAP])


def test_the_cheapest_region_is_found_by_the_price_lists_and_the_rate_of_the_day(
    server: Server, first: FaultyUpstreamThread, second: FaultyUpstreamThread, eventually: Eventually
) -> None:
    """Qwen-Max costs 20 CNY a million in Beijing and 1.6 USD in Singapore, Qwen-Plus 0.8 CNY and 0.4 USD."""
    rate = {"base": "USD", "quote": "CNY", "rate": "7", "since": "2026-01-01"}
    server.operator("PUT", "/rates", json=rate).raise_for_status()

    def goes_to_singapore() -> bool:
        ask(server, DEAR_IN_BEIJING, "Where?")
        return bool(asked(first))

    eventually(goes_to_singapore, "the rate is known")
    second.upstream.reset()
    ask(server, CHEAP_IN_BEIJING, "And this?")
    assert (asked(first), asked(second)) == (["Where?"], ["And this?"])


FACES = ("/v1/chat/completions", "/apps/anthropic/v1/messages", "/api/v1/services/aigc/text-generation/generation")


def answers(server: Server, *asked_for: tuple[str, str], **settings: object) -> list[httpx.Response]:
    """Return what is answered to the same question at these addresses for these models, all asked at once."""

    def one(address_and_model: tuple[str, str]) -> httpx.Response:
        path, model = address_and_model
        headers, body = (
            dict(server.bearer),
            {"model": model, "messages": [{"role": "user", "content": "Hi"}], **settings},
        )
        if path == FACES[2]:
            headers["X-DashScope-SSE"] = "enable" if settings.get("stream") else "disable"
            parameters = {name: value for name, value in settings.items() if name != "stream"}
            body = {"model": model, "input": {"messages": body["messages"]}, "parameters": parameters}
        return httpx.post(server.url + path, json=body, headers=headers, timeout=30)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, asked_for))


def test_who_cannot_be_connected_to_in_time_is_left_for_the_next_target_or_told_of(
    server: Server, second: FaultyUpstreamThread
) -> None:
    *told, answered = answers(server, *((face, DEAF) for face in FACES), (FACES[0], DEAF_FIRST), max_tokens=TOKENS)

    assert [each.status_code for each in told] == [503] * 3
    assert ["the upstream `deaf` cannot be reached" in each.text for each in told] == [True] * 3
    assert (answered.status_code, asked(second)) == (200, ["Hi"])
    [reason] = [each["reason"] for each in server.operator("GET", "/upstreams").json() if each["name"] == "deaf"]
    assert reason.endswith("within 0.3 s")


def test_an_answer_that_never_ends_is_left_for_the_next_target_or_ends_in_an_error(
    server: Server, second: FaultyUpstreamThread, eventually: Eventually
) -> None:
    known = {row["request_id"] for row in calls(server)}
    [whole] = answers(server, (FACES[0], ENDLESS_FIRST), max_tokens=4096)
    begun = answers(server, *((face, ENDLESS) for face in FACES), max_tokens=4096, stream=True)

    assert (whole.status_code, asked(second)) == (200, ["Hi"])
    assert [each.status_code for each in begun] == [200] * 3
    assert [" word0" in each.text for each in begun] == [True] * 3
    codes = ("request_timeout", "timeout_error", "RequestTimeOut")
    assert [code in each.text for code, each in zip(codes, begun, strict=True)] == [True] * 3
    assert not any(end in each.text for each in begun for end in ("[DONE]", "message_stop", '"stop"'))

    def rows() -> list[tuple[str, str, bool]]:
        found = [row for row in calls(server, model=ENDLESS) if row["request_id"] not in known]
        return [(row["outcome"], row["error"], row["output_tokens"] > 0) for row in found]

    eventually(lambda: len(rows()) == 3, "all are in the books")
    assert rows() == [("failed", "engine_timed_out", True)] * 3


def test_keys_and_accounts_have_routes_of_their_own(
    server: Server,
    first: FaultyUpstreamThread,
    second: FaultyUpstreamThread,
    tables: list[str],
    eventually: Eventually,
) -> None:
    key_id, key = new_key(server, name="own way")
    account = made(server, "/accounts", {"email": "own@example.com", "kind": "metered"})["id"]
    _, accounts_key = new_key(server, name="account's", account_id=account)
    own = (route(OWN, "second", key=key_id), route(OWN, "second", account=account))
    configure(server.data_dir, *tables, *own)
    assert server.run("reload").returncode == 0
    eventually(lambda: _knows(server, key) and _knows(server, accounts_key), "the keys are known")
    try:
        for text, shown in (("key", key), ("account", accounts_key), ("all", server.key)):
            ask(server, OWN, text, shown)
    finally:
        configure(server.data_dir, *tables)
        assert server.run("reload").returncode == 0

    assert (asked(first), asked(second)) == (["all"], ["key", "account"])


def test_a_repeated_request_with_an_idempotency_key_is_answered_once(
    server: Server, first: FaultyUpstreamThread
) -> None:
    headers = {"Idempotency-Key": "once"}
    with client(server) as asking:
        answers = [
            asking.chat.completions.with_raw_response.create(
                model=OWN,
                messages=[{"role": "user", "content": "Once?"}],
                max_tokens=TOKENS,
                extra_headers=headers,
            )
            for _ in range(2)
        ]

    assert answers[0].content == answers[1].content
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true"]
    assert asked(first) == ["Once?"]


def test_a_model_of_an_upstream_is_shown_as_what_served_it(server: Server) -> None:
    body = {"model": OWN, "messages": [{"role": "user", "content": "Who?"}], "max_tokens": TOKENS}
    answer = httpx.post(server.url + CHAT, json=body, headers=server.bearer, timeout=30)

    assert (answer.status_code, calls(server)[0]["served_by"]) == (200, f"first/{OWN}")
