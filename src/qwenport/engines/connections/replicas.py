"""Several servers that answer the same, behind the face of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from qwenport.engines.connections.answer import HttpAnswer
from qwenport.engines.connections.connections import Connections
from qwenport.engines.connections.errors import AnswerTimedOut, CallFailed, ConnectionLost, NotConnected
from qwenport.engines.connections.peer import Dialer, Peer

_REST_S = 10.0
"""How long a replica that did not answer is passed over while there are others."""
_RESOLVE_S = 30.0
"""How old the addresses of a name may be."""

_Ask = Callable[[Connections, float], Awaitable[HttpAnswer]]
"""Sends the request over these connections, within so many seconds."""


class Replica:
    """One of them."""

    def __init__(self, peer: Peer) -> None:
        self.connections = Connections(peer)
        self.rests_until = 0.0
        self.used = 0
        """Number of the request that it took last; among equally busy ones the longest unused is next."""


class Replicas:
    """Gives each request to the least busy replica; one that cannot be reached is passed over for a while.

    So is one that hung up or said nothing instead of a head, but that request is not sent to another: it may have been
    worked on. A request that reached nobody goes on to the next replica: nothing of it was sent.
    """

    def __init__(self, peers: Sequence[Peer], *, by_name: Peer | None = None) -> None:
        """Connect nowhere yet; `by_name` adds a replica for each address that its host's name stands for.

        Raises:
            PeerInvalid, RequestInvalid: a peer cannot be called.
        """
        self._replicas = {f"{number} {peer.url}": Replica(peer) for number, peer in enumerate(peers)}
        self._names = None if by_name is None else _Names(by_name)
        self._retired: set[Connections] = set()
        self._headers: Mapping[str, str] | None = None
        self._numbers = count(1)

    @classmethod
    def of_name(cls, peer: Peer) -> Replicas:
        """Return every address of a name as a replica; looked up again every 30 s at most, when used."""
        return cls((), by_name=peer)

    @property
    def busy(self) -> int:
        """How many requests are under way."""
        return sum(connections.busy for connections in self._all())

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str] = {}, *, status_s: float, repeats: bool = True
    ) -> HttpAnswer:
        """Send a request to one of them; all else is as for one server.

        `status_s` is for all that are tried together, and for looking up their name.
        """

        async def ask(connections: Connections, left_s: float) -> HttpAnswer:
            return await connections.post(path, body, headers, status_s=left_s, repeats=repeats)

        return await self._ask(ask, status_s)

    async def get(self, path: str, headers: Mapping[str, str] = {}, *, status_s: float) -> HttpAnswer:
        """Send a request without a body to one of them; all else is as for one server."""

        async def ask(connections: Connections, left_s: float) -> HttpAnswer:
            return await connections.get(path, headers, status_s=left_s)

        return await self._ask(ask, status_s)

    def use_headers(self, headers: Mapping[str, str]) -> None:
        """Show these with every request from now on, instead of the peers'."""
        for replica in self._replicas.values():
            replica.connections.use_headers(headers)
        self._headers = headers

    async def close(self) -> None:
        """Close every connection and look nothing up any more."""
        if self._names is not None:
            await self._names.close()
        await asyncio.gather(*(connections.close() for connections in self._all()))

    async def _ask(self, ask: _Ask, status_s: float) -> HttpAnswer:
        time = asyncio.get_running_loop().time
        end = time() + status_s
        if self._names is not None:
            self._use_addresses(await self._names.addresses(status_s))
        failure: CallFailed = NotConnected("none of the replicas can be reached")
        for replica in self._in_order():
            left_s = end - time()
            if left_s <= 0:
                break
            replica.used = next(self._numbers)
            try:
                answer = await ask(replica.connections, left_s)
            except NotConnected as error:
                self._rest(replica)
                failure = error
            except (ConnectionLost, AnswerTimedOut):
                self._rest(replica)
                raise
            else:
                replica.rests_until = 0.0
                return answer
        raise failure

    def _in_order(self) -> Iterator[Replica]:
        """Give the replicas in the order in which they are to be tried, those that rest last."""
        now = asyncio.get_running_loop().time()

        def rank(replica: Replica) -> tuple[float, int, int]:
            rest_s = max(replica.rests_until - now, 0.0)
            return rest_s, replica.connections.busy, replica.used

        return iter(sorted(self._replicas.values(), key=rank))

    def _rest(self, replica: Replica) -> None:
        replica.rests_until = asyncio.get_running_loop().time() + _REST_S

    def _use_addresses(self, peers: Mapping[str, Peer]) -> None:
        """Have a replica for each of these and for no other; what runs on one that is gone goes on to its end."""
        if peers.keys() == self._replicas.keys():
            return
        self._retired = {connections for connections in self._retired if connections.busy}
        for address in self._replicas.keys() - peers.keys():
            gone = self._replicas.pop(address).connections
            gone.retire()
            self._retired.add(gone)
        for address in peers.keys() - self._replicas.keys():
            replica = self._replicas[address] = Replica(peers[address])
            if self._headers is not None:
                replica.connections.use_headers(self._headers)

    def _all(self) -> list[Connections]:
        return [*(replica.connections for replica in self._replicas.values()), *self._retired]


class _Names:
    """What a name stands for, by and by."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._dialer = Dialer(peer)
        self._known: dict[str, Peer] = {}
        self._due = 0.0
        self._lookup: asyncio.Task[None] | None = None

    async def addresses(self, limit_s: float) -> dict[str, Peer]:
        """Return a peer for each address; only the first time is waited for, later ones go on beside the calls.

        Raises:
            NotConnected: the name stands for nothing.
        """
        if self._lookup is None and asyncio.get_running_loop().time() >= self._due:
            self._lookup = asyncio.create_task(self._look_up())
            self._lookup.add_done_callback(self._end)
        if not self._known and self._lookup is not None:
            # Others wait for the same; one who leaves takes nothing from them.
            await asyncio.wait({self._lookup}, timeout=limit_s)
        if not self._known:
            raise NotConnected(f"the name of {self._dialer.name} cannot be resolved")
        return self._known

    async def close(self) -> None:
        """Look nothing up any more."""
        if self._lookup is not None:
            self._lookup.cancel()
            await asyncio.gather(self._lookup, return_exceptions=True)

    async def _look_up(self) -> None:
        """Ask once; where nobody tells, what was known goes on."""
        try:
            async with asyncio.timeout(self._peer.connect_s):
                addresses = await self._dialer.addresses()
        except (OSError, UnicodeError):
            return
        self._known = {address: replace(self._peer, address=address) for address in addresses}

    def _end(self, lookup: asyncio.Task[None]) -> None:  # noqa: ARG002 - asyncio tells which
        self._lookup = None
        if self._known:
            # Also after a failure: a name that nobody tells must not be asked for with every call.
            self._due = asyncio.get_running_loop().time() + _RESOLVE_S
