"""Files over real sockets: the official clients as judges, then every form that is broken."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import dashscope
import httpx
import openai
import pytest
from dashscope import v2
from dashscope.common.error import UploadFileException
from dashscope.utils.oss_utils import OssUtils
from dashscope.v2.errors import NotFoundError

from qwenport.accounts import Accounts, ApiKeys, CreateAccount, CreateKey
from qwenport.core.call import ChatInput
from qwenport.core.caller import AccountKind
from qwenport.core.content import Picture
from qwenport.core.errors import FileNotFound
from qwenport.core.events import ChoiceFinished, Delta, Event, Finished, FinishReason, Started
from qwenport.core.ids import AccountId
from qwenport.core.prepared_call import PreparedCall
from qwenport.core.stored_files import FilePurpose
from qwenport.core.usage import Usage
from qwenport.files import NewFile
from qwenport.server.public import UPLOAD_HOST
from qwenport.settings.configuration_file import ConfigurationFile, FilesTable, ServerTable
from qwenport.storage.records import AccountRecord
from qwenport.testing.clock import FakeClock
from qwenport.testing.gateway import KEY, Gateway, Plan, bearer, running_gateway
from qwenport.testing.raw_client import PATIENCE_S, request_bytes
from qwenport.testing.scripted_engine import ScriptedEngine

T = TypeVar("T")

pytestmark = pytest.mark.anyio

TARGET = "llama/smollm2-135m-instruct"
WHOLE: tuple[Event, ...] = (
    Started(served_by=TARGET, input_tokens=7),
    Delta(text="A cat."),
    ChoiceFinished(reason=FinishReason.STOP, tokens=1),
    Finished(usage=Usage(input_tokens=7, output_tokens=2)),
)
TABLE = FilesTable(
    max_document_bytes=3000,
    max_image_bytes=500,
    max_batch_bytes=4000,
    max_files=20,
    native_max_files=3,
    native_max_file_bytes=2000,
    upload_max_file_bytes=5000,
    least_free_bytes=0,
)
NATIVE_FILES: Any = dashscope.Files
"""The 1.x client, whose classes are not typed as they are used."""
CONVERSATION: Any = dashscope.MultiModalConversation
COMPATIBLE = "/compatible-mode/v1/files"
NATIVE = "/api/v1/files"
MULTIPART = {"content-type": "multipart/form-data; boundary=edge"}


def png(width: int, height: int) -> bytes:
    """Return a grey image."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress((b"\0" + b"\x7f" * width) * height))
        + chunk(b"IEND", b"")
    )


@dataclass(frozen=True, kw_only=True)
class House:
    """A gateway and what asks it."""

    gateway: Gateway
    engine: ScriptedEngine
    clock: FakeClock

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"

    def openai(self, key: str = KEY) -> openai.OpenAI:
        return openai.OpenAI(api_key=key, base_url=f"{self.url}/compatible-mode/v1", max_retries=0)

    def native(self, key: str = KEY) -> dict[str, str]:
        """Return the arguments that lead a 1.x call here."""
        return {"api_key": key, "base_address": f"{self.url}/api/v1"}

    def stored(self) -> list[str]:
        """Return every file below the folder but the secret."""
        root = self.gateway.folder / "files"
        return sorted(each.name for each in root.rglob("*") if each.is_file() and each.name != "secret")

    async def post(
        self, path: str, body: bytes, headers: dict[str, str] | None = None, key: str = KEY
    ) -> tuple[int, Any]:
        """Post bytes and return status and body."""
        async with self.gateway.client() as client:
            answer = await client.ask(
                "POST", path, {**bearer(key), **(MULTIPART if headers is None else headers)}, body
            )
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.status, json.loads(answer.body) if is_json else answer.body.decode()

    async def stranger(self) -> str:
        """Return the key of another account."""
        parts = (self.gateway.database, self.clock, self.gateway.plan.ids)
        wish = CreateAccount(email="b@b", name="other", kind=AccountKind.METERED)
        account = Accounts(*parts).create("operator", wish)
        key = ApiKeys(*parts).create("operator", CreateKey(account_id=account.id))
        await self.gateway.keeper.follow()
        return key.key.reveal()


