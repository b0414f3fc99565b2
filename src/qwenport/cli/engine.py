"""`qwenport engine`."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import Annotated

import uvloop
from cyclopts import App

from qwenport.app.operators_catalog import load_catalog
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.engine_model import EngineModel
from qwenport.cli.arguments import whole
from qwenport.cli.context import CommandFailed, settings
from qwenport.cli.models import engine_model_of, resolve
from qwenport.core.secret import Secret
from qwenport.observability.log import configure_logging

engine = App(name="engine", help="Run a model's engine for gateways on other machines.")

EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - recognised, not bound
Port = Annotated[int, whole(0, 65_535)]


@engine.command
def serve(
    name: str,
    /,
    *,
    host: str = "127.0.0.1",
    port: Port = 8601,
    secret_env: str = "QWENPORT_ENGINE_SECRET",  # noqa: S107 - the name of a variable
) -> int:
    """Run one model's engine until Ctrl-C or SIGTERM; what still runs then has 30 seconds to end.

    It prints the table that a gateway's model file needs. What travels is not encrypted: use a private network, or a
    TLS proxy before it.

    Args:
        name: the model's name.
        host: the address to listen on.
        port: the port to listen on; 0 for any free one.
        secret_env: the environment variable that holds what gateways must show; only a loopback address does without.
    """
    # It imports a web server, which other commands should not wait for.
    from qwenport.app.engine_serve import EngineOrder, EngineServer  # noqa: PLC0415

    chosen = settings()
    model = embedded(name, load_catalog(chosen))
    secret = os.environ.get(secret_env)
    order = EngineOrder(
        model=model,
        models_dir=chosen.models_dir,
        data_dir=chosen.data_dir,
        host=host,
        port=port,
        secret_env=secret_env,
        secret=Secret(secret) if secret else None,
    )

    def announce(bound: int) -> None:
        url = f"http://{_named(host)}:{bound}"
        sys.stdout.write(invitation(model, url, secret_env if secret else ""))
        sys.stdout.flush()

    configure_logging()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(EngineServer(order, announce).run())


def embedded(name: str, catalog: Catalog) -> EngineModel:
    """Return the model of this name that has weights of its own.

    Raises:
        CommandFailed: there is none.
    """
    found = next((model for model in catalog.engine_models.values() if model.name == name), None)
    if found is None:
        other = engine_model_of(resolve(name, catalog), catalog)
        advice = f"; `{other.name}` answers for it" if other else ""
        raise CommandFailed(f"`{name}` has no weights of its own{advice}; see `qwenport models list`")
    return found


def invitation(model: EngineModel, url: str, secret_env: str) -> str:
    """Return what the operator of a gateway needs to know."""
    fields: dict[str, object] = {
        "kind": model.kind,
        "context_tokens": model.context_tokens,
        "slots": model.slots,
        "default_output_tokens": model.default_output_tokens,
        "template_tools": model.template_tools or None,
        "region": model.region or None,
        "url": url,
        "secret_env": secret_env or None,
    }
    # TOML writes texts, whole numbers and truth values as JSON does.
    table = [f"{field} = {json.dumps(value)}" for field, value in fields.items() if value is not None]
    lines = [
        f"{model.name} is served at {url}; {url}/health answers 200 once it has loaded.",
        f"In the gateway's data directory, in `catalog/{model.name}.toml`, the table of the engine is to be:",
        "",
        "[engine]",
        *table,
        "",
    ]
    if secret_env:
        lines.append(f"The gateway needs the same secret in its environment, in {secret_env}.")
    return "\n".join(lines) + "\n"


def _named(host: str) -> str:
    """Return how others call this machine."""
    name = socket.gethostname() if host in EVERYWHERE else host
    return f"[{name}]" if ":" in name else name
