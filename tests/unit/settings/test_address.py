"""Where clients reach the server, and what the table of files bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenport.settings.configuration_file import FilesTable
from qwenport.settings.settings import SettingInvalid, load_settings


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "http://127.0.0.1:8600"),
        ({"QWENPORT_HOST": "0.0.0.0"}, "http://127.0.0.1:8600"),  # noqa: S104 - read, not bound
        ({"QWENPORT_HOST": "::"}, "http://[::1]:8600"),
        ({"QWENPORT_HOST": "10.0.0.5"}, "http://10.0.0.5:8600"),
        ({"QWENPORT_PUBLIC_URL": "https://qwen.example.com/"}, "https://qwen.example.com"),
        ({"QWENPORT_PUBLIC_URL": "http://[fd00::1]:8080/below/"}, "http://[fd00::1]:8080/below"),
    ],
)
def test_clients_are_told_the_public_address_or_the_one_that_is_listened_on(
    tmp_path: Path, variables: dict[str, str], address: str
) -> None:
    assert load_settings(variables, tmp_path).address(8600) == address


@pytest.mark.parametrize(
    "value", ["qwen.example.com", "ftp://host", "https://", "https://host/?a=b", "https://host path", "https://a@b/"]
)
def test_a_public_address_that_clients_cannot_call_is_refused_in_words(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingInvalid) as refusal:
        load_settings({"QWENPORT_PUBLIC_URL": value}, tmp_path)

    assert str(refusal.value) == (
        f"QWENPORT_PUBLIC_URL is `{value}`; write the address that clients use, such as `https://host/path`"
    )


def test_bounds_of_files_are_read_and_checked(tmp_path: Path) -> None:
    (tmp_path / "qwenport.toml").write_text("[files]\nmax_files = 5\nform_s = 60\n", "utf-8")
    settings = load_settings({"QWENPORT_DATA_DIR": str(tmp_path)}, tmp_path)
    assert settings.file.files == FilesTable(max_files=5, form_s=60.0)
    assert settings.stored_files == tmp_path / "files"

    (tmp_path / "qwenport.toml").write_text("[files]\nmax_bytes = -1\n", "utf-8")
    with pytest.raises(SettingInvalid, match=r"Expected `int` >= 0 - at `\$\.files\.max_bytes`"):
        load_settings({"QWENPORT_DATA_DIR": str(tmp_path)}, tmp_path)