def first_account(house: House) -> AccountRecord:
    """Return the account of the first start."""
    return Accounts(house.gateway.database, house.clock, house.gateway.plan.ids).every()[0]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """Run a gateway whose bounds are small."""
    engine = ScriptedEngine(lambda _: WHOLE, target=TARGET)
    clock = FakeClock()
    configuration = ConfigurationFile(files=TABLE, server=ServerTable(body_s=5.0))
    plan = Plan(engines=[engine], clock=clock, configuration=configuration)
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    async with running_gateway(data_dir, plan) as gateway:
        running = House(gateway=gateway, engine=engine, clock=clock)
        monkeypatch.setattr(dashscope, "base_http_api_url", f"{running.url}/api/v1")
        yield running
        await gateway.idle()


sent = partial(httpx.request, timeout=PATIENCE_S)


async def call(work: Callable[[], T]) -> T:
    """Run a blocking client beside the gateway."""
    return await asyncio.to_thread(work)


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


# --- openai ---


async def test_openai_creates_lists_retrieves_and_deletes(house: House, tmp_path: Path) -> None:
    document = write(tmp_path, "账单 1.txt", b"opening balance")

    def use() -> list[Any]:
        with house.openai() as client:
            made = client.files.create(file=document, purpose="file-extract")  # type: ignore[arg-type]  # Model Studio's own
            batch = client.files.create(file=("a.jsonl", b"{}"), purpose="batch")
            listed = client.files.list().data
            pages = [each.id for each in client.files.list(limit=1, order="asc")]
            batches = client.files.list(purpose="batch").data
            found = client.files.retrieve(made.id)
            gone = client.files.delete(made.id)
            return [made, batch, listed, pages, batches, found, gone, client.files.list().data]

    made, batch, listed, pages, batches, found, gone, left = await call(use)

    assert made.to_dict() == {
        "id": made.id,
        "bytes": 15,
        "created_at": 1767225600,
        "filename": "账单 1.txt",
        "object": "file",
        "purpose": "file-extract",
        "status": "processed",
        "status_details": None,
    }
    assert (made.id[:8], batch.id[:11]) == ("file-fe-", "file-batch-")
    assert {each.id for each in listed} == set(pages) == {made.id, batch.id}
    assert (batches, found, left) == ([batch], made, [batch])
    assert gone.to_dict() == {"id": made.id, "object": "file", "deleted": True}
    assert house.stored() == [batch.id]


async def test_openai_gets_the_content_of_results_alone(house: House) -> None:
    store = house.gateway.house._files
    staged = await store.stage(FilePurpose.BATCH_OUTPUT)
    await staged.write(b"line\n" * 200_000)
    account = first_account(house)
    (output,), _ = await store.keep(
        account.id, (NewFile(staged=staged, name="结果.jsonl", purpose=FilePurpose.BATCH_OUTPUT),)
    )

    def use() -> tuple[bytes, str, openai.BadRequestError]:
        with house.openai() as client:
            content = client.files.content(output.id)
            document = client.files.create(file=("a.txt", b"1"), purpose="file-extract")  # type: ignore[arg-type]  # Model Studio's own
            with pytest.raises(openai.BadRequestError) as refusal:
                client.files.content(document.id)
            return content.read(), content.response.headers["content-disposition"], refusal.value

    content, disposition, refusal = await call(use)

    assert content == b"line\n" * 200_000
    assert disposition == "attachment; filename*=UTF-8''%E7%BB%93%E6%9E%9C.jsonl"
    assert refusal.body == {
        "message": "Not allowed to download files of purpose: file-extract",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_parameter_error",
    }


async def test_openai_sees_why_a_file_is_refused_and_nothing_is_kept(house: House) -> None:
    def messages() -> list[str]:
        with house.openai() as client:
            found = []
            attempts: list[tuple[Any, Any]] = [
                (("a.txt", b"1"), "assistants"),
                (("a.txt", bytes(3001)), "file-extract"),
                (("a.png", png(10, 10) + bytes(500)), "file-extract"),
                (("a.jsonl", bytes(4001)), "batch"),
                (("../a.txt", b"1"), "file-extract"),
            ]
            for file, purpose in attempts:
                with pytest.raises(openai.BadRequestError) as refusal:
                    client.files.create(file=file, purpose=purpose)
                found.append(str(refusal.value.body["message"]))  # type: ignore[index]  # the envelope's inside
            return found

    assert await call(messages) == [
        "'purpose' must be one of file-extract, batch.",
        "The file is too large: <3001> B, at most <3000> B are allowed.",
        f"The file is too large: <{len(png(10, 10)) + 500}> B, at most <500> B are allowed.",
        "The file is too large: <4001> B, at most <4000> B are allowed.",
        "The file name `../a.txt` is a path; send the last part of it only.",
    ]
    assert house.stored() == []


