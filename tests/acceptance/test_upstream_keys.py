"""Keys of Model Studio through whole servers: where they work, what a refused one leads to, how they are changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anthropic
import dashscope
import openai
import pytest

from qwenport.testing.faulty_upstream import Fault, FaultyUpstream, FaultyUpstreamThread, Manner
from qwenport.testing.operated import new_key
from qwenport.testing.upstream_tables import configure, route, table, upstream

if TYPE_CHECKING:
    from tests.conftest import Server

Eventually = Callable[..., None]
MakeServer = Callable[..., "Server"]
Told = tuple[int, str, str]
Ask = Callable[["Server", str], Told]
MODEL, SPREAD = "qwen-plus", "qwen-turbo"
HELLO: list[Any] = [{"role": "user", "content": "Hi"}]
VARIABLE = "QWENPORT_DASHSCOPE_API_KEY"
OF_BEIJING, OF_SINGAPORE, OF_PLAN = "sk-made-in-beijing", "sk-made-in-singapore", "sk-sp-0123456789"
NOT_FOR_CALLERS = (
    "Model is unavailable, please try again later. (the upstream `beijing` does not take the gateway's key)"
)
RESIDENCY = (
    "Access denied. The data residency rule of this API-key lets its calls be answered in frankfurt, tokyo only, and "
    f"`{MODEL}` is not served there."
)
FOR_THE_OPERATOR = (
    "beijing does not take its key (401 InvalidApiKey Incorrect API key provided.); keys of one region are unknown in "
    "every other: make sure that it was made in the console of beijing, and that it was not deleted"
)


class House:
    """A server, and the stand-in of Model Studio in one region, which takes one key."""

    def __init__(self, server: Server, studio: FaultyUpstreamThread, eventually: Eventually) -> None:
        self.server = server
        self.studio = studio
        self._eventually = eventually

    def take(self, key: str) -> None:
        """Have the stand-in know this key alone."""
        self.studio.upstream.manner = Manner(key=key)

    def give(self, key: str, variable: str = VARIABLE) -> None:
        """Write a key into `.env`, and the configuration that names its variable."""
        (self.server.folder / ".env").write_text(f"{variable}={key}\nCELLAR_API_KEY={OF_BEIJING}\n")
        url = f"http://127.0.0.1:{self.studio.port}/compatible-mode/v1"
        place = {"name": "beijing", "kind": "alibaba", "region": "beijing", "base_url": url, "api_key_env": variable}
        configure(
            self.server.data_dir,
            table("[[upstreams]]", **place),
            upstream("cellar", self.studio.url, api_key_env="CELLAR_API_KEY"),
            route(MODEL, "beijing"),
            route(SPREAD, "beijing", "cellar"),
        )

    def reload(self) -> list[str]:
        """Have the configuration read again; return what is other than before."""
        with self.readings():
            changed: list[str] = self.server.operator("POST", "/reload").raise_for_status().json()["changed"]
        return changed

    @contextmanager
    def readings(self) -> Iterator[None]:
        """Wait afterwards for both readings: of the worker that was asked, and of all when the supervisor hears."""

        def count() -> int:
            return self.server.output.count("the configuration was read again")

        before = count()
        yield
        self._eventually(lambda: count() >= before + 2, "the configuration is read again twice")

    def ask(self, model: str = MODEL) -> str:
        """Return what served a call of the official client; raises what the client raises."""
        with openai.OpenAI(api_key=self.server.key, base_url=f"{self.server.url}/v1", max_retries=0) as client:
            raw = client.chat.completions.with_raw_response.create(model=model, messages=HELLO, max_tokens=4)
        return raw.headers["x-qwenport-served-by"]

    @property
    def faults(self) -> list[Fault]:
        """Return how the calls ended that reached the stand-in."""
        return [served.fault for served in self.studio.upstream.served]


@pytest.fixture(scope="module")
def running(
    eventually: Eventually, server_class: type[Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("server")
    server = server_class(folder, folder / "no-models")
    with FaultyUpstreamThread(FaultyUpstream()) as studio:
        house = House(server, studio, eventually)
        house.give(OF_BEIJING)
        try:
            server.start(until="/healthz")
            yield house
        finally:
            server.close()


@pytest.fixture
def house(running: House) -> House:
    """Give the house with a key that works, as if nobody had asked anything."""
    running.take(OF_BEIJING)
    running.give(OF_BEIJING)
    running.reload()
    running.studio.upstream.reset()
    return running


def by_openai(server: Server, key: str) -> Told:
    """Return status, code and message of what the client makes of a refusal after all tries that are its habit."""
    with (
        openai.OpenAI(api_key=key, base_url=f"{server.url}/compatible-mode/v1") as client,
        pytest.raises(openai.APIStatusError) as refused,
    ):
        client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=4)
    body: Any = refused.value.body
    return refused.value.status_code, body["code"], body["message"]


def by_anthropic(server: Server, key: str) -> Told:
    with (
        anthropic.Anthropic(api_key=key, base_url=f"{server.url}/apps/anthropic") as client,
        pytest.raises(anthropic.APIStatusError) as refused,
    ):
        client.messages.create(model=MODEL, messages=HELLO, max_tokens=4)
    body: Any = refused.value.body
    return refused.value.status_code, body["error"]["type"], body["error"]["message"]


def by_dashscope(server: Server, key: str) -> Told:
    dashscope.base_http_api_url = f"{server.url}/api/v1"
    told: Any = dashscope.Generation.call(model=MODEL, messages=HELLO, api_key=key)
    return told.status_code, told.code, told.message


@pytest.fixture
def _base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the address of the dashscope client be as it was when the test ends."""
    monkeypatch.setattr(dashscope, "base_http_api_url", dashscope.base_http_api_url)


