"""An account statement of about a hundred printed items: the page by which OCR of business papers is timed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from qwenport.evaluation.rendering.accounts import Account
from qwenport.evaluation.rendering.canvas import Canvas, Pen
from qwenport.evaluation.rendering.layout import Layout, Values, render
from qwenport.evaluation.rendering.made_up import MadeUp
from qwenport.evaluation.rendering.sample import Sample

_ROWS: Final = 22
_DAYS_BETWEEN: Final = range(3)


class _Words(NamedTuple):
    title: str
    keys: tuple[str, str, str]
    """Of account holder, account number and day."""
    head: tuple[str, str, str, str, str]
    out: tuple[str, ...]
    """What money is paid for."""
    into: tuple[str, ...]
    """What it comes from."""
    closing: str


_WORDS: Final = {
    "zh-Hans": _Words(
        title="账户明细",
        keys=("户名", "账号", "打印日期"),
        head=("日期", "摘要", "支出", "存入", "余额"),
        out=("转账 水电费", "银行卡消费 超市", "手续费"),
        into=("工资入账", "利息", "网上购物 退款"),
        closing="期末余额",
    ),
    "zh-Hant": _Words(
        title="綜合月結單",
        keys=("戶口名稱", "戶口號碼", "結單日期"),
        head=("日期", "摘要", "支出", "存入", "結餘"),
        out=("轉數快 付款", "自動轉賬 電費", "信用卡還款"),
        into=("薪金入賬", "利息", "支票存款"),
        closing="期末結餘",
    ),
    "en": _Words(
        title="Account statement",
        keys=("Account name", "Account number", "Statement date"),
        head=("Date", "Details", "Withdrawal", "Deposit", "Balance"),
        out=("Card purchase Juniper Cafe", "Transfer to savings", "Cheque 100213"),
        into=("Salary", "Interest", "Refund of a deposit"),
        closing="Closing balance",
    ),
}
_COLUMNS: Final = ((100, "l"), (300, "l"), (1000, "r"), (1240, "r"), (1500, "r"))


def statement_page(seed: int, language: str, *, photo: bool = False) -> Sample:
    """A page of 1600 by 1200 pixels with 102 printed items."""
    layout = Layout(
        name=f"statement-{language}",
        kind="text",
        language=language,
        size=(1600, 1200),
        invent=lambda made: _invent(made, language),
        draw=lambda canvas: _draw(canvas, _WORDS[language]),
        looks=("sans", "serif"),
        asks={},
    )
    return render(layout, seed, photo=photo)


def _invent(made: MadeUp, language: str) -> Values:
    words, account = _WORDS[language], Account(made)
    values = {"holder": made.person(language), "number": f"{made.digits(3)}-{made.digits(6)}-{made.digits(3)}"}
    for row in range(_ROWS):
        movement = account.move(_DAYS_BETWEEN, words.out, words.into)
        values |= {
            f"day{row}": f"{movement.day:%Y-%m-%d}",
            f"text{row}": movement.text,
            f"out{row}": movement.paid_out,
            f"in{row}": movement.paid_in,
            f"balance{row}": movement.balance,
        }
    return values | {"day": f"{account.day + timedelta(days=1):%Y-%m-%d}", "closing": account.balance}


def _draw(canvas: Canvas, words: _Words) -> None:
    canvas.put((800, 40), words.title, Pen(size=40, anchor="m", bold=True))
    pen = Pen(size=22)
    canvas.pairs((100, 120), (260, 38), zip(words.keys, ("{holder}", "{number}", "{day}"), strict=True), pen)
    _row(canvas, 250, words.head, pen.but(bold=True))
    for row in range(_ROWS):
        names = (f"{{{name}{row}}}" for name in ("day", "text", "out", "in", "balance"))
        _row(canvas, 292 + 38 * row, tuple(names), pen)
    canvas.put((300, 292 + 38 * _ROWS), words.closing, pen.but(bold=True))
    canvas.put((1500, 292 + 38 * _ROWS), "{closing}", pen.but(bold=True, anchor="r"))


def _row(canvas: Canvas, y: float, cells: tuple[str, ...], pen: Pen) -> None:
    for (x, anchor), cell in zip(_COLUMNS, cells, strict=True):
        if cell.format_map(canvas.values):
            canvas.put((x, y), cell, pen.but(anchor=anchor))