async def test_openai_finds_nothing_of_another_account(house: House) -> None:
    stranger = await house.stranger()

    def use() -> tuple[str, list[str], list[Any]]:
        with house.openai() as mine, house.openai(stranger) as theirs:
            file = mine.files.create(file=("a.txt", b"1"), purpose="file-extract")  # type: ignore[arg-type]  # Model Studio's own
            words = []
            for file_id in (file.id, "file-fe-of-nobody"):
                for ask in (theirs.files.retrieve, theirs.files.delete, theirs.files.content):
                    with pytest.raises(openai.BadRequestError) as refusal:
                        ask(file_id)
                    words.append(refusal.value.body["message"].replace(file_id, "ID"))  # type: ignore[index]  # as above
            return file.id, words, theirs.files.list().data

    file_id, words, listed = await call(use)

    assert (set(words), listed, house.stored()) == ({"File not found: ID"}, [], [file_id])


# --- dashscope ---


async def test_dashscope_uploads_lists_gets_and_deletes(house: House, tmp_path: Path) -> None:
    path = str(write(tmp_path, "a.txt", b"some text"))

    def use() -> list[Any]:
        first = NATIVE_FILES.upload(path, purpose="inference", description="mine", **house.native())
        file_id = first.output["uploaded_files"][0]["file_id"]
        listed = NATIVE_FILES.list(page_size=1, **house.native())
        found = NATIVE_FILES.get(file_id, **house.native())
        gone = NATIVE_FILES.delete(file_id, **house.native())
        missing = NATIVE_FILES.get(file_id, **house.native())
        return [first, listed, found, gone, missing]

    first, listed, found, gone, missing = await call(use)
    file_id = first.output["uploaded_files"][0]["file_id"]
    described = {
        "file_id": file_id,
        "name": "a.txt",
        "description": "mine",
        "size": 9,
        "md5": "552e21cd4cd9918678e3c1a0df491bc3",
        "gmt_create": "2026-01-01 00:00:00",
        "url": "",
        "purpose": "",
    }

    assert first.output == {"uploaded_files": [{"file_id": file_id, "name": "a.txt"}], "failed_uploads": []}
    assert listed.output == {"total": 1, "page_no": 1, "page_size": 1, "files": [described]}
    assert found.output == described
    assert [answer.status_code for answer in (first, listed, found, gone)] == [200] * 4
    assert (missing.status_code, missing.code, missing.message) == (400, "InvalidParameter", "File not found.")
    assert house.stored() == []


async def test_the_second_client_uploads_lists_gets_and_deletes(house: House, tmp_path: Path) -> None:
    path = str(write(tmp_path, "a.txt", b"some text"))

    def use() -> list[Any]:
        client: Any = v2.Client(api_key=KEY, base_url=f"{house.url}/api/v1", protocol="native")
        made = client.files.upload(file_path=path, purpose="inference", description="mine")
        listed = client.files.list()
        found = client.files.get(made.file_id)
        gone = client.files.delete(made.file_id)
        with pytest.raises(NotFoundError) as missing:
            client.files.get(made.file_id)
        client.close()
        return [made, listed, found, gone, missing.value]

    made, listed, found, gone, missing = await call(use)

    assert (made.name, listed.total_count, gone.deleted) == ("a.txt", 1, True)
    assert (found.file_id, found.name, found.size) == (made.file_id, "a.txt", 9)
    assert listed.files[0].file_id == made.file_id
    assert (missing.status_code, missing.code) == (400, "InvalidParameter")


async def test_a_native_form_of_several_files_says_of_each_what_became_of_it(house: House) -> None:
    contents = {"a.txt": 10, "large.txt": 2001, "b.txt": 1, "c.txt": 1, "one-too-many.txt": 1}

    def use() -> httpx.Response:
        files = [("files", (name, bytes(size))) for name, size in contents.items()]
        data = {"descriptions": ["first", "second", "third"]}
        return sent("POST", f"{house.url}{NATIVE}", headers=dict(bearer()), files=files, data=data)

    answer = (await call(use)).json()["data"]
    listed = await call(lambda: NATIVE_FILES.list(**house.native()).output["files"])

    assert [each["name"] for each in answer["uploaded_files"]] == ["a.txt", "b.txt", "c.txt"]
    assert answer["failed_uploads"] == [
        {
            "name": "large.txt",
            "code": "BadRequest.TooLarge",
            "message": "The file is too large: <2001> B, at most <2000> B are allowed.",
        },
        {
            "name": "one-too-many.txt",
            "code": "BadRequest.TooMany",
            "message": "Out of number, <3> of <3> files has been uploaded.",
        },
    ]
    assert {each["name"]: each["description"] for each in listed} == {"a.txt": "first", "b.txt": "third", "c.txt": ""}
    assert len(house.stored()) == 3


