"""The requests of a run: each follows from the seed, the face and its number alone."""

from __future__ import annotations

import re
from random import Random
from typing import Any
from urllib.parse import quote

from fuzz.asked import Asked, Leaves
from fuzz.corpus import good_bodies
from fuzz.forms import form
from fuzz.mutations import mutate_json, odd_text, odd_value
from qwenport.faces.face import CallOperation, Face, Operation, UploadOperation
from qwenport.testing.gateway import KEY

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW", "get")
_CONTENT_TYPES = (
    b"text/plain",
    b"",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=b",
    b"\xff",
    b"*/*",
)
_KEYS = (b"", b"Bearer", b"Bearer ", b"Bearer sk-unknown", b"Basic abc", b"Bearer " + b"x" * 5000, b"Bearer \xff")
_SWITCHES = (b"x-dashscope-sse", b"x-dashscope-async", b"x-dashscope-ossresourceresolve", b"x-dashscope-workspace")
_OTHER_HEADERS = (
    b"x-dashscope-encryptionkey",
    b"accept",
    b"expect",
    b"x-forwarded-for",
    b"content-encoding",
    b"x-request-id",
)
_HEADER_VALUES = (
    b"enable",
    b"enable",
    b"ENABLE ",
    b"disable",
    b"",
    b"\xff\xfe",
    b"ws-1",
    b"x" * 2000,
    b"true",
    b"1, 2",
)
_IDS = ("file-fe-1", "resp_1", "qwen-plus", "a%2Fb", "%00", "%FF", "..", "a" * 3000, "%F0%9F%8C%8D", "%0A", "{x}", "*")
_QUERY_NAMES = ("limit", "after", "order", "purpose", "page_no", "page_size", "model", "action", "stream", "x", "")
_QUERY_VALUES = (
    "0",
    "1",
    "2",
    "-1",
    "10",
    "1e3",
    "999999999999999999999",
    "desc",
    "asc",
    "batch",
    "getPolicy",
    "qwen-plus",
)
_LEAVES: tuple[Leaves, ...] = ("in the body", "before the answer", "in the answer")


class Requests:
    """The requests to one face; some ask for what earlier ones stored."""

    def __init__(self, face: Face, seed: int) -> None:
        self._face = face
        self._seed = seed
        # Operations with bodies are what the decoders are for; the others are asked now and then.
        self._operations = [each for each in face.operations for _ in range(6 if good_bodies(face, each.name) else 1)]
        self.known_ids: list[str] = []
        """Ids that answers have told lately."""

    def make(self, number: int) -> Asked:
        """Return one request of the run."""
        return self.make_by(Random(f"{self._seed}/{self._face.name}/{number}"))

    def make_by(self, random: Random) -> Asked:
        """Return the request that follows from a source of randomness."""
        operation = random.choice(self._operations)
        path = re.sub(r"\{[^}]*\}", lambda _: self._id(random), operation.path)
        headers, body = _body(random, self._face, operation)
        method = operation.method
        asked_for: Operation | None = operation
        if random.random() < 0.02:
            method, asked_for = random.choice(_METHODS), None
        if random.random() < 0.02:
            path, asked_for = path + random.choice(("/", "/x", "//", "%2F", "/../x", "\\", ";a=b")), None
        leaves: Leaves = random.choice(_LEAVES) if random.random() < 0.03 else "never"
        return Asked(
            face=self._face,
            operation=asked_for,
            method=method,
            path=path,
            query=_query(random, operation),
            headers=(*_headers(random), *headers),
            body=body,
            pieces=random.choice((1, 1, 1, 2, 7)),
            leaves=leaves,
        )

    def _id(self, random: Random) -> str:
        if self.known_ids and random.random() < 0.6:
            return quote(random.choice(self.known_ids), safe="")
        return random.choice(_IDS)


def _body(random: Random, face: Face, operation: Operation) -> tuple[list[tuple[bytes, bytes]], bytes]:
    if isinstance(operation, UploadOperation):
        content_type, body = form(random)
    else:
        bodies = good_bodies(face, operation.name)
        content_type = b"application/json"
        body = mutate_json(random, random.choice(bodies)) if bodies else b""
        if not bodies and random.random() < 0.05:
            body = mutate_json(random, odd_value(random))
    if random.random() < 0.05:
        content_type = random.choice(_CONTENT_TYPES)
    length = b"%d" % len(body)
    # What is no number at all the server's HTTP parser refuses before the application hears of it.
    if random.random() < 0.01:
        length = random.choice((b"0", b"1", b"99999999999", b"18446744073709551615"))
    headers = [(b"content-type", content_type), (b"content-length", length)]
    if isinstance(operation, CallOperation) and face.name == "dashscope" and random.random() < 0.5:
        headers.append((b"x-dashscope-sse", b"enable"))
    return headers, body


def _headers(random: Random) -> list[tuple[bytes, bytes]]:
    headers = [(b"host", b"gateway")]
    if random.random() < 0.97:
        headers.append(
            (b"authorization", b"Bearer " + KEY.encode()) if random.random() < 0.8 else (b"x-api-key", KEY.encode())
        )
    else:
        headers.append((b"authorization", random.choice(_KEYS)))
    if random.random() < 0.05:
        headers.append((random.choice(_SWITCHES), random.choice(_HEADER_VALUES)))
    if random.random() < 0.05:
        headers.append((random.choice(_OTHER_HEADERS), random.choice(_HEADER_VALUES)))
    return headers


def _query(random: Random, operation: Operation) -> str:
    declared: list[Any] = [each.name for each in operation.description.query]
    if not declared and random.random() < 0.95:
        return ""
    names = random.choices([*declared, *declared, *_QUERY_NAMES], k=random.choice((0, 1, 2, 5)))
    pairs = [
        f"{name}={random.choice(_QUERY_VALUES) if random.random() < 0.7 else quote(odd_text(random)[:500])}"
        for name in names
    ]
    return "&".join(pairs)
