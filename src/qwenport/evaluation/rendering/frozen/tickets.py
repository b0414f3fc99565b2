"""Frozen layouts: tickets and invoices."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.amounts import grouped, in_words, plain
from qwenport.evaluation.rendering.canvas import BLACK, BLUE, GREY, RED, Canvas, Pen
from qwenport.evaluation.rendering.decoration import fill, frame, rule, square_code, waves
from qwenport.evaluation.rendering.grids import Grid, Span, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp, chinese_date


def _railway(made: MadeUp) -> Values:
    (start, start_latin), (end, end_latin) = made.stations()
    return {
        "number": made.digits(20),
        "issued": chinese_date(made.day()),
        "start": f"{start}站",
        "start_latin": start_latin,
        "end": f"{end}站",
        "end_latin": end_latin,
        "train": f"{made.pick('G', 'D', 'C')}{made.digits(3)}",
        "when": f"{chinese_date(made.day())} {made.clock()}开",
        "seat": made.train_seat(),
        "class": made.pick("一等座", "二等座", "商务座"),
        "price": f"￥{plain(made.cents(30, 900) * 100)}",
        "identity": made.resident_number(masked=True),
        "person": made.person(),
        "buyer": made.company(),
        "buyer_code": made.credit_code(),
        "ticket": f"{made.digits(10)}{made.digits(11)}",
    }


def _draw_railway(canvas: Canvas) -> None:
    canvas.put((560, 36), "电子发票（铁路电子客票）", Pen(size=38, role="head", anchor="m", ink=RED))
    rule(canvas, (330, 92), (790, 92), RED)
    square_code(canvas, (50, 40), 120)
    canvas.put((1060, 110), "发票号码：{number}", Pen(size=22, anchor="r"))
    canvas.put((1060, 146), "开票日期：{issued}", Pen(size=22, anchor="r"))
    frame(canvas, (50, 190, 1070, 590), RED)
    canvas.put((250, 220), "{start}", Pen(size=40, anchor="m"))
    canvas.put((560, 216), "{train}", Pen(size=42, role="figures", anchor="m"))
    canvas.put((860, 220), "{end}", Pen(size=40, anchor="m"))
    rule(canvas, (470, 270), (650, 270))
    canvas.put((250, 276), "{start_latin}", Pen(size=22, role="figures", anchor="m"))
    canvas.put((860, 276), "{end_latin}", Pen(size=22, role="figures", anchor="m"))
    pen = Pen(size=28)
    canvas.put((90, 330), "{when}", pen)
    canvas.put((600, 330), "{seat}", pen)
    canvas.put((860, 330), "{class}", pen)
    canvas.put((90, 386), "票价：{price}", pen)
    canvas.put((90, 442), "{identity}", pen)
    canvas.put((480, 442), "{person}", pen)
    canvas.put((90, 498), "电子客票号：{ticket}", Pen(size=24))
    canvas.put((90, 546), "购买方名称：{buyer}", Pen(size=22))
    canvas.put((680, 546), "税号：{buyer_code}", Pen(size=22))


def _taxi(made: MadeUp) -> Values:
    fare = made.cents(13, 160) * 100
    minute, hours = made.chance.randrange(30), made.chance.randrange(7, 22)
    return {
        "code": f"1{made.digits(11)}",
        "number": made.digits(8),
        "unit": f"{made.pick('青鸟', '橙舟', '晴川')}示例出租汽车公司",
        "plate": f"东A·{made.pick('T', 'X')}{made.digits(4)}",
        "licence": made.digits(6),
        "day": f"{made.day():%y-%m-%d}",
        "on": f"{hours:02d}:{minute:02d}",
        "off": f"{hours:02d}:{minute + 25:02d}",
        "unit_price": "2.70",
        "distance": f"{made.chance.randrange(3, 40)}.{made.digits(1)}",
        "wait": f"00:0{made.digits(1)}:{made.digits(2)}",
        "fare": plain(fare),
        "complaint": made.digits(8),
    }


def _draw_taxi(canvas: Canvas) -> None:
    canvas.put((260, 40), "东海省出租汽车统一发票", Pen(size=34, role="head", anchor="m", ink=RED))
    canvas.put((260, 96), "发票联", Pen(size=28, role="head", anchor="m", ink=RED, spacing=14))
    canvas.put((40, 156), "发票代码 {code}", Pen(size=25))
    canvas.put((40, 194), "发票号码 {number}", Pen(size=25))
    canvas.put((40, 246), "{unit}", Pen(size=25))
    items = (
        ("车号", "{plate}"),
        ("证号", "{licence}"),
        ("日期", "{day}"),
        ("上车", "{on}"),
        ("下车", "{off}"),
        ("单价", "{unit_price}元/km"),
        ("里程", "{distance}km"),
        ("等候", "{wait}"),
        ("金额", "{fare}元"),
    )
    canvas.pairs((60, 306), (160, 46), items, Pen(size=28, spacing=2))
    canvas.put((40, 746), "监督电话：{complaint}", Pen(size=24))
    canvas.put((40, 786), "手写无效", Pen(size=22, ink=GREY))


def _invoice(made: MadeUp) -> Values:
    net = made.cents(2000, 900_000)
    tax = round(net * 0.06)
    return {
        "number": made.digits(20),
        "day": chinese_date(made.day()),
        "buyer": made.company(),
        "buyer_code": made.credit_code(),
        "seller": made.company(),
        "seller_code": made.credit_code(),
        "item": made.pick("*信息技术服务*软件服务费", "*设计服务*版面设计", "*会展服务*会议服务费"),
        "net": plain(net),
        "tax": plain(tax),
        "total": f"¥{plain(net + tax)}",
        "words": in_words(net + tax),
        "net_sum": f"¥{plain(net)}",
        "tax_sum": f"¥{plain(tax)}",
        "issuer": made.person(),
        "remark": f"合同编号HT{made.digits(8)}",
    }


def _draw_invoice(canvas: Canvas) -> None:
    canvas.put((680, 44), "电子发票（增值税专用发票）", Pen(size=40, role="head", anchor="m", ink=(150, 70, 40)))
    canvas.put((980, 110), "发票号码：", Pen(size=23))
    canvas.put((1095, 112), "{number}", Pen(size=22, role="figures"))
    canvas.put((980, 146), "开票日期：", Pen(size=23))
    canvas.put((1095, 146), "{day}", Pen(size=22))
    ink = (150, 70, 40)
    canvas.put((60, 210), "购买方信息", Pen(size=24, ink=ink))
    canvas.put((60, 256), "名称：{buyer}", Pen(size=23))
    canvas.put((60, 300), "统一社会信用代码/纳税人识别号：{buyer_code}", Pen(size=23))
    canvas.put((720, 210), "销售方信息", Pen(size=24, ink=ink))
    canvas.put((720, 256), "名称：{seller}", Pen(size=23))
    canvas.put((720, 300), "统一社会信用代码/纳税人识别号：{seller_code}", Pen(size=23))
    frame(canvas, (40, 190, 1360, 350), ink)
    rule(canvas, (700, 190), (700, 350), ink)
    grid = Grid(widths=(440, 150, 110, 110, 190, 110, 210), aligns="lmmrrmr", pen=Pen(size=22), ink=ink)
    heads = ("项目名称", "规格型号", "单位", "数量", "金额", "税率", "税额")
    bottom = print_table(
        canvas,
        (40, 350),
        grid,
        (
            heads,
            ("{item}", "", "次", "1", "{net}", "6%", "{tax}"),
            (Span("合计", columns=4), "{net_sum}", "", "{tax_sum}"),
            ("价税合计（大写）", Span("{words}", columns=3), "（小写）", Span("{total}", columns=2)),
        ),
    )
    canvas.put((60, bottom + 24), "备注：{remark}", Pen(size=22))
    canvas.put((60, bottom + 90), "开票人：{issuer}", Pen(size=23))


def _boarding(made: MadeUp) -> Values:
    start, end = made.chance.sample(("FAIRHOLLOW", "CEDAR POINT", "MILLBROOK", "NORTHGATE", "LAKEWOOD"), 2)
    hour, minute = made.chance.randrange(7, 21), made.chance.randrange(60)
    return {
        "name": "/".join(reversed(made.person("en").upper().split())),
        "start": start,
        "end": end,
        "flight": f"{made.pick('QX', 'ZY', 'XV')}{made.digits(3)}",
        "day": f"{made.day():%d%b%Y}".upper(),
        "gate": f"{made.pick('A', 'B', 'C')}{made.digits(2)}",
        "boards": f"{hour:02d}:{minute:02d}",
        "departs": f"{hour + 1:02d}:{minute:02d}",
        "seat": f"{made.chance.randrange(1, 40)}{made.pick('A', 'C', 'D', 'F')}",
        "class": made.pick("ECONOMY", "BUSINESS"),
        "ticket": f"ETKT {made.digits(13)}",
    }


def _draw_boarding(canvas: Canvas) -> None:
    waves(canvas, (232, 238, 246), 30)
    fill(canvas, (0, 0, 1200, 80), (20, 80, 130))
    canvas.put((40, 20), "QUILLON SAMPLE AIR", Pen(size=36, role="head", bold=True, ink=(255, 255, 255)))
    canvas.put((1160, 24), "BOARDING PASS", Pen(size=30, anchor="r", ink=(255, 255, 255)))
    key, value = Pen(size=20, ink=GREY), Pen(size=32, bold=True)
    places = (
        (50, 110, "NAME OF PASSENGER", "{name}"),
        (50, 210, "FROM", "{start}"),
        (450, 210, "TO", "{end}"),
        (50, 310, "FLIGHT", "{flight}"),
        (260, 310, "DATE", "{day}"),
        (520, 310, "CLASS", "{class}"),
        (50, 410, "GATE", "{gate}"),
        (260, 410, "BOARDING TIME", "{boards}"),
        (520, 410, "DEPARTURE", "{departs}"),
        (760, 410, "SEAT", "{seat}"),
    )
    for x, y, heading, template in places:
        canvas.put((x, y), heading, key)
        canvas.put((x, y + 28), template, value)
    canvas.put((50, 520), "{ticket}", Pen(size=24, ink=BLACK))
    square_code(canvas, (960, 180), 190)
    canvas.put((760, 520), "Gate closes 15 minutes before departure", Pen(size=18, ink=BLUE))


def _trade_invoice(made: MadeUp) -> Values:
    amounts, issued = [made.cents(50, 900) * 100 for _ in range(3)], made.day()
    vat = round(sum(amounts) * 0.2)
    names = made.chance.sample(("Oak shelf", "Steel bracket", "Paint, white 5 l", "Desk lamp", "Cable set"), 3)
    values = {f"item{place}": name for place, name in enumerate(names)}
    return (
        values
        | {f"amount{place}": grouped(amount) for place, amount in enumerate(amounts)}
        | {
            "seller": f"{made.company('en')} Ltd",
            "buyer": f"{made.company('en')} LLC",
            "seller_address": made.address("en"),
            "number": f"{made.digits(4)}/{made.digits(2)}",
            "day": f"{issued:%B %d, %Y}",
            "due_day": f"{issued + timedelta(days=30):%B %d, %Y}",
            "net": grouped(sum(amounts)),
            "vat": grouped(vat),
            "total": f"£{grouped(sum(amounts) + vat)}",
            "vat_number": f"GB{made.digits(9)}",
            "account": f"{made.digits(8)}",
        }
    )


def _draw_trade_invoice(canvas: Canvas) -> None:
    canvas.put((1040, 60), "Invoice", Pen(size=64, role="head", anchor="r", ink=(40, 90, 80)))
    canvas.put((60, 70), "{seller}", Pen(size=30, bold=True))
    canvas.paragraph((60, 116), "{seller_address}", 420, Pen(size=22))
    canvas.put((60, 190), "VAT registration no. {vat_number}", Pen(size=22))
    canvas.pairs(
        (640, 170),
        (200, 40),
        (("Reference", "{number}"), ("Issued on", "{day}"), ("Payable by", "{due_day}")),
        Pen(size=22),
    )
    canvas.put((60, 270), "Billed to", Pen(size=20, ink=GREY))
    canvas.put((60, 300), "{buyer}", Pen(size=26))
    grid = Grid(widths=(640, 120, 220), aligns="lrr", ruling="rows", pen=Pen(size=22), ink=(180, 190, 186), line=1)
    rows = [("Description", "Qty", "Amount"), *((f"{{item{place}}}", "1", f"{{amount{place}}}") for place in range(3))]
    y = print_table(canvas, (60, 370), grid, rows) + 24
    for key, value, size in (("Net", "{net}", 24), ("VAT 20%", "{vat}", 24), ("Total payable", "{total}", 32)):
        canvas.put((780, y), key, Pen(size=size, anchor="r"))
        canvas.put((1030, y), value, Pen(size=size, anchor="r", bold=size > 30))
        y += 50
    canvas.put((60, y + 40), "Please pay to account {account}, sort code 00-00-00.", Pen(size=22))


LAYOUTS: Final = (
    Layout(
        name="frozen-railway-invoice",
        kind="train ticket",
        language="zh-Hans",
        size=(1120, 630),
        invent=_railway,
        draw=_draw_railway,
        looks=("sans", "serif"),
        head_looks=("kai",),
        figure_looks=("serif",),
        asks={
            "发票号码": "number",
            "开票日期": "issued",
            "车次": "train",
            "出发站": "start",
            "到达站": "end",
            "乘车时间": "when|发车日期和时间",
            "座位号": "seat",
            "座席等级": "class",
            "票价": "price",
            "证件号": "identity",
            "乘客姓名": "person",
            "购买方": "buyer",
            "购方税号": "buyer_code",
        },
    ),
    Layout(
        name="frozen-taxi",
        kind="taxi ticket",
        language="zh-Hans",
        size=(520, 840),
        invent=_taxi,
        draw=_draw_taxi,
        looks=("mono", "serif"),
        head_looks=("kai",),
        paper=(250, 246, 240),
        asks={
            "发票代码": "code",
            "发票号码": "number",
            "车牌号": "plate",
            "乘车日期": "day",
            "上车时间": "on",
            "下车时间": "off",
            "里程": "distance|单位km，只要数字",
            "总金额": "fare|只要数字",
        },
    ),
    Layout(
        name="frozen-digital-invoice",
        kind="vat invoice",
        language="zh-Hans",
        size=(1400, 700),
        invent=_invoice,
        draw=_draw_invoice,
        looks=("serif", "sans"),
        head_looks=("kai",),
        figure_looks=("mono",),
        asks={
            "发票号码": "number",
            "开票日期": "day",
            "购方名称": "buyer",
            "购方税号": "buyer_code",
            "销方名称": "seller",
            "销方税号": "seller_code",
            "价税合计": "total",
            "价税合计大写": "words",
            "合计税额": "tax_sum",
            "不含税金额": "net_sum",
            "开票人": "issuer",
        },
    ),
    Layout(
        name="frozen-boarding-pass",
        kind="air itinerary",
        language="en",
        size=(1200, 580),
        invent=_boarding,
        draw=_draw_boarding,
        looks=("sans", "mono"),
        head_looks=("sans",),
        asks={
            "passenger_name": "name",
            "flight_number": "flight",
            "departure_city": "start",
            "arrival_city": "end",
            "date": "day",
            "departure_time": "departs",
            "boarding_time": "boards",
            "seat": "seat",
            "cabin_class": "class",
            "gate": "gate",
        },
    ),
    Layout(
        name="frozen-trade-invoice",
        kind="invoice",
        language="en",
        size=(1100, 900),
        invent=_trade_invoice,
        draw=_draw_trade_invoice,
        looks=("sans", "serif"),
        head_looks=("serif",),
        asks={
            "supplier": "seller",
            "customer": "buyer",
            "invoice_number": "number",
            "invoice_date": "day",
            "due_date": "due_day",
            "subtotal": "net",
            "tax": "vat",
            "total": "total|amount to pay, tax included",
            "tax_id": "vat_number",
        },
    ),
)
