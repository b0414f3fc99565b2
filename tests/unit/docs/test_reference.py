"""The reference pages hold what the code has: settings, commands, errors, fields, addresses; no less and no more."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cyclopts import App
from msgspec import Struct

from qwenport.app import gauges
from qwenport.cli.main import app
from qwenport.core import errors
from qwenport.core.capabilities import Capabilities
from qwenport.core.errors import QwenportError
from qwenport.core.ids import RequestId
from qwenport.core.route import Choice
from qwenport.faces.anthropic import ANTHROPIC
from qwenport.faces.dashscope import DASHSCOPE
from qwenport.faces.openai import OPENAI
from qwenport.faces.registry import FACES
from qwenport.metering.records import Outcome
from qwenport.metering.reports import CallRow
from qwenport.observability.log import RequestLine
from qwenport.observability.metrics import Metrics
from qwenport.server.admin.table import OPERATIONS
from qwenport.settings import settings
from qwenport.settings.configuration_file import (
    BooksTable,
    CacheTable,
    CheckTable,
    FilesTable,
    LimitTable,
    MediaTable,
    OcrTable,
    QueueTable,
    RetryTable,
    RouteTable,
    ServerTable,
    TraceTable,
    UpstreamTable,
)

Fences = Callable[[Path, str], list[str]]
Rows = Callable[[Path], list[list[str]]]
Prose = Callable[[Path], str]

CODE = re.compile(r"`([^`]+)`")
SEMICOLON = re.compile(r"[;\uff1b]")
"""Of both languages; the second is the full-width one."""
ERROR_COLUMNS = 6
REQUEST_ID = RequestId("7a076862-72a9-9097-29b3-dfc1300526a4")

ARGUMENTS: dict[type[QwenportError], tuple[Any, ...]] = {
    errors.MethodNotAllowed: ("GET", ("POST",)),
    errors.BodyTooLarge: (1,),
    errors.BodyTooSlow: (1.0,),
    errors.InputTooLong: (1,),
    errors.BillUnpaid: (errors.Bill.NOT_PURCHASED,),
}
"""What classes are made with that take more than words."""

pytestmark = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture
def page(language: str, root: Path) -> Callable[[str], Path]:
    """Give a page of the language by its name."""
    return lambda name: root / "docs" / language / f"{name}.md"


Page = Callable[[str], Path]


def first_codes(table: list[list[str]]) -> list[str]:
    """Return every name in the first cells of a page's tables."""
    return [name for row in table for name in CODE.findall(row[0])]


