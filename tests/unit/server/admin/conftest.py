"""A house with two accounts and people of every role, and its admin API without a server around it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from qwenport.accounts import AddMember, CreateAccount, CreateKey, CreateLimit, Role
from qwenport.accounts.changes import read_changes
from qwenport.accounts.members import MemberRing
from qwenport.catalog.catalog import Catalog
from qwenport.core.ids import AccountId, GrantId, KeyId, RandomIds, RequestId, WorkspaceId
from qwenport.core.secret import Secret
from qwenport.metering.flush import Books
from qwenport.metering.price_book import PriceBook
from qwenport.metering.records import Hold, Outcome, Settlement
from qwenport.server.admin.application import admin_application
from qwenport.server.admin.operation import AdminOperation, Place
from qwenport.server.admin.parts import AdminParts, OpenBooks
from qwenport.server.admin.table import OPERATIONS
from qwenport.server.operator import Guarded
from qwenport.storage.database import Database
from qwenport.testing.account_services import AccountServices, account_services
from qwenport.testing.clock import FakeClock

TOKEN = "the token of the operator"


@dataclass(frozen=True)
class Things:
    """Ids of one account's things, in its first workspace or in another one."""

    account: AccountId
    workspace: WorkspaceId
    key: KeyId
    member: str
    limit: str
    call: RequestId


