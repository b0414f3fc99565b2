"""Small documents, made byte by byte."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence


def pdf(*pages: str, count: int | None = None) -> bytes:
    """Return a PDF with a line of text on each page; `count` repeats the last page."""
    kids = " ".join(f"{4 + 2 * min(number, len(pages) - 1)} 0 R" for number in range(count or len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {count or len(pages)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, text in enumerate(pages):
        objects += _page(text, parent=2, contents=5 + 2 * number)
    return _document(objects)


def with_deep_pages(text: str, depth: int) -> bytes:
    """Return a PDF of one page, so many branches of its tree away from the catalog."""
    page = 3 + depth
    root, *branches = (f"<</Type/Pages/Count 1/Kids[{below} 0 R]>>".encode() for below in range(4, page + 1))
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    of_page = _page(text, parent=max(page - 1, 2), contents=page + 1)
    return _document([b"<</Type/Catalog/Pages 2 0 R>>", root, font, *branches, *of_page])


def with_endless_pages() -> bytes:
    """Return a PDF whose pages are below themselves."""
    return _document([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[2 0 R]>>"])


def with_deep_lists(document: bytes, depth: int) -> bytes:
    """Return a PDF of `pdf` with lists in lists, so many levels of them, which mean nothing."""
    return document.replace(b"<</Type/Catalog", b"<</Type/Catalog/Deep " + b"[" * depth + b"]" * depth)


def _page(text: str, *, parent: int, contents: int) -> list[bytes]:
    """Return a page and what stands on it, of which the latter has this number; object 3 is the font."""
    content = f"BT /F 24 Tf 20 100 Td ({text}) Tj ET".encode()
    return [
        b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 612 200]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
        % (parent, contents),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
    ]


def _document(objects: Sequence[bytes]) -> bytes:
    body = b"%PDF-1.4\n"
    offsets = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def with_script(document: bytes) -> bytes:
    """Return a PDF of `pdf` that runs JavaScript without end where a reader runs any."""
    action = b"/OpenAction<</S/JavaScript/JS(while\\(true\\){app.alert\\(1\\)})>>"
    return document.replace(b"<</Type/Catalog", b"<</Type/Catalog" + action)


def with_password(document: bytes) -> bytes:
    """Return a PDF of `pdf` that a reader without its password cannot open."""
    key = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>"
    number = b"<" + b"00" * 16 + b">"
    return document.replace(b"/Root 1 0 R", b"/Root 1 0 R/ID[" + number + number + b"]" + key)


def docx(paragraph: str, times: int = 1) -> bytes:
    """Return a Word document of this paragraph, over and over."""
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as body:
        body.write(f'<w:document xmlns:w="{namespace}"><w:body>'.encode())
        for _ in range(times):
            body.write(f"<w:p><w:r><w:t>{paragraph}</w:t></w:r></w:p>".encode())
        body.write(b"</w:body></w:document>")
    return file.getvalue()


def archive(name: str) -> bytes:
    """Return an archive with one small file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(name, b"x")
    return file.getvalue()
