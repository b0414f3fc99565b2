"""Several servers that answer the same, behind the face of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from qwenport.engines.connections.answer import HttpAnswer
from qwenport.engines.connections.connections import Connections
from qwenport.engines.connections.errors import AnswerInvalid, AnswerTimedOut, CallFailed, ConnectionLost, NotConnected
from qwenport.engines.connections.names import NameUnknown
from qwenport.engines.connections.peer import Peer, name_of

_REST_S = 10.0
"""How long a replica that did not answer is passed over while there are others."""
_FIRST_REST_S = 1.0
"""The same for one that answered, but badly; twice as long each time that follows soon, up to the above."""
_MOST_LEFT = 3
"""Requests in a row whose callers left before a head came; then it counts as one that answered badly."""
_BROKEN = 500
"""From this status on the answer tells about the server, and not about what was asked."""

_Ask = Callable[[Connections, float], Awaitable[HttpAnswer]]
"""Sends the request over these connections, within so many seconds."""


class Replica:
    """One of them."""

    def __init__(self, peer: Peer) -> None:
        self.connections = Connections(peer)
        self.rests_until = 0.0
        self.may_be_well = False
        """Whether it could be reached when it failed last."""
        self.used = 0
        """Number of the request that it took last; among equally busy ones the longest unused is next."""
        self._rests = 0
        self._rested_until = 0.0
        self._left = 0

    def well(self) -> None:
        """Note that it answered."""
        self.rests_until, self._left = 0.0, 0

    def away(self) -> None:
        """Note that it did not answer."""
        self.may_be_well = False
        self.rests_until = _now() + _REST_S

    def broken(self) -> None:
        """Note that it answered badly; what began before the last such answer says nothing new."""
        now = _now()
        if now < self.rests_until:
            return
        if now - self._rested_until > _REST_S:
            self._rests = 0
        self.may_be_well = True
        self.rests_until = self._rested_until = now + min(_REST_S, _FIRST_REST_S * 2.0**self._rests)
        self._rests = min(self._rests + 1, 8)

    def left(self) -> None:
        """Note that a caller left before a head came."""
        self._left += 1
        if self._left >= _MOST_LEFT:
            self._left = 0
            self.broken()


class Replicas:
    """Gives each request to the least busy replica; one that cannot be reached is passed over for a while.

    So is one that hung up or said nothing instead of a head, breaks off, or answers with a status of 500 or more: such
    a one is quick, would always be the least busy, and would draw all requests. That request is not sent to another: it
    may have been worked on. A request that reached nobody goes on to the next replica: nothing of it was sent.
    """

    def __init__(self, peers: Sequence[Peer], *, by_name: Peer | None = None) -> None:
        """Connect nowhere yet; `by_name` adds a replica for each address that its host's name stands for.

        Raises:
            PeerInvalid, RequestInvalid: a peer cannot be called.
        """
        self._replicas = {f"{number} {peer.url}": Replica(peer) for number, peer in enumerate(peers)}
        self._by_name = by_name
        self._name = None if by_name is None else name_of(by_name)
        self._addresses: Sequence[str] = ()
        """Those that the replicas are at, as the name told them last."""
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
        if self._name is not None:
            self._name.close()
        await asyncio.gather(*(connections.close() for connections in self._all()))

    async def _ask(self, ask: _Ask, status_s: float) -> HttpAnswer:
        end = _now() + status_s
        if self._by_name is not None:
            await self._follow(self._by_name, status_s)
        failure: CallFailed = NotConnected("none of the replicas can be reached")
        for replica in self._in_order():
            left_s = end - _now()
            if left_s <= 0:
                break
            replica.used = next(self._numbers)
            try:
                return await _ask_one(replica, ask, left_s)
            except NotConnected as error:
                failure = error
        if self._name is not None:
            self._name.suspect()
        raise failure

    def _in_order(self) -> Iterator[Replica]:
        """Give the replicas in the order in which they are to be tried, those that rest last.

        Where all rest, those that could be reached do not: a request that breaks one replica after the other must not
        leave the first one that is tried again alone with everything.
        """
        now = _now()
        if all(replica.rests_until > now for replica in self._replicas.values()):
            for replica in self._replicas.values():
                if replica.may_be_well:
                    replica.rests_until = now

        def rank(replica: Replica) -> tuple[float, int, int]:
            rest_s = max(replica.rests_until - now, 0.0)
            return rest_s, replica.connections.busy, replica.used

        return iter(sorted(self._replicas.values(), key=rank))

    async def _follow(self, peer: Peer, limit_s: float) -> None:
        """Be at what the peer's name stands for; raises `NotConnected` where nobody tells."""
        if self._name is None:
            return
        try:
            addresses = await self._name.addresses(min(limit_s, peer.connect_s))
        except NameUnknown as error:
            raise NotConnected(f"the name of `{peer.url}` cannot be resolved") from error
        if addresses is not self._addresses:
            self._addresses = addresses
            self._use_addresses({address: replace(peer, address=address) for address in addresses})

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


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _ask_one(replica: Replica, ask: _Ask, left_s: float) -> HttpAnswer:
    """Ask a replica, and take note of how it went."""
    try:
        answer = await ask(replica.connections, left_s)
    except (NotConnected, ConnectionLost, AnswerTimedOut):
        replica.away()
        raise
    except AnswerInvalid:
        replica.broken()
        raise
    except asyncio.CancelledError:
        replica.left()
        raise
    if answer.status >= _BROKEN:
        replica.broken()
    else:
        replica.well()
        answer.on_fault = replica.broken
    return answer
