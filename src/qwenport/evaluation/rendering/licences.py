"""Licences: of businesses, drivers and vehicles."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from typing import Final

from qwenport.evaluation.rendering.canvas import RED, Canvas, Ink, Pen
from qwenport.evaluation.rendering.decoration import frame, portrait, rule, seal, square_code, waves
from qwenport.evaluation.rendering.grids import Grid, Span, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp, chinese_date

_GOLD: Final[Ink] = (170, 130, 50)
_SCOPES: Final = (
    "软件开发；信息系统集成服务；信息技术咨询服务；计算机及办公设备维修；电子产品销售。",
    "餐饮服务；食品互联网销售；日用百货销售；组织文化艺术交流活动；会议及展览服务。",
    "普通机械设备安装服务；机械零件、零部件加工；五金产品批发；货物进出口。",
)


def _business(made: MadeUp) -> Values:
    founded = made.day()
    return {
        "code": made.credit_code(),
        "name": made.company(),
        "type": made.pick("有限责任公司（自然人独资）", "有限责任公司（自然人投资或控股）", "其他有限责任公司"),
        "person": made.person(),
        "scope": made.pick(*_SCOPES),
        "capital": made.pick("壹佰万元整", "伍佰万元整", "人民币叁仟万元整"),
        "founded": chinese_date(founded),
        "term": f"{chinese_date(founded)}至{founded.year + 30}年{founded.month:02d}月{founded.day:02d}日",
        "place": made.address(),
        "authority": made.pick("青溪市市场监督管理局", "星河市望海区市场监督管理局"),
        "issued": chinese_date(made.day()),
    }


def _draw_portrait_licence(canvas: Canvas) -> None:
    frame(canvas, (30, 30, 970, 1370), _GOLD, 10)
    seal(canvas, (500, 130), 60)
    canvas.put((500, 210), "营 业 执 照", Pen(size=80, role="head", anchor="m"))
    canvas.put((500, 326), "统一社会信用代码  {code}", Pen(size=28, anchor="m"))
    key, value = Pen(size=28, spacing=6, ink=_GOLD), Pen(size=28)
    y = 430.0
    rows = (
        ("名　　称", "{name}"),
        ("类　　型", "{type}"),
        ("住　　所", "{place}"),
        ("法定代表人", "{person}"),
        ("注册资本", "{capital}"),
        ("成立日期", "{founded}"),
        ("营业期限", "{term}"),
        ("经营范围", "{scope}"),
    )
    for name, template in rows:
        canvas.put((110, y), name, key)
        y = canvas.paragraph((320, y), template, 560, value) + 34
    square_code(canvas, (120, 1150), 150)
    canvas.put((880, 1160), "登记机关", Pen(size=28, anchor="r", spacing=6))
    canvas.put((880, 1206), "{authority}", Pen(size=26, anchor="r"))
    canvas.put((880, 1260), "{issued}", Pen(size=28, anchor="r"))


def _draw_landscape_licence(canvas: Canvas) -> None:
    waves(canvas, (244, 238, 222), 24)
    frame(canvas, (30, 30, 1370, 970), _GOLD, 8)
    frame(canvas, (46, 46, 1354, 954), _GOLD, 2)
    canvas.put((700, 100), "营业执照", Pen(size=88, role="head", anchor="m", spacing=36))
    canvas.put((700, 214), "（副 本）", Pen(size=30, anchor="m"))
    canvas.put((100, 120), "统一社会信用代码", Pen(size=24))
    canvas.put((100, 156), "{code}", Pen(size=26, role="figures"))
    square_code(canvas, (1130, 100), 150)
    key, value = Pen(size=26, spacing=4, ink=(120, 80, 30)), Pen(size=26)
    left = (("名　　称", "{name}"), ("类　　型", "{type}"), ("法定代表人", "{person}"), ("经营范围", "{scope}"))
    right = (("注册资本", "{capital}"), ("成立日期", "{founded}"), ("营业期限", "{term}"), ("住　　所", "{place}"))
    for x, width, rows in ((100, 380, left), (780, 360, right)):
        y = 320.0
        for name, template in rows:
            canvas.put((x, y), name, key)
            canvas.paragraph((x + 180, y), template, width, value)
            y += 96
    canvas.put((900, 800), "登记机关", Pen(size=28, spacing=12))
    canvas.put((1060, 800), "{authority}", Pen(size=22))
    canvas.put((1060, 860), "{issued}", Pen(size=26))


def _registration(made: MadeUp) -> Values:
    start = made.day()
    return {
        "name": made.company("zh-Hant"),
        "trade": made.pick("松果小店", "晴川書屋", "海韻樂器"),
        "address": made.address("zh-Hant"),
        "nature": made.pick("貿易 TRADING", "飲食 CATERING", "設計 DESIGN"),
        "status": made.pick("有限公司 BODY CORPORATE", "獨資 INDIVIDUAL"),
        "start": f"{start:%d/%m/%Y}",
        "end": f"{start.replace(year=start.year + 1, day=min(start.day, 28)):%d/%m/%Y}",
        "number": f"{made.digits(8)}-000-{start:%m}-{start:%y}-{made.pick(*'0123456789A')}",
        "fee": f"${made.pick('2,150', '2,200', '250')}",
        "levy": f"${made.pick('150', '180')}",
    }


def _draw_registration(canvas: Canvas) -> None:
    canvas.put((500, 50), "商業登記證", Pen(size=50, role="head", anchor="m", spacing=6))
    canvas.put((500, 120), "BUSINESS REGISTRATION CERTIFICATE", Pen(size=28, anchor="m"))
    rows = (
        ("業務／法團所用名稱 Name of Business/Corporation", "{name}"),
        ("業務／分行名稱 Business/Branch Name", "{trade}"),
        ("地址 Address", "{address}"),
        ("業務性質 Nature of Business", "{nature}"),
        ("法律地位 Status", "{status}"),
    )
    grid = Grid(widths=(380, 520), aligns="l", pen=Pen(size=24), line=1, pad=14)
    y = print_table(canvas, (50, 190), grid, rows) + 30
    columns = (
        ("生效日期", "Date of Commencement", "{start}"),
        ("屆滿日期", "Date of Expiry", "{end}"),
        ("登記費", "Fee", "{fee}"),
        ("徵費", "Levy", "{levy}"),
    )
    for place, (chinese, english, value) in enumerate(columns):
        canvas.put((60 + place * 235, y), chinese, Pen(size=24))
        canvas.put((60 + place * 235, y + 34), english, Pen(size=19))
        canvas.put((60 + place * 235, y + 68), value, Pen(size=26))
    canvas.put((60, y + 140), "登記證號碼 Certificate No.", Pen(size=24))
    canvas.put((440, y + 138), "{number}", Pen(size=28, bold=True))


def _driver(made: MadeUp) -> Values:
    born, first = made.birthday(), made.day()
    return {
        "number": made.resident_number(born),
        "name": made.person(),
        "sex": made.pick("男", "女"),
        "nation": "中国",
        "address": made.address(),
        "born": f"{born:%Y-%m-%d}",
        "first": f"{first:%Y-%m-%d}",
        "class": made.pick("C1", "C2", "B2", "A1"),
        "valid": f"{first:%Y-%m-%d} 至 {first.year + 6}-{first:%m-%d}",
    }


def _draw_driver(canvas: Canvas) -> None:
    frame(canvas, (20, 20, 1020, 680), (60, 60, 60), 3)
    canvas.put((520, 46), "中华人民共和国机动车驾驶证", Pen(size=36, role="head", anchor="m"))
    canvas.put((520, 96), "Driving License of the People's Republic of China", Pen(size=20, anchor="m"))
    canvas.put((160, 140), "证号", Pen(size=24))
    canvas.put((300, 136), "{number}", Pen(size=32, role="figures"))
    key, small, value = Pen(size=23), Pen(size=15), Pen(size=28)
    canvas.put_all(((50, 196, "姓名"), (480, 196, "性别"), (700, 196, "国籍"), (50, 260, "住址")), key)
    canvas.put_all(((50, 224, "Name"), (480, 224, "Sex"), (700, 224, "Nationality"), (50, 288, "Address")), small)
    canvas.put_all(((160, 198, "{name}"), (560, 198, "{sex}"), (820, 198, "{nation}")), value)
    canvas.paragraph((160, 262), "{address}", 800, value)
    rows = (
        ("出生日期", "Date of Birth", "{born}"),
        ("初次领证日期", "Date of First Issue", "{first}"),
        ("准驾车型", "Class", "{class}"),
    )
    for place, (name, english, template) in enumerate(rows):
        canvas.put((340, 350 + place * 74), name, key)
        canvas.put((340, 378 + place * 74), english, small)
        canvas.put((560, 352 + place * 74), template, value)
    canvas.put((50, 600), "有效期限", key)
    canvas.put((50, 628), "Valid Period", small)
    canvas.put((180, 602), "{valid}", value)
    seal(canvas, (160, 470), 80)
    portrait(canvas, (800, 340, 980, 570))


def _vehicle(made: MadeUp) -> Values:
    return {
        "plate": f"东D·{made.pick(*'ABCEF')}{made.digits(4)}",
        "type": made.pick("小型轿车", "小型普通客车", "轻型厢式货车"),
        "owner": made.person(),
        "address": made.address(),
        "use": made.pick("非营运", "预约出租客运"),
        "model": f"{made.pick('示例牌', '远岫牌')}{made.pick('SL', 'YX')}{made.digits(4)}",
        "frame": f"LZZ{made.pick(*'ABCDE')}{made.digits(2)}Z{made.digits(1)}X{made.digits(8)}",
        "engine": f"{made.pick(*'GHK')}{made.digits(7)}",
        "registered": f"{made.day():%Y-%m-%d}",
        "issued": f"{made.day():%Y-%m-%d}",
    }


def _draw_vehicle(canvas: Canvas) -> None:
    canvas.put((520, 30), "中华人民共和国机动车行驶证", Pen(size=36, role="head", anchor="m", ink=RED))
    rule(canvas, (40, 90), (1000, 90), RED)
    grid = Grid(widths=(150, 330, 150, 330), aligns="l", pen=Pen(size=25), line=1, pad=13)
    rows = (
        ("号牌号码", "{plate}", "车辆类型", "{type}"),
        ("所有人", Span("{owner}", columns=3)),
        ("住址", Span("{address}", columns=3)),
        ("使用性质", "{use}", "品牌型号", "{model}"),
        ("车辆识别代号", "{frame}", "发动机号码", "{engine}"),
        ("注册日期", "{registered}", "发证日期", "{issued}"),
    )
    print_table(canvas, (40, 110), grid, rows)


LAYOUTS: Final = (
    Layout(
        name="business-licence-portrait",
        kind="business licence",
        language="zh-Hans",
        size=(1000, 1400),
        invent=_business,
        draw=_draw_portrait_licence,
        looks=("serif", "sans"),
        head_looks=("kai", "serif"),
        paper=(254, 252, 244),
        asks={
            "统一社会信用代码": "code",
            "企业名称": "name",
            "公司类型": "type",
            "法人代表": "person",
            "注册资本": "capital",
            "成立日期": "founded",
            "营业期限": "term",
            "经营范围": "scope",
            "住所": "place",
            "登记机关": "authority",
        },
    ),
    Layout(
        name="business-licence-landscape",
        kind="business licence",
        language="zh-Hans",
        size=(1400, 1000),
        invent=_business,
        draw=_draw_landscape_licence,
        looks=("sans", "kai"),
        head_looks=("kai",),
        figure_looks=("sans",),
        paper=(253, 250, 240),
        asks={
            "社会信用代码": "code",
            "公司名称": "name",
            "类型": "type",
            "法定代表人": "person",
            "注册资本": "capital",
            "成立日期": "founded",
            "地址": "place",
            "经营范围": "scope",
            "核准日期": "issued|登记机关签发的日期",
        },
    ),
    Layout(
        name="business-registration-hong-kong",
        kind="business licence",
        language="zh-Hant",
        size=(1000, 860),
        invent=_registration,
        draw=_draw_registration,
        looks=("sans", "serif"),
        head_looks=("serif", "kai"),
        paper=(246, 250, 250),
        asks={
            "公司名稱": "name",
            "業務名稱": "trade",
            "地址": "address",
            "業務性質": "nature",
            "法律地位": "status",
            "生效日期": "start",
            "屆滿日期": "end",
            "登記證號碼": "number",
        },
    ),
    Layout(
        name="driving-licence",
        kind="driving licence",
        language="zh-Hans",
        size=(1040, 700),
        invent=_driver,
        draw=_draw_driver,
        looks=("sans",),
        head_looks=("serif", "sans"),
        figure_looks=("mono", "sans"),
        paper=(246, 248, 244),
        asks={
            "证号": "number",
            "姓名": "name",
            "性别": "sex",
            "国籍": "nation",
            "住址": "address",
            "出生日期": "born",
            "初次领证日期": "first",
            "准驾车型": "class",
            "有效期限": "valid",
        },
    ),
    Layout(
        name="vehicle-licence",
        kind="vehicle licence",
        language="zh-Hans",
        size=(1040, 560),
        invent=_vehicle,
        draw=_draw_vehicle,
        looks=("sans", "serif"),
        head_looks=("kai", "serif"),
        asks={
            "车牌号": "plate",
            "车辆类型": "type",
            "所有人": "owner",
            "住址": "address",
            "使用性质": "use",
            "品牌型号": "model",
            "车架号": "frame|车辆识别代号",
            "发动机号": "engine",
            "注册日期": "registered",
            "发证日期": "issued",
        },
    ),
)
