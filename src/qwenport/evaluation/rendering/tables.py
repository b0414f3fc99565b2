"""Tables: ruled, partly ruled and unruled, with merged, blank and wrapped cells."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from qwenport.evaluation.rendering.accounts import Account
from qwenport.evaluation.rendering.amounts import grouped
from qwenport.evaluation.rendering.canvas import BLACK, GREY, Canvas, Pen
from qwenport.evaluation.rendering.grids import Entry, Grid, Rows, Span, print_table
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp

Columns = tuple[Callable[[], str], ...]

_LEFT, _TOP = 60, 150
_RULED, _PARTLY, _UNRULED = "table ruled", "table partly ruled", "table unruled"


def _filled(made: MadeUp, columns: Columns, least: int = 4, most: int = 8) -> dict[str, str]:
    """So many rows by chance: `r0c0` and so on, and their number as `rows`."""
    count = made.chance.randrange(least, most + 1)
    cells = {f"r{row}c{place}": make() for row in range(count) for place, make in enumerate(columns)}
    return cells | {"rows": str(count)}


def _body(canvas: Canvas, columns: int) -> list[list[Entry]]:
    count = int(canvas.values["rows"])
    return [[f"{{r{row}c{place}}}" for place in range(columns)] for row in range(count)]


def _grid(canvas: Canvas, widths: tuple[int, ...], aligns: str, ruling: str) -> Grid:
    """A grid of a size, weight and colour by chance."""
    chance = canvas.chance
    pen = Pen(size=chance.choice((20, 22, 24)))
    shaded = ruling == "full" and chance.random() < 0.4
    return Grid(
        widths=widths,
        aligns=aligns,
        ruling=ruling,
        pen=pen,
        head_pen=pen.but(bold=chance.random() < 0.5),
        shade=(230, 234, 238) if shaded else None,
        pad=chance.choice((9, 12, 14)),
        ink=chance.choice((BLACK, BLACK, GREY)),
        line=chance.choice((1, 2, 2)),
        centred=ruling == "full",
    )


def _title(canvas: Canvas, text: str) -> None:
    canvas.put((_LEFT, 60), text, Pen(size=34, role="head", bold=True))


class _Sheet(NamedTuple):
    """A sheet with a title and one table of filled rows."""

    title: str
    heads: Rows
    widths: tuple[int, ...]
    aligns: str
    ruling: str
    above: str = ""
    """Printed between title and table."""
    below: str = ""

    def draw(self, canvas: Canvas) -> None:
        """Prints it."""
        _title(canvas, self.title)
        if self.above:
            canvas.paragraph((_LEFT, 104), self.above, 800, Pen(size=20))
        grid = replace(_grid(canvas, self.widths, self.aligns, self.ruling), head_rows=len(self.heads))
        bottom = _print(canvas, grid, (*self.heads, *_body(canvas, len(self.widths))))
        if self.below:
            canvas.put((_LEFT, bottom + 16), self.below, Pen(size=19))


def _print(canvas: Canvas, grid: Grid, rows: Rows) -> float:
    return print_table(canvas, (_LEFT, _TOP), grid, rows)


def _scores(made: MadeUp) -> Values:
    def mark() -> str:
        return str(made.chance.randrange(55, 101))

    return _filled(made, (lambda: made.digits(6), made.person, mark, mark, mark, mark))


_SCORES: Final = _Sheet(
    "期末成绩登记表",
    (("学号", "姓名", "语文", "数学", "英语", "科学"),),
    (160, 160, 130, 130, 130, 130),
    "mlrrrr",
    "full",
)


def _output(made: MadeUp) -> Values:
    def number() -> str:
        return f"{made.cents(100, 99_999):,}"

    place = made.chance.sample(("云岭", "青溪", "望海", "柳泉", "星河", "白鹭", "梅岗", "金穗"), 8)
    return _filled(made, (lambda: f"{place.pop()}厂", number, number, number, number), 4, 7)


_OUTPUT: Final = _Sheet(
    "各厂季度产量统计",
    (
        (Span("工厂", rows=2), Span("上半年", columns=2), Span("下半年", columns=2)),
        ("一季度", "二季度", "三季度", "四季度"),
    ),
    (180, 165, 165, 165, 165),
    "lrrrr",
    "full",
)


def _stock(made: MadeUp) -> Values:
    names = made.chance.sample(("Hex bolts", "Pump seal", "Drive belt", "Gloves", "Sensor", "Fan", "Cable", "Lamp"), 8)
    columns = (names.pop, lambda: str(made.chance.randrange(2, 900)), lambda: f"{made.cents(100, 90_000) / 100:,.2f}")
    return _filled(made, columns, 6, 6)


def _draw_stock(canvas: Canvas) -> None:
    _title(canvas, "Stock by warehouse")
    body = _body(canvas, 3)
    body[0].insert(0, Span("North", rows=3))
    body[3].insert(0, Span("South", rows=2))
    body[5].insert(0, "East")
    grid = _grid(canvas, (180, 280, 160, 200), "llrr", "full")
    _print(canvas, grid, (("Warehouse", "Item", "Quantity", "Value"), *body, (Span("All figures in USD", columns=4),)))


def _duty(made: MadeUp) -> Values:
    tasks = ("檢查消防設備及更換過期的滅火筒", "整理會議室", "接待訪客並登記資料，派發臨時通行證", "", "核對庫存數量")
    columns = (
        lambda: f"{made.day():%d/%m}",
        lambda: made.person("zh-Hant"),
        lambda: made.pick(*tasks),
        lambda: made.pick("", "", "已完成", "待跟進"),
    )
    return _filled(made, columns, 4, 6)


_DUTY: Final = _Sheet(
    "值班工作記錄表", (("日期", "職員姓名", "工作內容", "備註"),), (130, 160, 380, 190), "mlll", "full"
)


def _tariff(made: MadeUp) -> Values:
    def fee() -> str:
        return f"${made.cents(500, 20_000) / 100:.2f}"

    zones = ["Zone F", "Zone E", "Zone D", "Zone C", "Zone B", "Zone A"]
    return _filled(made, (zones.pop, fee, fee, fee, fee), 4, 6)


_TARIFF: Final = _Sheet(
    "Parcel rates",
    (
        (Span("Destination", rows=2), Span("Standard", columns=2), Span("Express", columns=2)),
        ("1 kg", "5 kg", "1 kg", "5 kg"),
    ),
    (200, 160, 160, 160, 160),
    "lrrrr",
    "full",
    above="Prices are valid until further notice and include fuel.",
)


def _sales(made: MadeUp) -> Values:
    month = made.chance.sample(("January", "February", "March", "April", "May", "June", "July", "August"), 8)

    def number() -> str:
        return f"{made.cents(1000, 99_999):,}"

    return _filled(made, (month.pop, number, number, lambda: f"{made.chance.randrange(1, 40)}.{made.digits(1)}%"))


_SALES: Final = _Sheet(
    "Monthly sales", (("Month", "Online", "Stores", "Growth"),), (240, 200, 200, 180), "lrrr", "rows"
)


def _trial(made: MadeUp) -> Values:
    def value() -> str:
        return f"{made.chance.randrange(10, 99)}.{made.digits(2)}"

    names = ["样本己", "样本戊", "样本丁", "样本丙", "样本乙", "样本甲"]
    return _filled(made, (names.pop, value, value, value, lambda: made.pick("合格", "合格", "不合格")), 4, 6)


_TRIAL: Final = _Sheet(
    "表 3　材料性能测试结果",
    (("样本编号", "密度", "硬度", "强度", "结论"),),
    (180, 150, 150, 150, 160),
    "lrrrm",
    "head",
    below="注：测试温度为二十摄氏度。",
)


def _statement(made: MadeUp) -> Values:
    texts = ("Card purchase Juniper Cafe", "Salary", "Transfer to savings", "Cheque 100213", "Interest paid")
    account, count = Account(made), made.chance.randrange(5, 9)
    values: dict[str, str] = {}
    for row in range(count):
        movement = account.move(range(1, 5), texts, texts)
        values |= {f"r{row}c{place}": text for place, text in enumerate((f"{movement.day:%d %b}", *movement[1:]))}
    return values | {"rows": str(count)}


_STATEMENT: Final = _Sheet(
    "Account statement",
    (("Date", "Details", "Paid out", "Paid in", "Balance"),),
    (120, 310, 140, 140, 160),
    "llrrr",
    "head",
)


def _fares(made: MadeUp) -> Values:
    stops = ["銀杏街", "海棠道", "康樂街", "長青路", "鳳凰里", "德福道"]

    def fare() -> str:
        return f"{made.chance.randrange(4, 40)}.{made.pick('0', '5')}"

    return _filled(made, (stops.pop, fare, fare, lambda: f"{made.chance.randrange(4, 60)}分鐘"), 4, 6)


_FARES: Final = _Sheet("巴士車費表", (("車站", "成人", "長者", "行車時間"),), (260, 160, 160, 200), "lrrr", "rows")


def _inventory(made: MadeUp) -> Values:
    names = made.chance.sample(
        ("Desk lamp", "Office chair", "Paper A4", "Stapler", "Marker set", "Monitor arm", "Footrest", "Mouse pad"), 8
    )
    columns = (
        lambda: f"{made.pick('AB', 'CD', 'EF')}-{made.digits(4)}",
        names.pop,
        lambda: str(made.chance.randrange(1, 500)),
        lambda: f"{made.cents(100, 90_000) / 100:,.2f}",
    )
    return _filled(made, columns, 5, 8)


_INVENTORY: Final = _Sheet(
    "Inventory list", (("Code", "Name", "Units", "Price"),), (190, 300, 150, 180), "llrr", "none"
)


def _faults(made: MadeUp) -> Values:
    texts = (
        "设备启动后有异常响声，停机检查轴承并加注润滑油",
        "更换滤芯",
        "显示屏不亮，检查后确认为电源模块损坏，已更换",
        "校准温度传感器",
    )
    columns = (
        lambda: f"{made.day():%Y-%m-%d}",
        lambda: f"{made.chance.randrange(1, 30)}号机",
        lambda: made.pick(*texts),
        made.person,
    )
    return _filled(made, columns, 4, 6)


_FAULTS: Final = _Sheet("设备维修记录", (("日期", "设备", "处理情况", "维修人"),), (180, 130, 380, 140), "llll", "none")


def _tasks(made: MadeUp) -> Values:
    texts = (
        "Review the supplier contract and prepare a short summary",
        "Order toner",
        "",
        "Call the landlord about the broken heating",
        "Update the price list",
    )
    columns = (
        lambda: made.person("en"),
        lambda: made.pick(*texts),
        lambda: f"{made.day():%d %b %Y}",
        lambda: made.pick("Open", "Done", ""),
    )
    return _filled(made, columns, 4, 6)


_TASKS: Final = _Sheet("Action items", (("Owner", "Task", "Due", "State"),), (210, 340, 170, 120), "llll", "none")


def _prices(made: MadeUp) -> Values:
    dishes = made.chance.sample(
        ("咖喱牛腩飯", "鮮茄豬扒飯", "揚州炒飯", "海鮮燴麵", "滑蛋蝦仁飯", "時菜肉片麵", "白灼菜心"), 7
    )

    def price() -> str:
        return f"${made.chance.randrange(30, 130)}"

    return _filled(made, (lambda: made.digits(2), dishes.pop, price, price), 5, 7)


_PRICES: Final = _Sheet("外賣價目表", (("編號", "菜式", "午市", "晚市"),), (130, 340, 150, 150), "mlrr", "none")


def _budget(made: MadeUp) -> Values:
    def number() -> str:
        return grouped(made.cents(10_000, 9_000_000))

    names = made.chance.sample(("办公费", "差旅费", "培训费", "维修费", "会议费", "水电费"), 6)
    return _filled(made, (names.pop, number, number), 3, 4)


def _draw_budget(canvas: Canvas) -> None:
    """Two tables on one page, text between them."""
    _title(canvas, "部门预算说明")
    grid = _grid(canvas, (260, 240, 240), "lrr", "full")
    bottom = _print(canvas, grid, (("科目", "预算金额", "执行金额"), *_body(canvas, 3)))
    bottom = canvas.paragraph(
        (_LEFT, bottom + 30), "上表为本年度各科目的执行情况，下表列出各科目的负责人与联系方式。", 740, Pen(size=22)
    )
    people = [
        ("科目", "负责人"),
        *((f"{{r{row}c0}}", name) for row, name in zip(range(3), ("王敏", "李伟", "陈静怡"), strict=True)),
    ]
    print_table(canvas, (_LEFT, bottom + 20), _grid(canvas, (260, 300), "ll", "full"), people)


_NOTHING: Final[Mapping[str, str]] = {}


def _layout(
    name: str, kind: str, language: str, invent: Callable[[MadeUp], Values], draw: Callable[[Canvas], None]
) -> Layout:
    looks = ("sans", "serif") if language != "en" else ("sans", "serif", "narrow")
    return Layout(
        name=f"table-{name}",
        kind=kind,
        language=language,
        size=(1000, 820),
        invent=invent,
        draw=draw,
        looks=looks,
        asks=_NOTHING,
    )


LAYOUTS: Final = (
    _layout("scores", _RULED, "zh-Hans", _scores, _SCORES.draw),
    _layout("output", _RULED, "zh-Hans", _output, _OUTPUT.draw),
    _layout("stock", _RULED, "en", _stock, _draw_stock),
    _layout("duty", _RULED, "zh-Hant", _duty, _DUTY.draw),
    _layout("tariff", _RULED, "en", _tariff, _TARIFF.draw),
    _layout("budget", _RULED, "zh-Hans", _budget, _draw_budget),
    _layout("sales", _PARTLY, "en", _sales, _SALES.draw),
    _layout("trial", _PARTLY, "zh-Hans", _trial, _TRIAL.draw),
    _layout("statement", _PARTLY, "en", _statement, _STATEMENT.draw),
    _layout("fares", _PARTLY, "zh-Hant", _fares, _FARES.draw),
    _layout("inventory", _UNRULED, "en", _inventory, _INVENTORY.draw),
    _layout("faults", _UNRULED, "zh-Hans", _faults, _FAULTS.draw),
    _layout("tasks", _UNRULED, "en", _tasks, _TASKS.draw),
    _layout("prices", _UNRULED, "zh-Hant", _prices, _PRICES.draw),
)
