"""What operators set, where it may stand, and the words for what cannot be used."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

from qwenport.settings.configuration_file import ConfigurationFile, RouteTable, ServerTable
from qwenport.settings.settings import SettingInvalid, load_settings, user_folder


def test_nothing_set_is_the_documented_default(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)

    assert (settings.host, settings.port, settings.workers, settings.timezone) == ("127.0.0.1", 8600, 1, "UTC")
    assert (settings.bootstrap_api_key, settings.admin_token, settings.public_url) == (None, None, None)
    assert (settings.trusted_proxies, settings.cors_origins) == ((), ())
    assert settings.file == ConfigurationFile()
    assert settings.warnings == ()
    assert settings.data_dir.name == settings.models_dir.parent.name == "qwenport"
    assert settings.models_dir.name == "models"


def test_the_environment_stands_before_dotenv_and_empty_values_are_unset(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("QWENPORT_PORT=1111\nQWENPORT_HOST=127.0.0.2\nQWENPORT_TIMEZONE=\nOTHER=1\n")
    settings = load_settings({"QWENPORT_PORT": "2222", "QWENPORT_WORKERS": ""}, tmp_path)

    assert (settings.port, settings.host, settings.timezone, settings.workers) == (2222, "127.0.0.2", "UTC", 1)
    assert settings.warnings == ()


def test_folders_are_absolute_and_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"QWENPORT_DATA_DIR": "here", "QWENPORT_MODELS_DIR": "~/weights"}, tmp_path)

    assert settings.data_dir == tmp_path / "here"
    assert settings.models_dir == Path.home() / "weights"
    assert settings.admin_socket == tmp_path / "here" / "admin.sock"


def test_the_configuration_file_is_read_from_the_data_directory(tmp_path: Path) -> None:
    (tmp_path / "qwenport.toml").write_text(
        '[server]\nkeep_alive_s = 5\n[[routes]]\nmodel = "qwen-plus"\nto = ["llama/other"]\n'
    )
    settings = load_settings({"QWENPORT_DATA_DIR": str(tmp_path)}, tmp_path)

    assert settings.file == ConfigurationFile(
        server=ServerTable(keep_alive_s=5.0), routes=(RouteTable(model="qwen-plus", to=("llama/other",)),)
    )
    assert settings.routes == (RouteTable(model="qwen-plus", to=("llama/other",)),)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    given = {"QWENPORT_BOOTSTRAP_API_KEY": "sk-planted-0123456789", "QWENPORT_ADMIN_TOKEN": "planted-0123456789"}
    settings = load_settings(given, tmp_path)

    assert settings.bootstrap_api_key is not None
    assert settings.bootstrap_api_key.reveal() == "sk-planted-0123456789"
    assert "planted" not in repr(settings)


def test_proxies_are_addresses_and_ranges(tmp_path: Path) -> None:
    settings = load_settings({"QWENPORT_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1,::1"}, tmp_path)

    assert settings.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("127.0.0.1"),
        ipaddress.ip_network("::1"),
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("QWENPORT_PORT", "65536", "QWENPORT_PORT is `65536`; it must be a whole number from 0 to 65535"),
        ("QWENPORT_PORT", "-1", "QWENPORT_PORT is `-1`; it must be a whole number from 0 to 65535"),
        ("QWENPORT_PORT", "８６００", "QWENPORT_PORT is `８６００`; it must be a whole number from 0 to 65535"),  # noqa: RUF001 - digits that are not ASCII are the point
        ("QWENPORT_WORKERS", "0", "QWENPORT_WORKERS is `0`; it must be a whole number from 1 to 256"),
        ("QWENPORT_WORKERS", "2", "set QWENPORT_VALKEY_URL to a Valkey or Redis server, or set it to 1"),
        ("QWENPORT_TIMEZONE", "Beijing", "it must be an IANA name such as `Asia/Shanghai`"),
        ("QWENPORT_TIMEZONE", "../etc/passwd", "it must be an IANA name such as `Asia/Shanghai`"),
        ("QWENPORT_TRUSTED_PROXIES", "10.0.0.1/8", "write addresses or ranges like `10.0.0.0/8`, with commas"),
        ("QWENPORT_ADMIN_TOKEN", "short", "QWENPORT_ADMIN_TOKEN is 5 characters long; choose at least 16"),
        ("QWENPORT_ADMIN_TOKEN", "0123456789 abcdef", "must be ASCII without spaces"),
        (
            "QWENPORT_DATABASE_URL",
            "mysql://x",
            "QWENPORT_DATABASE_URL has the wrong form (9 characters); write it like `postgresql:",
        ),
        (
            "QWENPORT_VALKEY_URL",
            "localhost",
            "QWENPORT_VALKEY_URL has the wrong form (9 characters); write it like `redis:",
        ),
        ("QWENPORT_CONFIG", "/no/such/file", "QWENPORT_CONFIG is `/no/such/file`, which cannot be read"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(tmp_path: Path, name: str, value: str, words: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        load_settings({name: value}, tmp_path)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("[server", "[server]\nunknown = 1", "[server]\nstall_s = 'long'", "routes = 1", "\0"),
        *("[server]\ncall_s = 3501", "[server]\ncall_s = 0", "[server]\ncall_s = inf", "[server]\nkeep_alive_s = 0"),
        *("[server]\nstall_s = -1", "[server]\nbody_s = nan", "[server]\nheaders_s = 0", "[server]\ndrain_s = 1e9"),
        *("[[routes]]\nmodel = 'x'", "[[routes]]\nmodel = 'x'\nto = ['a/b']\nprice = 1"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(SettingInvalid, match=r"the configuration file .*mine\.toml is not valid: "):
        load_settings({"QWENPORT_CONFIG": str(path)}, tmp_path)


def test_names_that_have_no_effect_are_warned_about(tmp_path: Path) -> None:
    given = {"QWENPORT_PROT": "1", "QWENPORT_SOMETHING_ELSE": "1", "QWENPORT_ADMIN_PASSWORD": "hush"}
    warnings = load_settings(given, tmp_path).warnings

    assert warnings == (
        "QWENPORT_ADMIN_PASSWORD is set, but there is no console yet",
        "QWENPORT_PROT is no setting of Qwenport; did you mean QWENPORT_PORT?",
        "QWENPORT_SOMETHING_ELSE is no setting of Qwenport",
    )


def test_names_for_clients_are_no_mistake(tmp_path: Path) -> None:
    assert load_settings({"QWENPORT_URL": "http://x", "QWENPORT_API_KEY": "sk-x"}, tmp_path).warnings == ()


def test_folders_follow_the_base_directories_of_the_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert user_folder("XDG_DATA_HOME", ".local/share", "Application Support") == Path("/somewhere/qwenport")
    monkeypatch.setenv("XDG_DATA_HOME", "")
    assert user_folder("XDG_DATA_HOME", ".local/share", "Application Support") == Path.home() / ".local/share/qwenport"
    monkeypatch.setattr("sys.platform", "darwin")
    assert user_folder("XDG_DATA_HOME", ".local/share", "Application Support") == (
        Path.home() / "Library/Application Support/qwenport"
    )


def test_origins_are_written_as_browsers_send_them(tmp_path: Path) -> None:
    origins = "https://chat.example.com, http://localhost:3000,http://[::1]:8080, *"
    settings = load_settings({"QWENPORT_CORS_ORIGINS": origins}, tmp_path)

    assert settings.cors_origins == ("https://chat.example.com", "http://localhost:3000", "http://[::1]:8080", "*")


@pytest.mark.parametrize("origin", ["chat.example.com", "https://a.example/", "https://A.example", "null", "ftp://a"])
def test_what_no_browser_sends_as_an_origin_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(SettingInvalid, match="QWENPORT_CORS_ORIGINS holds"):
        load_settings({"QWENPORT_CORS_ORIGINS": f"https://b.example,{origin}"}, tmp_path)


def test_addresses_with_passwords_are_read_and_never_shown(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "QWENPORT_DATABASE_URL": "postgresql://me:hush@host/books",
            "QWENPORT_VALKEY_URL": "valkey://:hush@host:6379/0",
            "QWENPORT_WORKERS": "4",
        },
        tmp_path,
    )

    assert settings.workers == 4
    assert settings.database_url is not None
    assert settings.valkey_url is not None
    assert settings.database_url.reveal() == "postgresql://me:hush@host/books"
    assert settings.valkey_url.reveal() == "valkey://:hush@host:6379/0"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[[limits]]\nname = "a"\nunit = "gpu_hours"\nwindow = "day"\ncap = 1', "Invalid enum value 'gpu_hours'"),
        ('[[limits]]\nname = "a"\nunit = "requests"\nwindow = "fortnight"\ncap = 1', "Invalid enum value 'fortnight'"),
        (
            '[[limits]]\nname = "a"\nunit = "requests"\nwindow = "day"\ncap = 1\ncolour = "red"',
            "unknown field `colour`",
        ),
        ("[books]\nkeep_months = -1", "Expected `int` >= 0"),
    ],
)
def test_limits_and_books_of_the_configuration_file_that_this_version_does_not_know_are_refused(
    tmp_path: Path, table: str, words: str
) -> None:
    (tmp_path / "qwenport.toml").write_text(table)

    with pytest.raises(SettingInvalid, match=re.escape(words)):
        load_settings({"QWENPORT_CONFIG": str(tmp_path / "qwenport.toml")}, tmp_path)
