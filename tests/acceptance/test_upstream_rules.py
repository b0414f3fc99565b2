"""What a whole server does with calls on their way to upstreams: pace, turns, the operator's check, traces."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import anthropic
import dashscope
import openai
import pytest
from anyio.from_thread import start_blocking_portal

from qwenport.testing.faulty_upstream import FaultyUpstream, FaultyUpstreamThread, Manner
from qwenport.testing.operated import new_key
from qwenport.testing.otlp_receiver import OtlpReceiver, ReceivedSpan, otlp_receiver
from qwenport.testing.raw_server import RawServer, listening
from qwenport.testing.upstream_tables import configure, route, table, upstream

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
Told = tuple[int, str, str]
ONE_AT_A_TIME, CHECKED, TRACED = "qwen-plus", "qwen-turbo", "qwen-max"
BY_REQUESTS, BY_TOKENS, REQUESTS_ALONE, TOKENS_ALONE = "qwen-flash", "qwen3-max", "qwen-long", "qwen-plus-latest"
ANSWER = " word0 word1 word2 word3"
QUEUE = 4
NEVER_SAID = "a word that nobody says"
SECRET = "the secret of the check"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
UNCHECKED = "Model is unavailable, please try again later. (the content could not be checked)"
BLOCKED = "{} data may contain inappropriate content."


class Check:
    """The operator's check: says no to texts that hold a word; while it is down it hangs up."""

    def __init__(self) -> None:
        self.forbidden = NEVER_SAID
        self.is_down = False
        self.questions: list[dict[str, Any]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/check"

    def answer(self, signature: str, body: bytes) -> dict[str, object]:
        """Return the verdict on a question that the gateway signed."""
        at, digest = (part.partition("=")[2] for part in signature.split(","))
        assert digest == hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        question = json.loads(body)
        self.questions.append({name: question[name] for name in ("direction", "model", "texts")})
        return {"allowed": self.forbidden not in str(question["texts"]), "reason": "it is on the list"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        check = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if check.is_down:
                    return
                content = json.dumps(check.answer(self.headers["x-qwenport-signature"], body)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
                pass

        return Handler


class House:
    """A server, and what stands around it."""

    def __init__(self, server: Server, far: FaultyUpstream, check: Check) -> None:
        self.server = server
        self.far = far
        self.check = check

    @property
    def asked(self) -> list[str]:
        """Return what reached the upstream, in order."""
        return [served.asked for served in self.far.served]

    def waiting(self, name: str) -> int:
        """Return how many calls wait for an upstream with one model."""
        [found] = [each for each in self.server.operator("GET", "/upstreams").json() if each["name"] == name]
        return int(found["models"][0]["waiting"])

    @contextmanager
    def holding(self, model: str) -> Iterator[None]:
        """Have a stream under way while the block lasts, which is left at its end."""
        self.far.manner = Manner(between_chunks_s=0.1)
        with (
            self.client() as client,
            client.chat.completions.with_streaming_response.create(
                model=model, messages=says("held"), max_tokens=8_000, stream=True
            ) as response,
        ):
            lines = response.iter_lines()  # who lets go of them hangs up
            next(lines)
            yield

    def client(self, key: str = "") -> openai.OpenAI:
        """Return an official client that tries once."""
        return openai.OpenAI(api_key=key or self.server.key, base_url=f"{self.server.url}/v1", max_retries=0)

    def ask(self, model: str, text: str, key: str = "") -> str:
        """Return which upstream answered; raises what the client raises."""
        with self.client(key) as client:
            raw = client.chat.completions.with_raw_response.create(model=model, messages=says(text), max_tokens=4)
        return raw.headers["x-qwenport-served-by"].partition("/")[0]


def says(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def check() -> Iterator[Check]:
    check = Check()
    thread = threading.Thread(target=check.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield check
    finally:
        check.server.shutdown()
        check.server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def seeing() -> Iterator[tuple[str, RawServer]]:
    """Give the address of an upstream that keeps what it was sent, and the upstream."""
    body = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    server = RawServer([head + body] * 100)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(server.serve)) as port:
        yield f"http://127.0.0.1:{port}/v1", server


Configured = Callable[..., None]


@pytest.fixture(scope="module")
def running(
    check: Check,
    receiver: OtlpReceiver,
    seeing: tuple[str, RawServer],
    server_class: type[Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[House, Configured]]:
    folder = tmp_path_factory.mktemp("server")
    server = server_class(folder, folder / "no-models", {"CHECK_SECRET": SECRET})
    with FaultyUpstreamThread(FaultyUpstream()) as far:

        def configured(on_failure: str = "refuse", wait_s: float = 60.0) -> None:
            hook = {"webhook": check.url, "webhook_secret_env": "CHECK_SECRET", "on_failure": on_failure}
            configure(
                server.data_dir,
                table("[retries]", tries=1),
                table("[queue]", length=QUEUE, wait_s=wait_s),
                table("[check]", models=[CHECKED], **hook),
                table("[traces]", endpoint=receiver.url),
                upstream("far", far.url),
                upstream("one", far.url, concurrency=1),
                upstream("rpm", far.url, rpm=1),
                upstream("tpm", far.url, tpm=1),
                upstream("seeing", seeing[0]),
                route(ONE_AT_A_TIME, "one"),
                route(CHECKED, "far"),
                route(TRACED, "seeing"),
                route(BY_REQUESTS, "rpm", "far"),
                route(BY_TOKENS, "tpm", "far"),
                route(REQUESTS_ALONE, "rpm"),
                route(TOKENS_ALONE, "tpm"),
            )

        configured()
        try:
            server.start(until="/healthz")
            yield House(server, far.upstream, check), configured
        finally:
            server.close()


@pytest.fixture
def house(running: tuple[House, Configured]) -> House:
    """Give the house as if nobody had asked anything."""
    house, _ = running
    house.far.manner = Manner()
    house.far.reset()
    house.check.forbidden, house.check.is_down, house.check.questions = NEVER_SAID, False, []
    return house


@pytest.fixture
def configured(running: tuple[House, Configured]) -> Iterator[Configured]:
    """Give what puts another configuration in force until the test ends."""
    house, write = running

    def change(**settings: Any) -> None:
        write(**settings)
        house.server.operator("POST", "/reload").raise_for_status()

    yield change
    change()


@pytest.fixture
def crowd() -> Iterator[Executor]:
    with ThreadPoolExecutor(2 * QUEUE) as crowd:
        yield crowd


def test_calls_beyond_what_an_upstream_takes_at_a_time_wait_and_are_answered(
    house: House, crowd: Executor, eventually: Eventually
) -> None:
    with house.holding(ONE_AT_A_TIME):
        calls = [crowd.submit(house.ask, ONE_AT_A_TIME, str(number)) for number in range(3)]
        eventually(lambda: house.waiting("one") == 3, "three calls wait")
        meanwhile = house.asked

    assert [call.result() for call in calls] == ["one"] * 3
    assert (meanwhile, sorted(house.asked)) == (["held"], ["0", "1", "2", "held"])


def test_a_key_of_high_priority_goes_before_a_queue_that_is_full_of_low_ones(
    house: House, crowd: Executor, eventually: Eventually
) -> None:
    low, high = (new_key(house.server, priority=priority)[1] for priority in (-10, 10))
    with house.holding(ONE_AT_A_TIME):
        calls = []
        for number in range(QUEUE):
            calls.append(crowd.submit(house.ask, ONE_AT_A_TIME, f"low {number}", low))
            eventually(lambda wanted=number + 1: house.waiting("one") == wanted, "one more waits")
        first = crowd.submit(house.ask, ONE_AT_A_TIME, "high", high)
        displaced = calls.pop().exception(timeout=60)

    assert isinstance(displaced, openai.RateLimitError)
    assert [call.result() for call in (first, *calls)] == ["one"] * QUEUE
    assert house.asked == ["held", "high", "low 0", "low 1", "low 2"]


@pytest.mark.parametrize(("model", "paced"), [(BY_REQUESTS, "rpm"), (BY_TOKENS, "tpm")])
def test_what_the_minute_of_an_upstream_does_not_hold_goes_to_the_next_one(
    model: str, paced: str, house: House
) -> None:
    assert [house.ask(model, "Hi") for _ in range(3)] == [paced, "far", "far"]


@pytest.mark.parametrize("model", [REQUESTS_ALONE, TOKENS_ALONE])
def test_what_no_minute_holds_is_put_off_without_asking_the_upstream(
    model: str, house: House, configured: Configured
) -> None:
    configured(wait_s=0.1)
    house.ask(model, "first")
    with pytest.raises(openai.RateLimitError) as put_off:
        house.ask(model, "second")

    assert 0 < int(put_off.value.response.headers["retry-after"]) <= 60
    assert house.asked == ["first"]


def by_openai(house: House, text: str) -> Told:
    """Return status, code and words: of the answer, which has no code, or of the refusal."""
    with house.client() as client:
        try:
            answer = client.chat.completions.create(model=CHECKED, messages=says(text), max_tokens=4)
        except openai.APIStatusError as error:
            body: Any = error.body
            return error.status_code, body["code"], body["message"]
    return 200, "", str(answer.choices[0].message.content)


def by_anthropic(house: House, text: str) -> Told:
    url = f"{house.server.url}/apps/anthropic"
    with anthropic.Anthropic(api_key=house.server.key, base_url=url, max_retries=0) as client:
        try:
            answer: Any = client.messages.create(model=CHECKED, messages=says(text), max_tokens=4)
        except anthropic.APIStatusError as error:
            body: Any = error.body
            return error.status_code, body["error"]["type"], body["error"]["message"]
    return 200, "", answer.content[0].text


def by_dashscope(house: House, text: str) -> Told:
    dashscope.base_http_api_url = f"{house.server.url}/api/v1"
    told: Any = dashscope.Generation.call(
        model=CHECKED, messages=says(text), max_tokens=4, result_format="message", api_key=house.server.key
    )
    if told.status_code != 200:
        return told.status_code, told.code, told.message
    return 200, "", told.output.choices[0].message.content


@pytest.fixture
def _base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the address of the dashscope client be as it was when the test ends."""
    monkeypatch.setattr(dashscope, "base_http_api_url", dashscope.base_http_api_url)


@pytest.mark.usefixtures("_base_url")
@pytest.mark.parametrize(
    ("ask", "blocked"),
    [
        (by_openai, "data_inspection_failed"),
        (by_anthropic, "invalid_request_error"),
        (by_dashscope, "DataInspectionFailed"),
    ],
)
def test_what_the_operators_check_refuses_is_told_in_the_words_of_each_protocol(
    ask: Callable[[House, str], Told], blocked: str, house: House
) -> None:
    house.check.forbidden = "the embargo"
    question = ask(house, "Tell me of the embargo.")
    of_question, house.check.questions = house.check.questions, []
    reached = house.asked
    house.check.forbidden = "word3"
    answer = ask(house, "Four words, please.")

    assert (question, reached) == ((400, blocked, BLOCKED.format("Input")), [])
    assert of_question == [{"direction": "input", "model": CHECKED, "texts": ["Tell me of the embargo."]}]
    assert (answer, house.asked) == ((400, blocked, BLOCKED.format("Output")), ["Four words, please."])
    assert house.check.questions == [
        {"direction": "input", "model": CHECKED, "texts": ["Four words, please."]},
        {"direction": "output", "model": CHECKED, "texts": [ANSWER]},
    ]


@pytest.mark.usefixtures("_base_url")
@pytest.mark.parametrize(
    ("ask", "unavailable"),
    [(by_openai, "ModelUnavailable"), (by_anthropic, "overloaded_error"), (by_dashscope, "ModelUnavailable")],
)
def test_while_the_operators_check_is_down_calls_are_refused_or_pass_as_the_operator_says(
    ask: Callable[[House, str], Told], unavailable: str, house: House, configured: Configured
) -> None:
    house.check.is_down = True
    refused = ask(house, "Hi")
    reached = house.asked
    configured(on_failure="pass")

    assert (refused, reached) == ((503, unavailable, UNCHECKED), [])
    assert (ask(house, "Hi"), house.asked) == ((200, "", ANSWER), ["Hi"])


def test_a_callers_trace_goes_on_through_the_server_to_the_upstream(
    house: House, receiver: OtlpReceiver, seeing: tuple[str, RawServer], eventually: Eventually
) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
    with house.client() as client:
        client.chat.completions.create(model=TRACED, messages=says("Hi"), extra_headers=headers)

    def spans() -> list[ReceivedSpan]:
        return [span for span in receiver.spans if span.trace_id == TRACE]

    eventually(lambda: len(spans()) == 2, "both spans arrive")
    request, attempt = sorted(spans(), key=lambda span: span.kind != "SERVER")
    assert (request.kind, request.name, request.parent_id) == ("SERVER", "POST chat.completions", SPAN)
    assert (attempt.kind, attempt.name, attempt.parent_id) == ("CLIENT", f"chat {TRACED}", request.span_id)
    [sent] = [each for each in seeing[1].requests if each.startswith(b"POST ")]
    assert f"traceparent: 00-{TRACE}-{attempt.span_id}-01\r\n" in sent.decode()
    assert "tracestate: vendor=1\r\n" in sent.decode()
