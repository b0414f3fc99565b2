"""Frozen layouts: papers of trade and household."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.amounts import grouped
from qwenport.evaluation.rendering.canvas import GREY, Canvas, Pen
from qwenport.evaluation.rendering.decoration import bar_code, fill, frame, rule
from qwenport.evaluation.rendering.grids import Grid, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp


def _water_bill(made: MadeUp) -> Values:
    start = made.day()
    used = made.chance.randrange(12, 80)
    reading = made.chance.randrange(300, 4000)
    water, sewage = used * 416, used * 291
    return {
        "account": f"{made.digits(4)}-{made.digits(4)}-{made.digits(3)}",
        "name": made.person("zh-Hant"),
        "address": made.address("zh-Hant"),
        "start": f"{start:%d/%m/%Y}",
        "end": f"{start + timedelta(days=120):%d/%m/%Y}",
        "last": f"{reading}",
        "this": f"{reading + used}",
        "used": f"{used}",
        "water": f"HK${grouped(water)}",
        "sewage": f"HK${grouped(sewage)}",
        "due": f"HK${grouped(water + sewage)}",
        "due_day": f"{start + timedelta(days=150):%d/%m/%Y}",
        "meter": f"A{made.digits(7)}",
    }


def _draw_water_bill(canvas: Canvas) -> None:
    fill(canvas, (0, 0, 1000, 110), (40, 120, 170))
    canvas.put((50, 30), "翠灣示例水務公司", Pen(size=42, role="head", ink=(255, 255, 255)))
    canvas.put((950, 40), "水費單", Pen(size=34, anchor="r", ink=(255, 255, 255)))
    canvas.put((50, 150), "{name}", Pen(size=28))
    canvas.put((50, 196), "{address}", Pen(size=24))
    frame(canvas, (560, 240, 950, 470), (40, 120, 170), 3, round_by=16)
    canvas.put((755, 260), "應繳總額", Pen(size=26, anchor="m"))
    canvas.put((755, 304), "{due}", Pen(size=44, anchor="m", bold=True))
    canvas.put((755, 378), "最後繳款日期", Pen(size=26, anchor="m"))
    canvas.put((755, 416), "{due_day}", Pen(size=30, anchor="m"))
    canvas.pairs((50, 260), (170, 50), (("用戶號碼", "{account}"), ("水錶編號", "{meter}")), Pen(size=26))
    canvas.put((50, 370), "計費期間", Pen(size=26))
    canvas.put((50, 412), "{start} 至 {end}", Pen(size=26))
    grid = Grid(widths=(450, 450), aligns="lr", ruling="rows", pen=Pen(size=26), ink=(150, 190, 210))
    rows = (
        ("項目", "數值"),
        ("上次讀數", "{last}"),
        ("今次讀數", "{this}"),
        ("用水量（立方米）", "{used}"),
        ("水費", "{water}"),
        ("排污費", "{sewage}"),
    )
    bottom = print_table(canvas, (50, 510), grid, rows)
    bar_code(canvas, (250, bottom + 40), 500, 80)


def _delivery(made: MadeUp) -> Values:
    names = made.chance.sample(("不銹鋼水壺", "陶瓷碗", "玻璃杯", "竹製筷子", "保溫飯盒", "棉質毛巾"), 4)
    counts = [made.chance.randrange(2, 60) for _ in names]
    return (
        {f"item{place}": name for place, name in enumerate(names)}
        | {f"count{place}": str(count) for place, count in enumerate(counts)}
        | {
            "sender": made.company("zh-Hant"),
            "number": f"DN-{made.digits(6)}",
            "order": f"PO{made.digits(6)}",
            "day": f"{made.day():%Y/%m/%d}",
            "customer": made.company("zh-Hant"),
            "address": made.address("zh-Hant"),
            "contact": made.person("zh-Hant"),
            "phone": f"9{made.digits(3)} {made.digits(4)}",
            "pieces": f"{sum(counts)}",
            "driver": made.person("zh-Hant"),
        }
    )


def _draw_delivery(canvas: Canvas) -> None:
    canvas.put((60, 50), "{sender}", Pen(size=36, role="head"))
    canvas.put((1040, 50), "送貨單", Pen(size=48, role="head", anchor="r", spacing=6))
    rule(canvas, (60, 120), (1040, 120), width=4)
    left = (("客戶名稱：", "{customer}"), ("送貨地址：", "{address}"), ("聯絡人：", "{contact}"), ("電話：", "{phone}"))
    canvas.pairs((60, 146), (130, 46), left, Pen(size=24))
    right = (("單號：", "{number}"), ("訂單號：", "{order}"), ("日期：", "{day}"))
    canvas.pairs((760, 146), (110, 46), right, Pen(size=24))
    grid = Grid(widths=(80, 500, 160, 240), aligns="mlrl", pen=Pen(size=24))
    lines = ((str(place + 1), f"{{item{place}}}", f"{{count{place}}}", "") for place in range(4))
    bottom = print_table(canvas, (60, 350), grid, (("序號", "貨品名稱", "數量", "備註"), *lines))
    canvas.put((1040, bottom + 20), "總件數　{pieces}", Pen(size=28, anchor="r"))
    canvas.put((60, bottom + 90), "送貨司機：{driver}", Pen(size=24))
    canvas.put((560, bottom + 90), "客戶簽收：", Pen(size=24))
    rule(canvas, (690, bottom + 120), (1040, bottom + 120), width=1)


def _purchase(made: MadeUp) -> Values:
    total, ordered = made.cents(500, 90_000) * 100, made.day()
    return {
        "number": f"{made.pick('PO', 'ORD')}-{ordered:%Y}-{made.digits(5)}",
        "day": f"{ordered:%d-%b-%Y}",
        "vendor": f"{made.company('en')} Inc.",
        "vendor_address": made.address("en"),
        "buyer": f"{made.company('en')} Corp.",
        "ship": made.address("en"),
        "contact": made.person("en"),
        "phone": f"(555) 010-{made.digits(4)}",
        "terms": made.pick("Net 30", "Net 45", "2/10 Net 30"),
        "delivery": f"{ordered + timedelta(days=21):%d-%b-%Y}",
        "total": f"${grouped(total)}",
        "signed": made.person("en"),
    }


def _draw_purchase(canvas: Canvas) -> None:
    canvas.put((550, 50), "PURCHASE ORDER", Pen(size=44, role="head", anchor="m", spacing=4))
    canvas.put((550, 116), "{buyer}", Pen(size=28, anchor="m"))
    grid = Grid(widths=(240, 260, 240, 260), aligns="l", pen=Pen(size=21), pad=12, line=1)
    rows = (
        ("Order No.", "{number}", "Order Date", "{day}"),
        ("Supplier", "{vendor}", "Payment Terms", "{terms}"),
        ("Supplier Address", "{vendor_address}", "Ship To", "{ship}"),
        ("Requested By", "{contact}", "Telephone", "{phone}"),
        ("Required Date", "{delivery}", "Order Total", "{total}"),
    )
    bottom = print_table(canvas, (50, 180), grid, rows)
    canvas.put((50, bottom + 40), "Goods that do not match this order may be returned.", Pen(size=20, ink=GREY))
    canvas.put((50, bottom + 110), "Authorized by: {signed}", Pen(size=24))
    rule(canvas, (50, bottom + 150), (460, bottom + 150), width=1)


LAYOUTS: Final = (
    Layout(
        name="frozen-water-bill",
        kind="utility bill",
        language="zh-Hant",
        size=(1000, 1020),
        invent=_water_bill,
        draw=_draw_water_bill,
        looks=("sans", "serif"),
        head_looks=("kai",),
        asks={
            "戶名": "name",
            "地址": "address",
            "帳戶號碼": "account",
            "錶號": "meter",
            "本次讀數": "this",
            "用水量": "used",
            "水費": "water",
            "應付金額": "due",
            "繳費期限": "due_day",
        },
    ),
    Layout(
        name="frozen-delivery-note",
        kind="delivery note",
        language="zh-Hant",
        size=(1100, 800),
        invent=_delivery,
        draw=_draw_delivery,
        looks=("kai", "sans"),
        head_looks=("serif",),
        asks={
            "送貨單號": "number",
            "訂單編號": "order",
            "送貨日期": "day",
            "發貨公司": "sender",
            "客戶": "customer",
            "收貨地址": "address",
            "聯絡人": "contact",
            "聯絡電話": "phone",
            "總數量": "pieces",
            "司機": "driver",
        },
    ),
    Layout(
        name="frozen-purchase-order",
        kind="purchase order",
        language="en",
        size=(1100, 760),
        invent=_purchase,
        draw=_draw_purchase,
        looks=("serif", "sans"),
        head_looks=("sans",),
        asks={
            "po_number": "number",
            "date": "day",
            "vendor": "vendor",
            "vendor_address": "vendor_address",
            "shipping_address": "ship",
            "contact_person": "contact",
            "phone": "phone",
            "payment_terms": "terms",
            "delivery_date": "delivery",
            "total": "total",
            "approved_by": "signed",
        },
    ),
)
