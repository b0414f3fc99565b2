"""Documents read by real child processes."""

from __future__ import annotations

import asyncio
import zlib
from pathlib import Path

import pytest

from qwenport.core.content import FilePart, TextPart
from qwenport.core.errors import InputTooLong
from qwenport.media.documents import _output, _TextTooLong
from qwenport.settings.configuration_file import MediaTable
from qwenport.testing.child_processes import children, environment_of, only_linux, started_child
from qwenport.testing.image_site import IMAGE
from qwenport.testing.made_documents import archive, docx, pdf
from qwenport.testing.media_table import STRANGER, Table, card, stored

pytestmark = pytest.mark.anyio

FILE = FilePart(id="file-fe-1")
READ_HERE = "File [id:file-fe-1] format is not supported. (text, PDF and DOCX are read here)"
BROKEN = (
    "File [id:file-fe-1] format is not supported. "
    "(it is damaged, protected by a password, or takes too much time or memory to read)"
)


def of_file(path: Path, content: bytes, **others: object) -> Table:
    return Table(files={"file-fe-1": stored(path / "document", content)}, **others)  # type: ignore[arg-type]  # fields of Table


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a,b\n1,2\n", "a,b\n1,2\n"),
        ("条款".encode("gb18030"), "条款\n"),
        (pdf("Rent 1200", "Page two"), "Rent 1200\nPage two\n"),
        (docx("Lease \u6761\u6b3e"), "Lease \u6761\u6b3e\n"),
    ],
    ids=["text", "gb18030", "pdf", "docx"],
)
async def test_a_document_becomes_its_text(tmp_path: Path, content: bytes, text: str) -> None:
    assert await of_file(tmp_path, content).load(FILE) == (TextPart(text=text),)


async def test_a_file_of_nobody_or_of_somebody_else_is_named_and_refused(tmp_path: Path) -> None:
    table = of_file(tmp_path, b"text", account=STRANGER)

    assert await table.refusal(FILE) == "Invalid file [id:file-fe-1]."
    assert await Table().refusal(FILE) == "Invalid file [id:file-fe-1]."
    table = of_file(tmp_path, b"text")
    (tmp_path / "document").unlink()
    assert await table.refusal(FILE) == "Invalid file [id:file-fe-1]."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x7fELF\x00\x00", READ_HERE),
        (IMAGE, READ_HERE),
        (b"{\\rtf1 text}", READ_HERE),
        (archive("xl/workbook.xml"), READ_HERE),
        (b"PK\x03\x04 is no archive", BROKEN),
        (b"%PDF-1.7 is no document", BROKEN),
        (b"", "File [id:file-fe-1] content blank."),
        (b" \n", "File [id:file-fe-1] content blank."),
        (pdf(""), "File [id:file-fe-1] content blank."),
        (pdf("x", count=15_001), "File [id:file-fe-1] exceeds page limits (15000 pages)."),
    ],
    ids=["program", "image", "rtf", "sheet", "archive", "damaged", "empty", "spaces", "scan", "pages"],
)
async def test_what_holds_no_text_that_can_be_read_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    assert await of_file(tmp_path, content).refusal(FILE) == words


@pytest.mark.parametrize("content", [b"a" * 10_001, pdf("a" * 10_001), docx("a" * 10_001)], ids=["text", "pdf", "docx"])
async def test_text_has_a_ceiling_of_the_model_and_one_of_the_operator(tmp_path: Path, content: bytes) -> None:
    table = of_file(tmp_path, content, card=card(10_000 // 16))
    with pytest.raises(InputTooLong, match=r"Range of input length should be \[1, 625\]"):
        await table.load(FILE)

    bounds = MediaTable(max_text_bytes=10_000)
    assert await of_file(tmp_path, content, bounds=bounds).refusal(FILE) == "File [id:file-fe-1] exceeds size limit."


async def test_the_documents_of_a_call_share_a_ceiling(tmp_path: Path) -> None:
    files = {f"file-fe-{n}": stored(tmp_path / f"{n}", b"a" * 6_000, f"file-fe-{n}") for n in (1, 2)}
    table = Table(files=files, bounds=MediaTable(max_text_bytes=10_000))

    assert await table.load(FILE, FILE) == (TextPart(text="a" * 6_000 + "\n"),) * 2
    assert await table.refusal(FILE, FilePart(id="file-fe-2")) == "File [id:file-fe-2] exceeds size limit."


async def test_a_call_names_a_hundred_files_at_most() -> None:
    assert await Table().refusal(*[FILE] * 101) == "Too many files provided."


async def test_an_archive_that_unpacks_without_end_ends_its_reader_alone(tmp_path: Path) -> None:
    bomb = docx("a" * 100_000, times=3_000)
    assert len(bomb) < 2_000_000
    table = of_file(tmp_path, bomb, card=card(10_000_000))

    assert await table.refusal(FILE) == "File [id:file-fe-1] exceeds size limit."


CHILD = "qwenport.media.document_child"


@only_linux
async def test_a_document_that_takes_too_long_is_given_up_with_its_process(tmp_path: Path) -> None:
    table = of_file(tmp_path, pdf("x", count=15_000), bounds=MediaTable(document_s=0.05))

    assert await table.refusal(FILE) == BROKEN
    assert children(CHILD) == set()


@only_linux
async def test_a_client_that_leaves_ends_the_process_that_reads_its_document(tmp_path: Path) -> None:
    table = of_file(tmp_path, pdf("x", count=15_000))
    loading = asyncio.create_task(table.load(FILE))
    environment = environment_of(await started_child(CHILD))
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading

    assert (environment, children(CHILD)) == (b"", set())


async def test_a_process_that_writes_more_than_it_may_is_not_believed() -> None:
    written = asyncio.StreamReader()
    written.feed_data(b"a" * 11)
    written.feed_eof()

    with pytest.raises(_TextTooLong):
        await _output(written, 10)


@only_linux
async def test_the_process_that_reads_a_document_has_little_memory(tmp_path: Path) -> None:
    stream = zlib.compress(b"BT /F 24 Tf 20 100 Td (text) Tj ET" + b" " * 200_000_000, 1)
    small = b"<</Length 34>>stream\nBT /F 24 Tf 20 100 Td (text) Tj ET\nendstream"
    large = b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream)
    content = pdf("text").replace(small, large)
    assert len(content) > 200_000

    assert await of_file(tmp_path, content).load(FILE) == (TextPart(text="text\n"),)
    bounds = MediaTable(document_memory_bytes=128 << 20)
    assert await of_file(tmp_path, content, bounds=bounds).refusal(FILE) == BROKEN