PLAN_ELSEWHERE = (
    "its key begins with `sk-sp-`: keys of a plan work at the plan's own hosts, not at "
    'https://dashscope.aliyuncs.com/compatible-mode/v1; write `workspace = "token-plan"` for a token plan, or the '
    "`base_url` that the console shows for a coding plan"
)
OTHER_AT_PLAN = (
    "https://coding.dashscope.aliyuncs.com/v1 takes keys of its plan alone, which begin with `sk-sp-`; for this one "
    "write `region` without the plan's host"
)


@pytest.mark.parametrize(
    ("key", "place", "words"),
    [
        (OF_PLAN, {"region": "beijing"}, PLAN_ELSEWHERE),
        (OF_BEIJING, {"base_url": "https://coding.dashscope.aliyuncs.com/v1"}, OTHER_AT_PLAN),
    ],
    ids=["plan elsewhere", "other at plan"],
)
def test_a_key_at_a_host_that_it_does_not_belong_to_stops_the_start(
    key: str, place: dict[str, str], words: str, make_server: MakeServer
) -> None:
    server = make_server(STUDIO_API_KEY=key)
    configure(
        server.data_dir, table("[[upstreams]]", name="studio", kind="alibaba", api_key_env="STUDIO_API_KEY", **place)
    )
    refused = server.run("serve")

    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", f"qwenport: upstream `studio`: {words}\n")


def test_a_key_in_the_environment_alone_sends_model_studios_models_to_its_region(make_server: MakeServer) -> None:
    server = make_server(**{VARIABLE: OF_BEIJING}, QWENPORT_DASHSCOPE_REGION="beijing")
    # However slow the machine is, Model Studio itself is not asked meanwhile whether it is well.
    configure(server.data_dir, table("[retries]", probe_s=86_400))
    server.start(until="/healthz")
    [there] = server.operator("GET", "/upstreams").json()
    models = {row["name"]: row for row in json.loads(server.run("models", "list", "--json").stdout)}
    findings = json.loads(server.run("doctor", "--json").stdout)
    [told] = [each for each in findings if each["check"] == "upstream alibaba"]
    url = "https://dashscope.aliyuncs.com/compatible-mode/v1"

    assert {name: there[name] for name in ("name", "kind", "region", "base_urls", "key_kind")} == {
        "name": "alibaba",
        "kind": "alibaba",
        "region": "beijing",
        "base_urls": [url],
        "key_kind": "sk-",
    }
    for name in ("qwen-plus", "qwen3-max", "qwen-vl-max", "qwen-vl-ocr", "text-embedding-v4", "qwen3-rerank"):
        assert (models[name]["served_by"], models[name]["stand_in"]) == (f"alibaba/{name}", False)
    assert models["smollm2-135m-instruct"]["served_by"] == "llama/smollm2-135m-instruct"
    assert (told["verdict"], told["words"].partition(";")[0]) == ("ok", f"{url}, key of the kind `sk-`")
    assert f"go to the upstream alibaba ({url})." in server.output
    assert OF_BEIJING not in server.output + str([there, findings, models])


