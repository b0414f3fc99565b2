"""Upstreams of the configuration file and of the environment, and where their keys come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from qwenport.core.secret import Secret
from qwenport.settings.configuration_file import UpstreamTable
from qwenport.settings.settings import SettingInvalid, Settings, load_settings

Load = Callable[..., Settings]

KEY = {"QWENPORT_DASHSCOPE_API_KEY": "sk-0123456789"}
ROUTES = '[[routes]]\nmodel = "qwen-plus"\nto = ["alibaba"]\n'


def vllm(*lines: str) -> str:
    return "\n".join(('[[upstreams]]\nname = "vllm"\nkind = "openai"\nbase_url = "http://gpu/v1"', *lines, ""))


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return what reads a configuration file beside an environment."""

    def read(text: str = "", environment: Mapping[str, str] | None = None) -> Settings:
        (tmp_path / "qwenport.toml").write_text(text)
        return load_settings({"QWENPORT_DATA_DIR": str(tmp_path), **(environment or {})}, tmp_path)

    return read


def table_of_environment(region: str = "singapore", workspace: str = "") -> UpstreamTable:
    return UpstreamTable(
        name="alibaba",
        kind="alibaba",
        region=region,
        workspace=workspace,
        api_key_env="QWENPORT_DASHSCOPE_API_KEY",
    )


def test_a_key_in_the_environment_alone_makes_an_upstream_that_all_goes_to(load: Load) -> None:
    settings = load("", KEY)

    assert settings.upstreams == (table_of_environment(),)
    assert settings.upstream_keys == {"alibaba": Secret("sk-0123456789")}
    assert (settings.default_upstream, settings.warnings) == ("alibaba", ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"QWENPORT_DASHSCOPE_REGION": "tokyo", "QWENPORT_DASHSCOPE_WORKSPACE": "ws-1"}, ("tokyo", "ws-1")),
        ({"QWENPORT_DASHSCOPE_API_KEY": "sk-sp-0123"}, ("singapore", "token-plan")),
        ({"QWENPORT_DASHSCOPE_API_KEY": "sk-ws-0123"}, ("singapore", "")),
    ],
)
def test_region_workspace_and_kind_of_key_choose_the_host(
    load: Load, more: dict[str, str], expected: tuple[str, str]
) -> None:
    assert load("", KEY | more).upstreams == (table_of_environment(*expected),)


def test_routes_of_the_file_stand_instead_of_those_that_follow_from_the_key(load: Load) -> None:
    settings = load(ROUTES, KEY)

    assert (settings.upstreams, settings.default_upstream) == ((table_of_environment(),), "")


def test_upstreams_of_the_file_stand_instead_of_the_environments_which_is_told(load: Load) -> None:
    settings = load(vllm(), KEY | {"QWENPORT_DASHSCOPE_REGION": "us", "QWENPORT_DASHSCOPE_WORKSPACE": "ws-1"})

    assert [table.name for table in settings.upstreams] == ["vllm"]
    assert (settings.default_upstream, settings.upstream_keys) == ("", {})
    assert settings.warnings == (
        "QWENPORT_DASHSCOPE_API_KEY is set, but no [[upstreams]] names it as `api_key_env`",
        "QWENPORT_DASHSCOPE_REGION is set, but the configuration file has [[upstreams]], so it has no effect",
        "QWENPORT_DASHSCOPE_WORKSPACE is set, but the configuration file has [[upstreams]], so it has no effect",
    )


def test_a_region_without_a_key_is_told_to_have_no_effect(load: Load) -> None:
    settings = load("", {"QWENPORT_DASHSCOPE_REGION": "us"})

    assert (settings.upstreams, settings.default_upstream) == ((), "")
    assert settings.warnings == (
        "QWENPORT_DASHSCOPE_REGION is set, but QWENPORT_DASHSCOPE_API_KEY is not, so it has no effect",
    )


