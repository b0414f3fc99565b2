"""`qwenport status`, `reload`, `maintenance` and `retention`: the server as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from qwenport.cli.arguments import AsJson, Yes, confirm, given, whole
from qwenport.cli.context import CommandFailed, with_operator
from qwenport.cli.display import say, show_json, show_whole

Months = Annotated[int, whole(1, 1_200)]


def status(*, json: AsJson = False) -> None:
    """Show how the server, its engines and its journals are.

    Args:
        json: print JSON.
    """
    show_whole(with_operator(lambda client: client.get("/status")), json=json)


def reload(*, json: AsJson = False) -> None:
    """Read `.env`, the configuration file and key files again; what needs a restart is named.

    Args:
        json: print JSON.
    """
    found = with_operator(lambda client: client.post("/reload"))
    if json:
        show_json(found)
        return
    say("\n".join(_told(found)))


def maintenance(on: Literal["on", "off"] | None = None, /, *, words: str = "", json: AsJson = False) -> None:
    """Answer every call with a 503 while something is mended; this command line goes on working.

    Args:
        on: `on` or `off`; without it, what holds now is shown.
        words: what callers are told meanwhile.
        json: print JSON.
    """
    if words and on != "on":
        raise CommandFailed("`--words` goes with `qwenport maintenance on`")
    if on is None:
        show_whole(with_operator(lambda client: client.get("/maintenance")), json=json)
    else:
        body = {"on": on == "on", "words": words}
        show_whole(with_operator(lambda client: client.put("/maintenance", body)), json=json)


def retention(
    *,
    keep_months: Months,
    keep_audit_months: Months | None = None,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Delete the calls of old months; their sums stay in the ledger, so that the books go on balancing.

    Args:
        keep_months: how many whole months are kept, beside the running one.
        keep_audit_months: how many months of the audit log are kept; all where it is left out.
        yes: do not ask.
        json: print JSON.
    """
    months = "month" if keep_months == 1 else f"{keep_months} months"
    confirm(f"the calls before the last {months} are deleted for good", yes=yes)
    body = given(keep_months=keep_months, keep_audit_months=keep_audit_months)
    show_whole(with_operator(lambda client: client.post("/retention", body)), json=json)


def _told(found: dict[str, Any]) -> list[str]:
    lines = [f"In force now: {what}" for what in found["changed"]] or ["Nothing that can be put in force has changed."]
    return lines + [f"Waits for a restart: {what}" for what in found["needs_restart"]]
