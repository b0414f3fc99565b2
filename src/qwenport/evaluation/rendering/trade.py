"""Papers of trade that speak of money: invoices and contracts."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.amounts import grouped, in_words, traditional
from qwenport.evaluation.rendering.canvas import GREY, WHITE, Canvas, Ink, Pen
from qwenport.evaluation.rendering.decoration import fill, rule
from qwenport.evaluation.rendering.goods import rows_of_goods, wares
from qwenport.evaluation.rendering.grids import Grid, Span, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp

_NAVY: Final[Ink] = (30, 50, 90)


def _invoice_hant(made: MadeUp) -> Values:
    bought, total, _ = wares(made, "parts zh-Hant", 2)
    return bought | {
        "seller": made.company("zh-Hant"),
        "buyer": made.company("zh-Hant"),
        "number": f"INV{made.digits(7)}",
        "day": f"{made.day():%d/%m/%Y}",
        "bank": f"示例銀行 {made.digits(3)}-{made.digits(6)}-{made.digits(3)}",
        "mail": f"{made.pick('account', 'sales')}{made.digits(2)}@{made.pick('harbour', 'crane')}.example",
        "fax": f"2{made.digits(3)} {made.digits(4)}",
        "words": f"港幣{traditional(in_words(total))}",
        "total": f"HK${grouped(total)}",
    }


def _draw_invoice_hant(canvas: Canvas) -> None:
    canvas.put((500, 50), "{seller}", Pen(size=38, role="head", anchor="m"))
    canvas.put((500, 106), "傳真：{fax}　電郵：{mail}", Pen(size=22, anchor="m"))
    rule(canvas, (60, 150), (940, 150))
    canvas.put((500, 166), "發　票", Pen(size=40, role="head", anchor="m"))
    canvas.put((60, 240), "致：{buyer}", Pen(size=25))
    canvas.put((940, 240), "發票編號：{number}", Pen(size=25, anchor="r"))
    canvas.put((940, 284), "日期：{day}", Pen(size=25, anchor="r"))
    grid = Grid(widths=(400, 140, 160, 180), aligns="lrrr", pen=Pen(size=24), line=1)
    lines = rows_of_goods(2, "item", "count", "each", "price")
    y = print_table(
        canvas, (60, 330), grid, (("項目", "數量", "單價", "金額"), *lines, (Span("應付總額", columns=3), "{total}"))
    )
    canvas.put((60, y + 24), "金額大寫：{words}", Pen(size=24))
    canvas.put((60, y + 72), "付款賬戶：{bank}", Pen(size=24))


def _invoice(made: MadeUp) -> Values:
    bought, total, _ = wares(made, "parts en", 3)
    day, tax = made.day(), round(total * 0.07)
    return bought | {
        "seller": f"{made.company('en')} Co.",
        "address": made.address("en"),
        "buyer": f"{made.company('en')} LLC",
        "number": f"{made.digits(5)}",
        "order": f"PO-{made.digits(4)}",
        "day": f"{day:%m/%d/%Y}",
        "due_day": f"{day + timedelta(days=30):%m/%d/%Y}",
        "sub": f"${grouped(total)}",
        "tax": f"${grouped(tax)}",
        "total": f"${grouped(total + tax)}",
    }


def _draw_invoice(canvas: Canvas) -> None:
    fill(canvas, (0, 0, 1100, 130), _NAVY)
    canvas.put((60, 40), "INVOICE", Pen(size=50, role="head", bold=True, ink=WHITE, spacing=4))
    canvas.put((1040, 36), "{seller}", Pen(size=28, bold=True, anchor="r", ink=WHITE))
    canvas.put((1040, 78), "{address}", Pen(size=20, anchor="r", ink=WHITE))
    canvas.put((60, 160), "BILL TO", Pen(size=20, bold=True, ink=GREY))
    canvas.put((60, 192), "{buyer}", Pen(size=26))
    right = (("Invoice #", "{number}"), ("P.O. #", "{order}"), ("Invoice Date", "{day}"), ("Due Date", "{due_day}"))
    canvas.pairs((720, 160), (180, 38), right, Pen(size=23))
    grid = Grid(
        widths=(460, 140, 180, 200), aligns="lrrr", ruling="rows", pen=Pen(size=23), shade=(224, 230, 240), line=1
    )
    lines = rows_of_goods(3, "item", "count", "each", "price")
    y = print_table(canvas, (60, 340), grid, (("Description", "Qty", "Unit Price", "Amount"), *lines)) + 24
    for key, value in (("Subtotal", "{sub}"), ("Sales Tax (7%)", "{tax}"), ("Amount Due", "{total}")):
        canvas.put((800, y), key, Pen(size=24, anchor="r", bold=key == "Amount Due"))
        canvas.put((1030, y), value, Pen(size=24, anchor="r", bold=key == "Amount Due"))
        y += 46
    canvas.put((60, y + 20), "Thank you for your business.", Pen(size=22, ink=GREY))


def _contract(made: MadeUp) -> Values:
    amount = made.cents(20, 900) * 100_000
    day = made.day()
    return {
        "number": f"HT-{day:%Y}-{made.digits(4)}",
        "first": made.company("zh-Hant"),
        "second": made.company("zh-Hant"),
        "first_agent": made.person("zh-Hant"),
        "second_agent": made.person("zh-Hant"),
        "day": f"{day.year}年{day.month}月{day.day}日",
        "place": made.pick("九龍翠灣", "新界晴山", "香港月環"),
        "amount": f"HK${grouped(amount)}",
        "term": made.pick("十二個月", "二十四個月", "六個月"),
    }


def _draw_contract(canvas: Canvas) -> None:
    canvas.put((500, 70), "服務合約", Pen(size=50, role="head", anchor="m", spacing=16))
    canvas.put((900, 160), "合約編號：{number}", Pen(size=25, anchor="r"))
    rows = ("甲方：{first}", "代表人：{first_agent}", "", "乙方：{second}", "授權代表：{second_agent}")
    y = canvas.rows((100, 220), 46, rows, Pen(size=27))
    text = "甲乙雙方經友好協商，就乙方向甲方提供設備維護服務事宜，訂立本合約，共同遵守。"
    y = canvas.paragraph((100, y + 20), text, 800, Pen(size=26)) + 20
    clauses = ("一、服務期限：{term}", "二、服務費用：{amount}", "三、簽訂地點：{place}", "四、簽訂日期：{day}")
    canvas.rows((100, y), 52, clauses, Pen(size=27))


LAYOUTS: Final = (
    Layout(
        name="invoice-hong-kong",
        kind="invoice",
        language="zh-Hant",
        size=(1000, 720),
        invent=_invoice_hant,
        draw=_draw_invoice_hant,
        looks=("serif", "sans"),
        head_looks=("kai", "serif"),
        asks={
            "發票號碼": "number",
            "發票日期": "day",
            "賣方": "seller",
            "買方": "buyer",
            "總金額": "total",
            "大寫金額": "words",
            "銀行賬戶": "bank",
            "電郵": "mail",
        },
    ),
    Layout(
        name="invoice",
        kind="invoice",
        language="en",
        size=(1100, 800),
        invent=_invoice,
        draw=_draw_invoice,
        looks=("sans", "serif"),
        head_looks=("sans",),
        asks={
            "vendor": "seller",
            "customer": "buyer",
            "invoice_number": "number",
            "po_number": "order",
            "invoice_date": "day",
            "due_date": "due_day",
            "subtotal": "sub",
            "tax": "tax",
            "total": "total",
        },
    ),
    Layout(
        name="contract",
        kind="contract",
        language="zh-Hant",
        size=(1000, 860),
        invent=_contract,
        draw=_draw_contract,
        looks=("serif", "kai", "sans"),
        head_looks=("serif", "kai"),
        asks={
            "合約編號": "number",
            "甲方": "first",
            "乙方": "second",
            "甲方代表": "first_agent",
            "乙方代表": "second_agent",
            "簽約日期": "day",
            "簽約地點": "place",
            "合約金額": "amount",
            "合約期限": "term",
        },
    ),
)