def test_the_environment_stands_before_dotenv_for_keys_too_whatever_their_names(load: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VLLM_API_KEY=of-dotenv\nQWENPORT_OTHER_KEY=other\n")
    text = vllm('api_key_env = "VLLM_API_KEY"')

    assert load(text).upstream_keys == {"vllm": Secret("of-dotenv")}
    assert load(text, {"VLLM_API_KEY": "of-environment"}).upstream_keys == {"vllm": Secret("of-environment")}
    named = load(vllm('api_key_env = "QWENPORT_OTHER_KEY"'))
    assert (named.upstream_keys, named.warnings) == ({"vllm": Secret("other")}, ())


def test_a_server_of_ones_own_needs_no_key(load: Load) -> None:
    assert load(vllm()).upstream_keys == {}


def test_files_are_found_beside_the_configuration_file(load: Load, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "vllm"
    key.parent.mkdir()
    key.write_text("of-file\n")
    key.chmod(0o640)
    settings = load(vllm('api_key_file = "keys/vllm"', 'ca_file = "ca.pem"'))

    assert settings.upstream_keys == {"vllm": Secret("of-file")}
    assert settings.upstreams[0].api_key_file == str(key)
    assert settings.upstreams[0].ca_file == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("", 0o600, "which is empty; write the key into it"),
        (" \n", 0o600, "which is empty; write the key into it"),
        ("hush", 0o604, "which everybody on this machine can read; `chmod 600` it"),
        ("hush" * 3000, 0o600, "which is larger than 8192 bytes"),
        ("hüsh", 0o600, "which holds characters that no key has"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_refused(
    load: Load, tmp_path: Path, content: str, mode: int, words: str
) -> None:
    key = tmp_path / "key"
    key.write_text(content)
    key.chmod(mode)
    with pytest.raises(SettingInvalid) as caught:
        load(vllm('api_key_file = "key"'))

    assert str(caught.value).startswith(f"upstream `vllm`: `api_key_file` is {key}, {words}")
    assert "hush" not in str(caught.value)


def test_a_key_file_that_is_none_is_refused_and_not_waited_for(load: Load, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SettingInvalid, match="pipe, which is no file"):
        load(vllm('api_key_file = "pipe"'))
    with pytest.raises(SettingInvalid, match="absent, which cannot be read: No such file or directory"):
        load(vllm('api_key_file = "absent"'))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('api_key_env = "VLLM_API_KEY"', "names VLLM_API_KEY, which is not set; set it in the environment or in .env"),
        ('api_key_env = "sk-0123456789"', "must be the name of a variable, such as `VLLM_API_KEY`, not the key itself"),
        ('api_key_env = "A"\napi_key_file = "key"', "has `api_key_env` and `api_key_file`; leave one out"),
        ("rpm = 0", "Expected `int` >= 1"),
        ("connect_s = inf", "Expected `float` <= 86400.0"),
        ("connect_s = nan", "Expected `float` > 0.0"),
        ('dialect = "ollama"', "Invalid enum value 'ollama'"),
        ("api_key = 'x'", "unknown field `api_key`"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(load: Load, lines: str, words: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        load(vllm(lines))

    assert words in str(caught.value)
    assert "sk-0123456789" not in str(caught.value)


def test_secrets_that_other_tables_name_are_read_too(load: Load) -> None:
    text = '[check]\nwebhook_secret_env = "HOOK"\n[traces]\nheaders_env = "OTLP"\n'

    assert load(text, {"HOOK": "a", "OTLP": "b"}).named_secrets == {"HOOK": Secret("a"), "OTLP": Secret("b")}
    with pytest.raises(SettingInvalid, match=r"\[traces\]: `headers_env` names OTLP, which is not set"):
        load(text, {"HOOK": "a"})


def test_keys_do_not_show(load: Load) -> None:
    assert "0123456789" not in repr(load("", KEY))


def test_a_route_that_would_use_a_cache_that_is_off_is_told(load: Load) -> None:
    cached = ROUTES + "cache_s = 60\n"

    assert load(cached, KEY).warnings == (
        "one of [[routes]] has `cache_s`, but without `max_bytes` of [cache] nothing is kept",
    )
    assert load(cached + "[cache]\nmax_bytes = 1\n", KEY).warnings == ()
