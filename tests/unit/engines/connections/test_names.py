"""What a name stands for is asked once, kept, and never in the way of other names."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress

import pytest

from qwenport.engines.connections import Connections, NotConnected, Peer, Replicas
from qwenport.engines.connections.names import (
    FRESH_S,
    PATIENCE_S,
    SOON_S,
    STALE_S,
    VAIN_S,
    Name,
    NameUnknown,
    system_addresses,
)
from qwenport.testing.raw_server import RawServer, listening

SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
PATIENCE = 10


class Resolver:
    """Says what it is told to say; a silent one says it once it is released."""

    def __init__(self, *says: Sequence[str]) -> None:
        self.says = list(says)
        self.asked = 0
        self.go = threading.Event()
        self.go.set()

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        self.go.wait(PATIENCE)
        if not said:
            raise OSError("nobody knows it")
        return said


async def lookup_ends(name: Name) -> None:
    if name._lookup is not None:
        await asyncio.wait_for(asyncio.shield(name._lookup), PATIENCE)


def grow_older(name: Name, seconds: float) -> None:
    name._asked_at -= seconds


@pytest.mark.anyio
async def test_a_name_is_asked_for_once_by_all_who_wait_and_then_kept() -> None:
    resolver = Resolver(["10.0.0.1"])
    name = Name("host", 80, resolver)

    assert await asyncio.gather(*(name.addresses(PATIENCE) for _ in range(5))) == [["10.0.0.1"]] * 5
    assert (await name.addresses(0.0), resolver.asked) == (["10.0.0.1"], 1)


@pytest.mark.anyio
async def test_what_is_older_is_given_at_once_and_looked_up_beside_the_calls() -> None:
    resolver = Resolver(["10.0.0.1"], ["10.0.0.2"])
    name = Name("host", 80, resolver)
    await name.addresses(PATIENCE)
    resolver.go.clear()
    grow_older(name, FRESH_S)

    assert [await name.addresses(PATIENCE) for _ in range(3)] == [["10.0.0.1"]] * 3
    resolver.go.set()
    await lookup_ends(name)
    assert (await name.addresses(PATIENCE), resolver.asked) == (["10.0.0.2"], 2)


@pytest.mark.anyio
@pytest.mark.parametrize("is_suspect", [False, True])
async def test_what_nobody_asked_for_in_long_or_nobody_answers_at_is_looked_up_first(is_suspect: bool) -> None:
    resolver = Resolver(["10.0.0.1"], ["10.0.0.2"])
    name = Name("host", 80, resolver)
    await name.addresses(PATIENCE)
    if is_suspect:
        name.suspect()
    else:
        grow_older(name, FRESH_S + STALE_S)

    assert await name.addresses(PATIENCE) == ["10.0.0.2"]


@pytest.mark.anyio
async def test_what_was_known_goes_on_where_nobody_tells_and_is_not_asked_for_with_every_call() -> None:
    resolver = Resolver(["10.0.0.1"], [])
    name = Name("host", 80, resolver)
    await name.addresses(PATIENCE)
    name.suspect()

    assert [await name.addresses(PATIENCE) for _ in range(3)] == [["10.0.0.1"]] * 3
    assert resolver.asked == 2


@pytest.mark.anyio
async def test_a_silent_resolver_keeps_who_has_an_older_answer_for_a_moment_and_is_asked_once() -> None:
    resolver = Resolver(["10.0.0.1"])
    name = Name("host", 80, resolver)
    await name.addresses(PATIENCE)
    resolver.go.clear()
    name.suspect()

    async with asyncio.timeout(PATIENCE_S + PATIENCE):
        assert await name.addresses(3600.0) == ["10.0.0.1"]
        assert await name.addresses(3600.0) == ["10.0.0.1"]
    assert resolver.asked == 2
    resolver.go.set()
    await lookup_ends(name)


@pytest.mark.anyio
async def test_a_name_that_nobody_tells_in_time_is_told_of_and_its_late_answer_is_taken() -> None:
    resolver = Resolver(["10.0.0.1"])
    resolver.go.clear()
    name = Name("host", 80, resolver)
    for _ in range(10):
        with pytest.raises(NameUnknown):
            await name.addresses(0.01)
    assert resolver.asked == 1
    resolver.go.set()
    await lookup_ends(name)

    assert (await name.addresses(0.0), resolver.asked) == (["10.0.0.1"], 1)


async def fails(name: Name, limit_s: float = 3600.0) -> None:
    """Ask for a name that nobody knows; the limit is one that no test lives to see."""
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(NameUnknown):
            await name.addresses(limit_s)


@pytest.mark.anyio
async def test_who_asks_after_another_has_waited_in_vain_fails_at_once() -> None:
    resolver = Resolver(["10.0.0.1"])
    resolver.go.clear()
    name = Name("host", 80, resolver)
    patient = asyncio.create_task(name.addresses(7200.0))
    await asyncio.sleep(0)
    name._began_at -= 3600.0
    await fails(name)
    resolver.go.set()

    assert await asyncio.wait_for(patient, PATIENCE) == ["10.0.0.1"]
    assert resolver.asked == 1


@pytest.mark.anyio
async def test_a_name_that_nobody_told_of_late_fails_at_once_and_is_looked_up_beside_the_calls() -> None:
    resolver = Resolver([], ["10.0.0.1"])
    name = Name("host", 80, resolver)
    await fails(name)
    resolver.go.clear()
    for _ in range(3):
        await fails(name)
    assert resolver.asked == 2
    resolver.go.set()
    await lookup_ends(name)

    assert await name.addresses(0.0) == ["10.0.0.1"]


@pytest.mark.anyio
async def test_a_look_up_long_after_a_vain_one_is_waited_for() -> None:
    resolver = Resolver([], ["10.0.0.1"])
    name = Name("host", 80, resolver)
    await fails(name)
    resolver.go.clear()
    grow_older(name, VAIN_S)
    asyncio.get_running_loop().call_later(3 * SOON_S, resolver.go.set)

    assert await name.addresses(PATIENCE) == ["10.0.0.1"]


@pytest.mark.anyio
async def test_a_resolver_that_is_well_again_is_heard_by_the_first_who_asks() -> None:
    """One of many tries is enough: a machine may be too busy to answer soon."""

    async def is_heard() -> bool:
        name = Name("host", 80, Resolver([], ["10.0.0.1"]))
        await fails(name)
        with suppress(NameUnknown):
            return await name.addresses(PATIENCE) == ["10.0.0.1"]
        await lookup_ends(name)
        return False

    assert True in [await is_heard() for _ in range(20)]


@pytest.mark.anyio
async def test_names_whose_resolver_is_silent_do_not_hold_up_another() -> None:
    """More of them than threads in any pool of a loop."""
    silent = Resolver(["10.0.0.1"])
    silent.go.clear()
    server = RawServer([SHORT] * 3, closes=True)
    async with listening(server.serve) as port:
        lost = [
            Connections(Peer(url=f"http://silent{number}.test", connect_s=0.05, look_up=silent)) for number in range(40)
        ]
        asked = [each.get("/", status_s=PATIENCE) for each in lost for _ in range(2)]
        failures = await asyncio.gather(*asked, return_exceptions=True)
        assert {str(failure) for failure in failures if isinstance(failure, NotConnected)} == {
            f"the name of `http://silent{number}.test` cannot be resolved" for number in range(40)
        }
        async with asyncio.timeout(PATIENCE):
            while silent.asked < 40:  # noqa: ASYNC110 - each is asked by a thread of its own, in its own time
                await asyncio.sleep(0.001)
        assert silent.asked == 40

        well = Connections(Peer(url=f"http://localhost:{port}"))
        for _ in range(3):
            answered = await asyncio.wait_for(well.get("/", status_s=PATIENCE), PATIENCE)
            assert await answered.whole(limit_bytes=10, limit_s=PATIENCE) == b"ok"
        for each in (*lost, well):
            await each.close()
    silent.go.set()


@pytest.mark.anyio
async def test_where_nobody_answers_at_an_address_the_next_connection_goes_to_a_new_one() -> None:
    server = RawServer([SHORT], closes=True)
    async with listening(server.serve) as port:
        resolver = Resolver(["127.0.0.2"], ["127.0.0.1"])
        connections = Connections(Peer(url=f"http://moved.test:{port}", look_up=resolver))
        with pytest.raises(NotConnected):
            await connections.get("/", status_s=PATIENCE)
        answered = await connections.get("/", status_s=PATIENCE)

        assert await answered.whole(limit_bytes=10, limit_s=PATIENCE) == b"ok"
        await connections.close()


@pytest.mark.anyio
async def test_replicas_follow_a_name_when_none_of_them_can_be_reached() -> None:
    server = RawServer([SHORT], closes=True)
    async with listening(server.serve) as port:
        resolver = Resolver(["127.0.0.2", "127.0.0.3"], ["127.0.0.1"])
        replicas = Replicas.of_name(Peer(url=f"http://moved.test:{port}", look_up=resolver))
        with pytest.raises(NotConnected):
            await replicas.get("/", status_s=PATIENCE)
        answered = await replicas.get("/", status_s=PATIENCE)

        assert await answered.whole(limit_bytes=10, limit_s=PATIENCE) == b"ok"
        await replicas.close()


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_address_is_no_name(host: str) -> None:
    resolver = Resolver([])

    assert (await Name(host, 80, resolver).addresses(0.0), resolver.asked) == ((host,), 0)


def test_the_system_tells_each_address_once() -> None:
    found = system_addresses("localhost", 80)

    assert "127.0.0.1" in found
    assert len(found) == len(set(found))


def test_an_answer_that_comes_after_the_loop_is_closed_is_nobodys() -> None:
    resolver = Resolver(["10.0.0.1"])
    resolver.go.clear()

    async def ask() -> None:
        with pytest.raises(NameUnknown):
            await Name("host", 80, resolver).addresses(0.01)

    asyncio.run(ask())
    threads = [thread for thread in threading.enumerate() if thread.name == "look-up of host"]
    resolver.go.set()
    for thread in threads:
        thread.join(PATIENCE)

    assert threads != []
    assert not any(thread.is_alive() for thread in threads)
