"""Receipts of shops in Chinese."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from typing import Final

from qwenport.evaluation.rendering.amounts import plain
from qwenport.evaluation.rendering.canvas import Canvas, Pen
from qwenport.evaluation.rendering.decoration import bar_code, dashes, rule, square_code
from qwenport.evaluation.rendering.goods import purchase
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp

_LEFT, _RIGHT, _MIDDLE = 30, 530, 280
_EDGES: Final = (_LEFT, _RIGHT)


def _supermarket(made: MadeUp) -> Values:
    bought = purchase(made, "supermarket", 5, 6000)
    paid = (bought.cents // 10_000 + 1) * 10_000
    return bought.values | {
        "shop": f"{made.pick('晴川', '松果', '禾木')}示例超市{made.pick('云岭', '青溪', '柳泉')}店",
        "till": made.digits(3),
        "cashier": made.digits(5),
        "serial": made.digits(14),
        "time": f"{made.day():%Y-%m-%d} {made.clock()}:{made.chance.randrange(60):02d}",
        "pieces": str(bought.pieces),
        "total": plain(bought.cents),
        "paid": plain(paid),
        "change": plain(paid - bought.cents),
        "phone": made.landline(),
        "address": made.address(),
    }


def _draw_supermarket(canvas: Canvas) -> None:
    canvas.put((_MIDDLE, 30), "{shop}", Pen(size=34, anchor="m", bold=True))
    canvas.put((_MIDDLE, 82), "欢迎光临", Pen(size=24, anchor="m"))
    pen = Pen(size=22)
    y = canvas.rows(
        (_LEFT, 128), 34, ("收银机：{till}　收银员：{cashier}", "流水号：{serial}", "交易时间：{time}"), pen
    )
    dashes(canvas, (_LEFT, y), _RIGHT)
    for x, head, anchor in ((_LEFT, "品名", "l"), (320, "数量", "r"), (420, "单价", "r"), (_RIGHT, "金额", "r")):
        canvas.put((x, y + 12), head, pen.but(anchor=anchor))
    y += 48
    for place in range(5):
        canvas.put((_LEFT, y), f"{{item{place}}}", pen)
        for x, name in ((320, "count"), (420, "each"), (_RIGHT, "price")):
            canvas.put((x, y + 30), f"{{{name}{place}}}", pen.but(anchor="r"))
        y += 64
    dashes(canvas, (_LEFT, y + 2), _RIGHT)
    y = canvas.sum_row(y + 16, _EDGES, ("总数量", "{pieces}"), pen)
    y = canvas.sum_row(y, _EDGES, ("应收合计", "{total}"), pen.but(size=28, bold=True))
    y = canvas.sum_row(y, _EDGES, ("现金", "{paid}"), pen)
    y = canvas.sum_row(y, _EDGES, ("找零", "{change}"), pen)
    canvas.put((_LEFT, y + 6), "服务电话：{phone}", pen)
    y = canvas.paragraph((_LEFT, y + 42), "地址：{address}", 490, pen)
    canvas.put((_MIDDLE, y + 16), "谢谢惠顾，请保管好购物小票", pen.but(anchor="m"))


def _pharmacy(made: MadeUp) -> Values:
    bought = purchase(made, "pharmacy", 3, 5000)
    return bought.values | {
        "shop": f"{made.pick('云栖', '青鸟', '墨鱼')}示例大药房连锁有限公司",
        "branch": made.pick("梧桐路分店", "学府东路分店", "滨江中路分店"),
        "number": f"XS{made.digits(12)}",
        "day": f"{made.day():%Y/%m/%d}",
        "clock": made.clock(),
        "card": made.digits(10),
        "total": f"￥{plain(bought.cents)}",
        "insured": f"￥{plain(bought.cents // 3)}",
        "own": f"￥{plain(bought.cents - bought.cents // 3)}",
        "clerk": made.person(),
    }


def _draw_pharmacy(canvas: Canvas) -> None:
    canvas.put((_MIDDLE, 34), "{shop}", Pen(size=30, anchor="m"))
    canvas.put((_MIDDLE, 78), "（{branch}）", Pen(size=24, anchor="m"))
    canvas.put((_MIDDLE, 116), "销售小票", Pen(size=26, anchor="m", spacing=8))
    pen = Pen(size=22)
    y = canvas.rows((_LEFT, 168), 34, ("单号 {number}", "日期 {day} {clock}", "会员卡号 {card}"), pen)
    rule(canvas, (_LEFT, y), (_RIGHT, y), width=1)
    y += 14
    for place in range(3):
        canvas.put((_LEFT, y), f"{place + 1}. {{item{place}}}", pen)
        canvas.put((_LEFT + 30, y + 32), f"{{each{place}}} × {{count{place}}}", pen)
        canvas.put((_RIGHT, y + 32), f"{{price{place}}}", pen.but(anchor="r"))
        y += 70
    rule(canvas, (_LEFT, y), (_RIGHT, y), width=1)
    y = canvas.sum_row(y + 14, _EDGES, ("合计：", "{total}"), pen.but(size=28))
    y = canvas.sum_row(y, _EDGES, ("医保支付：", "{insured}"), pen)
    y = canvas.sum_row(y, _EDGES, ("个人支付：", "{own}"), pen)
    canvas.put((_LEFT, y + 10), "营业员：{clerk}", pen)
    canvas.put((_LEFT, y + 50), "药品为特殊商品，非质量问题不予退换", Pen(size=19))


def _milk_tea(made: MadeUp) -> Values:
    price = made.cents(900, 3200)
    return {
        "shop": f"{made.pick('茶栖', '橙舟', '小满')}示例茶饮",
        "take": made.pick("A", "B") + made.digits(3),
        "drink": made.pick("杨枝甘露", "芝士葡萄", "茉莉奶绿", "黑糖珍珠鲜奶"),
        "spec": made.pick("大杯/少冰/三分糖", "中杯/去冰/无糖", "大杯/热/五分糖"),
        "total": f"¥{plain(price)}",
        "paid": f"¥{plain(price - 200)}",
        "number": made.digits(18),
        "time": f"{made.day():%Y.%m.%d} {made.clock()}",
        "phone": made.mobile(),
    }


def _draw_milk_tea(canvas: Canvas) -> None:
    canvas.put((_MIDDLE, 30), "{shop}", Pen(size=36, anchor="m", bold=True))
    canvas.put((_MIDDLE, 90), "取餐号", Pen(size=24, anchor="m"))
    canvas.put((_MIDDLE, 122), "{take}", Pen(size=64, anchor="m", bold=True))
    dashes(canvas, (_LEFT, 214), _RIGHT)
    pen = Pen(size=24)
    canvas.put((_LEFT, 232), "{drink}", pen.but(size=28))
    canvas.put((_RIGHT, 234), "x1", pen.but(anchor="r"))
    canvas.put((_LEFT, 276), "{spec}", pen.but(size=22))
    dashes(canvas, (_LEFT, 320), _RIGHT)
    y = canvas.sum_row(338, _EDGES, ("商品总额", "{total}"), pen)
    y = canvas.sum_row(y, _EDGES, ("优惠券", "-¥2.00"), pen)
    y = canvas.sum_row(y, _EDGES, ("实付", "{paid}"), pen.but(size=32, bold=True))
    canvas.rows((_LEFT, y + 10), 36, ("订单号：{number}", "下单时间：{time}", "顾客电话：{phone}"), pen.but(size=22))
    square_code(canvas, (205, round(y) + 140), 150)


def _tea_house(made: MadeUp) -> Values:
    bought = purchase(made, "tea house", 4, 9000)
    service = round(bought.cents / 1000) * 100
    return bought.values | {
        "shop": f"{made.pick('翠灣', '晴山', '鹿角')}示例茶餐廳",
        "address": made.address("zh-Hant"),
        "phone": f"2{made.digits(3)} {made.digits(4)}",
        "table": made.digits(2),
        "guests": str(made.chance.randrange(1, 7)),
        "bill": made.digits(6),
        "day": f"{made.day():%d/%m/%Y}",
        "clock": made.clock(),
        "sub": f"${plain(bought.cents)}",
        "service": f"${plain(service)}",
        "total": f"${plain(bought.cents + service)}",
        "way": made.pick("八達通", "現金", "信用卡"),
    }


def _draw_tea_house(canvas: Canvas) -> None:
    canvas.put((_MIDDLE, 30), "{shop}", Pen(size=38, anchor="m", role="head"))
    y = canvas.paragraph((_LEFT + 40, 90), "{address}", 420, Pen(size=22))
    canvas.put((_LEFT + 40, y + 4), "電話：{phone}", Pen(size=22))
    pen = Pen(size=24)
    canvas.sum_row(y + 52, _EDGES, ("枱號：{table}", "人數：{guests}"), pen)
    canvas.put((_LEFT, y + 90), "單號：{bill}", pen)
    canvas.sum_row(y + 128, _EDGES, ("日期：{day}", "時間：{clock}"), pen)
    rule(canvas, (_LEFT, y + 168), (_RIGHT, y + 168))
    y += 184
    for place in range(4):
        canvas.put((_LEFT, y), f"{{count{place}}}", pen)
        canvas.put((_LEFT + 60, y), f"{{item{place}}}", pen)
        canvas.put((_RIGHT, y), f"{{price{place}}}", pen.but(anchor="r"))
        y += 42
    rule(canvas, (_LEFT, y), (_RIGHT, y))
    y = canvas.sum_row(y + 16, _EDGES, ("小計", "{sub}"), pen)
    y = canvas.sum_row(y, _EDGES, ("加一服務費", "{service}"), pen)
    y = canvas.sum_row(y, _EDGES, ("總額", "{total}"), pen.but(size=34, bold=True))
    canvas.put((_LEFT, y + 4), "付款方式：{way}", pen)
    canvas.put((_MIDDLE, y + 60), "多謝惠顧", pen.but(anchor="m", spacing=8))


def _convenience(made: MadeUp) -> Values:
    bought, day = purchase(made, "convenience", 3, 9000), made.day()
    values = {name: value.split(".")[0] for name, value in bought.values.items()}
    return values | {
        "shop": f"{made.pick('松果', '海韻', '藍鯨')}示例便利商店",
        "period": f"{day.year - 1911}年{day.month:02d}月",
        "number": f"{made.pick('AB', 'KT', 'ZX')}-{made.digits(8)}",
        "time": f"{day:%Y-%m-%d} {made.clock()}:{made.chance.randrange(60):02d}",
        "random": made.digits(4),
        "seller": made.digits(8),
        "total": str(sum(int(values[f"price{place}"]) for place in range(3))),
        "branch": made.pick("鳳凰門市", "長青門市", "康樂門市"),
    }


def _draw_convenience(canvas: Canvas) -> None:
    canvas.put((_MIDDLE, 30), "{shop}", Pen(size=36, anchor="m", role="head"))
    canvas.put((_MIDDLE, 86), "電子發票證明聯", Pen(size=40, anchor="m"))
    canvas.put((_MIDDLE, 146), "{period}", Pen(size=40, anchor="m"))
    canvas.put((_MIDDLE, 204), "{number}", Pen(size=42, anchor="m", bold=True))
    pen = Pen(size=24)
    canvas.put((_LEFT, 272), "{time}", pen)
    canvas.sum_row(308, _EDGES, ("隨機碼：{random}", "總計：{total}"), pen)
    canvas.put((_LEFT, 344), "賣方：{seller}", pen)
    bar_code(canvas, (_LEFT, 390), 500, 50)
    square_code(canvas, (_LEFT + 30, 460), 170)
    square_code(canvas, (_LEFT + 290, 460), 170)
    canvas.put((_LEFT, 650), "{branch}", pen)
    dashes(canvas, (_LEFT, 692), _RIGHT)
    canvas.put((_LEFT, 708), "交易明細", pen)
    y = 748
    for place in range(3):
        canvas.put((_LEFT, y), f"{{item{place}}}", pen)
        canvas.put((_RIGHT, y), f"{{price{place}}}TX", pen.but(anchor="r"))
        y += 40


LAYOUTS: Final = (
    Layout(
        name="supermarket",
        kind="shop receipt",
        language="zh-Hans",
        size=(560, 1080),
        invent=_supermarket,
        draw=_draw_supermarket,
        looks=("sans", "mono"),
        asks={
            "商店名称": "shop",
            "流水号": "serial",
            "交易时间": "time",
            "总数量": "pieces",
            "合计金额": "total",
            "现金": "paid",
            "找零": "change",
            "电话": "phone",
            "地址": "address",
        },
    ),
    Layout(
        name="pharmacy",
        kind="shop receipt",
        language="zh-Hans",
        size=(560, 760),
        invent=_pharmacy,
        draw=_draw_pharmacy,
        looks=("sans", "serif"),
        asks={
            "店名": "shop",
            "小票号": "number",
            "日期": "day",
            "会员卡号": "card",
            "总金额": "total",
            "医保支付": "insured",
            "个人支付": "own",
            "营业员": "clerk",
        },
    ),
    Layout(
        name="milk-tea",
        kind="shop receipt",
        language="zh-Hans",
        size=(560, 800),
        invent=_milk_tea,
        draw=_draw_milk_tea,
        looks=("sans",),
        asks={
            "店铺名称": "shop",
            "取餐号": "take",
            "订单编号": "number",
            "下单时间": "time",
            "实付金额": "paid",
            "联系电话": "phone",
        },
    ),
    Layout(
        name="tea-house",
        kind="shop receipt",
        language="zh-Hant",
        size=(560, 850),
        invent=_tea_house,
        draw=_draw_tea_house,
        looks=("sans", "serif"),
        head_looks=("kai", "serif"),
        asks={
            "商戶名稱": "shop",
            "地址": "address",
            "電話": "phone",
            "單號": "bill",
            "日期": "day",
            "時間": "clock",
            "小計": "sub",
            "服務費": "service",
            "總金額": "total",
            "付款方式": "way",
        },
    ),
    Layout(
        name="convenience-store",
        kind="shop receipt",
        language="zh-Hant",
        size=(560, 890),
        invent=_convenience,
        draw=_draw_convenience,
        looks=("sans", "mono"),
        head_looks=("kai", "sans"),
        asks={
            "商店名稱": "shop",
            "發票號碼": "number",
            "發票期別": "period",
            "交易時間": "time",
            "隨機碼": "random",
            "賣方統一編號": "seller",
            "總金額": "total",
        },
    ),
)
