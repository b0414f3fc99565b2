"""Tickets: train, taxi, air."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from qwenport.evaluation.rendering.amounts import grouped, plain
from qwenport.evaluation.rendering.canvas import BLUE, GREY, RED, WHITE, Canvas, Ink, Pen
from qwenport.evaluation.rendering.decoration import arrow, fill, frame, rule, square_code, waves
from qwenport.evaluation.rendering.grids import Grid, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp, chinese_date

_TRAIN_ASKS: Final[Mapping[str, str]] = {
    "发票号码": "number",
    "车次": "train",
    "起始站": "start",
    "终点站": "end",
    "发车日期和时间点": "when",
    "座位号": "seat",
    "席别类型": "class",
    "票价": "price",
    "身份证号码": "identity",
    "购票人姓名": "person",
}


def _train(made: MadeUp) -> dict[str, str]:
    (start, start_latin), (end, end_latin) = made.stations()
    return {
        "number": f"{made.digits(14)}",
        "short_number": f"{made.pick(*'ABEKZ')}{made.digits(6)}",
        "gate": f"{made.chance.randrange(1, 20)}{made.pick('A', 'B')}",
        "start": f"{start}站",
        "end": f"{end}站",
        "start_latin": start_latin,
        "end_latin": end_latin,
        "train": f"{made.pick(*'GDCG')}{made.chance.randrange(10, 9000)}",
        "when": f"{chinese_date(made.day())} {made.clock()}开",
        "seat": made.train_seat(),
        "class": made.pick("二等座", "一等座", "商务座", "无座"),
        "price": f"¥{made.chance.randrange(20, 1200)}.{made.pick('0', '5')}元",
        "identity": made.resident_number(masked=True),
        "person": made.person(),
        "serial": f"{made.digits(21)} {made.pick('青溪', '梅岗')}售",
        "issued": chinese_date(made.day()),
    }


def _draw_paper_ticket(canvas: Canvas, wave: Ink, number: str) -> None:
    waves(canvas, wave, 18)
    canvas.put((60, 40), number, Pen(size=34, role="figures", ink=RED))
    canvas.put((940, 44), "检票：{gate}", Pen(size=28, anchor="r"))
    for x, name, latin in ((190, "{start}", "{start_latin}"), (810, "{end}", "{end_latin}")):
        canvas.put((x, 104), name, Pen(size=44, role="head", anchor="m"))
        canvas.put((x, 160), latin, Pen(size=26, role="figures", anchor="m"))
    canvas.put((500, 100), "{train}", Pen(size=44, role="figures", anchor="m"))
    arrow(canvas, (400, 156), 600)
    pen = Pen(size=30)
    canvas.put((60, 216), "{when}", pen)
    canvas.put((640, 216), "{seat}", pen)
    canvas.put((60, 266), "{price}", pen)
    canvas.put((640, 266), "{class}", pen)
    canvas.put((60, 322), "限乘当日当次车", Pen(size=26))
    canvas.put((60, 380), "{identity}", Pen(size=32, role="figures"))
    canvas.put((460, 380), "{person}", Pen(size=32))
    square_code(canvas, (800, 350), 150)
    frame(canvas, (110, 440, 660, 522), GREY, 1)
    canvas.put((385, 448), "买票请到示例铁路 发货请到示例货运", Pen(size=22, anchor="m"))
    canvas.put((385, 484), "祝您旅途愉快", Pen(size=22, anchor="m"))


def _draw_blue(canvas: Canvas) -> None:
    _draw_paper_ticket(canvas, (196, 220, 238), "{number}")
    fill(canvas, (0, 560, 1000, 620), (120, 176, 214))
    canvas.put((60, 572), "{serial}", Pen(size=26))


def _draw_red(canvas: Canvas) -> None:
    _draw_paper_ticket(canvas, (246, 206, 206), "{short_number}")
    canvas.put((60, 560), "{serial}", Pen(size=24))


def _draw_electronic(canvas: Canvas) -> None:
    canvas.put((500, 40), "铁路电子客票报销凭证", Pen(size=36, role="head", anchor="m"))
    canvas.put((60, 110), "发票号码: {number}", Pen(size=24))
    canvas.put((940, 110), "开票日期: {issued}", Pen(size=24, anchor="r"))
    rule(canvas, (60, 156), (940, 156), RED)
    canvas.put((120, 180), "{start}", Pen(size=40))
    canvas.put((500, 184), "{train}", Pen(size=36, anchor="m"))
    canvas.put((880, 180), "{end}", Pen(size=40, anchor="r"))
    canvas.put((120, 234), "{start_latin}", Pen(size=22))
    canvas.put((880, 234), "{end_latin}", Pen(size=22, anchor="r"))
    arrow(canvas, (400, 238), 600, RED)
    canvas.put((120, 286), "{when}", Pen(size=28))
    canvas.put((600, 286), "{seat}", Pen(size=28))
    canvas.put((780, 286), "{class}", Pen(size=28))
    canvas.put((120, 344), "票价：", Pen(size=28))
    canvas.put((220, 344), "{price}", Pen(size=28, bold=True))
    canvas.put((120, 402), "{identity}", Pen(size=28))
    canvas.put((520, 402), "{person}", Pen(size=28))
    canvas.put((500, 480), "仅供报销使用，不作乘车凭证", Pen(size=22, anchor="m", ink=GREY))


def _taxi(made: MadeUp) -> Values:
    hour, minute, fare = made.chance.randrange(7, 22), made.chance.randrange(30), made.cents(11, 190)
    return {
        "code": f"1{made.digits(11)}",
        "number": made.digits(8),
        "phone": made.digits(8),
        "plate": f"东B{made.pick(*'TXFD')}{made.digits(4)}",
        "licence": made.digits(6),
        "day": f"{made.day():%Y-%m-%d}",
        "time": f"{hour:02d}:{minute:02d}-{hour:02d}:{minute + 27:02d}",
        "price": f"{made.pick('2.30', '2.60', '3.10')}元",
        "distance": f"{made.chance.randrange(2, 50)}.{made.digits(1)}公里",
        "wait": f"00:0{made.digits(1)}:{made.digits(2)}",
        "fare": f"{fare}.00元",
    }


def _draw_taxi(canvas: Canvas) -> None:
    canvas.put((230, 30), "青溪市出租汽车专用发票", Pen(size=32, role="head", anchor="m"))
    canvas.put((230, 78), "发 票 联", Pen(size=26, role="head", anchor="m"))
    canvas.put((40, 124), "代码{code}", Pen(size=24))
    canvas.put((40, 160), "号码{number}", Pen(size=24))
    keys = (
        ("电话", "{phone}"),
        ("车号", "{plate}"),
        ("证号", "{licence}"),
        ("日期", "{day}"),
        ("时间", "{time}"),
        ("单价", "{price}"),
        ("里程", "{distance}"),
        ("等候", "{wait}"),
        ("金额", "{fare}"),
    )
    canvas.pairs((56, 220), (120, 44), keys, Pen(size=27))
    rule(canvas, (40, 626), (420, 626), GREY, 1)
    canvas.put((40, 640), "请保留发票以便查询", Pen(size=22, ink=GREY))


def _itinerary(made: MadeUp) -> Values:
    start, end = made.chance.sample(("青溪", "云岭", "松江", "白鹭", "星河", "望海"), 2)
    fare, tax = made.cents(300, 2400), made.pick("50.00", "90.00")
    total = fare * 100 + 13000 + round(float(tax) * 100)
    hour, minute = made.chance.randrange(7, 22), made.chance.randrange(60)
    return {
        "serial": made.digits(11),
        "name": made.person(),
        "identity": made.resident_number(),
        "start": start,
        "end": end,
        "flight": f"{made.pick('XQ', 'QY', 'ZV')}{made.digits(4)}",
        "class": made.pick("Y", "M", "B"),
        "day": f"{made.day():%Y-%m-%d}",
        "time": f"{hour:02d}:{minute:02d}",
        "fare": f"CNY {fare}.00",
        "fund": f"CN {tax}",
        "fuel": "YQ 130.00",
        "total": f"CNY {plain(total)}",
        "ticket": f"{made.digits(3)}-{made.digits(10)}",
        "check": made.digits(4),
        "agent": made.company(),
        "issued": f"{made.day():%Y-%m-%d}",
    }


def _draw_itinerary(canvas: Canvas) -> None:
    waves(canvas, (228, 240, 232), 24)
    canvas.put((600, 30), "航空运输电子客票行程单", Pen(size=38, role="head", anchor="m"))
    canvas.put((1150, 90), "印刷序号：{serial}", Pen(size=22, anchor="r"))
    canvas.put_all(
        ((60, 130, "旅客姓名"), (400, 130, "有效身份证件号码"), (860, 130, "客票级别")), Pen(size=20, ink=BLUE)
    )
    canvas.put_all(((60, 160, "{name}"), (400, 160, "{identity}"), (860, 160, "{class}")), Pen(size=28))
    grid = Grid(
        widths=(240, 200, 200, 180, 160),
        aligns="l",
        pen=Pen(size=24),
        head_pen=Pen(size=20, ink=BLUE),
        ink=BLUE,
        line=1,
    )
    rows = (
        ("", "承运人", "航班号", "日期", "时间"),
        ("自 {start}", "示例航空", "{flight}", "{day}", "{time}"),
        ("至 {end}", "VOID", "", "", ""),
    )
    bottom = print_table(canvas, (60, 220), grid, rows)
    keys = ("票价", "民航发展基金", "燃油附加费", "合计")
    for place, (key, value) in enumerate(zip(keys, ("{fare}", "{fund}", "{fuel}", "{total}"), strict=True)):
        canvas.put((60 + place * 270, bottom + 24), key, Pen(size=20, ink=BLUE))
        canvas.put((60 + place * 270, bottom + 52), value, Pen(size=26))
    canvas.put((60, bottom + 110), "电子客票号码：{ticket}", Pen(size=23))
    canvas.put((660, bottom + 110), "验证码：{check}", Pen(size=23))
    canvas.put((60, bottom + 154), "填开单位：{agent}", Pen(size=23))
    canvas.put((800, bottom + 154), "填开日期：{issued}", Pen(size=23))


def _flight(made: MadeUp) -> Values:
    (start, start_code), (end, end_code) = made.chance.sample(
        (("Fairhollow", "FHW"), ("Cedar Point", "CDP"), ("Millbrook", "MBK"), ("Lakewood", "LKW")), 2
    )
    fare = made.cents(80, 900) * 100
    hour, minute = made.chance.randrange(6, 19), made.chance.randrange(60)
    return {
        "name": f"{made.pick('MR', 'MS')} {made.person('en').upper()}",
        "locator": "".join(made.chance.sample("ABCDEFGHJKLMNPQRSTUVWXYZ", 6)),
        "ticket": f"{made.digits(3)} {made.digits(10)}",
        "issued": f"{made.day():%d %b %Y}",
        "flight": f"{made.pick('TW', 'QL', 'NX')} {made.digits(3)}",
        "start": f"{start} ({start_code})",
        "end": f"{end} ({end_code})",
        "departs": f"{hour:02d}:{minute:02d}",
        "arrives": f"{hour + 3:02d}:{minute:02d}",
        "day": f"{made.day():%a, %d %b %Y}",
        "seat": f"{made.chance.randrange(1, 40)}{made.pick(*'ACDF')}",
        "cabin": made.pick("Economy (M)", "Business (J)"),
        "bags": made.pick("1PC", "2PC"),
        "fare": f"USD {grouped(fare)}",
        "taxes": f"USD {grouped(fare // 5)}",
        "total": f"USD {grouped(fare + fare // 5)}",
    }


def _draw_flight(canvas: Canvas) -> None:
    fill(canvas, (0, 0, 1100, 96), (24, 60, 110))
    canvas.put((50, 26), "Electronic Ticket Itinerary", Pen(size=38, role="head", bold=True, ink=WHITE))
    left = (("Passenger:", "{name}"), ("Booking reference:", "{locator}"))
    canvas.pairs((50, 130), (260, 42), left, Pen(size=24))
    right = (("Ticket number:", "{ticket}"), ("Date of issue:", "{issued}"))
    canvas.pairs((620, 130), (200, 42), right, Pen(size=24))
    grid = Grid(widths=(130, 290, 290, 290), aligns="l", ruling="rows", pen=Pen(size=23), shade=(226, 232, 242))
    rows = (
        ("Flight", "Departure", "Arrival", "Details"),
        ("{flight}", "{start}", "{end}", "{cabin}"),
        ("", "{day}", "", "Seat {seat}"),
        ("", "{departs}", "{arrives}", "Baggage {bags}"),
    )
    y = print_table(canvas, (50, 240), grid, rows) + 40
    for key, value in (("Fare", "{fare}"), ("Taxes and fees", "{taxes}"), ("Total amount", "{total}")):
        canvas.sum_row(y, (50, 460), (key, value), Pen(size=24, bold=key.startswith("Total")))
        y += 44


LAYOUTS: Final = (
    Layout(
        name="train-ticket-blue",
        kind="train ticket",
        language="zh-Hans",
        size=(1000, 620),
        invent=_train,
        draw=_draw_blue,
        looks=("sans", "serif"),
        head_looks=("sans",),
        paper=(222, 236, 246),
        asks=_TRAIN_ASKS,
    ),
    Layout(
        name="train-ticket-red",
        kind="train ticket",
        language="zh-Hans",
        size=(1000, 620),
        invent=_train,
        draw=_draw_red,
        looks=("sans",),
        head_looks=("serif", "sans"),
        paper=(252, 238, 236),
        asks={**_TRAIN_ASKS, "发票号码": "short_number"},
    ),
    Layout(
        name="train-ticket-electronic",
        kind="train ticket",
        language="zh-Hans",
        size=(1000, 540),
        invent=_train,
        draw=_draw_electronic,
        looks=("sans", "serif", "kai"),
        asks={**_TRAIN_ASKS, "开票日期": "issued"},
    ),
    Layout(
        name="taxi-receipt",
        kind="taxi ticket",
        language="zh-Hans",
        size=(460, 690),
        invent=_taxi,
        draw=_draw_taxi,
        looks=("sans", "mono"),
        head_looks=("serif",),
        asks={
            "发票代码": "code",
            "发票号码": "number",
            "车牌号": "plate",
            "日期": "day",
            "上下车时间": "time",
            "单价": "price",
            "里程": "distance",
            "金额": "fare",
        },
    ),
    Layout(
        name="air-itinerary",
        kind="air itinerary",
        language="zh-Hans",
        size=(1200, 620),
        invent=_itinerary,
        draw=_draw_itinerary,
        looks=("serif", "sans"),
        head_looks=("kai",),
        asks={
            "乘机人": "name",
            "身份证号": "identity",
            "航班号": "flight",
            "乘机日期": "day",
            "起飞时间": "time",
            "票价": "fare",
            "燃油附加费": "fuel",
            "民航发展基金": "fund",
            "合计金额": "total",
            "电子客票号码": "ticket",
            "印刷序号": "serial",
            "填开单位": "agent",
            "填开日期": "issued",
        },
    ),
    Layout(
        name="flight-itinerary",
        kind="air itinerary",
        language="en",
        size=(1100, 640),
        invent=_flight,
        draw=_draw_flight,
        looks=("sans", "serif"),
        asks={
            "passenger_name": "name",
            "booking_reference": "locator",
            "ticket_number": "ticket",
            "issue_date": "issued",
            "flight_number": "flight",
            "departure_airport": "start",
            "arrival_airport": "end",
            "departure_time": "departs",
            "arrival_time": "arrives",
            "total": "total|full price with taxes",
        },
    ),
)