@dataclass
class AdminHouse:
    """The admin API on one database."""

    database: Database
    services: AccountServices
    parts: AdminParts
    catalog: Catalog
    members: MemberRing
    own: Things
    """Of the account whose members there are tokens of, in its first workspace."""
    beside: Things
    """Of the same account, in its second workspace."""
    foreign: Things
    wide_limit: str
    """A limit of the whole own account."""
    tokens: dict[str, str]
    """Tokens by who shows them: a role, or a role and `bound`, in the first workspace."""
    operations: Sequence[AdminOperation] = OPERATIONS

    @asynccontextmanager
    async def client(self, who: str) -> AsyncIterator[httpx.AsyncClient]:
        """Give a client of somebody."""
        door = Guarded(Secret(TOKEN), self.members)
        application = admin_application(self.parts, door, self.operations)
        headers = {"authorization": f"Bearer {self.tokens[who]}"} if who else {}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url="http://house", headers=headers
        ) as client:
            yield client

    async def ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask as somebody."""
        async with self.client(who) as client:
            return await client.request(method, path, **more)

    def post(self, things: Things, request_id: str, **fields: Any) -> None:
        """Put a call into the books."""
        Books(self.database, self.parts.prices).post([settlement(self.services.clock, things, request_id, **fields)])


def settlement(clock: FakeClock, things: Things, request_id: str, *, grant: str = "", **fields: Any) -> Settlement:
    """Return a call that cost 0.002 CNY and ended well."""
    at = clock.timestamp()
    hold = Hold(
        id=RequestId(request_id),
        at=at,
        expires_at=at + 60,
        key_id=things.key,
        account_id=things.account,
        workspace_id=things.workspace,
        currency="CNY",
        model="qwen-plus",
        face="openai",
        operation="chat.completions",
        streams=False,
        input_tokens=10,
        output_tokens=10,
        cost_nanos=3_000_000,
        grant=GrantId(grant),
    )
    told: dict[str, Any] = {
        "outcome": Outcome.FINISHED,
        "status": 200,
        "served_by": "llama/smollm2",
        "input_tokens": 7,
        "output_tokens": 3,
        "usage_source": "engine",
        "priced": True,
        "cost_nanos": 2_000_000,
        "price_source": "beijing 2025-01-03",
        "total_ms": 20,
    }
    return Settlement(hold=hold, at=at, **{**told, **fields})


def things(services: AccountServices, account: AccountId, workspace: WorkspaceId, name: str) -> Things:
    """Make one of each in a workspace."""
    key = services.keys.create("operator", CreateKey(account_id=account, workspace_id=workspace, name=name)).id
    limit = services.limits.create("operator", CreateLimit(unit="requests", window="day", cap=100, key_id=key))
    member = services.members.add(
        "operator",
        AddMember(account_id=account, workspace_id=workspace, email=f"{name}@example.com", role="viewer"),
    )
    return Things(
        account=account, workspace=workspace, key=key, member=member.id, limit=limit.limit.id, call=RequestId(name)
    )


def settled(services: AccountServices) -> tuple[Things, Things, Things, dict[str, str]]:
    """Make two accounts, and people of every role in the first."""
    own = services.accounts.create("operator", CreateAccount(email="own@example.com"))
    foreign = services.accounts.create("operator", CreateAccount(email="foreign@example.com"))
    second = services.workspaces.create("operator", own.id, "second").id
    first = services.workspaces.every(own.id)[0].id
    tokens = {"operator": TOKEN}
    for role in Role:
        wish = AddMember(account_id=own.id, email=f"{role}@example.com", role=role)
        tokens[role] = services.members.add("operator", wish).token.reveal()
        if role is not Role.OWNER:
            bound = AddMember(account_id=own.id, workspace_id=first, email=f"{role}.bound@example.com", role=role)
            tokens[f"{role} bound"] = services.members.add("operator", bound).token.reveal()
    made = (
        things(services, own.id, first, "own"),
        things(services, own.id, second, "beside"),
        things(services, foreign.id, services.workspaces.every(foreign.id)[0].id, "foreign"),
    )
    return (*made, tokens)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """Return what ships."""
    return Catalog.load()


@pytest.fixture
def house(any_database: Database, catalog: Catalog) -> AdminHouse:
    """Return a house whose admin API has everything real but the server around it."""
    services = account_services(any_database)
    own, beside, foreign, tokens = settled(services)
    wide = services.limits.create("operator", CreateLimit(unit="requests", window="day", cap=9, account_id=own.account))
    members = MemberRing(services.clock)
    prices = PriceBook(catalog.cards)
    seen: dict[str, int] = {}

    async def follow() -> None:
        changes = await asyncio.to_thread(lambda: read_changes(any_database, seen))
        seen.update(changes.seen)
        members.update(changes.members)
        if changes.rates is not None:
            prices.set_rates(changes.rates)

    async def post() -> None:
        """Do nothing: tests write into the books themselves."""

    async def run(work: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(work)

    members.update(read_changes(any_database, {}).members)
    parts = AdminParts(
        run=run,
        read_aside=run,
        post=post,
        follow=follow,
        database=any_database,
        clock=services.clock,
        ids=RandomIds(),
        catalog=catalog,
        prices=prices,
        members=members,
        open_books=lambda: OpenBooks(open_holds=2, backlog_bytes=70),
        engines={},
        timezone="UTC",
        gateway_bytes=lambda: 4096,
    )
    house = AdminHouse(any_database, services, parts, catalog, members, own, beside, foreign, wide.limit.id, tokens)
    for each in (own, beside, foreign):
        house.post(each, each.call)
    return house


def reached(operations: Sequence[AdminOperation]) -> list[AdminOperation]:
    """Return the table with handlers that only say what reached them."""
    tell = {Place.WAITING: _tell_later}
    return [dataclasses.replace(each, handler=tell.get(each.place, _tell)) for each in operations]


def _tell(_desk: Any, asked: Any) -> dict[str, Any]:
    return {"reached": True, "query": asked.query, "body": None if isinstance(asked.body, bytes) else asked.body}


async def _tell_later(desk: Any, asked: Any) -> dict[str, Any]:
    return _tell(desk, asked)


@pytest.fixture
def telling(house: AdminHouse) -> AdminHouse:
    """Return a house whose operations do nothing but say what reached them."""
    return dataclasses.replace(house, operations=reached(house.operations))
