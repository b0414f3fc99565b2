"""Whether the books hold every call that ran, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from fuzz.engine import Engines
from qwenport.core.ids import RequestId
from qwenport.metering.ledger import check
from qwenport.storage.counter_rows import consumed_by
from qwenport.testing.gateway import Gateway


async def faults_of_books(gateway: Gateway, engines: Engines) -> list[str]:
    """Bring the books up to date and return what is wrong with them, in words."""
    await gateway.idle()
    await gateway.keeper.post()
    return [*_held(gateway, engines), *_unbilled(gateway, engines)]


def _held(gateway: Gateway, engines: Engines) -> Iterator[str]:
    if gateway.journal.open_holds:
        yield f"calls are held that do not run: {sorted(gateway.journal.open_holds)[:5]}"
    if engines.open_runs:
        yield f"{engines.open_runs} runs of engines were not closed"
    if any(slots.free != slots.capacity for slots in gateway.router.rooms.values()):
        yield "slots of engines were not given back"
    if gateway.parts.in_flight:
        yield "calls are in flight that nobody waits for"


def _unbilled(gateway: Gateway, engines: Engines) -> Iterator[str]:
    ran = Counter(engines.ran)
    if twice := [each for each, times in ran.items() if times > 1]:
        yield f"calls reached an engine more than once: {twice[:5]}"
    billed = _billed(gateway, [*ran])
    if missing := [each for each in ran if each not in billed]:
        yield f"{len(missing)} calls that ran are not in the books, such as {missing[:5]}"


def _billed(gateway: Gateway, ids: Sequence[RequestId]) -> set[RequestId]:
    with gateway.database.read() as transaction:
        return set(consumed_by(transaction, ids))


def faults_of_ledger(gateway: Gateway) -> Iterator[str]:
    """Give what the ledger's own check finds."""
    yield from check(gateway.database, open_holds=len(gateway.journal.open_holds)).differences
