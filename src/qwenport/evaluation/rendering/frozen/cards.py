"""Frozen layouts: cards and licences."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.canvas import BLACK, BLUE, GREY, RED, Canvas, Pen
from qwenport.evaluation.rendering.decoration import fill, frame, portrait, rule, seal, square_code, waves
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp, chinese_date


def _temporary_identity(made: MadeUp) -> Values:
    born, start = made.birthday(), made.day()
    return {
        "name": made.person(),
        "sex": made.pick("男", "女"),
        "nation": made.pick("汉", "回", "满", "壮"),
        "born": f"{born.year}年{born.month}月{born.day}日",
        "address": made.address(),
        "number": made.resident_number(born),
        "valid": f"{start:%Y.%m.%d}-{start + timedelta(days=90):%Y.%m.%d}",
        "issuer": f"{made.pick('青溪市公安局云岭分局', '白鹭市公安局柳泉分局', '星河市公安局')}",
    }


def _draw_temporary_identity(canvas: Canvas) -> None:
    waves(canvas, (222, 226, 240), 22)
    canvas.put((520, 36), "中华人民共和国临时居民身份证", Pen(size=38, role="head", anchor="m", spacing=3))
    portrait(canvas, (56, 120, 296, 420))
    key, value = Pen(size=24, ink=BLUE), Pen(size=28)
    keys = ("姓　　名", "性　　别", "民　　族", "出生日期", "住　　址")
    canvas.rows((340, 124), 56, keys, key)
    canvas.rows((480, 122), 56, ("{name}", "{sex}", "{nation}", "{born}"), value)
    canvas.paragraph((480, 346), "{address}", 480, value)
    canvas.pairs((340, 440), (140, 50), (("证件编号", "{number}"), ("有效期限", "{valid}")), Pen(size=26))
    canvas.put((56, 560), "签发机关：{issuer}", Pen(size=26))


def _household_licence(made: MadeUp) -> Values:
    return {
        "code": made.credit_code("92"),
        "name": f"柳泉区{made.pick('阿禾', '小满', '拾光', '老街口')}示例{made.pick('小吃店', '五金店', '花店')}",
        "type": "个体工商户",
        "operator": made.person(),
        "place": made.address(),
        "registered": chinese_date(made.day()),
        "scope": made.pick("食品销售；餐饮服务；日用百货零售。", "五金产品零售；建筑装饰材料销售；水暖管件零售。"),
        "authority": made.pick("柳泉区市场监督管理局", "云岭区市场监督管理局"),
    }


def _draw_household_licence(canvas: Canvas) -> None:
    frame(canvas, (24, 24, 1176, 876), (176, 140, 60), 8)
    frame(canvas, (40, 40, 1160, 860), (176, 140, 60), 2)
    canvas.put((650, 120), "营业执照", Pen(size=72, role="head", anchor="m", spacing=20, ink=RED))
    canvas.put((600, 212), "（副本）", Pen(size=30, anchor="m"))
    square_code(canvas, (960, 90), 150)
    canvas.put((70, 66), "统一社会信用代码", Pen(size=24))
    canvas.put((70, 102), "{code}", Pen(size=28, role="figures", bold=True))
    key, value = Pen(size=28, spacing=4, ink=(120, 84, 20)), Pen(size=28)
    canvas.rows((100, 300), 70, ("名称", "类型", "经营者", "经营场所"), key)
    canvas.rows((270, 300), 70, ("{name}", "{type}", "{operator}"), value)
    canvas.paragraph((270, 510), "{place}", 400, value)
    canvas.put((700, 440), "注册日期", key)
    canvas.put((850, 440), "{registered}", value)
    canvas.put((700, 510), "经营范围", key)
    canvas.paragraph((850, 510), "{scope}", 270, value)
    canvas.put((820, 740), "登记机关", Pen(size=28, spacing=8))
    canvas.put((820, 790), "{authority}", Pen(size=26))
    seal(canvas, (640, 750), 70)


def _member_card(made: MadeUp) -> Values:
    return {
        "name": made.person("zh-Hant"),
        "english": made.person("en").upper(),
        "number": f"M{made.digits(3)}-{made.digits(6)}",
        "grade": made.pick("金卡會員", "銀卡會員", "白金會員"),
        "since": f"{made.day():%Y/%m}",
        "expires": f"{made.day():%d/%m/%Y}",
        "hotline": f"2{made.digits(3)} {made.digits(4)}",
    }


def _draw_member_card(canvas: Canvas) -> None:
    fill(canvas, (20, 20, 880, 540), (236, 240, 232), round_by=36)
    fill(canvas, (20, 60, 880, 72), (150, 120, 60))
    canvas.put((60, 96), "晴川書店會員卡", Pen(size=46, role="head", ink=(60, 80, 60)))
    canvas.put((840, 108), "{grade}", Pen(size=30, anchor="r", ink=RED))
    canvas.put((60, 220), "{number}", Pen(size=52, role="figures", spacing=4))
    canvas.put((60, 330), "{name}", Pen(size=36))
    canvas.put((60, 386), "{english}", Pen(size=28, role="figures"))
    canvas.put((520, 330), "入會年月　{since}", Pen(size=26))
    canvas.put((520, 386), "有效期至　{expires}", Pen(size=26))
    canvas.put((60, 480), "客戶服務熱線：{hotline}", Pen(size=24, ink=GREY))


def _driver_card(made: MadeUp) -> Values:
    given, family = made.person("en").split()
    return {
        "family": family.upper(),
        "given": given.upper(),
        "number": f"{made.pick('D', 'K', 'W')}{made.digits(3)}-{made.digits(4)}-{made.digits(4)}",
        "born": f"{made.birthday():%m/%d/%Y}",
        "issued": f"{made.day():%m/%d/%Y}",
        "expires": f"{made.day():%m/%d}/2031",
        "class": made.pick("C", "D", "M1"),
        "address": made.address("en").upper(),
        "sex": made.pick("F", "M"),
        "height": f"{made.pick('5', '6')}'-0{made.pick('1', '4', '7')}\"",
        "eyes": made.pick("BRO", "BLU", "GRN"),
    }


def _draw_driver_card(canvas: Canvas) -> None:
    waves(canvas, (206, 226, 236), 20, -1.0)
    fill(canvas, (0, 0, 1000, 84), (60, 110, 150))
    canvas.put((30, 18), "STATE OF FAIRHOLLOW", Pen(size=40, role="head", bold=True, ink=(255, 255, 255)))
    canvas.put((970, 26), "DRIVER LICENSE", Pen(size=30, anchor="r", ink=(255, 255, 255)))
    portrait(canvas, (40, 130, 300, 470))
    key, value = Pen(size=19, ink=BLUE), Pen(size=27, bold=True)
    canvas.pairs((340, 120), (110, 46), (("4d DL", "{number}"), ("4b EXP", "{expires}")), value.but(ink=RED))
    canvas.pairs((340, 216), (60, 42), (("1 LN", "{family}"), ("2 FN", "{given}")), Pen(size=25))
    canvas.put((340, 306), "8", key)
    bottom = canvas.paragraph((364, 304), "{address}", 560, Pen(size=24))
    canvas.put((340, bottom + 14), "3 DOB", key)
    canvas.put((420, bottom + 10), "{born}", value.but(ink=RED))
    canvas.put((660, bottom + 14), "4a ISS", key)
    canvas.put((740, bottom + 10), "{issued}", value)
    canvas.put_all(
        (
            (340, 480, "9 CLASS {class}"),
            (500, 480, "15 SEX {sex}"),
            (640, 480, "16 HGT {height}"),
            (820, 480, "18 EYES {eyes}"),
        ),
        Pen(size=22, ink=BLACK),
    )
    rule(canvas, (40, 530), (960, 530), BLUE, 3)
    canvas.put((500, 550), "SPECIMEN - NOT FOR IDENTIFICATION", Pen(size=20, anchor="m", ink=GREY))


LAYOUTS: Final = (
    Layout(
        name="frozen-temporary-identity",
        kind="identity card",
        language="zh-Hans",
        size=(1040, 640),
        invent=_temporary_identity,
        draw=_draw_temporary_identity,
        looks=("kai", "sans"),
        head_looks=("serif",),
        paper=(244, 246, 252),
        asks={
            "姓名": "name",
            "性别": "sex",
            "民族": "nation",
            "出生日期": "born",
            "住址": "address",
            "公民身份号码": "number",
            "有效期": "valid|有效期限，起止日期",
            "签发机关": "issuer",
        },
    ),
    Layout(
        name="frozen-household-licence",
        kind="business licence",
        language="zh-Hans",
        size=(1200, 900),
        invent=_household_licence,
        draw=_draw_household_licence,
        looks=("serif", "sans"),
        head_looks=("kai",),
        figure_looks=("sans",),
        paper=(252, 248, 236),
        asks={
            "统一社会信用代码": "code",
            "字号名称": "name|营业执照上的名称",
            "类型": "type",
            "经营者": "operator",
            "经营场所": "place",
            "注册日期": "registered",
            "经营范围": "scope",
            "发证机关": "authority|登记机关",
        },
    ),
    Layout(
        name="frozen-member-card",
        kind="name card",
        language="zh-Hant",
        size=(900, 560),
        invent=_member_card,
        draw=_draw_member_card,
        looks=("sans", "kai"),
        head_looks=("serif",),
        figure_looks=("mono",),
        paper=(214, 214, 210),
        asks={
            "會員姓名": "name",
            "英文姓名": "english",
            "會員編號": "number",
            "會員級別": "grade",
            "入會日期": "since",
            "有效期": "expires",
            "客服電話": "hotline",
        },
    ),
    Layout(
        name="frozen-driver-card",
        kind="driving licence",
        language="en",
        size=(1000, 600),
        invent=_driver_card,
        draw=_draw_driver_card,
        looks=("sans", "narrow"),
        head_looks=("serif",),
        paper=(238, 246, 248),
        asks={
            "license_number": "number",
            "last_name": "family",
            "first_name": "given",
            "date_of_birth": "born",
            "issue_date": "issued",
            "expiration_date": "expires",
            "address": "address",
            "class": "class",
            "sex": "sex",
        },
    ),
)
