"""Bills of supply, of hospitals and of landlords."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.amounts import grouped, in_words, plain, traditional
from qwenport.evaluation.rendering.canvas import GREY, RED, WHITE, Canvas, Ink, Pen
from qwenport.evaluation.rendering.decoration import bar_code, fill, frame, rule, seal
from qwenport.evaluation.rendering.grids import Grid, Span, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp, chinese_date

_TEAL: Final[Ink] = (0, 110, 110)


def _power(made: MadeUp) -> Values:
    before, used, month = made.chance.randrange(1000, 9000), made.chance.randrange(60, 700), made.day()
    return {
        "account": made.digits(10),
        "name": made.person(),
        "address": made.address(),
        "month": f"{month.year}年{month.month:02d}月",
        "before": str(before),
        "after": str(before + used),
        "used": f"{used}",
        "price": "0.5583",
        "due": f"{plain(round(used * 55.83))}元",
        "until": chinese_date(month + timedelta(days=20)),
        "manager": made.person(),
        "phone": made.landline(),
    }


def _draw_power(canvas: Canvas) -> None:
    fill(canvas, (0, 0, 1000, 100), _TEAL)
    canvas.put((50, 28), "示例电网 · 电费通知单", Pen(size=38, role="head", ink=WHITE))
    rows = (
        ("户　　号：", "{account}"),
        ("户　　名：", "{name}"),
        ("用电地址：", "{address}"),
        ("计费月份：", "{month}"),
    )
    y = canvas.pairs((60, 136), (150, 50), rows, Pen(size=26))
    grid = Grid(widths=(180, 180, 300, 220), aligns="m", pen=Pen(size=25), ink=_TEAL, shade=(226, 240, 238))
    table = (("上期示数", "本期示数", "本期电量（千瓦时）", "单价（元）"), ("{before}", "{after}", "{used}", "{price}"))
    y = print_table(canvas, (60, y + 20), grid, table) + 40
    canvas.put((60, y), "应交电费", Pen(size=32))
    canvas.put((240, y - 6), "{due}", Pen(size=44, bold=True, ink=RED))
    canvas.put((60, y + 76), "请于 {until} 前交费", Pen(size=26))
    canvas.put((60, y + 130), "客户经理：{manager}", Pen(size=25))
    canvas.put((420, y + 130), "联系电话：{phone}", Pen(size=25))


def _light(made: MadeUp) -> Values:
    issued, units = made.day(), made.chance.randrange(120, 900)
    charge, fuel = units * 118, units * 42
    return {
        "name": made.person("zh-Hant"),
        "address": made.address("zh-Hant"),
        "account": f"{made.digits(5)}-{made.digits(5)}-{made.digits(1)}",
        "issued": f"{issued.day} {issued.month}月 {issued.year}",
        "due_day": f"{(issued + timedelta(days=14)):%d/%m/%Y}",
        "units": str(units),
        "charge": grouped(charge),
        "fuel": grouped(fuel),
        "due": f"HK${grouped(charge + fuel)}",
        "deposit": f"HK${grouped(made.cents(3, 20) * 10000)}",
        "phone": f"2{made.digits(3)} {made.digits(4)}",
    }


def _draw_light(canvas: Canvas) -> None:
    canvas.put((50, 40), "月環示例電力有限公司", Pen(size=36, role="head", ink=(150, 60, 20)))
    canvas.put((50, 90), "電費單", Pen(size=30, spacing=6))
    rule(canvas, (50, 140), (950, 140), (150, 60, 20), 3)
    canvas.rows((50, 160), 40, ("{name}", "{address}"), Pen(size=25))
    rows = (("賬戶號碼", "{account}"), ("發單日期", "{issued}"), ("繳費到期日", "{due_day}"), ("按金", "{deposit}"))
    y = canvas.pairs((50, 270), (200, 46), rows, Pen(size=26))
    fill(canvas, (560, 260, 950, 430), (252, 238, 224), round_by=14)
    canvas.put((755, 284), "請付", Pen(size=28, anchor="m"))
    canvas.put((755, 336), "{due}", Pen(size=42, anchor="m", bold=True))
    canvas.put((50, y + 30), "用電量　{units} 度", Pen(size=26))
    for key, value in (("電費", "{charge}"), ("燃料調整費", "{fuel}")):
        y += 46
        canvas.sum_row(y + 40, (50, 500), (key, value), Pen(size=25))
    bar_code(canvas, (50, round(y) + 110), 420, 60)
    canvas.put((560, y + 120), "客戶服務熱線 {phone}", Pen(size=24))


def _gas(made: MadeUp) -> Values:
    start, therms = made.day(), made.chance.randrange(20, 180)
    gas, service = therms * 131, 1450
    return {
        "name": made.person("en"),
        "address": made.address("en"),
        "account": f"{made.digits(4)} {made.digits(4)} {made.digits(2)}",
        "statement": f"{start + timedelta(days=33):%B %d, %Y}",
        "period": f"{start:%m/%d/%Y} - {start + timedelta(days=30):%m/%d/%Y}",
        "due_day": f"{start + timedelta(days=54):%B %d, %Y}",
        "therms": f"{therms} therms",
        "gas": f"${grouped(gas)}",
        "service": f"${grouped(service)}",
        "due": f"${grouped(gas + service)}",
        "meter": f"{made.pick(*'ABC')}{made.digits(7)}",
    }


def _draw_gas(canvas: Canvas) -> None:
    canvas.put((60, 50), "Tidewater Sample Gas", Pen(size=34, role="head", bold=True, ink=(20, 70, 120)))
    canvas.rows((60, 130), 36, ("{name}", "{address}"), Pen(size=24))
    frame(canvas, (620, 40, 1040, 210), (20, 70, 120), 3, round_by=12)
    canvas.put((650, 60), "Amount Due", Pen(size=26))
    canvas.put((1010, 54), "{due}", Pen(size=36, bold=True, anchor="r"))
    canvas.sum_row(120, (650, 1010), ("Due Date", "{due_day}"), Pen(size=24))
    canvas.sum_row(164, (650, 1010), ("Account", "{account}"), Pen(size=24))
    rows = (
        ("Statement Date", "{statement}"),
        ("Billing Period", "{period}"),
        ("Meter ID", "{meter}"),
        ("Usage", "{therms}"),
    )
    y = canvas.pairs((60, 260), (240, 44), rows, Pen(size=24))
    rule(canvas, (60, y + 10), (1040, y + 10), (20, 70, 120))
    for key, value in (
        ("Gas supply charge", "{gas}"),
        ("Basic service charge", "{service}"),
        ("Total current charges", "{due}"),
    ):
        y += 46
        canvas.sum_row(y, (60, 1040), (key, value), Pen(size=24, bold=key.startswith("Total")))
    canvas.put(
        (550, y + 90), "Please detach and return this part with your payment.", Pen(size=20, anchor="m", ink=GREY)
    )


def _hospital(made: MadeUp) -> Values:
    drugs, checks, visit = made.cents(2000, 30_000), made.cents(3000, 60_000), 2500
    total = drugs + checks + visit
    return {
        "code": made.digits(8),
        "number": made.digits(10),
        "check": f"{made.pick('a', 'b', 'c')}{made.digits(5)}",
        "payer": made.person(),
        "day": chinese_date(made.day()),
        "hospital": made.pick("青溪市示例人民医院", "云岭区示例中医院", "星河市示例儿童医院"),
        "outpatient": f"MZ{made.digits(9)}",
        "sex": made.pick("男", "女"),
        "insurance": made.pick("城镇职工医保", "居民医保", "自费"),
        "drugs": plain(drugs),
        "checks": plain(checks),
        "visit": plain(visit),
        "words": in_words(total),
        "total": plain(total),
        "fund": plain(total // 3),
        "own": plain(total - total // 3),
        "cashier": made.person(),
    }


def _draw_hospital(canvas: Canvas) -> None:
    canvas.put((600, 40), "东海省医疗门诊收费票据（电子）", Pen(size=36, role="head", anchor="m", ink=RED))
    canvas.put((60, 110), "票据代码：{code}", Pen(size=23))
    canvas.put((700, 110), "票据号码：{number}", Pen(size=23))
    canvas.put((60, 148), "交款人：{payer}", Pen(size=23))
    canvas.put((420, 148), "校验码：{check}", Pen(size=23))
    canvas.put((700, 148), "开票日期：{day}", Pen(size=23))
    grid = Grid(widths=(420, 220, 220, 220), aligns="lmrr", pen=Pen(size=24), ink=RED)
    rows = (
        ("项目名称", "数量/单位", "金额（元）", "备注"),
        ("西药费", "1/项", "{drugs}", ""),
        ("检查费", "1/项", "{checks}", ""),
        ("诊察费", "1/次", "{visit}", ""),
        (Span("金额合计（大写）{words}", columns=2), "（小写）", "{total}"),
    )
    y = print_table(canvas, (60, 190), grid, rows)
    frame(canvas, (60, y, 1140, y + 150), RED)
    other = ((76, "门诊号：{outpatient}"), (420, "性别：{sex}"), (700, "医保类型：{insurance}"))
    for x, template in other:
        canvas.put((x, y + 22), template, Pen(size=23))
    canvas.put((76, y + 84), "医保统筹基金支付：{fund}", Pen(size=23))
    canvas.put((700, y + 84), "个人支付：{own}", Pen(size=23))
    canvas.put((60, y + 176), "收款单位：{hospital}", Pen(size=24))
    canvas.put((820, y + 176), "收款人：{cashier}", Pen(size=24))
    seal(canvas, (700, y + 220), 60)


def _rent(made: MadeUp) -> Values:
    rent, start = made.cents(60, 300) * 10_000, made.day()
    return {
        "number": f"NO. {made.digits(5)}",
        "day": f"{start.year}年{start.month}月{start.day}日",
        "tenant": made.person("zh-Hant"),
        "address": made.address("zh-Hant"),
        "words": f"港幣{traditional(in_words(rent))}",
        "rent": f"HK${grouped(rent)}",
        "period": f"{start:%d/%m/%Y} 至 {start + timedelta(days=29):%d/%m/%Y}",
        "cheque": made.digits(6),
        "owner": made.person("zh-Hant"),
    }


def _draw_rent(canvas: Canvas) -> None:
    frame(canvas, (24, 24, 976, 616), (60, 60, 120), 3)
    canvas.put((500, 50), "租 金 收 據", Pen(size=44, role="head", anchor="m"))
    canvas.put((940, 60), "{number}", Pen(size=26, anchor="r", ink=RED))
    canvas.put((940, 120), "日期：{day}", Pen(size=25, anchor="r"))
    rows = (
        ("茲收到", "{tenant}"),
        ("物業地址", "{address}"),
        ("租金金額", "{words}"),
        ("租期", "{period}"),
        ("支票號碼", "{cheque}"),
    )
    y = 176.0
    for key, value in rows:
        canvas.put((70, y), key, Pen(size=26))
        canvas.put((220, y), value, Pen(size=28))
        rule(canvas, (210, y + 40), (930, y + 40), GREY, 1)
        y += 64
    frame(canvas, (70, 516, 400, 576), (60, 60, 120), 2)
    canvas.put((90, 528), "{rent}", Pen(size=32, bold=True))
    canvas.put((560, 536), "業主簽署：{owner}", Pen(size=27))


def _quota(made: MadeUp) -> Values:
    return {
        "code": f"1{made.digits(11)}",
        "number": made.digits(8),
        "amount": made.pick("壹拾元整", "贰拾元整", "伍拾元整", "壹佰元整"),
        "check": made.digits(20),
        "authority": made.pick("东海省税务局", "江南省税务局", "南山省税务局"),
    }


def _draw_quota(canvas: Canvas) -> None:
    frame(canvas, (20, 20, 780, 400), (120, 60, 60), 2)
    canvas.put((400, 44), "通用定额发票", Pen(size=42, role="head", anchor="m", ink=RED, spacing=6))
    canvas.put((400, 104), "发 票 联", Pen(size=28, role="head", anchor="m", ink=RED))
    canvas.put((60, 170), "发票代码 {code}", Pen(size=28))
    canvas.put((60, 216), "发票号码 {number}", Pen(size=28))
    canvas.put((740, 190), "{amount}", Pen(size=44, role="head", anchor="r"))
    canvas.put((60, 280), "密码 {check}", Pen(size=24))
    canvas.put((60, 340), "{authority}监制", Pen(size=24))


LAYOUTS: Final = (
    Layout(
        name="electricity-bill",
        kind="utility bill",
        language="zh-Hans",
        size=(1000, 700),
        invent=_power,
        draw=_draw_power,
        looks=("sans", "serif"),
        head_looks=("sans",),
        asks={
            "户号": "account",
            "户名": "name",
            "地址": "address",
            "账期": "month",
            "用电量": "used",
            "电费金额": "due|应交的金额",
            "缴费截止日期": "until",
            "联系电话": "phone",
        },
    ),
    Layout(
        name="power-bill-hong-kong",
        kind="utility bill",
        language="zh-Hant",
        size=(1000, 780),
        invent=_light,
        draw=_draw_light,
        looks=("sans", "serif"),
        head_looks=("kai", "serif"),
        asks={
            "戶名": "name",
            "地址": "address",
            "賬戶號碼": "account",
            "發單日期": "issued",
            "到期日": "due_day",
            "應付金額": "due",
            "按金": "deposit",
            "客服電話": "phone",
        },
    ),
    Layout(
        name="gas-bill",
        kind="utility bill",
        language="en",
        size=(1100, 720),
        invent=_gas,
        draw=_draw_gas,
        looks=("sans", "narrow"),
        head_looks=("serif", "sans"),
        asks={
            "customer_name": "name",
            "service_address": "address",
            "account_number": "account",
            "statement_date": "statement",
            "billing_period": "period",
            "due_date": "due_day",
            "total": "due|amount to be paid",
            "meter_number": "meter",
            "usage": "therms",
        },
    ),
    Layout(
        name="hospital-bill",
        kind="medical invoice",
        language="zh-Hans",
        size=(1200, 780),
        invent=_hospital,
        draw=_draw_hospital,
        looks=("serif", "sans"),
        head_looks=("kai", "serif"),
        asks={
            "票据代码": "code",
            "票据号码": "number",
            "校验码": "check",
            "患者姓名": "payer|交款人",
            "开票日期": "day",
            "总金额": "total",
            "大写金额": "words",
            "门诊号": "outpatient",
            "性别": "sex",
            "医保类型": "insurance",
            "医院名称": "hospital|收款单位",
        },
    ),
    Layout(
        name="rent-receipt",
        kind="rent receipt",
        language="zh-Hant",
        size=(1000, 640),
        invent=_rent,
        draw=_draw_rent,
        looks=("serif", "kai"),
        head_looks=("kai", "sans"),
        paper=(252, 252, 244),
        asks={
            "收據編號": "number",
            "日期": "day",
            "租客姓名": "tenant",
            "物業地址": "address",
            "租金": "rent|以數字表示",
            "租期": "period",
            "支票號碼": "cheque",
            "業主": "owner",
        },
    ),
    Layout(
        name="quota-invoice",
        kind="quota invoice",
        language="zh-Hans",
        size=(800, 420),
        invent=_quota,
        draw=_draw_quota,
        looks=("sans", "serif"),
        head_looks=("kai", "serif"),
        paper=(252, 246, 240),
        asks={"发票代码": "code", "发票号码": "number", "发票金额": "amount", "密码": "check"},
    ),
)
