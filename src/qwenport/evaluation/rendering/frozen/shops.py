"""Frozen layouts: receipts."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.amounts import grouped, plain
from qwenport.evaluation.rendering.canvas import Canvas, Pen
from qwenport.evaluation.rendering.decoration import bar_code, dashes, rule
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp

_WIDTH: Final = 560


def _items(made: MadeUp, names: tuple[str, ...], count: int) -> tuple[dict[str, str], int]:
    prices = [made.cents(300, 6000) for _ in range(count)]
    chosen = made.chance.sample(names, count)
    named = {f"item{place}": name for place, name in enumerate(chosen)}
    return named | {f"price{place}": plain(price) for place, price in enumerate(prices)}, sum(prices)


def _noodle_shop(made: MadeUp) -> Values:
    items, total = _items(made, ("牛肉拉面", "凉拌黄瓜", "卤蛋", "酸梅汤", "烤羊肉串", "油泼面"), 4)
    return items | {
        "shop": f"{made.pick('老陕巷', '渭水人家', '面对面')}示例面馆",
        "branch": f"（{made.pick('云岭', '青溪', '望海')}店）",
        "table": f"{made.pick('A', 'B')}{made.digits(2)}",
        "order": made.digits(12),
        "time": f"{made.day():%Y-%m-%d} {made.clock()}",
        "sum": plain(total + 500),
        "off": plain(500),
        "due": plain(total),
        "way": made.pick("微信支付", "支付宝", "现金"),
        "phone": made.landline(),
        "cashier": made.person(),
    }


def _draw_noodle_shop(canvas: Canvas) -> None:
    middle = Pen(size=38, anchor="m", bold=True)
    canvas.put((280, 30), "{shop}", middle)
    canvas.put((280, 84), "{branch}", middle.but(size=26, bold=False))
    canvas.put((280, 136), "桌台 {table}", middle.but(size=32))
    pen = Pen(size=23)
    y = canvas.rows((24, 200), 38, ("订单编号：{order}", "开台时间：{time}", "收银：{cashier}"), pen)
    dashes(canvas, (24, y + 4), 536)
    y += 22
    for place in range(4):
        canvas.put((24, y), f"{{item{place}}}", pen)
        canvas.put((330, y), "x1", pen)
        canvas.put((536, y), f"{{price{place}}}", pen.but(anchor="r"))
        y += 40
    dashes(canvas, (24, y), 536)
    for key, value in (("消费金额", "{sum}"), ("优惠", "-{off}")):
        y += 26 if key == "消费金额" else 40
        canvas.put((24, y), key, pen)
        canvas.put((536, y), value, pen.but(anchor="r"))
    canvas.put((24, y + 56), "实收金额", Pen(size=32, bold=True))
    canvas.put((536, y + 56), "{due}", Pen(size=32, bold=True, anchor="r"))
    canvas.put((24, y + 112), "支付方式：{way}", pen)
    canvas.put((24, y + 150), "订餐电话：{phone}", pen)
    canvas.put((280, y + 210), "欢迎再次光临", pen.but(anchor="m"))


def _clinic(made: MadeUp) -> Values:
    consult, medicine = made.cents(30, 60) * 1000, made.cents(8, 40) * 1000 + 500
    return {
        "clinic": made.pick("康樂示例西醫診所", "晴山示例中醫診所", "月環示例兒科診所"),
        "address": made.address("zh-Hant"),
        "number": f"R{made.digits(6)}",
        "day": f"{made.day():%d-%m-%Y}",
        "patient": made.person("zh-Hant"),
        "illness": made.pick("上呼吸道感染", "急性腸胃炎", "皮膚敏感"),
        "consult": grouped(consult),
        "medicine": grouped(medicine),
        "total": grouped(consult + medicine),
        "doctor": f"{made.person('zh-Hant')}醫生",
        "phone": f"3{made.digits(3)} {made.digits(4)}",
    }


def _draw_clinic(canvas: Canvas) -> None:
    canvas.put((450, 40), "{clinic}", Pen(size=44, role="head", anchor="m"))
    canvas.put((450, 104), "{address}", Pen(size=22, anchor="m"))
    canvas.put((450, 138), "電話：{phone}", Pen(size=22, anchor="m"))
    rule(canvas, (60, 180), (840, 180))
    canvas.put((450, 200), "正式收據", Pen(size=36, anchor="m", spacing=12))
    canvas.put((60, 264), "收據號碼 {number}", Pen(size=26))
    canvas.put((840, 264), "日期 {day}", Pen(size=26, anchor="r"))
    canvas.put((60, 330), "茲收到", Pen(size=28))
    canvas.put((180, 330), "{patient}", Pen(size=28, role="head"))
    canvas.put((320, 330), "診治費用，病症：{illness}", Pen(size=28))
    rule(canvas, (176, 366), (300, 366), width=1)
    y = 410
    for key, value in (("診金", "{consult}"), ("藥費", "{medicine}"), ("合計港幣", "{total}")):
        canvas.put((200, y), key, Pen(size=28))
        canvas.put((700, y), value, Pen(size=28, anchor="r"))
        y += 56
    rule(canvas, (200, 515), (700, 515), width=1)
    canvas.put((840, 640), "主診：{doctor}", Pen(size=28, anchor="r"))


def _canteen(made: MadeUp) -> Values:
    items, total = _items(made, ("NASI LEMAK AYAM", "TEH TARIK", "ROTI CANAI", "MEE GORENG", "KOPI O ICE", "LAKSA"), 4)
    tax = round(total * 0.06)
    rounded = round((total + tax) / 5) * 5
    return items | {
        "shop": f"{made.pick('RESTORAN SERI MELATI', 'KEDAI KOPI BINTANG', 'WARUNG PELANGI')} SDN. BHD.",
        "registration": f"({made.digits(6)}-{made.pick('K', 'M', 'V')})",
        "street": f"NO. {made.digits(2)}, JALAN CEMPAKA {made.digits(1)}/{made.digits(1)},",
        "town": f"TAMAN MELOR, 9{made.digits(4)} KOTA CONTOH.",
        "bill": f"CS{made.digits(8)}",
        "day": f"{made.day():%d/%m/%Y}",
        "time": made.clock(),
        "sub": plain(total),
        "tax": plain(tax),
        "rounding": f"{(rounded - total - tax) / 100:.2f}",
        "total": plain(rounded),
    }


def _draw_canteen(canvas: Canvas) -> None:
    middle = Pen(size=24, anchor="m")
    canvas.paragraph((280, 30), "{shop}", 500, middle.but(bold=True))
    canvas.rows((280, 104), 34, ("{registration}", "{street}", "{town}", "TAX INVOICE"), middle)
    pen, last = Pen(size=22), Pen(size=22, anchor="r")
    canvas.put((24, 260), "Bill#: {bill}", pen)
    canvas.put((536, 260), "Pax: 2", last)
    canvas.put((24, 294), "{day} {time}", pen)
    dashes(canvas, (24, 334), 536)
    y = 352
    for place in range(4):
        canvas.put((24, y), f"1 {{item{place}}}", pen)
        canvas.put((536, y), f"{{price{place}}}", last)
        y += 36
    dashes(canvas, (24, y + 4), 536)
    y += 22
    sums = (("Sub Total", "{sub}"), ("SST 6%", "{tax}"), ("Rounding Adj", "{rounding}"))
    for key, value in sums:
        canvas.put((24, y), key, pen)
        canvas.put((536, y), value, last)
        y += 36
    canvas.put((24, y + 8), "TOTAL DUE (RM)", Pen(size=28, bold=True))
    canvas.put((536, y + 8), "{total}", Pen(size=28, bold=True, anchor="r"))
    bar_code(canvas, (130, y + 80), 300, 60)
    canvas.put((280, y + 164), "TERIMA KASIH", middle)


def _hotel(made: MadeUp) -> Values:
    nights = made.chance.randrange(2, 5)
    rate = made.cents(90, 260) * 100
    tax = round(rate * nights * 0.09)
    arrival = made.day()
    return {
        "hotel": f"{made.pick('The Larkspur', 'Tidewater', 'Hotel Quillon')} Sample House",
        "folio": made.digits(7),
        "guest": made.person("en"),
        "room": made.digits(3),
        "arrival": f"{arrival:%d %b %Y}",
        "departure": f"{arrival + timedelta(days=nights):%d %b %Y}",
        "rate": grouped(rate),
        "rooms": grouped(rate * nights),
        "tax": grouped(tax),
        "balance": f"USD {grouped(rate * nights + tax)}",
        "nights": str(nights),
        "mail": f"stay@{made.pick('larkspur', 'tidewater', 'quillon')}.example",
    }


def _draw_hotel(canvas: Canvas) -> None:
    canvas.put((70, 60), "{hotel}", Pen(size=46, role="head", bold=True, ink=(70, 40, 90)))
    canvas.put((70, 122), "GUEST FOLIO", Pen(size=24, spacing=6))
    rule(canvas, (70, 166), (930, 166), (70, 40, 90), 3)
    key, value = Pen(size=20, ink=(110, 110, 110)), Pen(size=26)
    for x, top, bottom in ((70, "Guest", "{guest}"), (360, "Room No.", "{room}"), (520, "Folio No.", "{folio}")):
        canvas.put((x, 190), top, key)
        canvas.put((x, 218), bottom, value)
    for x, top, bottom in (
        (70, "Check-in", "{arrival}"),
        (360, "Check-out", "{departure}"),
        (640, "Nights", "{nights}"),
    ):
        canvas.put((x, 280), top, key)
        canvas.put((x, 308), bottom, value)
    y = 400
    charges = (("Room charge", "{rooms}"), ("Nightly rate", "{rate}"), ("Occupancy tax 9%", "{tax}"))
    for name, amount in charges:
        canvas.put((70, y), name, Pen(size=24))
        canvas.put((930, y), amount, Pen(size=24, anchor="r"))
        rule(canvas, (70, y + 40), (930, y + 40), (200, 200, 200), 1)
        y += 56
    canvas.put((600, y + 20), "Balance due", Pen(size=28, bold=True, anchor="r"))
    canvas.put((930, y + 20), "{balance}", Pen(size=28, bold=True, anchor="r"))
    canvas.put((500, 700), "Questions? Write to {mail}", Pen(size=20, anchor="m"))


LAYOUTS: Final = (
    Layout(
        name="frozen-noodle-shop",
        kind="shop receipt",
        language="zh-Hans",
        size=(_WIDTH, 880),
        invent=_noodle_shop,
        draw=_draw_noodle_shop,
        looks=("sans",),
        asks={
            "商户名称": "shop",
            "订单号": "order",
            "桌号": "table",
            "下单时间": "time",
            "合计金额": "due|优惠后实际支付的金额",
            "支付方式": "way",
            "电话": "phone",
        },
    ),
    Layout(
        name="frozen-clinic",
        kind="medical invoice",
        language="zh-Hant",
        size=(900, 740),
        invent=_clinic,
        draw=_draw_clinic,
        looks=("serif", "sans"),
        head_looks=("kai",),
        paper=(250, 250, 246),
        asks={
            "診所名稱": "clinic",
            "收據編號": "number",
            "日期": "day",
            "病人姓名": "patient",
            "診金": "consult",
            "藥費": "medicine",
            "總金額": "total",
            "醫生": "doctor",
            "診斷": "illness",
        },
    ),
    Layout(
        name="frozen-canteen",
        kind="shop receipt",
        language="en",
        size=(_WIDTH, 880),
        invent=_canteen,
        draw=_draw_canteen,
        looks=("mono", "narrow"),
        asks={
            "company": "shop",
            "date": "day",
            "total": "total",
            "invoice_number": "bill",
            "tax": "tax",
            "subtotal": "sub",
        },
    ),
    Layout(
        name="frozen-hotel",
        kind="hotel bill",
        language="en",
        size=(1000, 780),
        invent=_hotel,
        draw=_draw_hotel,
        looks=("sans", "serif"),
        head_looks=("serif",),
        asks={
            "hotel_name": "hotel",
            "guest_name": "guest",
            "room_number": "room",
            "invoice_number": "folio",
            "arrival_date": "arrival",
            "departure_date": "departure",
            "total_amount": "balance",
            "email": "mail",
        },
    ),
)
