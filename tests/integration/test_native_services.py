"""Native services that are handed on: the official client against a whole gateway and a stand-in of Model Studio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dashscope
import pytest
from msgspec.structs import replace

from qwenport.app.task_keeper import FORGOTTEN_AFTER_MS, KEPT_MS, LEASE_MS, TaskKeeper
from qwenport.catalog.catalog import Catalog
from qwenport.core.call import Call, NativeInput
from qwenport.core.caller import FreeQuota
from qwenport.core.ids import GrantId, RequestId
from qwenport.core.native_tasks import KeepTask
from qwenport.gate.charges import Consumed
from qwenport.gate.local_counters import LocalCounters
from qwenport.metering import call_report, ledger
from qwenport.metering.call_report import CallQuery, CallRow
from qwenport.settings.configuration_file import RetryTable, RouteTable
from qwenport.storage.database import Database
from qwenport.testing.clock import FakeClock
from qwenport.testing.gateway import KEY, Gateway, Plan, running_gateway
from qwenport.testing.native_upstream import KEY as UPSTREAM_KEY
from qwenport.testing.native_upstream import NativeUpstream, Said, running_upstream, task

pytestmark = pytest.mark.anyio

CARD = """
name = "{name}"
description = "A model of tests that makes pictures."
family = "test"
released = 2025-01-01
context_tokens = 8192
max_input_tokens = 8000
max_output_tokens = 4096

