"""The same mutations by hypothesis, straight at the decoders: what it finds it makes as small as it can."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from fuzz.codecs import Codecs
from fuzz.mutations import mutate_json
from qwenport.faces.face import Face


def faults_of_decoders(face: Face, seed: int, examples: int) -> list[str]:
    """Return the smallest body that a face neither reads nor refuses, where there is one."""
    codecs = Codecs(face)
    bodies = codecs.bodies()
    last = b""

    @seeded(seed)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(random=st.randoms(use_true_random=False), at=st.integers(0, len(bodies) - 1), streams=st.booleans())
    def any_body_is_read_or_refused(random: Random, at: int, streams: bool) -> None:
        nonlocal last
        place, body = bodies[at]
        last = bytes((place, streams)) + mutate_json(random, body)
        codecs.run(last)

    try:
        any_body_is_read_or_refused()
    except Exception as error:  # noqa: BLE001 - whatever a face raises that is no refusal is a finding
        return [f"decoding ended in {error!r}\n  body {last!r}"]
    return []