async def test_a_native_file_of_a_purpose_is_one_of_both_faces(house: House) -> None:
    def use() -> tuple[str, list[str]]:
        form = {"purpose": "file-extract"}
        made = sent(
            "POST", f"{house.url}{NATIVE}", headers=dict(bearer()), files={"files": ("a.txt", b"1")}, data=form
        ).json()
        with house.openai() as client:
            return made["data"]["uploaded_files"][0]["file_id"], [each.id for each in client.files.list()]

    file_id, listed = await call(use)

    assert listed == [file_id]
    assert file_id.startswith("file-fe-")


# --- uploads ---


async def test_a_local_image_reaches_the_model_through_the_upload_host(house: House, tmp_path: Path) -> None:
    image = png(60, 40)
    path = write(tmp_path, "猫 1.png", image)
    messages = [{"role": "user", "content": [{"image": f"file://{path}"}, {"text": "What is it?"}]}]

    answer = await call(lambda: CONVERSATION.call("qwen-vl-max", messages, api_key=KEY))

    assert (answer.status_code, answer.output.choices[0].message.content) == (200, [{"text": "A cat."}])
    prepared: PreparedCall = house.engine.calls[-1]
    assert isinstance(prepared.call.input, ChatInput)
    (picture,) = prepared.call.input.images
    assert isinstance(picture, Picture)
    assert (picture.data, picture.width, picture.height) == (image, 60, 40)
    assert len(house.stored()) == 1


async def grant(house: House, key: str = KEY) -> dict[str, str]:
    async with house.gateway.client() as client:
        answer = await client.ask("GET", "/api/v1/uploads?action=getPolicy&model=qwen-vl-max", bearer(key))
    assert answer.status == 200
    leave: dict[str, str] = json.loads(answer.body)["data"]
    return leave


def form_of(leave: dict[str, str], name: str = "a.png", **changes: str) -> dict[str, str]:
    """Return the fields in the order of the official client."""
    fields = {
        "OSSAccessKeyId": leave["oss_access_key_id"],
        "Signature": leave["signature"],
        "policy": leave["policy"],
        "key": f"{leave['upload_dir']}/{name}",
        "x-oss-object-acl": leave["x_oss_object_acl"],
        "x-oss-forbid-overwrite": leave["x_oss_forbid_overwrite"],
        "success_action_status": "200",
        "x-oss-content-type": "image/png",
    }
    return {field: changes.get(field, value) for field, value in fields.items() if changes.get(field) != "-"}


async def post_form(house: House, fields: dict[str, str], content: bytes = b"1") -> httpx.Response:
    url = f"{house.url}{UPLOAD_HOST}"
    return await call(lambda: sent("POST", url, data=fields, files={"file": ("a.png", content)}))


async def test_leave_to_upload_has_the_shape_that_clients_read(house: House) -> None:
    leave = await grant(house)

    assert leave == {
        "policy": leave["policy"],
        "signature": leave["signature"],
        "upload_dir": leave["upload_dir"],
        "upload_host": f"{house.url}/oss",
        "expire_in_seconds": 300,
        "max_file_size_mb": 0,
        "capacity_limit_mb": 10_240,
        "oss_access_key_id": "qwenport",
        "x_oss_object_acl": "private",
        "x_oss_forbid_overwrite": "true",
    }
    assert json.loads(base64.b64decode(leave["policy"]))["expiration"] == "2026-01-01T00:05:00Z"


async def test_a_posted_file_is_answered_with_200_and_an_empty_body_and_belongs_to_its_account(house: House) -> None:
    leave = await grant(house)
    answer = await post_form(house, form_of(leave), b"pixels")
    store, key = house.gateway.house._files, form_of(leave)["key"]
    mine = first_account(house).id

    assert (answer.status_code, answer.content) == (200, b"")
    assert (await store.resolve_upload(mine, key)).path.read_bytes() == b"pixels"
    with pytest.raises(FileNotFound):
        await store.resolve_upload(AccountId("acc-2"), key)
    house.clock.advance(48 * 3600)
    with pytest.raises(FileNotFound):
        await store.resolve_upload(mine, key)


