"""Another configuration while the server runs: what changes, what waits, and what a mistake leaves as it was."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from qwenport.app.reload import Configuration, Reload, read_configuration
from qwenport.core.secret import Secret
from qwenport.pipeline.inspection.words import WordList
from qwenport.server.admin.parts import Reloaded
from qwenport.settings.settings import Settings, load_settings

SMALL = "llama/smollm2-135m-instruct"
VLLM = '[[upstreams]]\nname = "vllm"\nkind = "openai"\nbase_url = "http://gpu/v1"\n'
OTHER = '[[upstreams]]\nname = "other"\nkind = "openai"\nbase_url = "http://gpu2/v1"\n'
ROUTE = '[[routes]]\nmodel = "qwen-plus"\nto = ["{}"]\n'
OWN = """
name = "own-model"
description = "ours"
family = "own"
released = 2026-01-02
context_tokens = 1_000
max_input_tokens = 900
max_output_tokens = 100
"""
ENGINE = f"""
[weights]
source = "file:/models/own.gguf"
sha256 = "{"0" * 64}"
size_bytes = 5
licence = "Apache-2.0"

[engine]
kind = "llama"
context_tokens = 500
slots = 2
"""


class Installation:
    """A data directory with its files, and a server that started with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"QWENPORT_DATA_DIR": str(folder)}
        (folder / "catalog").mkdir()

    def write(self, configuration: str, *, dotenv: str = "") -> None:
        (self.folder / "qwenport.toml").write_text(configuration)
        (self.folder / ".env").write_text(dotenv)

    def write_model(self, text: str) -> None:
        (self.folder / "catalog" / "own.toml").write_text(text)

    def settings(self) -> Settings:
        return load_settings(self.environment, self.folder)

    def started(self) -> Reload:
        return Reload(read_configuration(self.settings()), self.settings)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def taken(reload: Reload) -> tuple[Configuration, Reloaded]:
    found = reload.read()
    reload.take(found[0])
    return found


def test_where_nothing_changed_nothing_is_told(installation: Installation) -> None:
    installation.write(VLLM + ROUTE.format("vllm"))
    reload = installation.started()

    assert reload.read() == (reload.in_force, Reloaded())


def test_upstreams_routes_and_tables_that_changed_are_in_force(installation: Installation) -> None:
    installation.write(VLLM + OTHER + ROUTE.format("vllm"))
    reload = installation.started()
    third = OTHER.replace("other", "third")
    limit = '[[limits]]\nname = "a"\nunit = "requests"\nwindow = "day"\ncap = 1\n'
    installation.write(
        VLLM.replace("gpu", "gpu9")
        + third
        + ROUTE.format("third")
        + limit
        + "[retries]\ntries = 1\n[queue]\nlength = 1\n"
        "[cache]\nmax_bytes = 9\n[check]\noutput = false\n"
    )
    configuration, told = taken(reload)

    assert told == Reloaded(
        changed=(
            "upstream `other` is gone",
            "upstream `third` is new",
            "upstream `vllm`",
            "routes of `qwen-plus`",
            "[retries]",
            "[queue]",
            "[cache]",
            "[check]",
            "[[limits]]",
        )
    )
    assert configuration.catalog.resolve("qwen-plus").route == ("third/qwen-plus",)
    assert [place.name for place in configuration.places] == ["vllm", "third"]
    assert (configuration.settings.file.retries.tries, len(configuration.limits)) == (1, 1)
    assert taken(reload) == (configuration, Reloaded())


def test_a_new_key_in_dotenv_is_in_force_and_not_shown(installation: Installation) -> None:
    text = VLLM + 'api_key_env = "VLLM_API_KEY"\n' + ROUTE.format("vllm")
    installation.write(text, dotenv="VLLM_API_KEY=first")
    reload = installation.started()
    installation.write(text, dotenv="VLLM_API_KEY=hush-2")
    configuration, told = taken(reload)

    assert told == Reloaded(changed=("key of the upstream `vllm`",))
    assert configuration.settings.upstream_keys == {"vllm": Secret("hush-2")}
    assert "hush" not in repr(configuration)


def test_other_words_in_the_same_file_are_in_force(installation: Installation) -> None:
    words = installation.folder / "words.txt"
    words.write_text("forbidden\n")
    installation.write('[check]\nwords_file = "words.txt"\n')
    reload = installation.started()
    words.write_text("also forbidden\n")
    configuration, told = taken(reload)

    assert (told, configuration.words) == (Reloaded(changed=("words of [check]",)), WordList(["also forbidden"]))
    words.unlink()
    assert taken(reload)[1].error.startswith("[check]: `words_file`")


