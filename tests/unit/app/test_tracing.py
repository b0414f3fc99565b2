"""What is said of traces that cannot be sent as they are configured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qwenport.app.refusal import StartRefused
from qwenport.app.tracing import check_traces
from qwenport.core.secret import Secret
from qwenport.observability.otlp import read_headers
from qwenport.settings.settings import SettingInvalid, Settings, load_settings


def settings(folder: Path, lines: str, **variables: str) -> Settings:
    file = folder / "qwenport.toml"
    file.write_text(f"[traces]\n{lines}\n", "utf-8")
    return load_settings({"QWENPORT_CONFIG": str(file), **variables}, folder)


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "ftp://host", "http://", "http://user:password@host/", "grpc"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="`endpoint` of \\[traces\\] must be an address such as"):
        settings(tmp_path, f'endpoint = "{endpoint}"')


@pytest.mark.parametrize("headers", ["secret-word", "=secret-word", "na me=secret-word", "a=1,b=secret%0Aword"])
def test_headers_that_are_none_are_refused_without_being_shown(headers: str, tmp_path: Path) -> None:
    found = settings(tmp_path, 'endpoint = "http://h"\nheaders_env = "COLLECTOR"', COLLECTOR=headers)

    with pytest.raises(StartRefused, match=r"^\[traces\]: part [12] of the variable that `headers_env`") as refused:
        check_traces(found)

    assert "secret" not in str(refused.value)


def test_headers_are_read_as_opentelemetry_writes_them() -> None:
    assert read_headers(Secret("Api-Key = a%2Cb%3D , x-team=blue,")) == {"api-key": "a,b=", "x-team": "blue"}


def test_traces_without_opentelemetry_are_refused_in_words_and_nothing_else_needs_it(tmp_path: Path) -> None:
    settings(tmp_path, 'endpoint = "http://127.0.0.1:4318"')
    program = f"""
import sys
sys.modules["opentelemetry"] = None
from pathlib import Path
import qwenport.app.worker
from qwenport.app.tracing import check_traces
from qwenport.settings.settings import load_settings
check_traces(load_settings({{}}, Path("{tmp_path}")))
try:
    check_traces(load_settings({{"QWENPORT_CONFIG": "{tmp_path}/qwenport.toml"}}, Path("{tmp_path}")))
except Exception as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == (
        "[traces] has an `endpoint`, but OpenTelemetry is not installed: install it with "
        "`pip install 'qwenport[traces]'`, or take the endpoint out"
    )
