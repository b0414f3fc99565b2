"""What a server says when it has started: addresses, and calls that work when pasted."""

from __future__ import annotations

import os
import shlex

from qwenport.app.places import places
from qwenport.app.supervisor import Standing
from qwenport.catalog.catalog import Catalog
from qwenport.catalog.weights import WeightsStore

MOST_NAMED = 4
"""Models that are named; of more only how many they are."""


def banner(standing: Standing, *, is_terminal: bool) -> str:
    """Return the text.

    The first key is shown once, on a terminal; elsewhere standard output may be a log, so it stays in its file.
    """
    base = standing.settings.address(standing.port)
    key = shown_key(standing, is_terminal=is_terminal)
    lines = [
        "",
        f"Qwenport listens on {base}",
        f"  OpenAI      {base}/compatible-mode/v1   (or {base}/v1)",
        f"  DashScope   {base}/api/v1",
        f"  Anthropic   {base}/apps/anthropic",
        f"  reference   {base}/docs",
        f"  health      {base}/healthz  {base}/readyz",
        "",
        *upstream_lines(standing),
        *stand_in_lines(standing),
        *key_lines(standing, is_terminal=is_terminal),
        "",
        "Try it:",
        "",
        *curl_openai(base, key),
        "",
        *curl_dashscope(base, key),
        "",
    ]
    return "\n".join(lines) + "\n"


def shown_key(standing: Standing, *, is_terminal: bool) -> str:
    """Return what stands in a curl command for the key: itself on the one occasion, else where to find it."""
    if standing.new_key is not None and is_terminal:
        return standing.new_key.reveal()
    if standing.settings.bootstrap_api_key is not None:
        return "$QWENPORT_BOOTSTRAP_API_KEY"
    if standing.new_key is not None or standing.settings.first_key.exists():
        return f"$(cat {shlex.quote(str(standing.settings.first_key))})"
    return "$DASHSCOPE_API_KEY"


def key_lines(standing: Standing, *, is_terminal: bool) -> list[str]:
    """Return what is said of keys."""
    if standing.settings.bootstrap_api_key is not None:
        return ["API key: the one in QWENPORT_BOOTSTRAP_API_KEY."]
    if standing.new_key is None:
        if standing.settings.first_key.exists():
            return [f"API key: in {standing.settings.first_key}; delete that file once you have kept it elsewhere."]
        return ["API key: put yours into DASHSCOPE_API_KEY; `qwenport keys create` makes another one."]
    if is_terminal:
        return ["", f"Your first API key, shown this once:  {standing.new_key.reveal()}"]
    return [f"Your first API key is in {standing.settings.first_key}, which only you can read."]


def upstream_lines(standing: Standing) -> list[str]:
    """Return which models go where beyond this machine."""
    lines = []
    for place in places(standing.settings):
        names = going_to(place.name, standing.catalog)
        where = f"the upstream {place.name} ({place.base_urls[0]})"
        lines.append(f"{listed(names)} to {where}." if names else f"No route leads to {where}.")
    silent = [name for name, routes in standing.catalog.routes.items() if not routes[-1].targets]
    if silent:
        lines.append(f"{listed(silent)} nowhere: calls get a 503 until one of [[routes]] names an upstream for them.")
    return lines


def going_to(upstream: str, catalog: Catalog) -> list[str]:
    """Return the models whose calls may go to an upstream."""
    return [
        name
        for name, routes in catalog.routes.items()
        if any(target.startswith(f"{upstream}/") for route in routes for target in route.targets)
    ]


def listed(names: list[str]) -> str:
    """Return a few names, or the first of many, with the verb that follows them."""
    if len(names) == 1:
        return f"{names[0]} goes"
    if len(names) <= MOST_NAMED:
        return f"{', '.join(names[:-1])} and {names[-1]} go"
    return f"{len(names)} models ({', '.join(names[: MOST_NAMED - 1])}, …) go"


def stand_in_lines(standing: Standing) -> list[str]:
    """Return which models are not what their names promise, and what is missing."""
    engine_models = standing.catalog.engine_models
    # One reader of images in the place of another promises nothing of Qwen.
    cards = [card for card in standing.catalog.cards.values() if f"ocr/{card.name}" not in engine_models]
    targets = sorted({card.route[0] for card in cards if card.stands_in})
    lines = [
        f"{sum(card.route[0] == target for card in cards if card.stands_in)} Qwen models are answered by the stand-in "
        f"{engine_models[target].name if target in engine_models else target}; each answer says so in "
        "x-qwenport-served-by."
        for target in targets
    ]
    store = WeightsStore(standing.settings.models_dir)
    lines += [
        f"No weights for {model.name}: calls to it get a 503 until you run `qwenport models pull {model.name}`."
        for target, model in standing.catalog.engine_models.items()
        if target in targets and not model.url and not store.is_present(model)
    ]
    goes_to_alibaba = any(table.kind == "alibaba" for table in standing.settings.upstreams)
    if os.environ.get("DASHSCOPE_API_KEY") and not goes_to_alibaba:
        lines.append(
            "DASHSCOPE_API_KEY is set here; it is a client's variable and does not make this server use Alibaba."
        )
    return lines


def curl_openai(base: str, key: str) -> list[str]:
    """Return a command that works when pasted."""
    body = '{"model":"qwen-plus","messages":[{"role":"user","content":"Who are you?"}]}'
    return curl(f"{base}/compatible-mode/v1/chat/completions", key, body)


def curl_dashscope(base: str, key: str) -> list[str]:
    """Return a command that works when pasted."""
    body = '{"model":"qwen-turbo","input":{"messages":[{"role":"user","content":"Who are you?"}]}}'
    return curl(f"{base}/api/v1/services/aigc/text-generation/generation", key, body)


def curl(url: str, key: str, body: str) -> list[str]:
    """Return the lines of a POST of JSON."""
    return [
        f"curl {url} \\",
        f'  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\',
        f"  -d '{body}'",
    ]
