"""What the command line says of upstreams and of another configuration, and the banner of where calls go."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qwenport.app.operators_catalog import load_catalog
from qwenport.app.supervisor import Standing
from qwenport.cli.banner import banner
from qwenport.core.secret import Secret
from qwenport.engines.engine import Site
from qwenport.settings.settings import load_settings

if TYPE_CHECKING:
    from tests.unit.cli.conftest import AdminApi, Run

VLLM = {
    "name": "vllm",
    "kind": "openai",
    "region": "",
    "base_urls": ["http://10.0.0.5/v1"],
    "key_kind": "none",
    "state": "ended",
    "reason": "it refused the connection",
    "models": [{"model": "Qwen3-8B", "breaker": "open"}, {"model": "Qwen3-4B", "breaker": "closed"}],
}
UPSTREAMS = """
[[upstreams]]
name = "vllm"
kind = "openai"
base_url = "http://gpu:8000/v1"
models = ["Qwen/Qwen3-8B"]

[[upstreams]]
name = "spare"
kind = "openai"
base_url = "http://spare:8000/v1"

[[routes]]
model = "qwen3-8b"
to = ["vllm/Qwen/Qwen3-8B"]

[[routes]]
model = "qwen-plus"
to = ["vllm/Qwen/Qwen3-8B"]
"""


def test_upstreams_are_a_table_with_the_models_that_are_not_well_marked(run: Run, api: AdminApi) -> None:
    api.answer([VLLM])
    code, out, err = run("upstreams", "list")

    assert (code, err) == (0, "")
    assert out.splitlines()[1].split("  ")[0] == "vllm"
    for words in ("http://10.0.0.5/v1", "Qwen3-8B (breaker open), Qwen3-4B", "it refused the connection"):
        assert words in out


def test_without_upstreams_the_way_to_one_is_told(run: Run, api: AdminApi) -> None:
    api.answer([])

    assert run("upstreams", "list") == (
        0,
        "There are no upstreams; describe one as [[upstreams]] in qwenport.toml.\n",
        "",
    )


@pytest.mark.parametrize(("state", "code"), [("ready", 0), ("ended", 1)])
def test_a_check_ends_with_what_it_found(run: Run, api: AdminApi, state: str, code: int) -> None:
    api.answer({**VLLM, "state": state})
    ended, out, err = run("upstreams", "check", "a/b", "--json")

    assert (ended, json.loads(out)["state"], err) == (code, state, "")
    assert [(each.method, each.path, each.body) for each in api.sent] == [("POST", "/upstreams/a%2Fb/check", {})]


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (
            {"changed": ["key of the upstream `a`", "[retries]"], "needs_restart": ["[server]"]},
            "In force now: key of the upstream `a`\nIn force now: [retries]\nWaits for a restart: [server]\n",
        ),
        ({"changed": [], "needs_restart": []}, "Nothing that can be put in force has changed.\n"),
    ],
)
def test_a_reload_says_what_is_in_force_and_what_waits(
    run: Run, api: AdminApi, answer: dict[str, Any], lines: str
) -> None:
    api.answer(answer)

    assert run("reload") == (0, lines, "")


def test_a_configuration_with_a_mistake_is_one_line_and_exit_code_1(run: Run, api: AdminApi) -> None:
    api.refuse(409, "the configuration stays as it was: upstream `a`: `region` is missing")

    assert run("reload") == (
        1,
        "",
        "qwenport: the configuration stays as it was: upstream `a`: `region` is missing\n",
    )


def test_without_a_server_upstreams_are_listed_and_can_be_asked(done: Any, run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listing)
    text = UPSTREAMS.replace("http://gpu:8000", f"http://127.0.0.1:{server.server_port}")
    (tmp_path / "data" / "qwenport.toml").write_text(text.replace("http://spare:8000", "http://127.0.0.1:1"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        listed = {each["name"]: (each["key_kind"], each["reason"]) for each in done("upstreams", "list")}
        well = done("upstreams", "check", "vllm")
        code, out, _ = run("upstreams", "check", "spare", "--json")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

    assert listed == dict.fromkeys(("vllm", "spare"), ("none", "not asked: no server runs"))
    assert (well["state"], well["reason"]) == ("ready", "")
    assert (code, json.loads(out)["state"]) == (1, "ended")


class Listing(BaseHTTPRequestHandler):
    """A server that has no models."""

    def do_GET(self) -> None:
        """Answer with an empty list."""
        content = b'{"object":"list","data":[]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - named by the standard library
        """Say nothing."""


def test_without_a_server_there_is_nothing_to_reload(refused: Any) -> None:
    assert refused("reload") == "no server runs here; it reads the configuration when it starts"


def said(folder: Path, environment: dict[str, str]) -> list[str]:
    settings = load_settings({"QWENPORT_DATA_DIR": str(folder), **environment}, folder)
    standing = Standing(
        settings=settings,
        port=1,
        new_key=Secret("sk-new"),
        catalog=load_catalog(settings),
        site=Site(runtime_dir=folder, models_dir=folder, secret="hush"),
    )
    return banner(standing, is_terminal=True).splitlines()


def test_the_banner_names_what_goes_to_which_upstream_and_which_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "qwenport.toml").write_text(UPSTREAMS)
    lines = said(tmp_path, {})

    assert "qwen-plus and qwen3-8b go to the upstream vllm (http://gpu:8000/v1)." in lines
    assert "No route leads to the upstream spare (http://spare:8000/v1)." in lines
    assert (
        "1 Qwen models are answered by the stand-in vllm/Qwen/Qwen3-8B; each answer says so in x-qwenport-served-by."
    ) in lines


def test_a_key_alone_sends_all_of_model_studios_models_to_its_region_without_showing_itself(tmp_path: Path) -> None:
    key = {"QWENPORT_DASHSCOPE_API_KEY": "sk-hush0123456789", "QWENPORT_DASHSCOPE_REGION": "us"}
    lines = said(tmp_path, key)

    (line,) = (line for line in lines if "the upstream" in line)
    assert line.endswith(" go to the upstream alibaba (https://dashscope-us.aliyuncs.com/compatible-mode/v1).")
    assert not any("stand-in" in line or "sk-hush" in line for line in lines)


def test_a_clients_variable_is_told_to_have_no_effect_unless_an_upstream_goes_to_alibaba(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "DASHSCOPE_API_KEY", "sk-client")
    words = "DASHSCOPE_API_KEY is set here; it is a client's variable and does not make this server use Alibaba."

    assert words in said(tmp_path, {})
    assert words not in said(tmp_path, {"QWENPORT_DASHSCOPE_API_KEY": "sk-0123456789"})


def test_doctor_says_where_upstreams_are_and_what_kind_of_key_each_has(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "qwenport.toml").write_text(UPSTREAMS)
    found = {each["check"]: (each["verdict"], each["words"]) for each in json.loads(run("doctor", "--json")[1])}

    assert found["upstream vllm"] == ("ok", "http://gpu:8000/v1, no key; qwen-plus and qwen3-8b go there")
    assert found["upstream spare"] == (
        "note",
        "http://spare:8000/v1, no key; no route leads there: name it in one of [[routes]]",
    )


def test_doctor_says_what_is_wrong_with_an_upstream(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "qwenport.toml").write_text(UPSTREAMS.replace("http://spare", "http://spare.example.com"))
    code, out, _ = run("doctor", "--json")

    (problem,) = (each["words"] for each in json.loads(out) if each["check"] == "catalog")
    assert code == 1
    assert problem.startswith("upstream `spare`: `http://spare.example.com:8000/v1` would send the key")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            '[[limits]]\nname = "all"\nunit = "total_tokens"\nwindow = "day"\ncap = "much"\n',
            "[[limits]] `all` of the configuration file: ",
        ),
        ('[check]\nwords_file = "absent.txt"\n', "[check]: `words_file`: the list of words `"),
        ('[traces]\nendpoint = "http://127.0.0.1:1"\nheaders_env = "TRACE_HEADERS"\n', "[traces]: part 1 of "),
        ('[server]\ntls_cert_file = "absent.pem"\ntls_key_file = "absent.key"\n', "[server]: "),
    ],
)
def test_doctor_says_what_the_server_would_refuse_to_start_with(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, words: str
) -> None:
    monkeypatch.setenv("TRACE_HEADERS", "no header")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "qwenport.toml").write_text(table)
    code, out, _ = run("doctor", "--json")

    (said,) = (each for each in json.loads(out) if each["check"] == "configuration")
    assert (code, said["verdict"]) == (1, "problem")
    assert said["words"].startswith(words)
