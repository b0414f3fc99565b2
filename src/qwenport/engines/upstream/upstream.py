"""One upstream: its connections, its key, its dialect, and what is known of its health."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

from qwenport.core.clock import Clock, SystemClock
from qwenport.core.errors import ModelUnavailable, QwenportError, UpstreamKeyRefused, UpstreamTurnedAway
from qwenport.core.model_card import ModelCard
from qwenport.core.secret import Secret
from qwenport.engines.connections import CallFailed, Calls, Connections, HttpAnswer, NotConnected, Peer, Replicas
from qwenport.engines.connections.names import LookUp, system_addresses
from qwenport.engines.dialects import DIALECTS, MODEL_STUDIO, PLAIN, Dialect
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.upstream.engine import UpstreamEngine
from qwenport.engines.upstream.errors import OF_THE_KEY, Asked, RoomTooSmall, error_of
from qwenport.engines.upstream.found_dialect import dialect_of
from qwenport.engines.upstream.native_engine import NativeEngine, serves_natives
from qwenport.engines.upstream.native_tasks import NativeTasks
from qwenport.engines.upstream.place import Place
from qwenport.engines.upstream.refusal import Refusal, refusal_of
from qwenport.engines.upstream.upstream_keys import explain_refusal, key_kind
from qwenport.engines.upstream.vectors import Addresses
from qwenport.engines.upstream.words import shown_words

_LOG = logging.getLogger(__name__)
_READY = Condition(state=EngineState.READY)
_PROBE_S = 10.0
"""How long an answer to a probe is waited for, and after how long one that told no dialect is asked again."""
_BEFORE_ITS_API = "%s answered a call with status %d as its API never does: look at the firewall or proxy before it"
_REFUSED_ALONE = "%s refused a call with status %d in words that are about neither its key nor its account"
_LONGEST_LIST_BYTES = 8 << 20
_OK = 200
_CLOCK = SystemClock()
_NO_SUCH_ADDRESS = frozenset({404, 405})


class Upstream:
    """A server of somebody else's that answers calls; opens nothing before the first."""

    def __init__(
        self,
        place: Place,
        key: Secret | None,
        *,
        connections: Calls | None = None,
        clock: Clock = _CLOCK,
        look_up: LookUp = system_addresses,
    ) -> None:
        """Send the key, where there is one, in a header with every request; `connections` replaces those of the place.

        `look_up` tells what the names of its hosts stand for.

        Raises:
            PeerInvalid: an address is no address of a server.
        """
        self.name = place.name
        self.place = place
        self.addresses = Addresses(
            base=_path(place.base_urls[0]), native=_path(place.native_url), rerank=_path(place.rerank_url)
        )
        self.connections: Calls = _connections(place, look_up) if connections is None else connections
        self.clock = clock
        self._condition = _READY
        self._configured = MODEL_STUDIO if place.kind == "alibaba" else DIALECTS.get(place.dialect)
        self._found: Dialect | None = None
        self._finding: asyncio.Task[CallFailed | None] | None = None
        self._asks_again_at = clock.monotonic()
        self.use_key(key)

    @property
    def tasks(self) -> NativeTasks:
        """The tasks that were made there."""
        return NativeTasks(self)

    @property
    def dialect(self) -> Dialect | None:
        """The dialect, where it is configured or was found."""
        return self._configured or self._found

    def engine(self, model: str, card: ModelCard) -> UpstreamEngine | NativeEngine:
        """Return what runs calls of one model here, for the callers of one card."""
        if serves_natives(card.capabilities):
            return NativeEngine(self, model, card.capabilities)
        return UpstreamEngine(self, model, card.capabilities)

    def use_key(self, key: Secret | None) -> None:
        """Send another key from the next request on."""
        self.key = key
        self.connections.use_headers({} if key is None else {"Authorization": f"Bearer {key.reveal()}"})
        self._condition = _READY

    async def probe(self) -> Condition:
        """Ask whether it is well, and find its dialect where nobody configured it."""
        if self.place.health_path:
            await self._ask(self.place.health_path, _PROBE_S)
        if not self.place.health_path or (self.dialect is None and self._condition.state is EngineState.READY):
            await self._ask_models(_PROBE_S)
        return self._condition

    async def spoken(self) -> Dialect:
        """Return the dialect, found by its own words once for all who wait; `PLAIN` while it does not say.

        Raises:
            ModelUnavailable: nobody is there to ask.
        """
        if self.dialect is None and self.clock.monotonic() >= self._asks_again_at:
            if self._finding is None or self._finding.done():
                limit_s = min(_PROBE_S, self.place.first_event_s)
                self._finding = asyncio.get_running_loop().create_task(self._ask_models(limit_s))
            # Who leaves does not end it for the others.
            lost = await asyncio.shield(self._finding)
            if isinstance(lost, NotConnected):
                raise self._away() from lost
        return self.dialect or PLAIN

    def condition(self) -> Condition:
        """Tell what is known of it, without waiting."""
        return self._condition

    def note_well(self) -> None:
        """Take note that it answered."""
        if self._condition is not _READY:
            self._condition = _READY

    def note_away(self, error: NotConnected) -> ModelUnavailable:
        """Take note that nobody is there, and return what a call is told."""
        self._note_ended(f"{self.name} cannot be reached: {shown_words(error.reason)}")
        # Another server may answer there when it is back.
        self._found = None
        self._asks_again_at = self.clock.monotonic()
        return self._away()

    def refused(self, refusal: Refusal, asked: Asked) -> QwenportError | RoomTooSmall:
        """Return what a call is told, and tell the operator what is the key's or a firewall's doing."""
        error = error_of(refusal, asked)
        if isinstance(error, UpstreamKeyRefused):
            self._note_key_refused(refusal, asked.key)
        elif isinstance(error, UpstreamTurnedAway):
            _LOG.warning(_REFUSED_ALONE if refusal.is_of_an_api else _BEFORE_ITS_API, self.name, refusal.status)
        return error

    async def close(self) -> None:
        """Close every connection."""
        if self._finding is not None:
            self._finding.cancel()
            await asyncio.wait([self._finding])
        await self.connections.close()

    def _away(self) -> ModelUnavailable:
        return ModelUnavailable(f"the upstream `{self.name}` cannot be reached")

    def _note_ended(self, reason: str) -> None:
        if self._condition.reason != reason:
            _LOG.warning("%s", reason)
        self._condition = Condition(state=EngineState.ENDED, reason=reason)

    def _note_key_refused(self, refusal: Refusal, key: Secret | None) -> None:
        # The answer to a call that began before another key came says nothing of that one.
        if key != self.key:
            return
        # A body of no known shape may hold anything, also what was asked.
        message = "" if refusal.is_bare else refusal.message
        reason = explain_refusal(self.place, key_kind(key), refusal.status, refusal.code, message)
        if self._condition.reason != reason:
            _LOG.error("%s", reason)
        self._condition = Condition(state=EngineState.ABSENT, reason=reason)

    async def _ask_models(self, limit_s: float) -> CallFailed | None:
        """Ask for the list of models, which tells the dialect, and return why nobody answered, if so.

        Who says something else is asked again, but not by each call.
        """
        self._asks_again_at = self.clock.monotonic() + _PROBE_S
        answered = await self._ask(f"{self.addresses.base}/models", limit_s)
        if isinstance(answered, CallFailed):
            return answered
        answer, body = answered
        if self._configured is None and (answer.status == _OK or answer.status in _NO_SUCH_ADDRESS):
            self._found = dialect_of(body, answer.headers, urlsplit(self.place.base_urls[0]).hostname or "")
        return None

    async def _ask(self, path: str, limit_s: float) -> tuple[HttpAnswer, bytes] | CallFailed:
        """Ask for something small, and take note of how it went."""
        key = self.key
        try:
            answer = await self.connections.get(path, status_s=limit_s)
            try:
                body = await answer.whole(limit_bytes=_LONGEST_LIST_BYTES, limit_s=limit_s)
            finally:
                answer.close()
        except NotConnected as error:
            self.note_away(error)
            return error
        except CallFailed as error:
            self._note_ended(f"{self.name}: {shown_words(error.reason)}")
            return error
        self._judge(answer, body, path, key)
        return answer, body

    def _judge(self, answer: HttpAnswer, body: bytes, path: str, key: Secret | None) -> None:
        # Not every server lists its models; that it says so shows that it is well.
        is_absent = answer.status in _NO_SUCH_ADDRESS and not self.place.health_path
        refusal = refusal_of(answer.status, body, answer.headers, self.clock.timestamp(), key)
        if answer.status in OF_THE_KEY and refusal.is_of_an_api:
            self._note_key_refused(refusal, key)
        elif _OK <= answer.status < 300 or is_absent:
            self._condition = _READY
        else:
            self._note_ended(f"{self.name} answered {path} with status {answer.status}")


def _path(url: str) -> str:
    return urlsplit(url).path.rstrip("/")


def _connections(place: Place, look_up: LookUp) -> Calls:
    peers = [_peer(url, place, look_up) for url in place.base_urls]
    if place.dns_replicas:
        return Replicas.of_name(peers[0])
    return Connections(peers[0]) if len(peers) == 1 else Replicas(peers)


def _peer(url: str, place: Place, look_up: LookUp) -> Peer:
    server = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    return Peer(url=server, ca_file=place.ca_file, connect_s=place.connect_s, look_up=look_up)
