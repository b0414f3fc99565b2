"""Papers of trade that go with goods: orders and delivery notes."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.amounts import grouped, in_words
from qwenport.evaluation.rendering.canvas import Canvas, Ink, Pen
from qwenport.evaluation.rendering.decoration import fill, rule, seal
from qwenport.evaluation.rendering.goods import rows_of_goods, wares
from qwenport.evaluation.rendering.grids import Grid, Rows, Span, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp, chinese_date

_NAVY: Final[Ink] = (30, 50, 90)


def _purchase(made: MadeUp) -> Values:
    bought, total, _ = wares(made, "parts zh-Hans", 3)
    day = made.day()
    return bought | {
        "number": f"CG{day:%Y%m%d}{made.digits(3)}",
        "day": chinese_date(day),
        "buyer": made.company(),
        "supplier": made.company(),
        "contact": made.person(),
        "phone": made.mobile(),
        "delivery": chinese_date(day + timedelta(days=15)),
        "place": made.address(),
        "total": f"¥{grouped(total)}",
        "words": in_words(total),
        "terms": made.pick("月结30天", "货到付款", "预付30%"),
        "maker": made.person(),
    }


def _draw_purchase(canvas: Canvas) -> None:
    canvas.put((550, 40), "{buyer}", Pen(size=30, role="head", anchor="m"))
    canvas.put((550, 88), "采 购 订 单", Pen(size=42, role="head", anchor="m"))
    canvas.put((60, 160), "订单编号：{number}", Pen(size=24))
    canvas.put((1040, 160), "下单日期：{day}", Pen(size=24, anchor="r"))
    grid = Grid(widths=(160, 400, 160, 260), aligns="l", pen=Pen(size=23), line=1)
    heads = (
        ("供应商", "{supplier}", "联系人", "{contact}"),
        ("付款方式", "{terms}", "电话", "{phone}"),
        ("交货地址", "{place}", "交货日期", "{delivery}"),
    )
    y = print_table(canvas, (60, 204), grid, heads) + 24
    columns = Grid(widths=(90, 390, 140, 160, 200), aligns="mlrrr", pen=Pen(size=23), shade=(232, 236, 240))
    rows: Rows = (
        ("序号", "物料名称", "数量", "单价", "金额"),
        *rows_of_goods(3, "item", "count", "each", "price", numbered=True),
        (Span("合计（大写）：{words}", columns=3), Span("{total}", columns=2)),
    )
    y = print_table(canvas, (60, y), columns, rows)
    canvas.put((60, y + 40), "制单人：{maker}", Pen(size=24))
    canvas.put((640, y + 40), "供应商确认（盖章）：", Pen(size=24))
    seal(canvas, (940, y + 70), 56)


def _order(made: MadeUp) -> Values:
    bought, total, _ = wares(made, "parts zh-Hant", 3)
    return bought | {
        "number": f"PO-{made.digits(6)}",
        "day": f"{made.day():%Y-%m-%d}",
        "buyer": made.company("zh-Hant"),
        "supplier": made.company("zh-Hant"),
        "address": made.address("zh-Hant"),
        "contact": made.person("zh-Hant"),
        "phone": f"3{made.digits(3)} {made.digits(4)}",
        "terms": made.pick("貨到付款", "月結60日", "預付全數"),
        "total": f"HK${grouped(total)}",
        "maker": made.person("zh-Hant"),
    }


def _draw_order(canvas: Canvas) -> None:
    fill(canvas, (0, 0, 1100, 12), _NAVY)
    canvas.put((60, 50), "{buyer}", Pen(size=34, role="head", ink=_NAVY))
    canvas.put((60, 100), "採購單 PURCHASE ORDER", Pen(size=26))
    left = (("供應商：", "{supplier}"), ("送貨地點：", "{address}"), ("聯絡人：", "{contact}"))
    canvas.pairs((60, 170), (130, 44), left, Pen(size=24))
    right = (("採購單號：", "{number}"), ("日期：", "{day}"), ("付款條款：", "{terms}"))
    canvas.pairs((720, 170), (130, 44), right, Pen(size=24))
    canvas.put((60, 302), "電話：", Pen(size=24))
    canvas.put((190, 302), "{phone}", Pen(size=24))
    grid = Grid(widths=(420, 160, 180, 220), aligns="lrrr", ruling="head", pen=Pen(size=24), ink=_NAVY)
    lines = rows_of_goods(3, "item", "count", "each", "price")
    y = print_table(canvas, (60, 360), grid, (("貨品", "數量", "單價", "金額"), *lines))
    canvas.put((820, y + 24), "總額", Pen(size=28, anchor="r"))
    canvas.put((1030, y + 24), "{total}", Pen(size=28, bold=True, anchor="r"))
    canvas.put((60, y + 100), "負責人：{maker}", Pen(size=25))


def _delivery(made: MadeUp) -> Values:
    bought, _, pieces = wares(made, "parts en", 4)
    return bought | {
        "sender": f"{made.company('en')} Ltd.",
        "number": f"DN{made.digits(6)}",
        "order": f"SO-{made.digits(5)}",
        "day": f"{made.day():%d/%m/%Y}",
        "customer": f"{made.company('en')} Inc.",
        "address": made.address("en"),
        "carrier": made.pick("Kestrel Freight", "Old Mill Couriers", "Quay Transport"),
        "tracking": f"{made.pick('KF', 'OM', 'QT')}{made.digits(9)}",
        "pieces": str(pieces),
        "weight": f"{made.chance.randrange(20, 600)}.{made.digits(1)} kg",
        "receiver": made.person("en"),
    }


def _draw_delivery(canvas: Canvas) -> None:
    canvas.put((60, 50), "Delivery Note", Pen(size=48, role="head"))
    canvas.put((1040, 60), "{sender}", Pen(size=28, anchor="r", bold=True))
    rule(canvas, (60, 124), (1040, 124), width=3)
    right = (
        ("Delivery No:", "{number}"),
        ("Order No:", "{order}"),
        ("Dispatch Date:", "{day}"),
        ("Carrier:", "{carrier}"),
        ("Tracking:", "{tracking}"),
    )
    canvas.pairs((60, 146), (190, 38), right, Pen(size=23))
    canvas.put((620, 146), "Deliver To:", Pen(size=23))
    canvas.put((620, 184), "{customer}", Pen(size=23, bold=True))
    canvas.paragraph((620, 222), "{address}", 420, Pen(size=23))
    grid = Grid(widths=(120, 640, 220), aligns="mlr", pen=Pen(size=23), line=1)
    lines = rows_of_goods(4, "item", "count", numbered=True)
    y = print_table(canvas, (60, 370), grid, (("Line", "Item", "Quantity"), *lines)) + 20
    canvas.put((60, y), "Total pieces: {pieces}", Pen(size=24))
    canvas.put((560, y), "Gross weight: {weight}", Pen(size=24))
    canvas.put((60, y + 80), "Received by: {receiver}", Pen(size=24))


def _dispatch(made: MadeUp) -> Values:
    bought, total, pieces = wares(made, "parts zh-Hans", 3)
    return bought | {
        "sender": made.company(),
        "customer": made.company(),
        "number": f"CK{made.digits(9)}",
        "day": f"{made.day():%Y/%m/%d}",
        "contact": made.person(),
        "phone": made.mobile(),
        "address": made.address(),
        "pieces": str(pieces),
        "total": grouped(total),
        "maker": made.person(),
        "keeper": made.person(),
    }


def _draw_dispatch(canvas: Canvas) -> None:
    canvas.put((550, 36), "{sender}", Pen(size=32, role="head", anchor="m"))
    canvas.put((550, 84), "送货单", Pen(size=38, role="head", anchor="m", spacing=20))
    canvas.put_all(
        ((60, 150, "收货单位：{customer}"), (60, 192, "收货地址：{address}"), (60, 234, "联 系 人：{contact}")),
        Pen(size=23),
    )
    canvas.put_all(
        ((780, 150, "单号：{number}"), (780, 192, "日期：{day}"), (400, 234, "联系电话：{phone}")), Pen(size=23)
    )
    grid = Grid(widths=(90, 400, 130, 160, 200), aligns="mlrrr", pen=Pen(size=23))
    lines = rows_of_goods(3, "item", "count", "each", "price", numbered=True)
    rows = (("序号", "品名及规格", "数量", "单价", "金额"), *lines, ("", "合计", "{pieces}", "", "{total}"))
    y = print_table(canvas, (60, 280), grid, rows)
    canvas.put_all(
        ((60, y + 24, "制单：{maker}"), (420, y + 24, "仓管：{keeper}"), (780, y + 24, "收货人签字：")), Pen(size=23)
    )


LAYOUTS: Final = (
    Layout(
        name="purchase-order",
        kind="purchase order",
        language="zh-Hans",
        size=(1100, 860),
        invent=_purchase,
        draw=_draw_purchase,
        looks=("sans", "serif"),
        head_looks=("serif", "kai"),
        asks={
            "订单号": "number",
            "订购日期": "day",
            "采购方": "buyer",
            "供应商": "supplier",
            "联系人": "contact",
            "联系电话": "phone",
            "交货日期": "delivery",
            "交货地址": "place",
            "总金额": "total",
            "金额大写": "words",
            "付款方式": "terms",
        },
    ),
    Layout(
        name="purchase-order-hong-kong",
        kind="purchase order",
        language="zh-Hant",
        size=(1100, 780),
        invent=_order,
        draw=_draw_order,
        looks=("sans", "serif"),
        head_looks=("kai", "sans"),
        asks={
            "採購單編號": "number",
            "訂購日期": "day",
            "採購公司": "buyer",
            "供應商": "supplier",
            "送貨地址": "address",
            "聯絡人": "contact",
            "電話": "phone",
            "付款方式": "terms",
            "總金額": "total",
        },
    ),
    Layout(
        name="delivery-note",
        kind="delivery note",
        language="en",
        size=(1100, 780),
        invent=_delivery,
        draw=_draw_delivery,
        looks=("sans", "serif", "narrow"),
        head_looks=("serif", "sans"),
        asks={
            "delivery_note_number": "number",
            "order_number": "order",
            "date": "day",
            "supplier": "sender",
            "customer": "customer",
            "delivery_address": "address",
            "carrier": "carrier",
            "tracking_number": "tracking",
            "total_quantity": "pieces",
            "weight": "weight",
        },
    ),
    Layout(
        name="dispatch-note",
        kind="delivery note",
        language="zh-Hans",
        size=(1100, 640),
        invent=_dispatch,
        draw=_draw_dispatch,
        looks=("sans", "mono", "serif"),
        head_looks=("kai", "serif"),
        asks={
            "送货单号": "number",
            "日期": "day",
            "送货单位": "sender",
            "客户名称": "customer",
            "收货地址": "address",
            "联系人": "contact",
            "电话": "phone",
            "合计数量": "pieces",
            "合计金额": "total",
            "制单人": "maker",
        },
    ),
)
