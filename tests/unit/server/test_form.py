"""Reading multipart forms: every way of cutting them gives the same, and every way of breaking them has its words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from qwenport.core.errors import BodyNotForm, BodyTooLarge, BodyTooSlow, Draining, ParameterInvalid, QwenportError
from qwenport.server.asgi import Message
from qwenport.server.client_gone import ClientGone
from qwenport.server.form import (
    DRAIN_BYTES,
    MAX_FIELD_BYTES,
    MAX_FIELDS_BYTES,
    MAX_PARTS,
    Fields,
    FilePart,
    FormBounds,
    FormReader,
)

pytestmark = pytest.mark.anyio

TYPE = {"content-type": 'multipart/form-data; boundary="edge"'}
BOUNDS = FormBounds(size_bytes=1 << 20, piece_s=20.0, total_s=20.0)


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.content = b""

    async def write(self, piece: bytes) -> None:
        self.content += piece


class Taker:
    """Takes every file, and notes what was known of the form then."""

    def __init__(self) -> None:
        self.files: list[tuple[FilePart, Kept]] = []
        self.known: list[dict[str, tuple[str, ...]]] = []

    async def __call__(self, part: FilePart, fields: Fields) -> Kept:
        self.files.append((part, Kept()))
        self.known.append(dict(fields))
        return self.files[-1][1]

    @property
    def contents(self) -> list[tuple[str, str, bytes]]:
        return [(part.field, part.name, kept.content) for part, kept in self.files]


def part(head: str, content: bytes = b"") -> bytes:
    return b"--edge\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"


END = b"--edge--\r\n"
FORM = (
    part('name="purpose"', "文件".encode())
    + part('name="file"; filename="a b.txt"', b"\r\n--edg\r\n --edge\r\n\r\r\n--edg")
    + part('name="descriptions"', b"one")
    + part('name="descriptions"', b"two")
    + part('name="file"; filename="empty"')
    + END
)
FIELDS = {"purpose": ("文件",), "descriptions": ("one", "two")}
FILES = [("file", "a b.txt", b"\r\n--edg\r\n --edge\r\n\r\r\n--edg"), ("file", "empty", b"")]


def arriving(pieces: Iterable[bytes], *, ends: bool = True) -> Callable[[], Awaitable[Message]]:
    """Return a `receive` that gives the pieces one by one, and then waits for ever where the body does not end."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages += [{"type": "http.request", "body": b"", "more_body": False}] if ends else []

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return receive


async def refusal(pieces: Sequence[bytes], headers: dict[str, str] | None = None) -> QwenportError:
    with pytest.raises(QwenportError) as caught:
        await FormReader(BOUNDS).read(arriving(pieces), headers or TYPE, Taker())
    return caught.value


def words(reason: str) -> str:
    return f"Required body invalid, please check the request body format. ({reason})"


@examples(max_examples=60)
@given(cuts=st.lists(st.integers(0, len(FORM)), max_size=12))
async def test_a_form_reads_the_same_however_it_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(FORM)]
    take = Taker()
    fields = await FormReader(BOUNDS).read(arriving(FORM[a:b] for a, b in pairwise(edges)), TYPE, take)

    assert (fields, take.contents) == (FIELDS, FILES)
    assert take.known == [{"purpose": ("文件",)}, FIELDS]


@pytest.mark.parametrize("length", [1, len(FORM) // 2, len(FORM) - len(END), len(FORM) - 6])
async def test_a_form_that_ends_too_early_is_refused(length: int) -> None:
    error = await refusal([FORM[:length]])

    assert (type(error), error.message) == (BodyNotForm, words("it ends before its last boundary"))


async def test_an_empty_body_and_one_of_another_form_are_refused() -> None:
    for body in ([], [b"{}"], [b"a=1&b=2" * 100], [FORM.replace(b"--edge", b"--other")]):
        assert type(await refusal(body)) is BodyNotForm


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("", "the Content-Type must be multipart/form-data"),
        ("application/json", "the Content-Type must be multipart/form-data"),
        ("multipart/mixed; boundary=edge", "the Content-Type must be multipart/form-data"),
        ("multipart/form-data", "the Content-Type names no usable boundary"),
        ('multipart/form-data; boundary=""', "the Content-Type names no usable boundary"),
        (f"multipart/form-data; boundary={'x' * 257}", "the Content-Type names no usable boundary"),
    ],
)
async def test_what_is_no_form_by_its_type_is_refused(content_type: str, reason: str) -> None:
    error = await refusal([FORM], {"content-type": content_type})

    assert error.message == words(reason)


