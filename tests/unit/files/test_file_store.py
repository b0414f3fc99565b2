"""The file store: what is kept, who finds it, what does not fit, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from qwenport.core.errors import FileNotFound, StorageUnavailable
from qwenport.core.ids import AccountId
from qwenport.core.stored_files import FailedUpload, FilePurpose, ListFiles, StoredFile, UploadFault
from qwenport.files import FileFolder, FileLimits, FileStore, NewFile, StoreParts, clean_up
from qwenport.files.limits import is_image
from qwenport.settings.configuration_file import FilesTable
from qwenport.storage.database import Database
from qwenport.testing.clock import FakeClock

T = TypeVar("T")
Make = Callable[..., FileStore]
Receive = Callable[..., Awaitable[NewFile]]
Names = Callable[[], list[str]]

pytestmark = pytest.mark.anyio

ME, OTHER = AccountId("acc-1"), AccountId("acc-2")
EVERY = (FilePurpose.NONE, FilePurpose.EXTRACT, FilePurpose.BATCH)
KEY = "dashscope-instant/x/2026-01-01/y/cat.png"


async def put(store: FileStore, file: NewFile, account_id: AccountId = ME) -> StoredFile:
    stored, failed = await store.keep(account_id, (file,))
    assert failed == ()
    return stored[0]


async def test_a_file_that_is_kept_reads_the_same_ever_after(
    make_store: Make, receive: Receive, clock: FakeClock, names: Names
) -> None:
    store = make_store()
    file = await put(store, await receive(store, b"some text"))
    found = await store.read(ME, file.id)

    assert file == StoredFile(
        id=file.id,
        name="a.txt",
        purpose=FilePurpose.EXTRACT,
        size_bytes=9,
        md5=hashlib.md5(b"some text", usedforsecurity=False).hexdigest(),
        created_at=clock.now(),
    )
    assert (found.file, found.path.read_bytes()) == (file, b"some text")
    assert names() == [f"accounts/acc-1/{file.id}"]
    assert [found.path.stat().st_mode & 0o777, found.path.parent.stat().st_mode & 0o777] == [0o600, 0o700]


@pytest.mark.parametrize(
    ("purpose", "prefix"),
    [("file-extract", "file-fe-"), ("batch", "file-batch-"), ("batch_output", "file-batch_output-"), ("", "")],
)
async def test_an_id_says_the_purpose(make_store: Make, receive: Receive, purpose: str, prefix: str) -> None:
    store = make_store()
    file = await put(store, await receive(store, b"1", purpose=purpose))

    assert file.id[: len(prefix)] == prefix
    assert len(file.id) == len(prefix) + 32


async def test_a_file_whose_receiver_leaves_while_it_is_begun_is_not_left_behind(
    make_store: Make, names: Names, eventually: Callable[..., None]
) -> None:
    beginning = asyncio.create_task(make_store().stage(None))
    await asyncio.sleep(0)
    # Waited for without letting the loop go on, so that the task cannot have been handed the file yet.
    eventually(names, "the file is on disk")
    beginning.cancel()

    with pytest.raises(asyncio.CancelledError):
        await beginning
    assert names() == []


async def test_nobody_finds_the_file_of_another_account(make_store: Make, receive: Receive) -> None:
    store = make_store()
    file = await put(store, await receive(store, b"mine"))
    upload = await put(store, await receive(store, b"mine", purpose="upload", key=KEY))
    attempts = [store.find(OTHER, file.id), store.read(OTHER, file.id), store.resolve_upload(OTHER, KEY)]
    words = [f"File not found: {file.id}"] * 2 + [f"File not found: oss://{KEY}"]

    for attempt, message in zip(attempts, words, strict=True):
        with pytest.raises(FileNotFound) as refusal:
            await attempt
        assert refusal.value.message == message
    await store.remove(OTHER, [file.id, upload.id])
    assert (await store.page(OTHER, ListFiles(purposes=EVERY))).total == 0
    assert await store.find(ME, file.id) == file
    assert (await store.resolve_upload(ME, KEY)).path.read_bytes() == b"mine"


async def test_an_upload_is_found_by_its_key_alone(make_store: Make, receive: Receive) -> None:
    store = make_store()
    upload = await put(store, await receive(store, b"pixels", purpose="upload", key=KEY))

    with pytest.raises(FileNotFound):
        await store.find(ME, upload.id)
    assert (await store.resolve_upload(ME, KEY)).file == upload
    assert (await store.page(ME, ListFiles(purposes=EVERY))).files == ()


async def test_a_key_is_never_overwritten(make_store: Make, receive: Receive, names: Names) -> None:
    store = make_store()
    first = await put(store, await receive(store, b"first", purpose="upload", key=KEY))
    second = await store.keep(ME, (await receive(store, b"second", purpose="upload", key=KEY),))

    words = "The object you specified already exists and can not be overwritten."
    assert second == ((), (FailedUpload(name="a.txt", fault=UploadFault.EXISTS, message=words),))
    assert (await store.resolve_upload(ME, KEY)).path.read_bytes() == b"first"
    assert names() == [f"accounts/acc-1/{first.id}"]


async def test_of_a_form_what_fits_is_stored_and_what_does_not_is_named(
    make_store: Make, receive: Receive, names: Names
) -> None:
    store = make_store(native_max_files=2, native_max_bytes=10, native_max_file_bytes=8)
    files = [await receive(store, bytes(size), name=f"{size}", purpose="") for size in (9, 6, 5, 4)]
    stored, failed = await store.keep(ME, files)
    again = await store.keep(ME, (await receive(store, b"", name="one more", purpose=""),))

    assert [file.name for file in stored] == ["6", "4"]
    assert failed == (
        FailedUpload(
            name="9", fault=UploadFault.TOO_LARGE, message="The file is too large: <9> B, at most <8> B are allowed."
        ),
        FailedUpload(
            name="5",
            fault=UploadFault.TOO_LARGE,
            message="Out of space, <6> B of <10> B storage space has been used.",
        ),
    )
    words = "Out of number, <2> of <2> files has been uploaded."
    assert again == ((), (FailedUpload(name="one more", fault=UploadFault.TOO_MANY, message=words),))
    assert names() == sorted(f"accounts/acc-1/{file.id}" for file in stored)


async def test_an_account_that_is_full_leaves_another_its_own_quota(make_store: Make, receive: Receive) -> None:
    store = make_store(native_max_files=1, max_files=1)
    for account_id in (ME, OTHER):
        for purpose in ("", "file-extract"):
            await put(store, await receive(store, b"1", purpose=purpose), account_id)

    stored, _ = await store.keep(ME, (await receive(store, b"1", purpose="batch"),))

    assert stored == ()


async def test_many_at_once_do_not_pass_a_quota(make_store: Make, receive: Receive) -> None:
    store = make_store(max_files=3)
    files = [await receive(store, b"1") for _ in range(8)]
    outcomes = await asyncio.gather(*(store.keep(ME, (file,)) for file in files))

    assert sum(len(stored) for stored, _ in outcomes) == 3


async def test_an_image_has_a_smaller_bound_than_a_document(make_store: Make, receive: Receive) -> None:
    store = make_store(max_document_bytes=100, max_image_bytes=20)
    document, image = await receive(store, bytes(50)), await receive(store, b"\x89PNG\r\n\x1a\n" + bytes(50))
    stored, failed = await store.keep(ME, (document, image))

    assert [file.size_bytes for file in stored] == [50]
    assert [failure.message for failure in failed] == ["The file is too large: <58> B, at most <20> B are allowed."]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xd8\xff\xe0", True),
        (b"BM", True),
        (b"RIFF\x00\x00\x00\x00WEBP", True),
        (b"RIFF\x00\x00\x00\x00WAVE", False),
        (b"\x00\x00\x00\x18ftypheic", True),
        (b"\x00\x00\x00\x18ftypmp42", False),
        (b"%PDF-1.7", False),
        (b"", False),
    ],
)
def test_images_are_told_by_their_first_bytes(head: bytes, expected: bool) -> None:
    assert is_image(head) is expected


async def test_the_limit_is_the_largest_while_the_purpose_is_not_known(make_store: Make) -> None:
    store = make_store(max_document_bytes=5, max_batch_bytes=9, native_max_file_bytes=7)
    staged = await store.stage(None)
    await staged.write(bytes(9))
    assert not staged.is_too_large

    await staged.write(b"1")

    assert staged.is_too_large


async def test_pages_follow_one_another_in_either_order(make_store: Make, receive: Receive, clock: FakeClock) -> None:
    store = make_store()
    ids = []
    for number in range(5):
        ids.append((await put(store, await receive(store, b"1", name=str(number)))).id)
        clock.advance(1 if number != 2 else 0)  # two of them within one millisecond
    newest_first = [file.id for file in (await store.page(ME, ListFiles(purposes=EVERY))).files]
    assert set(newest_first) == set(ids)
    assert (newest_first[0], newest_first[-1]) == (ids[4], ids[0])

    for oldest_first in (False, True):
        seen: list[str] = []
        has_more = True
        while has_more:
            wish = ListFiles(purposes=EVERY, after=seen[-1] if seen else "", limit=2, oldest_first=oldest_first)
            page = await store.page(ME, wish)
            seen += [file.id for file in page.files]
            has_more = page.has_more
            assert page.total == 5
        assert seen == (newest_first[::-1] if oldest_first else newest_first)


async def test_a_page_holds_the_purposes_that_are_asked_for_from_an_offset(make_store: Make, receive: Receive) -> None:
    store = make_store()
    batch = await put(store, await receive(store, b"1", purpose="batch"))
    await put(store, await receive(store, b"1"))

    page = await store.page(ME, ListFiles(purposes=(FilePurpose.BATCH,)))
    beyond = await store.page(ME, ListFiles(purposes=EVERY, offset=2))

    assert (page.files, page.total, page.has_more) == ((batch,), 1, False)
    assert (beyond.files, beyond.total, beyond.has_more) == ((), 2, False)
    with pytest.raises(FileNotFound):
        await store.page(ME, ListFiles(purposes=EVERY, after="file-fe-of-nobody"))


async def test_an_upload_lives_48_hours_and_is_then_removed(
    make_store: Make, receive: Receive, clock: FakeClock, names: Names
) -> None:
    store = make_store()
    upload = await put(store, await receive(store, b"1", purpose="upload", key=KEY))
    document = await put(store, await receive(store, b"1"))
    assert (upload.expires_at, document.expires_at) == (clock.now() + timedelta(hours=48), None)

    clock.advance(48 * 3600 - 1)
    await store.purge_expired()
    assert (await store.resolve_upload(ME, KEY)).file == upload

    clock.advance(1)
    with pytest.raises(FileNotFound):
        await store.resolve_upload(ME, KEY)
    await store.purge_expired()
    assert names() == [f"accounts/acc-1/{document.id}"]


async def test_other_files_expire_where_the_operator_says_so(
    make_store: Make, receive: Receive, clock: FakeClock, names: Names
) -> None:
    store = make_store(keep_days=1)
    mine, other = await put(store, await receive(store, b"1")), await put(store, await receive(store, b"1"), OTHER)
    clock.advance(24 * 3600)
    for account_id, file in ((ME, mine), (OTHER, other)):
        with pytest.raises(FileNotFound):
            await store.find(account_id, file.id)
    assert (await store.page(ME, ListFiles(purposes=EVERY))).total == 0

    await store.purge_expired()

    assert names() == []


async def test_a_deleted_file_makes_room(make_store: Make, receive: Receive, names: Names) -> None:
    store = make_store(max_files=1)
    file = await put(store, await receive(store, b"1"))
    await store.remove(ME, [file.id])

    assert names() == []
    assert await put(store, await receive(store, b"1"))


async def test_more_files_are_removed_at_once_than_a_statement_can_name(make_store: Make, receive: Receive) -> None:
    store = make_store()
    file = await put(store, await receive(store, b"1"))
    await store.remove(ME, [*(f"file-fe-{number}" for number in range(40_000)), file.id])

    assert (await store.page(ME, ListFiles(purposes=EVERY))).total == 0


async def test_a_row_whose_bytes_are_gone_is_no_file(make_store: Make, receive: Receive) -> None:
    store = make_store()
    file = await put(store, await receive(store, b"1"))
    (await store.read(ME, file.id)).path.unlink()

    with pytest.raises(FileNotFound):
        await store.read(ME, file.id)


async def test_what_a_crash_left_half_done_is_cleared_away_at_the_start(
    make_store: Make, receive: Receive, database: Database, tmp_path: Path, names: Names
) -> None:
    store = make_store()
    whole, without_bytes = [await put(store, await receive(store, b"1")) for _ in range(2)]
    accounts = tmp_path / "files" / "accounts"
    (accounts / "acc-1" / without_bytes.id).unlink()
    (accounts / "acc-1" / "file-fe-without-row").write_bytes(b"1")
    (accounts / "acc-of-nobody").mkdir()
    (accounts / "acc-of-nobody" / "file-fe-without-row").write_bytes(b"1")
    (tmp_path / "files" / "incoming" / "half").write_bytes(b"1")

    clean_up(database, FileFolder(tmp_path / "files"), owns_rows=False)

    assert names() == [f"accounts/acc-1/{whole.id}", "secret"]
    assert set((await store.page(ME, ListFiles(purposes=EVERY))).files) == {whole, without_bytes}

    clean_up(database, FileFolder(tmp_path / "files"), owns_rows=True)

    assert (await store.page(ME, ListFiles(purposes=EVERY))).files == (whole,)


async def test_a_database_that_refuses_leaves_no_bytes(
    make_store: Make, receive: Receive, database: Database, tmp_path: Path, names: Names
) -> None:
    store = make_store()
    file = await receive(store, b"1")
    connection = sqlite3.connect(tmp_path / "qwenport.db")
    connection.execute("DROP TABLE stored_files")
    connection.close()

    with pytest.raises(StorageUnavailable):
        await store.keep(ME, (file,))

    assert names() == []


async def test_keeping_goes_on_when_whoever_waits_is_cancelled(
    database: Database, folder: FileFolder, clock: FakeClock, receive: Receive
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def run(work: Callable[[], T]) -> T:
        reached.set()
        await go_on.wait()
        return work()

    limits = FileLimits(FilesTable(least_free_bytes=0))
    store = FileStore(StoreParts(database=database, run=run, folder=folder, limits=limits, clock=clock))
    waiting = asyncio.create_task(store.keep(ME, (await receive(store, b"1"),)))
    await reached.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    await store.close()

    assert (await store.page(ME, ListFiles(purposes=EVERY))).total == 1