def commands(group: App, words: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
    """Yield every command that users see, with its options."""
    for name in group:
        command = group[name]
        if name.startswith("-") or not command.show:
            continue
        below = [each for each in command if not each.startswith("-")]
        if below:
            yield from commands(command, (*words, name))
        else:
            names = {each for argument in command.assemble_argument_collection() for each in argument.names}
            yield " ".join((*words, name)), {each for each in names if each.startswith("--")}


def tree(kind: type[QwenportError]) -> Iterator[type[QwenportError]]:
    """Yield a class and all below it."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from tree(below)


def sample(kind: type[QwenportError]) -> QwenportError:
    """Return an error of exactly this class."""
    if kind in ARGUMENTS:
        return kind(*ARGUMENTS[kind])
    takes_words = "message" in inspect.signature(kind).parameters
    needs_a_word = any(
        parameter.default is inspect.Parameter.empty and parameter.kind is not inspect.Parameter.KEYWORD_ONLY
        for parameter in inspect.signature(kind).parameters.values()
    )
    return kind(*("words",) * (takes_words or needs_a_word))


def test_every_setting_has_its_row_and_no_row_is_made_up(page: Page, rows: Rows) -> None:
    known = set(re.findall(r"QWENPORT_[A-Z_]*[A-Z]", inspect.getsource(settings)))
    table = [row for row in rows(page("operations")) if row[0].startswith("`QWENPORT_")]

    assert sorted(first_codes(table)) == sorted(known)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        *(
            ("operations", table)
            for table in (ServerTable, FilesTable, MediaTable, BooksTable, RouteTable, LimitTable, TraceTable)
        ),
        ("upstreams", UpstreamTable),
        ("ocr", OcrTable),
        *(("routing", table) for table in (RetryTable, QueueTable, CacheTable, CheckTable)),
    ],
)
def test_every_field_of_the_configuration_file_has_its_row(
    name: str, table: type[Struct], page: Page, rows: Rows
) -> None:
    assert set(first_codes(rows(page(name)))) >= set(table.__struct_fields__)


@pytest.mark.parametrize("table", [UpstreamTable, OcrTable, RetryTable, QueueTable, CacheTable, CheckTable])
def test_every_default_that_a_page_gives_is_the_one_in_force(table: type[Struct], page: Page, rows: Rows) -> None:
    name = {UpstreamTable: "upstreams", OcrTable: "ocr"}.get(table, "routing")
    of_fields = {field.name: field.default for field in msgspec.structs.fields(table)}
    said = {field: row[1].replace(",", "") for row in rows(page(name)) for field in CODE.findall(row[0]) if row[1:]}
    numbers = {field: value for field, value in of_fields.items() if type(value) in {int, float} and value}

    assert {field: float(said[field]) for field in numbers} == numbers


def test_every_way_to_choose_has_its_row(page: Page, rows: Rows) -> None:
    assert set(first_codes(rows(page("routing")))) >= set(Choice)


def test_every_capability_that_a_model_file_may_hold_has_its_row(page: Page, rows: Rows) -> None:
    follow_from_the_modalities = {"vision", "video"}

    known = set(Capabilities.__struct_fields__) - follow_from_the_modalities
    assert set(first_codes(rows(page("models")))) >= known


def test_every_command_has_its_row_with_exactly_its_options(page: Page, rows: Rows) -> None:
    table = {
        re.sub(r"( \[?[A-Z]+\]?)+$", "", row[0].strip("`")): set(CODE.findall(row[1]))
        for row in rows(page("operations"))
        if row[0].startswith("`qwenport ")
    }

    assert table == dict(commands(app, ("qwenport",)))


def test_every_error_has_its_row_with_the_statuses_and_codes_of_all_faces(page: Page, rows: Rows) -> None:
    table = {
        CODE.findall(row[0])[0]: Said(
            statuses={int(status) for status in re.findall(r"\d{3}", row[1])},
            native=CODE.findall(row[2])[0],
            compatible=SEMICOLON.split(row[3])[0].removeprefix("\u6241\u5e73 ").removeprefix("flat "),
            anthropic=CODE.findall(row[4])[0],
        )
        for row in rows(page("errors"))
        if len(row) == ERROR_COLUMNS and row[1][:3].isdecimal()
    }

    assert table == {kind.code: as_the_faces_say(sample(kind)) for kind in tree(QwenportError)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How one error looks on the three faces."""

    statuses: set[int]
    native: str
    compatible: str
    anthropic: str


def as_the_faces_say(error: QwenportError) -> Said:
    """Return what the row of an error must hold; the OpenAI face's flat shape has a code alone."""
    replies = [face.encode_error(error, REQUEST_ID) for face in (DASHSCOPE, OPENAI, ANTHROPIC)]
    native, compatible, anthropic = (msgspec.json.decode(reply.body) for reply in replies)
    said = f"`{compatible['code']}`" if "error" not in compatible else _pair(compatible["error"])
    return Said(
        statuses={reply.status for reply in replies},
        native=native["code"],
        compatible=said,
        anthropic=anthropic["error"]["type"],
    )


def _pair(error: dict[str, str | None]) -> str:
    return f"`{error['type']}` / " + (f"`{error['code']}`" if error["code"] else "null")


def test_every_field_of_the_log_line_has_its_row(page: Page, rows: Rows) -> None:
    assert set(first_codes(rows(page("operations")))) >= set(RequestLine.__struct_fields__)


def test_every_metric_of_the_registry_has_its_row(page: Page, rows: Rows) -> None:
    kept = Metrics().registry.collect()
    names = {f"{each.name}_total" if each.type == "counter" else each.name for each in kept}

    assert set(first_codes(rows(page("operations")))) >= names


def test_every_gauge_of_a_worker_has_its_row_with_the_label_of_the_worker(page: Page, rows: Rows) -> None:
    known = set(re.findall(r'"(qwenport_[a-z_]+)"', inspect.getsource(gauges)))
    table = {row[0].strip("`"): row[1] for row in rows(page("operations")) if row[0].startswith("`qwenport_")}

    assert known
    assert {name for name in known if not table[name].startswith("`worker`")} == set()


def test_every_address_of_the_admin_api_has_its_row_and_no_row_is_made_up(page: Page, rows: Rows) -> None:
    known = {f"{each.method} /admin/v1{each.path}" for each in OPERATIONS}
    found = {name for name in first_codes(rows(page("operations"))) if " /admin/v1/" in name}

    assert found == known


def test_the_row_of_an_address_of_the_admin_api_names_its_permission_and_all_that_it_takes(
    page: Page, rows: Rows
) -> None:
    table = {row[0].strip("`"): row for row in rows(page("operations")) if " /admin/v1/" in row[0]}

    for each in OPERATIONS:
        _, permission, takes, _ = table[f"{each.method} /admin/v1{each.path}"]
        bodies = () if each.json_body is None else each.json_body.__struct_fields__
        assert permission == f"`{each.permission}`"
        assert set(CODE.findall(takes)) >= {*each.query.__struct_fields__, *bodies}


def test_every_field_of_a_call_is_in_the_example(page: Page, fences: Fences) -> None:
    examples = [msgspec.json.decode(text) for text in fences(page("operations"), "json")]

    assert set(CallRow.__struct_fields__) in [set(example) for example in examples]


def test_every_address_of_the_faces_has_its_row_and_no_row_is_made_up(page: Page, rows: Rows) -> None:
    known = {f"{operation.method} {operation.path}" for face in FACES for operation in face.operations}
    found = {name for name in first_codes(rows(page("api"))) if name.startswith(("GET ", "POST ", "DELETE "))}

    assert found == known


def test_every_outcome_of_a_call_has_its_row(page: Page, rows: Rows) -> None:
    assert set(first_codes(rows(page("books")))) >= set(Outcome)