def test_secrets_of_the_check_are_in_force_and_those_of_traces_wait(installation: Installation) -> None:
    text = '[check]\nwebhook = "http://check/x"\nwebhook_secret_env = "HOOK"\n[traces]\nheaders_env = "OTLP"\n'
    installation.write(text, dotenv="HOOK=a\nOTLP=b\n")
    reload = installation.started()
    installation.write(text, dotenv="HOOK=c\nOTLP=d\n")

    assert taken(reload)[1] == Reloaded(changed=("secret of [check]",), needs_restart=("headers of [traces]",))


def test_other_certificates_in_the_same_file_make_another_upstream(installation: Installation) -> None:
    authorities = Path(certifi.where()).read_text()
    (installation.folder / "ca.pem").write_text(authorities)
    installation.write(VLLM.replace("http:", "https:") + 'ca_file = "ca.pem"\n')
    reload = installation.started()
    (installation.folder / "ca.pem").write_text(authorities + "\n")

    assert taken(reload)[1] == Reloaded(changed=("upstream `vllm`",))


def test_a_route_whose_price_alone_changed_is_told(installation: Installation) -> None:
    installation.write(ROUTE.format(SMALL))
    reload = installation.started()
    installation.write(ROUTE.format(SMALL) + "price = 0\n")
    configuration, told = taken(reload)

    assert told.changed == ("routes of `qwen-plus`",)
    assert configuration.catalog.resolve("qwen-plus").costs_nothing


def test_what_is_read_at_the_start_alone_is_named_and_stays(installation: Installation) -> None:
    installation.write("")
    reload = installation.started()
    installation.write("[server]\nkeep_alive_s = 1\n[retries]\ntries = 1\n")
    installation.environment["QWENPORT_PORT"] = "9"
    configuration, told = taken(reload)

    assert told == Reloaded(changed=("[retries]",), needs_restart=("QWENPORT_PORT", "[server]"))
    assert (configuration.settings.port, configuration.settings.file.server.keep_alive_s) == (8600, 15.0)
    assert taken(reload)[1] == Reloaded(needs_restart=("QWENPORT_PORT", "[server]"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server", "is not valid"),
        (VLLM + 'api_key_env = "ABSENT"\n', "names ABSENT, which is not set"),
        (VLLM.replace("http://gpu", "http://gpu.example.com"), "in clear text"),
        ('[check]\nwebhook = "http://check.example.com/"\n', "[check]: `webhook` is a public address without TLS"),
        (VLLM.replace('"vllm"', '"llama"'), "upstream `llama`: its name is that of a kind of engine"),
        (VLLM.replace('"vllm"', '"ocr"'), "upstream `ocr`: its name is that of a kind of engine"),
        (ROUTE.format("nowhere"), "names `nowhere`"),
        ('[[limits]]\nname = ""\nunit = "requests"\nwindow = "day"\ncap = 1\n', "each needs a name of its own"),
    ],
)
def test_a_configuration_with_a_mistake_changes_nothing(installation: Installation, text: str, words: str) -> None:
    installation.write(VLLM + ROUTE.format("vllm"))
    reload = installation.started()
    begun = reload.in_force
    installation.write(text + "[retries]\ntries = 1\n")
    configuration, told = taken(reload)

    assert words in told.error
    assert (told.changed, told.needs_restart, configuration) == ((), (), begun)


def test_a_route_to_an_engine_that_was_not_started_leaves_routes_and_upstreams(installation: Installation) -> None:
    installation.write_model(OWN + 'route = ["llama/smollm2-135m-instruct"]\n' + ENGINE)
    installation.write("")
    reload = installation.started()
    installation.write(VLLM + ROUTE.format("llama/own-model") + "[retries]\ntries = 1\n")
    configuration, told = taken(reload)

    assert told == Reloaded(
        changed=("[retries]",),
        needs_restart=("upstreams and routes: they lead to llama/own-model, which this server did not start",),
    )
    assert configuration.catalog.resolve("qwen-plus").route == (SMALL,)
    assert (configuration.places, configuration.settings.upstreams) == ((), ())


def test_other_model_files_wait_for_a_restart_with_what_builds_on_them(installation: Installation) -> None:
    installation.write(VLLM)
    reload = installation.started()
    installation.write_model(OWN)
    installation.write(VLLM + '[[routes]]\nmodel = "own-model"\nto = ["vllm"]\n')
    configuration, told = taken(reload)

    assert told == Reloaded(needs_restart=("model files, and with them upstreams and routes",))
    assert "own-model" not in configuration.catalog.cards
