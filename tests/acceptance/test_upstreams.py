"""Whole servers before upstreams of their own: where calls go by each choice, and what a bad certificate does."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import anthropic
import dashscope
import openai
import pytest
from anyio.from_thread import start_blocking_portal

from qwenport.testing.certificates import Authority
from qwenport.testing.faulty_upstream import Fault, FaultyUpstream, FaultyUpstreamThread, Latency, Manner, Script
from qwenport.testing.raw_server import RawServer, listening
from qwenport.testing.upstream_tables import configure, route, table, upstream

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
MakeServer = Callable[..., "Server"]
ORDERED, LEAST_BUSY, LOWEST_LATENCY = "qwen-plus", "qwen-turbo", "qwen-max"
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]
SERVED_BY = "x-qwenport-served-by"
SLOW = Manner(latency=Latency(median_s=0.25))


class Pair:
    """A server with two upstreams, which every model may go to."""

    def __init__(self, client: openai.OpenAI, first: FaultyUpstream, second: FaultyUpstream) -> None:
        self.client = client
        self.first = first
        self.second = second

    def ask(self, model: str) -> str:
        """Ask, and return which upstream answered."""
        raw = self.client.chat.completions.with_raw_response.create(model=model, messages=HELLO, max_tokens=4)
        return raw.headers[SERVED_BY].partition("/")[0]

    @contextmanager
    def under_way(self, model: str) -> Iterator[str]:
        """Have a stream under way while the block lasts; gives the upstream that answers it."""
        with self.client.chat.completions.with_streaming_response.create(
            model=model, messages=HELLO, max_tokens=1_000, stream=True
        ) as response:
            lines = response.iter_lines()  # who lets go of them hangs up
            next(lines)
            yield response.headers[SERVED_BY].partition("/")[0]


@pytest.fixture(scope="module")
def running(server_class: type[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        first, second = (stack.enter_context(FaultyUpstreamThread(FaultyUpstream())) for _ in range(2))
        server = server_class(folder, folder / "no-models")
        stack.callback(server.close)
        choices = {ORDERED: "ordered", LEAST_BUSY: "least_busy", LOWEST_LATENCY: "lowest_latency"}
        configure(
            server.data_dir,
            table("[retries]", tries=2, first_pause_s=0.01, breaker_failures=3, breaker_open_s=1.0),
            upstream("first", first.url),
            upstream("second", second.url),
            *(route(model, "first", "second", choose=choice) for model, choice in choices.items()),
        )
        server.start(until="/healthz")
        url = f"{server.url}/compatible-mode/v1"
        with openai.OpenAI(api_key=server.key, base_url=url, max_retries=0) as client:
            yield Pair(client, first.upstream, second.upstream)


@pytest.fixture
def pair(running: Pair) -> Pair:
    """Give the two as if nobody had asked them."""
    for each in (running.first, running.second):
        each.plan, each.manner = Script(()), Manner()
        each.reset()
    return running


def test_calls_go_to_the_first_that_is_well_and_come_back_to_it(pair: Pair, eventually: Eventually) -> None:
    before = [pair.ask(ORDERED) for _ in range(3)]
    pair.first.plan = Script([Fault.STATUS_503], repeats_last=True)
    during = [pair.ask(ORDERED) for _ in range(6)]
    tried = len(pair.first.served) - len(before)
    pair.first.plan = Script(())
    eventually(lambda: pair.ask(ORDERED) == "first", "the first upstream is asked again")
    after = [pair.ask(ORDERED) for _ in range(3)]

    assert (before, during, after) == (["first"] * 3, ["second"] * 6, ["first"] * 3)
    # Three failures open its breaker; then one call in a while looks whether it is well again.
    assert 3 <= tried < 6


def test_calls_go_where_fewest_are_under_way(pair: Pair) -> None:
    pair.first.manner = pair.second.manner = Manner(between_chunks_s=0.1)
    with pair.under_way(LEAST_BUSY) as one:
        beside = [pair.ask(LEAST_BUSY) for _ in range(3)]
        with pair.under_way(LEAST_BUSY) as two, pair.under_way(LEAST_BUSY) as three:
            last = pair.ask(LEAST_BUSY)

    assert (one, beside) == ("first", ["second"] * 3)
    assert (two, three, last) == ("second", "first", "second")


def test_calls_go_where_answers_came_soonest_of_late(pair: Pair, eventually: Eventually) -> None:
    pair.first.manner = SLOW

    def goes_to(name: str) -> bool:
        # Five of a hundred go to the one that was asked longest ago.
        return [pair.ask(LOWEST_LATENCY) for _ in range(10)].count(name) >= 9

    # Each is asked once to be known.
    assert [pair.ask(LOWEST_LATENCY) for _ in range(2)] == ["first", "second"]
    # A moment in which the machine did something else makes the second look slow, until one of these five calls.
    eventually(lambda: goes_to("second"), "the second is the quicker one")
    pair.first.manner, pair.second.manner = Manner(), SLOW
    # Its mean comes down only where it is asked: which of these five calls does so is chance, and may take many calls.
    eventually(lambda: goes_to("first"), "the first is the quicker one again")


@pytest.fixture(scope="module")
def vouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Authority]]:
    """Give the address of an upstream that speaks TLS, and the authority that vouches for it."""
    authority = Authority.made(tmp_path_factory.mktemp("authority"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("localhost"))
    body = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(listening(RawServer([head + body] * 100).serve, tls=context)) as port,
    ):
        yield f"https://localhost:{port}", authority


def test_a_certificate_that_nobody_vouches_for_is_told_to_callers_and_in_the_log(
    make_server: MakeServer, vouched: tuple[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, authority = vouched
    server = make_server()
    configure(
        server.data_dir,
        table("[retries]", tries=2, first_pause_s=0.01),
        upstream("strange", f"{url}/v1"),
        upstream("known", f"{url}/v1", ca_file=str(authority.file)),
        route("qwen-plus", "strange"),
        route("qwen-turbo", "known"),
        route("qwen-max", "strange", "known"),
    )
    server.start(until="/healthz")
    words = "Model is unavailable, please try again later. (the upstream `strange` cannot be reached)"

    with openai.OpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as client:
        with pytest.raises(openai.InternalServerError) as by_openai:
            client.chat.completions.create(model="qwen-plus", messages=HELLO)
        answers = [client.chat.completions.create(model=name, messages=HELLO) for name in ("qwen-turbo", "qwen-max")]
    with (
        anthropic.Anthropic(api_key=server.key, base_url=f"{server.url}/apps/anthropic", max_retries=0) as other,
        pytest.raises(anthropic.InternalServerError) as by_anthropic,
    ):
        other.messages.create(model="qwen-plus", messages=HELLO, max_tokens=4)
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{server.url}/api/v1")
    by_dashscope: Any = dashscope.Generation.call(model="qwen-plus", messages=HELLO, api_key=server.key)

    assert isinstance(by_openai.value.body, dict)
    assert (by_openai.value.status_code, by_openai.value.body["message"]) == (503, words)
    assert (by_anthropic.value.status_code, by_anthropic.value.type) == (503, "overloaded_error")
    assert words in str(by_anthropic.value)
    assert (by_dashscope.status_code, by_dashscope.code, by_dashscope.message) == (503, "ModelUnavailable", words)
    assert [each.choices[0].message.content for each in answers] == ["Hello", "Hello"]
    told = f"strange cannot be reached: the certificate of `{url}` is not accepted: "
    assert told in server.output
    [strange] = [each for each in server.operator("GET", "/upstreams").json() if each["name"] == "strange"]
    assert told in str(strange)
