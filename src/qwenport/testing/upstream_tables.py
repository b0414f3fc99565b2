"""A configuration file for servers in tests: upstreams, routes, whatever else, table by table."""

from __future__ import annotations

import json
from pathlib import Path


def table(header: str, /, **settings: object) -> str:
    """Return one table; strings, numbers, booleans and lists of strings are written in TOML as in JSON."""
    lines = (f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    return f"{header}\n{''.join(lines)}\n"


def upstream(name: str, url: str, **settings: object) -> str:
    """Return the table of a server of the kind `openai`, which speaks as vLLM does where nothing else is said."""
    settings = {"dialect": "vllm", "health_path": "/health", **settings}
    return table("[[upstreams]]", name=name, kind="openai", base_url=url, **settings)


def route(model: str, *targets: str, **settings: object) -> str:
    """Return the table of a route."""
    return table("[[routes]]", model=model, to=list(targets), **settings)


def configure(data_dir: Path, *tables: str) -> Path:
    """Write the configuration file of a server; return its path."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "qwenport.toml"
    path.write_text("".join(tables), "utf-8")
    return path