def said(answer: httpx.Response) -> tuple[int, str, str]:
    """Return status, code and message of an error of the upload host."""
    assert answer.headers["content-type"] == "application/xml"
    text = answer.text
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n')
    assert answer.headers["x-oss-request-id"] in text

    def between(tag: str) -> str:
        return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]

    return answer.status_code, between("Code"), between("Message")


async def test_a_policy_lasts_five_minutes(house: House, tmp_path: Path) -> None:
    leave = await grant(house)
    house.clock.advance(300)
    answer = await post_form(house, form_of(leave))

    assert said(answer) == (403, "AccessDenied", "Invalid according to Policy: Policy expired.")
    path = str(write(tmp_path, "a.png", b"1"))
    with pytest.raises(UploadFileException, match="Policy expired"):
        await call(lambda: OssUtils.upload("qwen-vl-max", path, api_key=KEY, upload_certificate=leave))
    assert house.stored() == []


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"Signature": "bm8="}, 403, "SignatureDoesNotMatch"),
        ({"policy": "e30="}, 403, "SignatureDoesNotMatch"),
        ({"OSSAccessKeyId": "LTAI"}, 403, "InvalidAccessKeyId"),
        ({"key": "elsewhere/a.png"}, 403, "AccessDenied"),
        ({"x-oss-forbid-overwrite": "false"}, 403, "AccessDenied"),
        ({"x-oss-object-acl": "-"}, 403, "AccessDenied"),
        ({"key": "-"}, 400, "InvalidArgument"),
        ({"policy": "-"}, 400, "InvalidArgument"),
    ],
)
async def test_a_form_that_the_policy_does_not_allow_is_refused_in_the_hosts_xml(
    house: House, changes: dict[str, str], status: int, code: str
) -> None:
    answer = await post_form(house, form_of(await grant(house), **changes))

    assert said(answer)[:2] == (status, code)
    assert house.stored() == []


async def test_what_was_posted_is_neither_replaced_nor_larger_than_allowed(house: House) -> None:
    leave = await grant(house)
    await post_form(house, form_of(leave), b"first")
    again = await post_form(house, form_of(leave), b"second")
    large = await post_form(house, form_of(leave, "b.png"), bytes(5001))

    words = "The object you specified already exists and can not be overwritten."
    assert said(again) == (409, "FileAlreadyExists", words)
    assert said(large)[:2] == (400, "EntityTooLarge")
    assert len(house.stored()) == 1


async def test_the_upload_host_takes_one_file_by_post_and_nothing_else(house: House) -> None:
    fields = form_of(await grant(house))
    url = f"{house.url}{UPLOAD_HOST}"
    without = await call(lambda: sent("POST", url, files={name: (None, value) for name, value in fields.items()}))
    two = await call(lambda: sent("POST", url, data=fields, files=[("file", ("a", b"1")), ("file", ("b", b"1"))]))
    no_form = await call(lambda: sent("POST", url, json={}))
    read = await call(lambda: sent("GET", url))

    assert said(without)[:2] == (400, "InvalidArgument")
    assert said(two)[:2] == said(no_form)[:2] == (400, "MalformedPOSTRequest")
    assert said(read)[:2] == (405, "MethodNotAllowed")
    assert house.stored() == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "InvalidParameter"),
        ("?action=putPolicy&model=m", "InvalidParameter"),
        ("?action=getPolicy", "BadRequest.EmptyModel"),
        ("?action=getPolicy&model=" + "m" * 257, "InvalidParameter"),
    ],
)
async def test_leave_is_asked_for_by_its_action_and_a_model(house: House, query: str, code: str) -> None:
    async with house.gateway.client() as client:
        answer = await client.ask("GET", f"/api/v1/uploads{query}", bearer())

    assert (answer.status, json.loads(answer.body)["code"]) == (400, code)


# --- broken forms ---

HEAD = b'--edge\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'
END = b"\r\n--edge--\r\n"


