"""Our books beside an upstream's export."""

from __future__ import annotations

import pytest

from qwenport.core.ids import RequestId
from qwenport.metering.flush import Books
from qwenport.metering.reconcile import Counted, Difference, ReconcileQuery, Reconciliation, reconcile
from qwenport.metering.upstream_export import ExportInvalid
from qwenport.storage.database import Database
from qwenport.testing.settlements import NINE, books_prices, settlement

BAILIAN = ReconcileQuery(upstream="bailian")
DAY = 86_400.0


@pytest.fixture
def database(any_database: Database) -> Database:
    """Return books of three calls of two days through `bailian`, and one through an upstream of a longer name."""
    Books(any_database, books_prices(), timezone="Asia/Shanghai").post(
        [
            settlement(1, served_by="bailian/qwen-max"),
            settlement(2, served_by="bailian/qwen-max"),
            settlement(3, at=NINE + DAY, served_by="bailian/qwen-plus"),
            settlement(4, served_by="bailian2/qwen-max"),
            settlement(5, served_by="bailian/qwen-max", input_tokens=0, output_tokens=0, cached_tokens=0),
        ]
    )
    return any_database


def compared(database: Database, content: str | bytes, query: ReconcileQuery = BAILIAN) -> Reconciliation:
    data = content.encode() if isinstance(content, str) else content
    return reconcile(database, data, query, timezone="Asia/Shanghai")


def counted(into: int, out: int, amount: str | None, currency: str = "CNY") -> Counted:
    return Counted(input_tokens=into, output_tokens=out, amount=amount, currency=currency)


def test_without_days_the_times_in_request_ids_say_what_is_compared(any_database: Database) -> None:
    digits = f"{int(NINE * 1000):012x}"
    ids = [RequestId(f"{digits[:8]}-{digits[8:]}-9000-8000-{number:012d}") for number in range(3)]
    Books(any_database, books_prices()).post(
        [settlement(number, held={"id": each}, served_by="bailian/x") for number, each in enumerate(ids)]
    )
    export = f"Request ID,input tokens,output tokens\n{ids[0]},10,5\n{ids[1]},10,6\nunknown,1,1\n"

    found = compared(any_database, export)

    assert (found.compared_by, found.agreeing) == ("request_id", 1)
    assert [(each.kind, each.request_id) for each in found.differences] == [
        ("other_counts", ids[1]),
        ("only_ours", ids[2]),
        ("only_theirs", "unknown"),
    ]


def test_days_and_models_are_compared_in_chinese_exports_too(database: Database) -> None:
    export = (
        "日期,模型名称,输入Tokens,输出Tokens,金额(元),币种\n"
        "2026/1/1,qwen-max,20,10,¥0.000144,人民币\n"
        '20260102,qwen-plus,"10",5,0.000072,人民币\n'
    )
    query = ReconcileQuery(upstream="bailian", columns={"amount": "金额(元)"})

    for content in (export.encode(), export.encode("utf-8-sig"), export.encode("gb18030"), export.encode("utf-16")):
        assert compared(database, content, query) == Reconciliation(
            compared_by="day,model", agreeing=2, differing=0, differences=(), lines=2, bad_lines=(), bad=0
        )


def test_every_kind_of_difference_is_listed(database: Database) -> None:
    export = (
        "date\tmodel\tinput tokens\toutput tokens\tamount\n"
        "2026-01-01\tqwen-max\t21\t10\t0.000144\n"
        "2026-01-01\tother\t1\t1\t1\n"
    )

    assert compared(database, export + "2026-01-02\tqwen-flash\t0\t0\t0\n").differences == (
        Difference(kind="only_theirs", day="2026-01-01", model="other", ours=None, theirs=counted(1, 1, "1.00", "")),
        Difference(
            kind="other_counts",
            day="2026-01-01",
            model="qwen-max",
            ours=counted(20, 10, "0.000144"),
            theirs=counted(21, 10, "0.000144"),
        ),
        Difference(
            kind="only_theirs", day="2026-01-02", model="qwen-flash", ours=None, theirs=counted(0, 0, "0.00", "")
        ),
        Difference(kind="only_ours", day="2026-01-02", model="qwen-plus", ours=counted(10, 5, "0.000072"), theirs=None),
    )


@pytest.mark.parametrize(("tolerance", "kinds"), [("0", ["other_amount"]), ("0.000000001", [])])
def test_amounts_may_differ_by_the_tolerance(database: Database, tolerance: str, kinds: list[str]) -> None:
    export = "date;model;input tokens;output tokens;amount\n2026-01-02;qwen-plus;10;5;0.000072001\n"
    query = ReconcileQuery(upstream="bailian", tolerance=tolerance)

    assert [each.kind for each in compared(database, export, query).differences] == kinds


def test_requests_are_compared_in_the_days_that_the_export_covers(database: Database) -> None:
    export = "date,request_id,model,input tokens,output tokens\n2026-01-01,request-00001,x,10,5\n2026-01-01,%,x,1,1\n"

    found = compared(database, export)

    assert (found.compared_by, found.agreeing) == ("request_id", 1)
    assert [(each.kind, each.request_id) for each in found.differences] == [
        ("only_theirs", "%"),
        ("only_ours", "request-00002"),
    ]


def test_bad_lines_are_named_with_their_numbers_and_the_others_compared(database: Database) -> None:
    export = """date,model,input tokens,output tokens
2026-01-02,qwen-plus,"1,0",5

yesterday,qwen-plus,1,1
2026-01-02,qwen-plus,-1,1
2026-01-02,qwen-plus,1.5,1
2026-01-02,qwen-plus,NaN,1
2026-01-02
"""
    found = compared(database, export.replace('"1,0"', "10"))

    assert (found.agreeing, found.differing, found.lines, found.bad) == (1, 0, 1, 5)
    assert found.bad_lines == (
        "line 4: 'yesterday' is no day",
        "line 5: '-1' is no count of tokens",
        "line 6: '1.5' is no count of tokens",
        "line 7: 'NaN' is no number that can be compared",
        "line 8: it has 1 cells, too few",
    )


@pytest.mark.parametrize(
    ("content", "columns", "words"),
    [
        (b"", {}, "is needed; there are none"),
        (b"\xff\xff\xff\xff", {}, "is no text in UTF-8"),
        (b"a,b\n1,2\n", {}, "there are `a`, `b`"),
        (b"date,model\n2026-01-01,x\n", {}, "no column of tokens or amounts"),
        (b"date,model,amount\n", {}, "holds no lines"),
        (b"date,model,amount\nx,y,z\n", {}, "no line of the export could be read"),
        (b"date,model,amount\n", {"amount": "price"}, "no column has the heading 'price'"),
        (b"date,model,amount\n", {"colour": "price"}, "is nothing that a column can be"),
    ],
)
def test_what_is_no_export_is_refused_in_words(
    database: Database, content: bytes, columns: dict[str, str], words: str
) -> None:
    with pytest.raises(ExportInvalid) as refusal:
        compared(database, content, ReconcileQuery(upstream="bailian", columns=columns))

    assert words in str(refusal.value)
