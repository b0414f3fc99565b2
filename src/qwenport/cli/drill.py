"""What `qwenport doctor --drill` prints."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec

from qwenport.app.drill import Drill, DrillFailed, hold_drill
from qwenport.cli.context import CommandFailed
from qwenport.cli.display import say, show_json, show_table

_MOST_FINDINGS = 10
_COLUMNS = ("fault", "calls", "answered", "broke_midway", "failed", "longest_s")


def drill(*, json: bool, hold: Callable[[int], Drill] = hold_drill) -> int:
    """Hold a drill and tell what came of it; return 1 where a call was lost, or billed wrongly or twice."""
    if not json:
        say("Upstreams that fail at random are asked through a gateway of its own; your books are not touched.")
    try:
        found = hold(secrets.randbelow(1_000_000))
    except DrillFailed as error:
        raise CommandFailed(str(error)) from error
    if json:
        show_json(msgspec.to_builtins(found))
    else:
        _show(found)
    return 1 if found.findings or found.billed_twice else 0


def _show(found: Drill) -> None:
    rows = [{**msgspec.structs.asdict(each), "longest_s": f"{each.longest_s:.1f}"} for each in found.faults]
    show_table(rows, _COLUMNS, "no call met a fault")
    say("")
    say(
        f"{found.calls} calls, {found.tried_more_than_once} of them tried more than once, the longest "
        f"{found.longest_s:.1f} s; {found.billed} cost something, {found.billed_twice} were billed twice."
    )
    if not found.findings:
        say("No call was lost, and every one was billed once, for what its client got.")
        return
    say(f"{len(found.findings)} things are wrong:")
    for finding in found.findings[:_MOST_FINDINGS]:
        say(f"  {finding}")