[capabilities]
abilities = ["native"]
native_services = [{services}]
{price}
"""
PRICE = """
[[prices]]
region = "beijing"
currency = "CNY"
input = "0.001"
output = "0.002"
per_tokens = 1000
since = 2025-01-01
source = "made up for a test"
units = { image_count = "0.2", characters = "0.0001" }
most_units = { image_count = 4, characters = 600 }
"""
Pictures: Any = dashscope.ImageSynthesis
PICTURES = "aigc/text2image/image-synthesis"
SPEECH = "aigc/multimodal-generation/generation"
CREATED = Said(body=task("t-1", "PENDING"))
DONE = task(
    "t-1", "SUCCEEDED", {"image_count": 2}, results=[{"url": "https://pictures/1"}, {"url": "https://pictures/2"}]
)


@dataclass
class House:
    """A gateway, and what is upstream of it."""

    gateway: Gateway
    upstream: NativeUpstream
    clock: FakeClock

    async def call(self, function: Callable[..., Any], *arguments: Any, **parameters: Any) -> Any:
        """Call a function of the official client, in a thread."""
        return await asyncio.to_thread(function, *arguments, api_key=KEY, **parameters)

    async def make_picture(self, function: Any = Pictures.async_call, **parameters: Any) -> Any:
        return await self.call(function, model="pictures", prompt="a cat", **{"n": 2} | parameters)

    async def calls(self) -> list[tuple[str, str, str, str | None]]:
        """Return operation, outcome, items and cost of every call in the books, oldest first."""
        return [(row.operation, row.outcome, row.items, row.cost) for row in reversed(await self.rows())]

    async def rows(self) -> list[CallRow]:
        await self.gateway.idle()
        await self.gateway.keeper.post_all()
        with self.gateway.database.read() as transaction:
            return list(call_report.calls_report(transaction, CallQuery()))

    async def look(self, seconds: float = 61.0) -> None:
        """Let time go by, and the keeper look at what is due."""
        self.clock.advance(seconds)
        await self.gateway.tasks.keep()

    def second_keeper(self) -> TaskKeeper:
        """Return the keeper of another worker on the same database."""
        gateway = self.gateway
        homes = gateway.plan.task_homes
        return TaskKeeper(gateway._ground(), gateway.gate, gateway.followed.keys.caller, homes)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("catalog")
    models = {
        "pictures": (PICTURES, PRICE),
        "speech": (SPEECH, PRICE),
        "spoken-tokens": (SPEECH, PRICE.partition("units")[0]),
        "unpriced": (PICTURES, ""),
    }
    for name, (service, price) in models.items():
        card = CARD.format(name=name, services=f'"{service}"', price=price)
        (folder / f"{name}.toml").write_text(card)
    routes = [RouteTable(model=name, to=(f"studio/{name}-there",)) for name in models]
    return Catalog.load(folder).with_routes(routes, {"studio": ()})


Make = Callable[..., Any]


@pytest.fixture
async def make(tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        async def build(*said: Said, tries: int = 1, **plan: Any) -> House:
            script = NativeUpstream(said=list(said))
            upstream = await stack.enter_async_context(running_upstream(script))
            engines = [
                upstream.engine(f"{name}-there", catalog.resolve(name))
                for name in ("pictures", "speech", "spoken-tokens", "unpriced")
            ]
            clock = FakeClock()
            retries = RetryTable(tries=tries, first_pause_s=0.001, longest_pause_s=0.001)
            wanted = Plan(
                engines=engines,
                clock=clock,
                catalog=catalog,
                task_homes={"studio": upstream},
                retries=retries,
                **plan,
            )
            gateway = await stack.enter_async_context(running_gateway(tmp_path, wanted))
            # Not every function of the client takes an address.
            monkeypatch.setattr(dashscope, "base_http_api_url", f"http://127.0.0.1:{gateway.port}/api/v1")
            return House(gateway, script, clock)

        yield build


async def test_a_whole_answer_is_handed_back_and_billed_by_what_it_reports(make: Make) -> None:
    audio = {"output": {"audio": {"url": "https://sounds/1"}}, "usage": {"input_tokens": 10, "output_tokens": 50}}
    house = await make(Said(body=audio | {"request_id": "theirs"}))

    response = await house.call(
        dashscope.MultiModalConversation.call, model="speech", text="hello", voice="Cherry", stream=False
    )

    assert (response.status_code, response.output.audio.url) == (200, "https://sounds/1")
    assert response.request_id != "theirs"
    (asked,) = house.upstream.made
    assert (asked.path, asked.body["model"]) == (f"/api/v1/services/{SPEECH}", "speech-there")
    assert asked.headers["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert asked.body["input"]["voice"] == "Cherry"
    (row,) = await house.rows()
    assert (row.request_id, row.served_by, row.input_tokens, row.output_tokens, row.cost) == (
        response.request_id,
        "studio/speech-there",
        10,
        50,
        "0.00011",
    )


async def test_a_stream_is_handed_on_piece_by_piece_and_billed_by_its_last_count(make: Make) -> None:
    pieces = [
        {"output": {"audio": {"data": str(n)}}, "usage": {"characters": 5 * n}, "request_id": "theirs"} for n in (1, 2)
    ]
    house = await make(Said(pieces=pieces))

    def read(**parameters: Any) -> list[Any]:
        answers: Any = dashscope.MultiModalConversation.call(model="speech", text="hello", stream=True, **parameters)
        return list(answers)

    responses = await house.call(read)

    assert [response.output.audio.data for response in responses] == ["1", "2"]
    assert house.upstream.made[0].headers["x-dashscope-sse"] == "enable"
    assert {response.request_id for response in responses} == {(await house.rows())[0].request_id}
    assert await house.calls() == [("native-service", "finished", "characters 10", "0.001")]


async def test_what_is_reported_beyond_the_hold_is_not_billed(make: Make) -> None:
    made = {"output": {"results": []}, "usage": {"image_count": 1_000}}
    house = await make(Said(body=made))

    await house.make_picture(Pictures.sync_call)

    (row,) = await house.rows()
    assert (row.items, row.cost, row.usage_source, row.held) == ("image_count 2", "0.40", "clamped", row.held)


async def test_images_are_counted_where_nobody_reports_them(make: Make) -> None:
    house = await make(Said(body={"output": {"results": [{"url": "https://pictures/1"}, {"code": "Failed"}]}}))

    await house.make_picture(Pictures.sync_call)

    (row,) = await house.rows()
    assert (row.items, row.cost, row.usage_source) == ("image_count 1", "0.20", "counted")


async def test_a_sound_that_nobody_reports_costs_the_characters_of_its_text(make: Make) -> None:
    house = await make(Said(body={"output": {"audio": {"url": "https://sounds/1"}}, "usage": {"characters": -5}}))

    await house.call(dashscope.MultiModalConversation.call, model="speech", text="hello", stream=False)

    (row,) = await house.rows()
    assert (row.items, row.cost, row.usage_source) == ("characters 5", "0.0005", "counted")


async def test_what_nobody_reports_and_nothing_tells_costs_what_was_held(make: Make) -> None:
    house = await make(CREATED)
    response = await house.make_picture(n=3)
    house.upstream.tasks["t-1"] = task("t-1", "SUCCEEDED", video_url="https://films/1")

    await house.call(Pictures.fetch, response)

    (made, result) = sorted(await house.rows(), key=lambda row: row.operation)
    assert (made.items, made.cost) == ("", "0.00")
    # Three pictures, and twice the characters of the prompt.
    assert (result.items, result.cost, result.usage_source) == ("characters 10, image_count 3", "0.601", "counted")


async def test_tokens_that_nobody_reports_are_those_that_were_held(make: Make) -> None:
    house = await make(Said(body={"output": {"audio": {"url": "https://sounds/1"}}}))

    await house.call(dashscope.MultiModalConversation.call, model="spoken-tokens", text="hello", stream=False)

    (row,) = await house.rows()
    assert (row.input_tokens > 0, row.output_tokens, row.usage_source) == (True, 4096, "counted")


async def test_a_last_piece_without_a_count_takes_nothing_from_the_one_before(make: Make) -> None:
    first = {"output": {"audio": {"data": "1"}}, "usage": {"characters": 8}}
    house = await make(Said(pieces=[first, {"output": {"audio": {"data": "2", "url": "https://sounds/1"}}}]))

    def read(**parameters: Any) -> list[Any]:
        answers: Any = dashscope.MultiModalConversation.call(model="speech", text="hello", stream=True, **parameters)
        return list(answers)

    await house.call(read)

    (row,) = await house.rows()
    assert (row.items, row.cost, row.usage_source) == ("characters 8", "0.0008", "engine")


async def test_a_picture_is_asked_for_once_though_a_kept_connection_breaks(make: Make) -> None:
    made = Said(body={"output": {"results": [{"url": "https://pictures/1"}]}})
    house = await make(made, Said(breaks=True), made)

    first = await house.make_picture(Pictures.sync_call)
    second = await house.make_picture(Pictures.sync_call)

    assert (first.status_code, second.status_code, len(house.upstream.made)) == (200, 500, 2)


@pytest.mark.parametrize("said", [Said(breaks=True), Said(status=500, body={"code": "ModelServingError"})])
async def test_what_may_have_been_made_is_not_made_again(make: Make, said: Said) -> None:
    house = await make(said, tries=4)

    response = await house.make_picture()

    assert response.status_code == 500
    assert len(house.upstream.made) == 1
    assert await house.calls() == [("native-service", "failed", "", "0.00")]


async def test_what_was_refused_for_the_moment_is_tried_again(make: Make) -> None:
    busy = Said(status=429, body={"code": "Throttling.RateQuota", "message": "slower"})
    house = await make(busy, Said(status=503, body={"code": "ModelUnavailable", "message": "soon"}), CREATED, tries=4)

    response = await house.make_picture()

    assert (response.status_code, response.output.task_id) == (200, "t-1")
    assert len(house.upstream.made) == 3


async def test_a_task_is_billed_once_by_what_it_reports_when_it_has_ended(make: Make) -> None:
    house = await make(CREATED)
    response = await house.make_picture()
    house.upstream.tasks["t-1"] = task("t-1", "RUNNING")

    await house.look()
    assert await house.calls() == [("native-service", "finished", "", "0.00")]
    house.upstream.tasks["t-1"] = DONE
    for _ in range(3):
        await house.look()

    assert (response.output.task_status, house.upstream.made[0].headers["x-dashscope-async"]) == ("PENDING", "enable")
    assert await house.calls() == [
        ("native-service", "finished", "", "0.00"),
        ("tasks.result", "finished", "image_count 2", "0.40"),
    ]
    assert ledger.check(house.gateway.database).differences == ()


async def test_a_client_that_asks_first_settles_it_and_the_keeper_asks_no_more(make: Make) -> None:
    house = await make(CREATED)
    response = await house.make_picture()
    house.upstream.tasks["t-1"] = DONE

    waited = await house.call(Pictures.wait, response)
    looks = len(house.upstream.looks)
    await house.look()

    assert [result.url for result in waited.output.results] == ["https://pictures/1", "https://pictures/2"]
    assert len(house.upstream.looks) == looks == 1
    assert [each[0] for each in await house.calls()] == ["native-service", "tasks.result"]


async def test_an_upstream_is_asked_once_a_second_at_most(make: Make) -> None:
    house = await make(CREATED)
    response = await house.make_picture()
    house.upstream.tasks["t-1"] = task("t-1", "RUNNING")
    for _ in range(3):
        await house.call(Pictures.fetch, response)
    house.clock.advance(1.1)
    await house.call(Pictures.fetch, response)

    assert len(house.upstream.looks) == 2


async def test_two_workers_and_a_client_at_once_bill_it_once(make: Make) -> None:
    house = await make(CREATED)
    response = await house.make_picture()
    house.upstream.tasks["t-1"] = DONE
    house.clock.advance(61)

    await asyncio.gather(
        house.gateway.tasks.keep(),
        house.second_keeper().keep(),
        house.call(Pictures.fetch, response),
    )

    assert [each[0] for each in await house.calls()] == ["native-service", "tasks.result"]


async def test_a_worker_that_dies_before_it_bills_leaves_it_to_the_next(make: Make) -> None:
    house = await make(CREATED)
    await house.make_picture()
    house.upstream.tasks["t-1"] = DONE
    house.gateway.gate.draining = True

    await house.look()
    assert [each[0] for each in await house.calls()] == ["native-service"]
    house.gateway.gate.draining = False
    house.clock.advance(LEASE_MS / 1000 + 1)
    await house.second_keeper().keep()
    await house.look()

    assert [each[0] for each in await house.calls()] == ["native-service", "tasks.result"]


async def test_a_worker_that_dies_after_it_billed_does_not_make_it_be_billed_again(make: Make) -> None:
    house = await make(CREATED)
    await house.make_picture()
    house.upstream.tasks["t-1"] = DONE
    await house.look()
    billed = await house.rows()
    with house.gateway.database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE native_tasks SET state = 'due', leased_until = 0")

    await house.second_keeper().keep()

    assert await house.rows() == billed


class Watching(LocalCounters):
    """Counters that look at the tasks in the database when a call is settled."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.database: Database | None = None
        self.tasks: list[Sequence[str]] = []

    def settle(self, request_id: RequestId, consumed: Consumed | None) -> None:
        assert self.database is not None
        with self.database.read() as transaction:
            found = transaction.connection.exec_driver_sql("SELECT task_id FROM native_tasks ORDER BY task_id")
            self.tasks.append([row.task_id for row in found])
        super().settle(request_id, consumed)