@pytest.mark.usefixtures("_base_url")
@pytest.mark.parametrize(
    ("ask", "code"),
    [(by_openai, "ModelUnavailable"), (by_anthropic, "overloaded_error"), (by_dashscope, "ModelUnavailable")],
)
def test_the_key_of_another_region_is_not_tried_again_and_callers_hear_that_it_is_not_theirs(
    ask: Ask, code: str, house: House
) -> None:
    house.give(OF_SINGAPORE)
    house.reload()

    assert ask(house.server, house.server.key) == (503, code, NOT_FOR_CALLERS)
    assert house.faults == [Fault.STATUS_401]
    assert FOR_THE_OPERATOR in house.server.output
    assert OF_SINGAPORE not in house.server.output


@pytest.mark.usefixtures("_base_url")
@pytest.mark.parametrize(
    ("ask", "code"),
    [(by_openai, "access_denied"), (by_anthropic, "permission_error"), (by_dashscope, "AccessDenied")],
)
def test_a_callers_key_that_is_bound_to_another_region_is_refused_with_the_rule_and_nobody_is_asked(
    ask: Ask, code: str, house: House
) -> None:
    _, elsewhere = new_key(house.server, regions=["frankfurt", "tokyo"])

    assert ask(house.server, elsewhere) == (403, code, RESIDENCY)
    assert house.faults == []


def test_the_operator_who_looks_at_an_upstream_with_another_regions_key_is_told_what_is_likely_wrong(
    house: House,
) -> None:
    house.give(OF_SINGAPORE)
    house.reload()
    checked = house.server.run("upstreams", "check", "beijing", "--json")
    found = json.loads(checked.stdout)

    assert (checked.returncode, found["state"], found["reason"]) == (1, "absent", FOR_THE_OPERATOR)
    assert OF_SINGAPORE not in checked.stdout + checked.stderr


def test_after_a_refused_key_the_next_calls_go_to_another_upstream(house: House) -> None:
    house.give(OF_SINGAPORE)
    house.reload()
    with pytest.raises(openai.InternalServerError):
        house.ask(SPREAD)

    assert [house.ask(SPREAD) for _ in range(2)] == [f"cellar/{SPREAD}"] * 2
    assert house.faults == [Fault.STATUS_401, Fault.NONE, Fault.NONE]


def test_a_key_that_changes_in_the_env_file_is_shown_with_the_next_call(house: House) -> None:
    house.ask()
    processes = house.server.children()
    house.take("sk-the-next")
    house.give("sk-the-next")
    with house.readings():
        done = house.server.run("reload")
    house.ask()

    assert (done.returncode, done.stdout, done.stderr) == (0, "In force now: key of the upstream `beijing`\n", "")
    assert house.faults == [Fault.NONE, Fault.NONE]
    assert house.server.children() == processes
    assert "sk-the-next" not in house.server.output


def test_another_variable_in_the_configuration_file_is_another_key(house: House) -> None:
    house.take("sk-the-spare")
    house.give("sk-the-spare", variable="SPARE_API_KEY")

    assert house.reload() == ["key of the upstream `beijing`"]
    assert house.ask() == f"beijing/{MODEL}"
    assert house.faults == [Fault.NONE]


def test_a_key_that_cannot_work_where_it_is_given_changes_nothing(house: House) -> None:
    (house.server.folder / ".env").write_text(f"{VARIABLE}={OF_PLAN}\n")
    place = {"name": "beijing", "kind": "alibaba", "region": "beijing", "api_key_env": VARIABLE}
    configure(house.server.data_dir, table("[[upstreams]]", **place))
    refused = house.server.operator("POST", "/reload")

    assert refused.status_code == 409
    assert "keys of a plan work at the plan's own hosts" in refused.text
    assert house.ask() == f"beijing/{MODEL}"
    assert house.faults == [Fault.NONE]
