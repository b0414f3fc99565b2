"""The worked examples for nginx and Caddy, each before a gateway: streams, uploads, addresses of clients, a path."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from qwenport.testing.certificates import Authority
from qwenport.testing.gateway import OPERATOR_TOKEN, Gateway, Plan, bearer, running_gateway
from qwenport.testing.held_port import held_port
from qwenport.testing.raw_client import PATIENCE_S
from qwenport.testing.scripted_engine import ScriptedEngine, Wait, answer

pytestmark = pytest.mark.anyio

DEPLOY = Path(__file__).parents[2] / "deploy"
TARGET = "llama/smollm2-135m-instruct"
CLIENT = "127.0.0.3"
"""Address that the client comes from, so that it is not the proxy's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is put in place of the example's words."""

    folder: Path
    certificate: Path
    key: Path
    port: int
    gateway_port: int
    is_below_a_path: bool


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return the text with every change made; each must be about something that stands there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(program: str, site: Site) -> tuple[list[str], str]:
    """Return the command that runs nginx, and what its file says."""
    example = changed(
        (DEPLOY / "nginx" / "qwenport.conf").read_text("utf-8"),
        ("127.0.0.1:8600", f"127.0.0.1:{site.gateway_port}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{site.port} ssl"),
        ("/etc/nginx/tls/qwen.example.com.pem", str(site.certificate)),
        ("/etc/nginx/tls/qwen.example.com.key", str(site.key)),
    )
    if site.is_below_a_path:
        example = changed(
            example,
            ("    location / {\n        proxy_pass http://qwenport;\n    }\n", ""),
            ("    # location /qwen/ {\n", "    location /qwen/ {\n"),
            ("    #     proxy_pass http://qwenport/;\n    # }\n", "        proxy_pass http://qwenport/;\n    }\n"),
        )
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {place}_temp_path {site.folder / place};\n" for place in places)
    user = "user root;\n" if os.geteuid() == 0 else ""
    head = f"{user}pid {site.folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n    access_log off;\n{temporary}"
    return [program, "-p", str(site.folder), "-g", "daemon off;", "-c"], f"{head}{example}}}\n"


def caddy(program: str, site: Site) -> tuple[list[str], str]:
    """Return the command that runs Caddy, and what its file says."""
    example = changed(
        (DEPLOY / "caddy" / "Caddyfile").read_text("utf-8"),
        ("127.0.0.1:8600", f"127.0.0.1:{site.gateway_port}"),
        (
            "\nqwen.example.com {\n",
            f"\nhttps://127.0.0.1:{site.port} {{\n\tbind 127.0.0.1\n\ttls {site.certificate} {site.key}\n",
        ),
    )
    if site.is_below_a_path:
        example = changed(
            example,
            ("\n\timport qwenport\n", "\n"),
            ("\t# handle_path /qwen/* {\n\t# \timport", "\thandle_path /qwen/* {\n\t\timport"),
            ("\n\t# }\n", "\n\t}\n"),
        )
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    return [program, "run", "--adapter", "caddyfile", "--config"], options + example


Maker = Callable[[str, Site], tuple[list[str], str]]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def maker(request: pytest.FixtureRequest) -> Maker:
    made: Maker = request.param
    if program_of(made) is None:
        pytest.skip(f"{made.__name__} is not installed")
    return made


def program_of(maker: Maker) -> str | None:
    return shutil.which(maker.__name__, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@asynccontextmanager
async def proxied(
    maker: Maker, folder: Path, *, script: Any = None, below_a_path: bool = False
) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient]]:
    """Give a gateway behind a proxy, and a client that comes by the proxy."""
    authority = Authority.made(folder)
    certificate, key = authority.issue("127.0.0.1")
    with held_port() as port:
        base = f"https://127.0.0.1:{port}{'/qwen' if below_a_path else ''}"
        steps = script or answer("Hel", "lo", served_by=TARGET)
        plan = Plan(
            engines=[ScriptedEngine(lambda _: steps, target=TARGET)],
            trusted_proxies=[ip_network("127.0.0.1/32")],
            public_url=base,
        )
        transport = httpx.AsyncHTTPTransport(
            verify=ssl.create_default_context(cafile=str(authority.file)), local_address=CLIENT
        )
        async with running_gateway(folder, plan) as gateway:
            site = Site(
                folder=folder,
                certificate=certificate,
                key=key,
                port=port,
                gateway_port=gateway.port,
                is_below_a_path=below_a_path,
            )
            async with (
                running(maker, site),
                httpx.AsyncClient(transport=transport, base_url=base, timeout=PATIENCE_S) as client,
            ):
                yield gateway, client


@asynccontextmanager
async def running(maker: Maker, site: Site) -> AsyncIterator[None]:
    command, text = maker(program_of(maker) or "", site)
    file = site.folder / "proxy.conf"
    file.write_text(text, "utf-8")
    environment = os.environ | {"HOME": str(site.folder), "XDG_DATA_HOME": str(site.folder)}
    with (site.folder / "proxy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, str(file), stdout=log, stderr=log, env=environment, cwd=site.folder
        )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await listens(site.port):
                assert process.returncode is None, (site.folder / "proxy.log").read_text("utf-8")
                await asyncio.sleep(0.02)
        yield
    finally:
        process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def body(**more: object) -> dict[str, object]:
    return {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}], **more}


async def test_pieces_of_a_stream_come_one_by_one(maker: Maker, tmp_path: Path) -> None:
    pause = Wait()
    started, first, *rest = answer("Hel", "lo", served_by=TARGET)
    async with (
        proxied(maker, tmp_path, script=[started, first, pause, *rest]) as (_, client),
        client.stream("POST", "/v1/chat/completions", json=body(stream=True), headers=bearer()) as response,
    ):
        lines = response.aiter_lines()
        before = [line async for line in until(lines, '"Hel"')]
        is_held = not pause.go.is_set()
        pause.go.set()
        after = [line async for line in lines if line]

    assert (response.status_code, is_held, before[-1].count('"Hel"')) == (200, True, 1)
    assert after[-1] == "data: [DONE]"


async def until(lines: AsyncIterator[str], word: str) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if word in line:
            return


async def test_a_client_that_leaves_by_the_proxy_leaves_the_gateway(maker: Maker, tmp_path: Path) -> None:
    pause = Wait()
    started, first, *rest = answer("Hel", "lo", served_by=TARGET)
    async with proxied(maker, tmp_path, script=[started, first, pause, *rest]) as (gateway, client):
        async with client.stream("POST", "/v1/chat/completions", json=body(stream=True), headers=bearer()) as response:
            await anext(response.aiter_lines())
            await pause.arrives()
        async with asyncio.timeout(PATIENCE_S):
            await gateway.idle()
        (engine,) = gateway.plan.engines

    assert isinstance(engine, ScriptedEngine)
    assert engine.open_runs == 0


@pytest.mark.parametrize("below_a_path", [False, True])
async def test_calls_and_uploads_arrive(below_a_path: bool, maker: Maker, tmp_path: Path) -> None:
    async with proxied(maker, tmp_path, below_a_path=below_a_path) as (_, client):
        said = await client.post("/v1/chat/completions", json=body(), headers=bearer())
        granted = await client.get("/api/v1/uploads?action=getPolicy&model=qwen-vl-max", headers=bearer())
        leave = granted.json()["data"]
        stored = await client.post(leave["upload_host"], data=form_of(leave), files={"file": ("a.png", bytes(3 << 20))})

    assert said.json()["choices"][0]["message"]["content"] == "Hello"
    assert (leave["upload_host"], stored.status_code) == (str(client.base_url).rstrip("/") + "/oss", 200)


def form_of(leave: dict[str, str]) -> dict[str, str]:
    """Return the fields of an upload as the official client sends them."""
    return {
        "OSSAccessKeyId": leave["oss_access_key_id"],
        "Signature": leave["signature"],
        "policy": leave["policy"],
        "key": f"{leave['upload_dir']}/a.png",
        "x-oss-object-acl": leave["x_oss_object_acl"],
        "x-oss-forbid-overwrite": leave["x_oss_forbid_overwrite"],
        "success_action_status": "200",
        "x-oss-content-type": "image/png",
    }


@pytest.mark.parametrize(("allowed", "status"), [(CLIENT, 200), ("127.0.0.1", 401), ("203.0.113.5", 401)])
async def test_the_address_of_a_client_is_known_and_cannot_be_made_up(
    allowed: str, status: int, maker: Maker, tmp_path: Path
) -> None:
    async with proxied(maker, tmp_path) as (_, client):
        operator = {"authorization": f"Bearer {OPERATOR_TOKEN.reveal()}"}
        made = await client.post("/admin/v1/keys", json={"ip_ranges": [f"{allowed}/32"]}, headers=operator)
        headers = {**bearer(made.json()["key"]), "x-forwarded-for": "203.0.113.5"}
        found = await client.get("/v1/models", headers=headers)

    assert (made.status_code, found.status_code) == (201, status)


async def test_what_is_too_large_is_refused_in_the_words_of_the_api(maker: Maker, tmp_path: Path) -> None:
    async with proxied(maker, tmp_path) as (_, client):
        found = await client.post("/v1/chat/completions", content=bytes(2 << 20), headers=bearer())

    assert (found.status_code, list(found.json())) == (400, ["error", "request_id"])