def purposed(form: bytes) -> bytes:
    return b'--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfile-extract\r\n' + form


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"{}",
        HEAD % (b"file", b"a.txt") + b"cut off",
        HEAD % (b"file", b"a.txt") + b"1\r\n--edge",
        HEAD % (b"other", b"a.txt") + b"1" + END,
        HEAD % (b"file", b"") + b"1" + END,
        HEAD % (b"file", b"/etc/passwd") + b"1" + END,
        HEAD % (b"file", b"a\x00.txt") + b"1" + END,
        HEAD % (b"file", b"..") + b"1" + END,
        HEAD % (b"file", b"x" * 256) + b"1" + END,
        HEAD % (b"file", b"a.txt") + b"1\r\n" + HEAD % (b"file", b"b.txt") + b"2" + END,
        b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file name' + END,
        b'--edge\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + b"1" * 100_000 + END,
        (b'--edge\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n') * 300 + b"--edge--\r\n",
    ],
    ids=range(14),
)
@pytest.mark.parametrize("path", [COMPATIBLE, NATIVE])
async def test_a_broken_form_is_a_400_in_words_and_nothing_is_kept(house: House, path: str, form: bytes) -> None:
    field = b'name="files"' if path == NATIVE else b'name="file"'
    status, body = await house.post(path, purposed(form.replace(b'name="file"', field)))
    if path == NATIVE and b"b.txt" in form:
        assert status == 200  # several files are what this form is for
        return

    assert status == 400
    assert body.get("message") or body["error"]["message"]
    assert house.stored() == []


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data"])
@pytest.mark.parametrize("path", [COMPATIBLE, NATIVE])
async def test_a_body_of_another_type_is_a_400(house: House, path: str, content_type: str) -> None:
    status, body = await house.post(path, b"{}", {"content-type": content_type})

    assert status == 400
    assert "Content-Type" in json.dumps(body)


async def test_a_purpose_may_stand_behind_the_file(house: House) -> None:
    form = HEAD % (b"file", b"a.txt") + b"1\r\n" + purposed(b"")[:-2] + END
    status, body = await house.post(COMPATIBLE, form)

    assert (status, body["purpose"]) == (200, "file-extract")


async def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(
    house: House, eventually: Callable[..., None]
) -> None:
    begun = purposed(HEAD % (b"file", b"a.txt") + b"1" * 1000)
    async with house.gateway.client() as client:
        whole = request_bytes("POST", COMPATIBLE, {**bearer(), **MULTIPART, "content-length": "100000"}, begun)
        await client.send(whole)
        await call(lambda: eventually(house.stored, "the file is being received"))
        client.leave()
        await call(lambda: eventually(lambda: not house.stored(), "what was received is removed"))

    assert house.stored() == []


async def test_a_shutdown_breaks_off_what_is_coming_in_and_leaves_nothing_behind(
    house: House, eventually: Callable[..., None]
) -> None:
    begun = purposed(HEAD % (b"file", b"a.txt") + b"1" * 1000)
    async with house.gateway.client() as client:
        head = {**bearer(), **MULTIPART, "content-length": "100000"}
        await client.send(request_bytes("POST", COMPATIBLE, head, begun))
        await call(lambda: eventually(house.stored, "the file is being received"))
        house.gateway.break_off()
        answer = await client.answer()

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "ModelUnavailable")
    assert house.stored() == []


async def test_a_database_that_refuses_is_a_503_and_nothing_is_kept(house: House) -> None:
    connection = sqlite3.connect(house.gateway.folder / "qwenport.db")
    connection.execute("DROP TABLE stored_files")
    connection.close()
    status, body = await house.post(COMPATIBLE, purposed(HEAD % (b"file", b"a.txt") + b"1" + END))

    assert (status, body["error"]["code"]) == (503, "ModelUnavailable")
    assert house.stored() == []


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=2001",
        "?limit=x",
        "?order=up",
        "?purpose=vision",
        "?after=file-fe-0",
        "?create_after=20260101",
    ],
)
async def test_a_list_that_cannot_be_had_is_refused(house: House, query: str) -> None:
    async with house.gateway.client() as client:
        answer = await client.ask("GET", f"{COMPATIBLE}{query}", bearer())

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "invalid_parameter_error")


@pytest.mark.parametrize("query", ["?page_no=0", "?page_size=101", "?page_size=x"])
async def test_a_native_page_that_cannot_be_had_is_refused(house: House, query: str) -> None:
    async with house.gateway.client() as client:
        answer = await client.ask("GET", f"{NATIVE}{query}", bearer())

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "InvalidParameter")