async def test_a_task_is_written_down_before_the_call_that_made_it_is_settled(make: Make) -> None:
    counters = Watching()
    house = await make(CREATED, counters=counters)
    counters.database = house.gateway.database

    await house.make_picture()

    assert counters.tasks == [["t-1"]]


async def test_a_task_that_cannot_be_written_down_is_a_failure_for_its_client_and_in_the_books(make: Make) -> None:
    house = await make(CREATED)
    with house.gateway.database.write() as transaction:
        transaction.connection.exec_driver_sql("ALTER TABLE native_tasks RENAME TO elsewhere")

    response = await house.make_picture()

    assert (response.status_code, response.code) == (500, "InternalError")
    assert "could not be written down" in response.message
    assert await house.calls() == [("native-service", "failed", "", "0.00")]
    assert ledger.check(house.gateway.database).balanced


async def test_a_worker_that_dies_between_a_task_and_its_settlement_leaves_a_task_that_is_billed_once(
    make: Make,
) -> None:
    house = await make(CREATED)
    caller = next(iter(house.gateway.followed.keys._by_digest.values())).caller
    asked = NativeInput(service=PICTURES, body=b'{"model":"pictures","input":{}}', is_asynchronous=True)
    call = Call(id=RequestId("r"), face="dashscope", operation="native-service", model="pictures", input=asked)
    made = KeepTask(call=call, served_by="studio/pictures-there", task_id="t-1", status="PENDING")
    await house.gateway.tasks.add(caller, made)  # and nothing more: no settlement, no answer
    house.upstream.tasks["t-1"] = DONE

    for _ in range(2):
        await house.look()

    assert await house.calls() == [("tasks.result", "finished", "image_count 2", "0.40")]
    assert (await house.call(Pictures.list)).output["data"][0]["task_id"] == "t-1"


