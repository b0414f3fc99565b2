"""`qwenport upstreams`: where calls go beyond this machine."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from qwenport.cli.arguments import AsJson
from qwenport.cli.context import with_operator
from qwenport.cli.display import show_rows, show_whole
from qwenport.client.admin_client import address

upstreams = App(name="upstreams", help="See how the upstreams and their models are.")

COLUMNS = ("name", "kind", "region", "address", "key_kind", "state", "models", "reason")


@upstreams.command(name="list")
def list_(*, json: AsJson = False) -> None:
    """List the upstreams with their state, the kind of their key and the models that routes lead to.

    Args:
        json: print JSON, with what each model has tried and failed so far.
    """
    found = with_operator(lambda client: client.get("/upstreams"))
    rows = found if json else [_row(each) for each in found]
    show_rows(rows, COLUMNS, "There are no upstreams; describe one as [[upstreams]] in qwenport.toml.", json=json)


@upstreams.command
def check(name: str, /, *, json: AsJson = False) -> int:
    """Ask an upstream now whether it is well; the exit code is 1 when it is not.

    Args:
        name: as `qwenport upstreams list` shows it.
        json: print JSON.
    """
    found = with_operator(lambda client: client.post(address("/upstreams/{}/check", name)))
    show_whole(found, json=json)
    return 0 if found["state"] == "ready" else 1


def _row(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "address": found["base_urls"], "models": [_model(each) for each in found["models"]]}


def _model(found: dict[str, Any]) -> str:
    unwell = f" (breaker {found['breaker']})" if found["breaker"] not in {"", "closed"} else ""
    return f"{found['model']}{unwell}"
