"""`qwenport ocr`: reads images and PDFs on this machine, without a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from qwenport.cli.arguments import AsJson
from qwenport.cli.context import CommandFailed, settings
from qwenport.core.ocr import OcrTask

_Flag = Parameter(negative=())


def ocr(
    *files: Path,
    task: OcrTask | None = None,
    schema: Path | None = None,
    json: AsJson = False,
    draw: Path | None = None,
    fast: Annotated[bool, _Flag] = False,
    turn: Annotated[bool, _Flag] = False,
) -> int:
    """Read images and PDFs on this machine, without a server; the exit code is 1 when one of them cannot be read.

    Args:
        files: images, PDFs, or folders of them.
        task: what to do with the text, by the names of the API; the text itself where it is left out.
        schema: a JSON file with the fields that are wanted, for `key_information_extraction`.
        json: print JSON, with the place of each line and of each value.
        draw: write a picture of the page with a box around each line to this PNG file; of further pages beside it.
        fast: use the small, quick model, which is more often wrong; `qwenport models pull pp-ocrv6-tiny` fetches it.
        turn: turn pages upright first, by what they show.
    """
    # They import the engines, which takes a second.
    from qwenport.cli.ocr_desk import Errand  # noqa: PLC0415 - see above
    from qwenport.cli.ocr_run import read_files  # noqa: PLC0415 - see above

    if not files:
        raise CommandFailed("name at least one image, PDF or folder")
    if schema is not None and task not in {None, OcrTask.KEY_INFORMATION_EXTRACTION}:
        raise CommandFailed(f"`--schema` is for `key_information_extraction`; the task is `{task}`")
    if task is OcrTask.FORMULA_RECOGNITION:
        raise CommandFailed("`formula_recognition` needs a vision model behind a server; nothing here reads formulae")
    errand = Errand(
        task=OcrTask.KEY_INFORMATION_EXTRACTION if schema is not None else task,
        schema=b"" if schema is None else _schema(schema),
        is_json=json,
        drawing=draw,
        is_fast=fast,
        turns=turn,
    )
    return asyncio.run(read_files(files, errand, settings()))


def _schema(path: Path) -> bytes:
    """Return a file of fields, which is looked at before any page is read."""
    from qwenport.documents.fields import SchemaInvalid, parse_schema  # noqa: PLC0415 - for this option alone

    try:
        content = path.read_bytes()
        parse_schema(content)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error
    except SchemaInvalid as error:
        raise CommandFailed(f"{path}: {error}") from error
    return content
