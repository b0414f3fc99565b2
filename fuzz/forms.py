"""Multipart forms, good and bad ones."""

from __future__ import annotations

from random import Random

from fuzz.mutations import mutate_bytes

_NAMES = (
    b"a.txt",
    b"a.jsonl",
    "文件.pdf".encode(),
    b"",
    b"../x",
    b"a\x00b",
    b"a" * 300,
    b"a\\b",
    b'a\\"b',
    b".",
    b"..",
)
_FIELDS = (b"file", b"files", b"purpose", b"descriptions", b"other", b"", b"key", b"policy")
_PURPOSES = (b"file-extract", b"batch", b"fine-tune", b"", b"\xff", b"file-extract" * 1000)
_CONTENTS = (b"", b"Hello.", b"\x00" * 1000, b'{"custom_id":"1"}\n', b"%PDF-1.4\n", b"\xff" * 70_000, b"\r\n--b--\r\n")


def form(random: Random) -> tuple[bytes, bytes]:
    """Return a content type and a body, most of them nearly good."""
    boundary = random.choice((b"b", b"----WebKitFormBoundary7MA4YWxkTrZu0gW", b"x" * 70, b"'()+_,-./:=?"))
    parts = [_field(b"purpose", random.choice(_PURPOSES))] if random.random() < 0.8 else []
    for _ in range(random.choice((0, 1, 1, 1, 2, 5))):
        name = random.choice(_FIELDS[:2]) if random.random() < 0.8 else random.choice(_FIELDS)
        parts.append(_file(random, name))
    if random.random() < 0.1:
        parts *= random.choice((2, 300))
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    if random.random() < 0.4:
        body = mutate_bytes(random, body)
    return _content_type(random, boundary), body


def _content_type(random: Random, boundary: bytes) -> bytes:
    if random.random() < 0.85:
        return b'multipart/form-data; boundary="' + boundary + b'"'
    return random.choice(
        (
            b"multipart/form-data",
            b"multipart/form-data; boundary=",
            b"multipart/form-data; boundary=other",
            b"multipart/mixed; boundary=" + boundary,
            b"application/json",
            b"",
            b"multipart/form-data; boundary=\xff",
            b"multipart/form-data; boundary=" + b"x" * 300,
        )
    )


def _field(name: bytes, value: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value


def _file(random: Random, field: bytes) -> bytes:
    name = random.choice(_NAMES[:3]) if random.random() < 0.7 else random.choice(_NAMES)
    lines = [b'Content-Disposition: form-data; name="' + field + b'"; filename="' + name + b'"']
    if random.random() < 0.1:
        lines.append(b"Content-Transfer-Encoding: base64")
    if random.random() < 0.1:
        lines.append(b"X-Long: " + b"y" * random.choice((100, 9000)))
    return b"\r\n".join(lines) + b"\r\n\r\n" + random.choice(_CONTENTS)
