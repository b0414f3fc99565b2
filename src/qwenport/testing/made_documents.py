"""Small documents, made byte by byte."""

from __future__ import annotations

import io
import zipfile


def pdf(*pages: str, count: int | None = None) -> bytes:
    """Return a PDF with a line of text on each page; `count` repeats the last page."""
    kids = " ".join(f"{4 + 2 * min(number, len(pages) - 1)} 0 R" for number in range(count or len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {count or len(pages)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, text in enumerate(pages):
        content = f"BT /F 24 Tf 20 100 Td ({text}) Tj ET".encode()
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 200]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>"
            % (5 + 2 * number),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        ]
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
