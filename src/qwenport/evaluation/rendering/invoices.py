"""Invoices of China: special, ordinary, electronic, fully digital, toll."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from qwenport.evaluation.rendering.amounts import in_words, plain
from qwenport.evaluation.rendering.canvas import Canvas, Ink, Pen
from qwenport.evaluation.rendering.decoration import frame, rule, seal, square_code
from qwenport.evaluation.rendering.grids import Grid, Span, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp, chinese_date

_BROWN: Final[Ink] = (140, 66, 40)
_GREEN: Final[Ink] = (30, 110, 70)
_GOODS: Final = (
    "*电子元件*连接器",
    "*办公用品*打印纸",
    "*家具*办公椅",
    "*计算机外部设备*显示器",
    "*研发服务*技术开发费",
)


def _invoice(made: MadeUp) -> Values:
    count, price = made.chance.randrange(1, 40), made.cents(1000, 90_000)
    net = count * price
    rate = made.pick("13", "6", "9")
    tax = round(net * int(rate) / 100)
    return {
        "code": f"{made.pick('0', '1', '3')}{made.digits(11)}",
        "short_code": made.digits(10),
        "number": made.digits(8),
        "long_number": made.digits(20),
        "day": chinese_date(made.day()),
        "check": " ".join(made.digits(5) for _ in range(4)),
        "machine": made.digits(12),
        "buyer": made.company(),
        "buyer_code": made.credit_code(),
        "buyer_address": f"{made.address()} {made.landline()}",
        "buyer_bank": f"示例银行{made.pick('青溪', '柳泉', '望海')}支行 {made.digits(16)}",
        "seller": made.company(),
        "seller_code": made.credit_code(),
        "seller_address": f"{made.address()} {made.landline()}",
        "seller_bank": f"示例银行{made.pick('云岭', '星河', '白鹭')}支行 {made.digits(16)}",
        "item": made.pick(*_GOODS),
        "count": str(count),
        "price": plain(price),
        "net": plain(net),
        "rate": f"{rate}%",
        "tax": plain(tax),
        "net_sum": f"¥{plain(net)}",
        "tax_sum": f"¥{plain(tax)}",
        "total": f"¥{plain(net + tax)}",
        "words": in_words(net + tax),
        "payee": made.person(),
        "checker": made.person(),
        "issuer": made.person(),
        "remark": f"订单号{made.digits(10)}",
        "plate": f"东C{made.pick(*'ABDE')}{made.digits(4)}",
        "vehicle": made.pick("客车", "货车"),
        "from": f"{made.day():%Y%m%d}",
    }


def _party(canvas: Canvas, y: float, party: str, size: int = 21) -> None:
    rows = (
        ("名　　　　称：", f"{{{party}}}"),
        ("纳税人识别号：", f"{{{party}_code}}"),
        ("地 址、电 话：", f"{{{party}_address}}"),
        ("开户行及账号：", f"{{{party}_bank}}"),
    )
    canvas.pairs((110, y), (170, 36), rows, Pen(size=size))


def _side(canvas: Canvas, y: float, text: str, ink: Ink) -> None:
    for place, character in enumerate(text):
        canvas.put((62, y + place * 40), character, Pen(size=22, ink=ink))


def _party_box(canvas: Canvas, y: float, heading: str, party: str, ink: Ink) -> float:
    """A frame with its heading at the side; gives the y below."""
    bottom = y + 168
    frame(canvas, (50, y, 1350, bottom), ink)
    _side(canvas, y + 16, heading, ink)
    rule(canvas, (96, y), (96, bottom), ink)
    _party(canvas, y + 14, party)
    return bottom


def _draw_paper_invoice(canvas: Canvas, title: str, ink: Ink, code: str) -> None:
    canvas.put((650, 40), title, Pen(size=40, role="head", anchor="m", ink=ink, spacing=4))
    rule(canvas, (440, 96), (860, 96), ink)
    rule(canvas, (440, 102), (860, 102), ink)
    canvas.put((70, 60), code, Pen(size=30, role="figures"))
    canvas.put((1180, 54), "№", Pen(size=30, role="figures", anchor="r"))
    canvas.put((1190, 54), "{number}", Pen(size=32, role="figures", ink=(40, 50, 120)))
    canvas.put((1000, 110), "开票日期：{day}", Pen(size=22))
    bottom = _party_box(canvas, 150, "购买方", "buyer", ink)
    rule(canvas, (900, 150), (900, bottom), ink)
    canvas.put((920, 170), "密码区", Pen(size=20, ink=ink))
    canvas.rows(
        (920, 206), 32, ("03*3187<4/+8490<+95-59+7<24", "+<712/1+9016>69065*+4<5>6/3"), Pen(size=20, role="figures")
    )
    top = _lines(canvas, (50, bottom), ink)
    bottom = _party_box(canvas, top, "销售方", "seller", ink)
    rule(canvas, (900, top), (900, bottom), ink)
    canvas.put((920, top + 14), "备注", Pen(size=20, ink=ink))
    canvas.put((920, top + 52), "{remark}", Pen(size=21))
    _foot(canvas, bottom + 16)


def _lines(canvas: Canvas, at: tuple[float, float], ink: Ink) -> float:
    grid = Grid(
        widths=(380, 130, 90, 120, 170, 170, 100, 140),
        aligns="lmmrrrmr",
        pen=Pen(size=21),
        head_pen=Pen(size=21, ink=ink),
        ink=ink,
    )
    rows = (
        ("货物或应税劳务、服务名称", "规格型号", "单位", "数量", "单价", "金额", "税率", "税额"),
        ("{item}", "", "件", "{count}", "{price}", "{net}", "{rate}", "{tax}"),
        (Span("合　　计", columns=5), "{net_sum}", "", "{tax_sum}"),
        ("价税合计（大写）", Span("{words}", columns=4), "（小写）", Span("{total}", columns=2)),
    )
    return print_table(canvas, at, grid, rows)


def _foot(canvas: Canvas, y: float) -> None:
    items = ((70, "收款人：{payee}"), (400, "复核：{checker}"), (700, "开票人：{issuer}"), (1000, "销售方：（章）"))
    for x, template in items:
        canvas.put((x, y), template, Pen(size=22))


def _draw_special(canvas: Canvas) -> None:
    _draw_paper_invoice(canvas, "东海增值税专用发票", _BROWN, "{short_code}")


def _draw_ordinary(canvas: Canvas) -> None:
    _draw_paper_invoice(canvas, "江南增值税普通发票", _GREEN, "{code}")


def _draw_electronic(canvas: Canvas) -> None:
    canvas.put((690, 50), "南山增值税电子普通发票", Pen(size=38, role="head", anchor="m", ink=_BROWN))
    square_code(canvas, (60, 30), 110)
    heads = ("发票代码：{code}", "发票号码：{number}", "开票日期：{day}", "校验码：{check}")
    canvas.rows((1000, 24), 32, heads, Pen(size=20))
    canvas.put((200, 116), "机器编号：{machine}", Pen(size=20))
    top = _lines(canvas, (50, _party_box(canvas, 160, "购买方", "buyer", _BROWN)), _BROWN)
    bottom = _party_box(canvas, top, "销售方", "seller", _BROWN)
    canvas.put((980, top + 14), "备注：{remark}", Pen(size=21))
    _foot(canvas, bottom + 16)
    seal(canvas, (1270, top + 110), 50)


def _draw_digital(canvas: Canvas) -> None:
    ink = (160, 40, 40)
    canvas.put((700, 50), "电子发票（普通发票）", Pen(size=42, role="head", anchor="m", ink=ink))
    rule(canvas, (480, 112), (920, 112), ink)
    square_code(canvas, (60, 30), 110)
    canvas.put((1000, 60), "发票号码：{long_number}", Pen(size=22))
    canvas.put((1000, 96), "开票日期：{day}", Pen(size=22))
    frame(canvas, (50, 170, 1350, 300), ink)
    for x, text, party in ((50, "购买方信息", "buyer"), (700, "销售方信息", "seller")):
        for place, character in enumerate(text):
            canvas.put((x + 10, 174 + place * 25), character, Pen(size=18, ink=ink))
        rule(canvas, (x + 40, 170), (x + 40, 300), ink)
        canvas.put((x + 54, 190), f"名称：{{{party}}}", Pen(size=22))
        canvas.put((x + 54, 246), f"统一社会信用代码/纳税人识别号：{{{party}_code}}", Pen(size=20))
    rule(canvas, (700, 170), (700, 300), ink)
    heads = ("项目名称", "规格型号", "单位", "数量", "单价", "金额", "税率/征收率", "税额")
    grid = Grid(
        widths=(330, 130, 90, 120, 170, 170, 150, 140),
        aligns="lmmrrrmr",
        pen=Pen(size=21),
        head_pen=Pen(size=21, ink=ink),
        ruling="none",
    )
    rows = (
        heads,
        ("{item}", "", "件", "{count}", "{price}", "{net}", "{rate}", "{tax}"),
        ("合　　计", "", "", "", "", "{net_sum}", "", "{tax_sum}"),
    )
    bottom = print_table(canvas, (50, 300), grid, rows)
    frame(canvas, (50, 300, 1350, bottom + 60), ink)
    rule(canvas, (50, bottom), (1350, bottom), ink)
    canvas.put((70, bottom + 18), "价税合计（大写）", Pen(size=22, ink=ink))
    canvas.put((300, bottom + 18), "{words}", Pen(size=22))
    canvas.put((960, bottom + 18), "（小写）{total}", Pen(size=22))
    frame(canvas, (50, bottom + 60, 1350, bottom + 140), ink)
    canvas.put((70, bottom + 86), "备注", Pen(size=22, ink=ink))
    canvas.put((140, bottom + 86), "{remark}", Pen(size=22))
    canvas.put((90, bottom + 160), "开票人：{issuer}", Pen(size=22))


def _draw_toll(canvas: Canvas) -> None:
    canvas.put((650, 44), "通行费增值税电子普通发票", Pen(size=38, role="head", anchor="m", ink=_BROWN))
    canvas.put((70, 60), "通行费", Pen(size=34, bold=True))
    heads = ("发票代码：{code}", "发票号码：{number}", "开票日期：{day}")
    canvas.rows((1000, 24), 34, heads, Pen(size=21))
    frame(canvas, (50, 150, 1350, 240), _BROWN)
    canvas.put((70, 164), "购方名称：{buyer}", Pen(size=22))
    canvas.put((70, 202), "纳税人识别号：{buyer_code}", Pen(size=22))
    grid = Grid(widths=(260, 160, 140, 190, 190, 160, 80, 120), aligns="lmmmmrmr", pen=Pen(size=21), ink=_BROWN)
    rows = (
        ("项目名称", "车牌号", "类型", "通行日期起", "通行日期止", "金额", "税率", "税额"),
        ("*经营租赁*通行费", "{plate}", "{vehicle}", "{from}", "{from}", "{net}", "{rate}", "{tax}"),
        (Span("价税合计（大写）"), Span("{words}", columns=4), "（小写）", Span("{total}", columns=2)),
    )
    bottom = print_table(canvas, (50, 240), grid, rows)
    frame(canvas, (50, bottom, 1350, bottom + 90), _BROWN)
    canvas.put((70, bottom + 14), "销方名称：{seller}", Pen(size=22))
    canvas.put((70, bottom + 52), "纳税人识别号：{seller_code}", Pen(size=22))
    _foot(canvas, bottom + 106)


_COMMON: Final[Mapping[str, str]] = {
    "发票号码": "number",
    "开票日期": "day",
    "购买方名称": "buyer",
    "购买方税号": "buyer_code",
    "销售方名称": "seller",
    "销售方税号": "seller_code",
    "价税合计": "total|小写金额",
    "大写金额": "words",
    "开票人": "issuer",
}


LAYOUTS: Final = (
    Layout(
        name="vat-special",
        kind="vat invoice",
        language="zh-Hans",
        size=(1400, 760),
        invent=_invoice,
        draw=_draw_special,
        looks=("serif", "sans"),
        head_looks=("kai",),
        figure_looks=("mono",),
        asks={
            "发票代码": "short_code",
            **_COMMON,
            "金额合计": "net_sum",
            "税额合计": "tax_sum",
            "税率": "rate",
            "收款人": "payee",
            "复核人": "checker",
        },
    ),
    Layout(
        name="vat-ordinary",
        kind="vat invoice",
        language="zh-Hans",
        size=(1400, 760),
        invent=_invoice,
        draw=_draw_ordinary,
        looks=("sans", "kai"),
        head_looks=("kai", "serif"),
        figure_looks=("mono", "serif"),
        asks={
            "发票代码": "code",
            **_COMMON,
            "货物名称": "item",
            "数量": "count",
            "单价": "price",
            "购买方开户行及账号": "buyer_bank",
        },
    ),
    Layout(
        name="vat-electronic",
        kind="vat invoice",
        language="zh-Hans",
        size=(1400, 780),
        invent=_invoice,
        draw=_draw_electronic,
        looks=("serif", "sans"),
        head_looks=("kai",),
        asks={
            "发票代码": "code",
            **_COMMON,
            "校验码": "check",
            "机器编号": "machine",
            "销售方地址电话": "seller_address",
        },
    ),
    Layout(
        name="vat-fully-digital",
        kind="vat invoice",
        language="zh-Hans",
        size=(1400, 700),
        invent=_invoice,
        draw=_draw_digital,
        looks=("sans", "serif"),
        head_looks=("kai",),
        asks={
            **_COMMON,
            "发票号码": "long_number",
            "项目名称": "item",
            "税率": "rate",
            "合计金额": "net_sum|不含税",
            "合计税额": "tax_sum",
        },
    ),
    Layout(
        name="vat-toll",
        kind="vat invoice",
        language="zh-Hans",
        size=(1400, 580),
        invent=_invoice,
        draw=_draw_toll,
        looks=("sans", "serif"),
        head_looks=("serif",),
        asks={"发票代码": "code", **_COMMON, "车牌号": "plate", "车辆类型": "vehicle", "税率": "rate"},
    ),
)
