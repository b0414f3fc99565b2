"""The text of Word documents."""

from __future__ import annotations

import io
import zipfile

import pytest

from qwenport.media.document_ending import DocumentEnded, Ending
from qwenport.media.docx_text import docx_texts

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
MARKUP = "http://schemas.openxmlformats.org/markup-compatibility/2006"


def document(body: str, namespace: str = WORD) -> bytes:
    return f'<w:document xmlns:w="{namespace}" xmlns:mc="{MARKUP}"><w:body>{body}</w:body></w:document>'.encode()


def archive(content: bytes, name: str = "word/document.xml") -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, content)
    return file


def text_of(file: io.BytesIO) -> str:
    return "".join(docx_texts(file))


def ending_of(file: io.BytesIO) -> Ending:
    with pytest.raises(DocumentEnded) as caught:
        text_of(file)
    return caught.value.ending


@pytest.mark.parametrize("namespace", [WORD, STRICT])
def test_paragraphs_become_lines_and_runs_are_joined(namespace: str) -> None:
    body = (
        "<w:p><w:r><w:t>The </w:t></w:r><w:r><w:t>lease</w:t><w:tab/><w:t>&amp;</w:t></w:r></w:p>"
        "<w:p><w:r><w:delText>gone</w:delText><w:t>房租</w:t><w:br/><w:t>due</w:t></w:r></w:p>"
    )

    assert text_of(archive(document(body, namespace))) == "The lease\t&\n房租\ndue\n"


def test_rows_of_tables_become_lines_with_tabs_between_cells() -> None:
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    body = "<w:tbl>" + "".join(f"<w:tr>{cell.format(a)}{cell.format(b)}</w:tr>" for a, b in ("ab", "cd")) + "</w:tbl>"

    assert text_of(archive(document(body))) == "a \tb \t\nc \td \t\n"


def test_what_is_written_twice_for_old_readers_is_read_once() -> None:
    run = "<w:p><w:r><w:t>box</w:t></w:r></w:p>"
    body = f"<mc:AlternateContent><mc:Choice>{run}</mc:Choice><mc:Fallback>{run}</mc:Fallback></mc:AlternateContent>"

    assert text_of(archive(document(body))) == "box\n"


def test_text_of_other_vocabularies_is_not_read() -> None:
    assert text_of(archive(document('<x:t xmlns:x="urn:x">no</x:t><w:p><w:t>yes</w:t></w:p>'))) == "yes\n"


def test_a_long_document_comes_in_pieces() -> None:
    paragraphs = "".join(f"<w:p><w:r><w:t>line {number}</w:t></w:r></w:p>" for number in range(5_000))
    pieces = list(docx_texts(archive(document(paragraphs))))

    assert len(pieces) > 2
    assert "".join(pieces) == "".join(f"line {number}\n" for number in range(5_000))


def test_another_archive_is_no_document() -> None:
    assert ending_of(archive(b"<x/>", "xl/workbook.xml")) is Ending.UNSUPPORTED


@pytest.mark.parametrize(
    "content",
    [
        b"<w:document",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
    ],
)
def test_damaged_documents_and_such_with_entities_are_given_up(content: bytes) -> None:
    assert ending_of(archive(content)) is Ending.UNREADABLE


def test_a_damaged_archive_is_given_up() -> None:
    whole = archive(document("<w:p><w:t>text</w:t></w:p>" * 100)).getvalue()

    assert ending_of(io.BytesIO(whole[:100])) is Ending.UNREADABLE
    assert ending_of(io.BytesIO(whole[:60] + b"\xff" * 20 + whole[80:])) is Ending.UNREADABLE


@pytest.mark.parametrize("tag", ['<w:t x="{}"/>', "<!--{}-->"])
def test_a_tag_that_never_ends_is_given_up(tag: str) -> None:
    # The parser would look through all of it again with every piece, for half a minute where it has 200 MB.
    assert ending_of(archive(document(tag.format("a" * 2_000_000)))) == Ending.UNREADABLE
    assert text_of(archive(document(tag.format("a" * 900_000) + "<w:p><w:r><w:t>Hi</w:t></w:r></w:p>"))) == "Hi\n"
