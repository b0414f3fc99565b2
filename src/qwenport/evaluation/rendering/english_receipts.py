"""Receipts of shops in English."""

from __future__ import annotations

from typing import Final

from qwenport.evaluation.rendering.amounts import plain
from qwenport.evaluation.rendering.canvas import Canvas, Pen
from qwenport.evaluation.rendering.decoration import bar_code, dashes, rule
from qwenport.evaluation.rendering.goods import purchase
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp

_LEFT, _RIGHT, _MIDDLE = 34, 566, 300
_EDGES: Final = (_LEFT, _RIGHT)


def _cafe(made: MadeUp) -> Values:
    bought = purchase(made, "cafe", 3, 1800)
    return bought.values | {
        "shop": f"The {made.pick('Copper', 'Juniper', 'Harbor')} Sample Cafe",
        "street": f"{made.chance.randrange(1, 300)} {made.pick('Maple Street', 'Quay Lane', 'Mill Road')}",
        "order": made.digits(4),
        "server": made.person("en").split()[0],
        "time": f"{made.day():%d %b %Y} {made.clock()}",
        "sub": f"${plain(bought.cents)}",
        "tip": f"${plain(round(bought.cents * 0.15))}",
        "total": f"${plain(bought.cents + round(bought.cents * 0.15))}",
        "card": f"**** {made.digits(4)}",
    }


def _draw_cafe(canvas: Canvas) -> None:
    canvas.put((_MIDDLE, 40), "{shop}", Pen(size=36, role="head", anchor="m", bold=True))
    canvas.put((_MIDDLE, 92), "{street}", Pen(size=23, anchor="m"))
    pen = Pen(size=24)
    canvas.sum_row(150, _EDGES, ("Order #{order}", "Server: {server}"), pen)
    canvas.put((_LEFT, 186), "{time}", pen)
    rule(canvas, (_LEFT, 228), (_RIGHT, 228), width=1)
    y = 246.0
    for place in range(3):
        y = canvas.sum_row(y, _EDGES, (f"{{count{place}}} x {{item{place}}}", f"{{price{place}}}"), pen)
    rule(canvas, (_LEFT, y), (_RIGHT, y), width=1)
    y = canvas.sum_row(y + 14, _EDGES, ("Subtotal", "{sub}"), pen)
    y = canvas.sum_row(y, _EDGES, ("Tip", "{tip}"), pen)
    y = canvas.sum_row(y, _EDGES, ("Total", "{total}"), pen.but(size=32, bold=True))
    canvas.put((_LEFT, y + 10), "Paid by card {card}", pen)
    canvas.put((_MIDDLE, y + 70), "Thank you and see you soon!", pen.but(anchor="m"))