@pytest.mark.parametrize(
    "broken",
    [
        b"--edge\r\nContent-Type: text/plain\r\n\r\nno name\r\n" + END,
        b"--edge\r\nContent-Disposition: attachment; name=x\r\n\r\n1\r\n" + END,
        b"--edge\r\nnonsense\r\n\r\n1\r\n" + END,
        b"--edge\nContent-Disposition: form-data; name=x\n\n1\n--edge--\n",
        b"--edge\r\nContent-Disposition: form-data; name=\xff\r\n\r\n1\r\n" + END,
        b"--edge\r\n" + b"X-Long: " + b"x" * 10_000 + b"\r\n\r\n1\r\n" + END,
        part('name="x"', b"\xff") + END,
        part('name="x"', b"1" * (MAX_FIELD_BYTES + 1)) + END,
        part('name="x"') * (MAX_PARTS + 1) + END,
        b"--edge\r\nContent-Disposition: form-data; name=f; filename=f\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"MQ==\r\n" + END,
    ],
)
async def test_a_broken_form_is_refused(broken: bytes) -> None:
    assert type(await refusal([broken])) is BodyNotForm


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('name="file"; filename="账单.pdf"', "账单.pdf"),
        ("name=file; filename=plain.txt", "plain.txt"),
        ('name="file"; filename="a%22b.txt"', 'a"b.txt'),
        ('name="file"; filename="%E8.pdf"; filename*=UTF-8\'\'%E8%B4%A6.pdf', "账.pdf"),
        ("name=\"file\"; filename*=utf-8''%2Fetc%2Fpasswd", "/etc/passwd"),
        ('name="file"; filename=""', ""),
    ],
)
async def test_file_names_are_read_as_clients_write_them(head: str, name: str) -> None:
    take = Taker()
    await FormReader(BOUNDS).read(arriving([part(head, b"1") + END]), TYPE, take)

    assert take.contents == [("file", name, b"1")]


async def test_a_form_that_is_declared_or_turns_out_too_long_is_refused() -> None:
    declared = TYPE | {"content-length": str(BOUNDS.size_bytes + 1)}

    assert type(await refusal([], declared)) is BodyTooLarge
    assert type(await refusal([part('name="f"; filename="f"', bytes(BOUNDS.size_bytes)) + END])) is BodyTooLarge


async def test_a_form_that_stands_still_or_takes_too_long_is_given_up() -> None:
    for bounds, seconds in (
        (FormBounds(size_bytes=1000, piece_s=0.01, total_s=20.0), 0.01),
        (FormBounds(size_bytes=1000, piece_s=20.0, total_s=0.02), 0.02),
    ):
        with pytest.raises(BodyTooSlow) as caught:
            await FormReader(bounds).read(arriving([FORM[:50]], ends=False), TYPE, Taker())
        assert caught.value.message == BodyTooSlow(seconds).message


async def test_a_client_that_leaves_in_the_middle_is_gone() -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": FORM[:50], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    with pytest.raises(ClientGone):
        await FormReader(BOUNDS).read(receive, TYPE, Taker())


async def test_the_rest_of_a_refused_form_is_read_so_that_the_client_sees_why() -> None:
    async def refuse(part: FilePart, fields: Fields) -> Kept:
        raise ParameterInvalid("not this one")

    pieces = [part('name="f"; filename="f"'), *(b"x" * 1000 for _ in range(20))]
    unread = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    unread.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return unread.pop(0)

    with pytest.raises(ParameterInvalid, match="not this one"):
        await FormReader(BOUNDS).read(receive, TYPE, refuse)

    assert unread == []


async def test_of_a_refused_form_no_more_is_read_than_is_reasonable() -> None:
    async def refuse(part: FilePart, fields: Fields) -> Kept:
        raise ParameterInvalid("not this one")

    piece = bytes(1 << 20)
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {
            "type": "http.request",
            "body": piece if read > 1 else part('name="f"; filename="f"'),
            "more_body": True,
        }

    with pytest.raises(ParameterInvalid, match="not this one"):
        await FormReader(FormBounds(size_bytes=1 << 40, piece_s=20.0, total_s=20.0)).read(receive, TYPE, refuse)

    assert read == 1 + DRAIN_BYTES // len(piece)


async def test_forms_are_broken_off_when_the_server_ends_and_none_is_begun_any_more() -> None:
    forms = FormReader(BOUNDS)
    reading = [asyncio.create_task(forms.read(arriving([FORM[:50]], ends=False), TYPE, Taker())) for _ in range(2)]
    await asyncio.sleep(0)
    forms.break_off()

    ends = await asyncio.gather(*reading, forms.read(arriving([], ends=False), TYPE, Taker()), return_exceptions=True)

    assert [type(end) for end in ends] == [Draining] * 3


@pytest.mark.parametrize(("more", "is_refused"), [(b"", False), (b"1", True)])
async def test_fields_hold_no_more_than_a_bound_together(more: bytes, is_refused: bool) -> None:
    fields = part('name="x"', b"1" * MAX_FIELD_BYTES) * (MAX_FIELDS_BYTES // MAX_FIELD_BYTES) + part('name="y"', more)
    reader = FormReader(FormBounds(size_bytes=MAX_FIELDS_BYTES * 2, piece_s=5, total_s=5))
    refused: QwenportError | None = None
    try:
        await reader.read(arriving([fields + END]), TYPE, Taker())
    except QwenportError as error:
        refused = error

    reason = f"its fields hold more than {MAX_FIELDS_BYTES} bytes together"
    assert (refused and refused.message) == (words(reason) if is_refused else None)
