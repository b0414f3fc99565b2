"""`[media]` of the configuration file: what is taken, and what is refused before the server starts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qwenport.settings.configuration_file import MediaTable
from qwenport.settings.settings import SettingInvalid, load_settings

DOCS = Path(__file__).parents[3] / "docs"


def media(folder: Path, lines: str) -> MediaTable:
    (folder / "qwenport.toml").write_text(f"[media]\n{lines}\n")
    return load_settings({"QWENPORT_DATA_DIR": str(folder)}, folder).file.media


def test_bounds_are_read_from_the_configuration_file(tmp_path: Path) -> None:
    hosts = ("images.corp", "nas", "my_host", "10.1.0.0/16", "127.0.0.1", "fd00::/8", "::1")
    lines = f"private_hosts = {list(hosts)}\nfetch_s = 2\nmax_images = 0"

    assert media(tmp_path, lines) == MediaTable(private_hosts=hosts, fetch_s=2.0, max_images=0)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            'private_hosts = ["10.1.2.3/16"]',
            "private_hosts holds `10.1.2.3/16`; write names of hosts, addresses, or ranges such as `10.0.0.0/8`",
        ),
        ('private_hosts = ["http://images.corp"]', "private_hosts holds `http://images.corp`"),
        ('private_hosts = [""]', "private_hosts holds ``"),
        ('private_hosts = "images.corp"', "Expected `array`, got `str`"),
        ("fetch_s = 0", "Expected `float` > 0.0"),
        ("document_s = -1.0", "Expected `float` > 0.0"),
        ("max_images = -1", "Expected `int` >= 0"),
        ("max_call_bytes = -1", "Expected `int` >= 0"),
        ("max_text_bytes = -1", "Expected `int` >= 0"),
        ("document_memory_bytes = 1000", "Expected `int` >= 134217728"),
        ("unknown = 1", "unknown field `unknown`"),
    ],
)
def test_a_bound_that_cannot_be_meant_is_refused(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        media(tmp_path, lines)

    assert words in str(caught.value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_has_a_row_for_each_bound_and_its_defaults(language: str, tmp_path: Path) -> None:
    page = (DOCS / language / "operations.md").read_text("utf-8")
    block = re.split(r"\n\[|```", page.partition("\n[media]\n")[2])[0]

    assert media(tmp_path, block) == MediaTable()
    assert set(re.findall(r"^(\w+) =", block, re.MULTILINE)) == set(MediaTable.__struct_fields__)
    assert all(f"| `{name}` |" in page for name in MediaTable.__struct_fields__)