def _malaysian(made: MadeUp) -> Values:
    bought = purchase(made, "hardware", 4, 4000)
    rounded = round(bought.cents / 5) * 5
    cash = (rounded // 5000 + 1) * 5000
    return bought.values | {
        "shop": f"{made.pick('SINAR MAJU', 'KEMUNCAK', 'TERATAI')} SAMPLE HARDWARE SDN BHD",
        "registration": f"CO. REG NO: {made.digits(6)}-{made.pick(*'ADKW')}",
        "street": f"NO {made.digits(2)}, JALAN {made.pick('ANGSANA', 'BAYU', 'KENARI')} {made.digits(1)},",
        "town": f"TAMAN SAMPEL, 9{made.digits(4)} BANDAR RAYA, SELASIH",
        "tax_number": f"{made.digits(12)}",
        "number": f"{made.pick('CS', 'INV', 'A')}-{made.digits(7)}",
        "day": f"{made.day():%d/%m/%Y}",
        "clock": f"{made.clock()}:{made.chance.randrange(60):02d}",
        "cashier": made.pick("AISYAH", "MEI LING", "KUMAR"),
        "sum": plain(bought.cents),
        "rounding": f"{(rounded - bought.cents) / 100:.2f}",
        "total": plain(rounded),
        "cash": plain(cash),
        "change": plain(cash - rounded),
    }


def _draw_malaysian(canvas: Canvas) -> None:
    middle = Pen(size=25, anchor="m", bold=True)
    canvas.put((_MIDDLE, 30), "{shop}", middle)
    head = ("{registration}", "{street}", "{town}", "GST ID NO : {tax_number}")
    y = canvas.rows((_MIDDLE, 72), 32, head, middle.but(size=21, bold=False))
    canvas.put((_MIDDLE, y + 16), "SIMPLIFIED TAX INVOICE", middle.but(size=23))
    pen = Pen(size=22)
    rows = (("Doc No.", ": {number}"), ("Date", ": {day} {clock}"), ("Cashier", ": {cashier}"))
    y = canvas.pairs((_LEFT, y + 64), (120, 33), rows, pen)
    dashes(canvas, (_LEFT, y + 6), _RIGHT)
    y += 22
    for place in range(4):
        canvas.put((_LEFT, y), f"{{item{place}}}", pen)
        canvas.put((_LEFT + 40, y + 30), f"{{count{place}}} X {{each{place}}}", pen)
        canvas.put((_RIGHT, y + 30), f"{{price{place}}} SR", pen.but(anchor="r"))
        y += 66
    dashes(canvas, (_LEFT, y + 2), _RIGHT)
    sums = (("Total Sales (Incl. GST)", "{sum}"), ("Rounding Adjustment", "{rounding}"))
    y += 16
    for key, value in sums:
        y = canvas.sum_row(y, _EDGES, (key, value), pen)
    y = canvas.sum_row(y, _EDGES, ("Total Amount Payable", "{total}"), pen.but(size=26, bold=True))
    y = canvas.sum_row(y, _EDGES, ("CASH", "{cash}"), pen)
    y = canvas.sum_row(y, _EDGES, ("CHANGE", "{change}"), pen)
    canvas.put((_MIDDLE, y + 16), "GOODS SOLD ARE NOT RETURNABLE", pen.but(anchor="m"))


def _american(made: MadeUp) -> Values:
    bought = purchase(made, "grocery", 5, 1500)
    tax = round(bought.cents * 0.0825)
    return bought.values | {
        "shop": f"{made.pick('MAPLECREST', 'NORTHGATE', 'SUNMERE')} SAMPLE MARKET",
        "address": made.address("en").upper(),
        "phone": f"(555) 010-{made.digits(4)}",
        "store": made.digits(4),
        "transaction": made.digits(6),
        "day": f"{made.day():%m/%d/%y}",
        "clock": f"{made.chance.randrange(1, 13)}:{made.chance.randrange(60):02d} {made.pick('AM', 'PM')}",
        "sub": plain(bought.cents),
        "tax": plain(tax),
        "total": plain(bought.cents + tax),
        "card": f"XXXXXXXXXXXX{made.digits(4)}",
        "approval": made.digits(6),
        "pieces": str(bought.pieces),
    }


def _draw_american(canvas: Canvas) -> None:
    middle = Pen(size=23, anchor="m")
    canvas.put((_MIDDLE, 30), "{shop}", middle.but(size=30, bold=True))
    y = 80.0
    for part in canvas.values["address"].split(", ", 1):
        canvas.put((_MIDDLE, y), part, middle)
        y += 32
    canvas.put((_MIDDLE, y), "{phone}", middle)
    pen = Pen(size=22)
    canvas.put((_LEFT, y + 48), "STORE {store}  TRANS {transaction}", pen)
    canvas.put((_LEFT, y + 82), "{day} {clock}", pen)
    y += 134
    for place in range(5):
        y = canvas.sum_row(y, _EDGES, (f"{{item{place}}}", f"{{price{place}}} F"), pen)
    y = canvas.sum_row(y + 12, _EDGES, ("SUBTOTAL", "{sub}"), pen)
    y = canvas.sum_row(y, _EDGES, ("SALES TAX 8.25%", "{tax}"), pen)
    y = canvas.sum_row(y, _EDGES, ("TOTAL", "{total}"), pen.but(size=30, bold=True))
    y = canvas.sum_row(y, _EDGES, ("VISA {card}", "{total}"), pen)
    canvas.put((_LEFT, y), "APPROVAL CODE {approval}", pen)
    canvas.put((_MIDDLE, y + 56), "# ITEMS SOLD {pieces}", middle)
    bar_code(canvas, (130, round(y) + 100), 340, 60)


def _chemist(made: MadeUp) -> Values:
    bought = purchase(made, "chemist", 3, 2500)
    saved = made.cents(50, 200)
    return bought.values | {
        "shop": f"{made.pick('Willow', 'Foxglove', 'Camomile')} Sample Pharmacy",
        "address": made.address("en"),
        "prescription": f"{made.digits(7)}",
        "patient": made.person("en"),
        "day": f"{made.day():%b %d, %Y}",
        "register": made.digits(2),
        "total": f"${plain(bought.cents - saved)}",
        "saved": f"${plain(saved)}",
        "points": made.digits(3),
        "pharmacist": made.person("en"),
    }


def _draw_chemist(canvas: Canvas) -> None:
    canvas.put((_LEFT, 36), "{shop}", Pen(size=32, role="head", bold=True))
    y = canvas.paragraph((_LEFT, 88), "{address}", 520, Pen(size=22))
    pen = Pen(size=23)
    rows = (
        ("Date:", "{day}"),
        ("Register:", "{register}"),
        ("Rx Number:", "{prescription}"),
        ("Patient:", "{patient}"),
    )
    y = canvas.pairs((_LEFT, y + 22), (170, 36), rows, pen) + 12
    for place in range(3):
        canvas.put((_LEFT, y), f"{{item{place}}}", pen)
        canvas.put((400, y), f"{{count{place}}} @ {{each{place}}}", pen.but(anchor="r", size=21))
        canvas.put((_RIGHT, y), f"{{price{place}}}", pen.but(anchor="r"))
        y += 38
    rule(canvas, (_LEFT, y + 4), (_RIGHT, y + 4), width=1)
    y = canvas.sum_row(y + 20, _EDGES, ("You saved", "{saved}"), pen)
    y = canvas.sum_row(y, _EDGES, ("Balance due", "{total}"), pen.but(size=28, bold=True))
    canvas.put((_LEFT, y + 4), "Points earned: {points}", pen)
    canvas.put((_LEFT, y + 40), "Pharmacist: {pharmacist}", pen)


LAYOUTS: Final = (
    Layout(
        name="cafe",
        kind="shop receipt",
        language="en",
        size=(600, 660),
        invent=_cafe,
        draw=_draw_cafe,
        looks=("sans", "mono"),
        head_looks=("serif", "sans"),
        asks={
            "merchant": "shop",
            "address": "street",
            "order_number": "order",
            "date_time": "time|date and time",
            "subtotal": "sub",
            "tip": "tip",
            "total": "total",
        },
    ),
    Layout(
        name="hardware-store",
        kind="shop receipt",
        language="en",
        size=(600, 950),
        invent=_malaysian,
        draw=_draw_malaysian,
        looks=("mono", "narrow"),
        asks={
            "company": "shop",
            "date": "day",
            "time": "clock",
            "total": "total",
            "invoice_no": "number",
            "cash": "cash",
            "change": "change",
            "tax_id": "tax_number",
        },
    ),
    Layout(
        name="grocery",
        kind="shop receipt",
        language="en",
        size=(600, 860),
        invent=_american,
        draw=_draw_american,
        looks=("mono", "sans"),
        asks={
            "store_name": "shop",
            "phone": "phone",
            "transaction_number": "transaction",
            "date": "day",
            "time": "clock",
            "subtotal": "sub",
            "tax": "tax",
            "total": "total",
            "items_sold": "pieces",
        },
    ),
    Layout(
        name="chemist",
        kind="shop receipt",
        language="en",
        size=(600, 700),
        invent=_chemist,
        draw=_draw_chemist,
        looks=("sans", "serif"),
        head_looks=("serif", "sans"),
        asks={
            "company": "shop",
            "address": "address",
            "date": "day",
            "patient_name": "patient",
            "prescription_number": "prescription",
            "total": "total",
            "savings": "saved",
            "pharmacist": "pharmacist",
        },
    ),
)
