"""Garbage collection in a process whose objects live as long as it does, or as a call."""

from __future__ import annotations

import gc


def spare_the_collector() -> None:
    """Let garbage collection pass over what lives as long as the process, and look for cycles less often.

    Calls make no cycles of their own; at the default thresholds a tenth of the time under load went into looking.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