@pytest.mark.parametrize("status", ["FAILED", "CANCELED"])
async def test_what_came_to_nothing_costs_nothing(make: Make, status: str) -> None:
    house = await make(CREATED)
    response = await house.make_picture()
    house.upstream.tasks["t-1"] = task("t-1", status, {"image_count": 2}, code="InvalidURL", message="no")

    await house.look()
    fetched = await house.call(Pictures.fetch, response)

    assert (fetched.output.task_status, fetched.output.code) == (status, "InvalidURL")
    assert await house.calls() == [("native-service", "finished", "", "0.00")]


async def test_a_task_that_never_ends_is_given_up_and_said_so(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    house = await make(CREATED)
    response = await house.make_picture()
    house.upstream.tasks["t-1"] = task("t-1", "UNKNOWN")

    await house.look()
    await house.look(KEPT_MS / 1000)
    fetched = await house.call(Pictures.fetch, response)

    assert fetched.output.task_status == "UNKNOWN"
    assert "has not ended for 24 hours and was not billed" in caplog.text
    assert b'qwenport_tasks_total{outcome="given_up"} 1.0' in house.gateway.metrics.text()
    assert [each[0] for each in await house.calls()] == ["native-service"]
    house.clock.advance(FORGOTTEN_AFTER_MS / 1000)
    await house.gateway.tasks.forget()
    assert (await house.call(Pictures.list)).output["total"] == 0


async def test_a_waiting_task_is_cancelled_and_a_running_one_is_not(make: Make) -> None:
    house = await make(CREATED)
    response = await house.make_picture()
    house.upstream.tasks["t-1"] = task("t-1", "PENDING")

    cancelled = await house.call(Pictures.cancel, response)
    await house.look()
    again = await house.call(Pictures.cancel, response)

    assert (cancelled.status_code, again.status_code, again.code) == (200, 400, "UnsupportedOperation")
    assert house.upstream.cancels == ["t-1"]
    assert (await house.call(Pictures.list)).output["data"][0]["status"] == "CANCELED"


async def test_tasks_are_the_accounts_own(make: Make) -> None:
    house = await make(CREATED)
    response = await house.make_picture()
    with house.gateway.database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE native_tasks SET account_id = 'acc-other'")

    fetched = await house.call(Pictures.fetch, response)
    cancelled = await house.call(Pictures.cancel, response)
    listed = await house.call(Pictures.list)

    assert (fetched.status_code, fetched.output.task_status) == (200, "UNKNOWN")
    assert (cancelled.status_code, listed.output["total"], house.upstream.looks) == (400, 0, [])


async def test_a_list_tells_of_each_task_what_it_is(make: Make) -> None:
    house = await make(CREATED, Said(body=task("t-2", "PENDING")))
    first = await house.make_picture()
    house.clock.advance(1)
    await house.make_picture()

    listed = (await house.call(Pictures.list, page_size=1, page_no=2)).output

    assert (listed["total"], listed["total_page"], len(listed["data"])) == (2, 2, 1)
    assert listed["data"][0] == {
        "task_id": "t-1",
        "task_status": "PENDING",
        "status": "PENDING",
        "model_name": "pictures",
        "request_id": first.request_id,
        "api_key_id": listed["data"][0]["api_key_id"],
        "gmt_create": 1_767_225_600_000,
        "start_time": 1_767_225_600_000,
        "end_time": None,
    }


@pytest.mark.parametrize(
    ("model", "refusal"),
    [
        ("nobody-knows", (404, "ModelNotFound", "Model can not be found.")),
        ("speech", (400, "InvalidParameter", "url error, please check url！")),  # noqa: RUF001 - the service's own mark
        ("qwen-plus", (400, "InvalidParameter", "url error, please check url！")),  # noqa: RUF001 - the service's own mark
    ],
)
async def test_a_model_that_is_not_for_a_service_is_refused(
    make: Make, model: str, refusal: tuple[int, str, str]
) -> None:
    house = await make(CREATED)

    response = await house.call(Pictures.async_call, model=model, prompt="a cat")

    assert (response.status_code, response.code, response.message) == refusal
    assert house.upstream.made == []


async def test_a_text_model_makes_no_tasks(make: Make) -> None:
    house = await make(CREATED)

    response = await house.call(
        dashscope.Generation.call, model="qwen-plus", prompt="hello", headers={"X-DashScope-Async": "enable"}
    )

    assert (response.status_code, response.code) == (403, "AccessDenied")


async def test_a_prepaid_account_makes_no_tasks_and_pays_what_is_answered_at_once(make: Make) -> None:
    made = {"output": {"results": []}, "usage": {"image_count": 2}}
    house = await make(Said(body=made))
    prepay(house.gateway.database, house.clock)
    await house.gateway.keeper.follow()

    refused = await house.make_picture()
    unpriced = await house.call(Pictures.sync_call, model="unpriced", prompt="a cat")
    unpaid = await house.make_picture(Pictures.sync_call)

    assert (refused.status_code, refused.code) == (403, "AccessDenied")
    assert "Asynchronous tasks are for accounts that are billed afterwards" in refused.message
    assert (unpriced.status_code, unpriced.code) == (403, "AccessDenied")
    assert (unpaid.status_code, unpaid.code) == (400, "Arrearage")
    assert house.upstream.made == []


async def test_a_free_quota_of_tokens_pays_for_no_pictures(make: Make) -> None:
    house = await make(Said(body={"output": {"results": []}, "usage": {"image_count": 2}}))
    caller = next(iter(house.gateway.followed.keys._by_digest.values())).caller
    quota = FreeQuota(grant=GrantId("g"), tokens=1_000_000, until=house.clock.now() + timedelta(days=1))
    granted = replace(caller, terms=replace(caller.terms, free_quota=quota))
    asked = NativeInput(service=PICTURES, body=b'{"model":"pictures","input":{},"parameters":{"n":2}}')
    call = Call(id=RequestId("r"), face="dashscope", operation="native-service", model="pictures", input=asked)

    async with house.gateway.gate.admit(granted, house.gateway.plan.catalog.resolve("pictures"), call) as admission:
        assert (admission.hold.grant, admission.hold.items) == ("", (("characters", 600), ("image_count", 2)))


def prepay(database: Database, clock: FakeClock) -> None:
    with database.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE accounts SET kind = 'prepaid', revision = revision + 1000")
        transaction.connection.exec_driver_sql("UPDATE revisions SET value = value + 1000 WHERE name = 'accounts'")
