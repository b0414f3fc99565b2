"""How the gateway's side of an engine sends calls to the host of its model, in the house's own errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus

from qwenport.core.errors import EngineFailed, EngineTimedOut, ModelUnavailable
from qwenport.engines.connections import (
    AnswerInvalid,
    AnswerTimedOut,
    CallFailed,
    ConnectionLost,
    Connections,
    HttpAnswer,
    NotConnected,
    Peer,
)
from qwenport.engines.engine import Condition, EngineState
from qwenport.engines.host_address import unavailable


class HostConnections:
    """Connections to one host; opens nothing before the first call."""

    def __init__(self, peer: Peer, *, target: str, read_condition: Callable[[], Condition]) -> None:
        """Keep what is needed; `read_condition` tells why nobody answers when nobody does."""
        self._connections = Connections(peer)
        self._target = target
        self._read_condition = read_condition

    async def post(
        self, path: str, body: bytes, headers: Sequence[tuple[str, str]] = (), *, status_s: float
    ) -> HttpAnswer:
        """Send a call and return the answer once its status is known; the caller closes it.

        Raises:
            ModelUnavailable: nobody is there.
            EngineTimedOut: no status came within `status_s` seconds.
            EngineFailed: what came is no answer.
        """
        try:
            return await self._connections.post(path, body, dict(headers), status_s=status_s)
        except AnswerTimedOut as error:
            raise EngineTimedOut from error
        except AnswerInvalid as error:
            raise EngineFailed(f"the engine of `{self._target}` does not answer as a host does") from error
        except (NotConnected, ConnectionLost) as error:
            # Nobody is there, or is no longer: a host that dies closes what it has accepted without a word.
            raise unavailable(self._target.partition("/")[2], self._read_condition()) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()


def failed_by_status(status: int, target: str, reason: str = "") -> EngineFailed | ModelUnavailable:
    """Return what a status is to the house with which a host says nothing of the call."""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        # The door of an engine on another machine says so while nobody is behind it, llama.cpp while it loads.
        return unavailable(target.partition("/")[2], Condition(state=EngineState.LOADING))
    words = f"the engine of `{target}` answered with status {status}"
    return EngineFailed(f"{words}: {reason}" if reason else words)


def failed_midway(error: CallFailed, target: str) -> EngineFailed | EngineTimedOut:
    """Return what the end of an answer that had begun is to the house."""
    if isinstance(error, AnswerTimedOut):
        return EngineTimedOut()
    return EngineFailed(f"the engine of `{target}` broke off in the middle of its answer")
