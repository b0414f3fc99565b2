"""The real model behind its own HTTP server, reached as an upstream and as the embedded engine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec.structs import replace

from qwenport.core.call import ChatInput, Sampling
from qwenport.core.content import Message, Role
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, Started
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.secret import Secret
from qwenport.engines.connections import Connections
from qwenport.engines.engine import Engine, Site
from qwenport.engines.host_address import peer_of
from qwenport.engines.llama.kind import LlamaKind
from qwenport.engines.upstream.upstream import Upstream
from qwenport.testing import scripted_upstream
from qwenport.testing.calls import call_of
from qwenport.testing.engine_host import running_host, stand_in
from qwenport.testing.models import model_card

pytestmark = [pytest.mark.engine, pytest.mark.anyio]

KIND = LlamaKind()


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        yield Site(runtime_dir=Path(folder), models_dir=Path(folder), secret="hush")


def conversation(*, streams: bool) -> PreparedCall:
    asked = ChatInput(messages=(Message(role=Role.USER, content="Name three colours."),))
    sampling = Sampling(temperature=0.0, top_p=1.0, top_k=1, repetition_penalty=1.0, seed=1, max_tokens=24)
    return PreparedCall(call=call_of(asked, sampling=sampling, streams=streams), max_input_tokens=900)


async def told(engine: Engine, *, streams: bool) -> tuple[str, list[Event]]:
    """Return the text, and all that a body says beside it."""
    async with aclosing(engine.run(conversation(streams=streams))) as events:
        seen = [event async for event in events]
    text = "".join(event.text for event in seen if isinstance(event, Delta))
    first = next(event for event in seen if isinstance(event, Started))
    ends: list[Event] = [event for event in seen if isinstance(event, ChoiceFinished)]
    usage = next(event.usage for event in seen if isinstance(event, Finished))
    # How much of the prompt is still in the cache of the host depends on the call before.
    return text, [
        *ends,
        Started(served_by="", input_tokens=first.input_tokens),
        Finished(usage=replace(usage, cached_tokens=0)),
    ]


@pytest.mark.parametrize("dialect", ["", "llama.cpp", "plain"])
@pytest.mark.parametrize("streams", [True, False])
async def test_an_upstream_says_what_the_embedded_engine_says(
    stand_in_weights: Path, site: Site, dialect: str, *, streams: bool
) -> None:
    model = stand_in(KIND, stand_in_weights, context_tokens=1024)
    async with running_host(KIND, model, site) as host:
        place = scripted_upstream.place(1, dialect=dialect)
        home = Upstream(place, Secret("hush"), connections=Connections(peer_of(model, site)))

        embedded = await told(host.engine, streams=streams)
        upstream = await told(home.engine("stand-in", model_card()), streams=streams)
        await home.close()

    assert upstream[0] == embedded[0]
    if dialect != "plain":
        assert upstream[1] == embedded[1]
