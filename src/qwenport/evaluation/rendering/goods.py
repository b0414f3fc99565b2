"""What shops sell, and what a purchase comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from qwenport.evaluation.rendering.amounts import grouped, plain
from qwenport.evaluation.rendering.made_up import MadeUp

GOODS: Final[Mapping[str, tuple[str, ...]]] = {
    "supermarket": (
        "鲜牛奶950ml",
        "全麦面包",
        "红富士苹果",
        "鸡蛋30枚",
        "洗洁精1kg",
        "矿泉水550ml",
        "抽纸6包",
        "五常大米5kg",
    ),
    "pharmacy": ("维生素C片", "板蓝根颗粒", "创可贴", "医用口罩10只", "碘伏消毒液", "感冒灵颗粒"),
    "tea house": ("鮮蝦雲吞麵", "乾炒牛河", "凍檸茶", "菠蘿油", "星洲炒米", "熱奶茶", "西多士"),
    "convenience": ("御飯糰鮪魚", "美式咖啡大杯", "茶葉蛋", "鮮乳290ml", "雞肉三明治", "礦泉水"),
    "cafe": ("Flat White", "Cappuccino", "Almond Croissant", "Avocado Toast", "Lemon Cake", "Iced Latte"),
    "hardware": (
        "CABLE TIE 200MM",
        "LED BULB 9W",
        "PVC PIPE 20MM",
        "SUPER GLUE 3G",
        "PAINT BRUSH 2IN",
        "WALL PLUG 50S",
    ),
    "grocery": ("WHOLE MILK GAL", "BANANAS LB", "CHEERY OATS", "PAPER TOWELS 6", "GROUND COFFEE", "CHICKEN BREAST"),
    "chemist": ("IBUPROFEN 200MG", "VITAMIN D3", "COUGH SYRUP", "BANDAGES 20CT", "SUNSCREEN SPF30"),
    "parts zh-Hans": ("不锈钢螺丝 M8", "尼龙扎带", "铝合金支架", "工业风扇", "继电器模块", "网线 CAT6", "安全手套"),
    "parts zh-Hant": ("鋁合金支架", "工業風扇", "繼電器模組", "不銹鋼螺絲", "尼龍紮帶", "安全手套"),
    "parts en": ("Hex bolts M8", "Conveyor belt 2 m", "Safety gloves", "Sensor kit", "Steel shelf", "Pump seal"),
}


@dataclass(frozen=True, slots=True)
class Purchase:
    """Some goods and their prices."""

    values: dict[str, str]
    """`item0`, `count0`, `each0`, `price0` and so on."""
    cents: int
    """What they come to."""
    pieces: int


def purchase(made: MadeUp, shop: str, count: int, dearest: int) -> Purchase:
    """So many sorts of goods of a kind of shop, none dearer than `dearest` in cents."""
    values: dict[str, str] = {}
    total = pieces = 0
    for place, name in enumerate(made.chance.sample(GOODS[shop], count)):
        number, each = made.chance.randrange(1, 4), made.cents(dearest // 10, dearest)
        values |= {
            f"item{place}": name,
            f"count{place}": str(number),
            f"each{place}": plain(each),
            f"price{place}": plain(number * each),
        }
        total += number * each
        pieces += number
    return Purchase(values, total, pieces)


def wares(made: MadeUp, shop: str, count: int) -> tuple[dict[str, str], int, int]:
    """So many sorts of goods by the dozen: values as in `Purchase`, what they come to in cents, and how many."""
    values: dict[str, str] = {}
    total = pieces = 0
    for place, name in enumerate(made.chance.sample(GOODS[shop], count)):
        number, each = made.chance.randrange(2, 120), made.cents(120, 30_000)
        total, pieces = total + number * each, pieces + number
        values |= {
            f"item{place}": name,
            f"count{place}": str(number),
            f"each{place}": plain(each),
            f"price{place}": grouped(number * each),
        }
    return values, total, pieces


def rows_of_goods(count: int, *names: str, numbered: bool = False) -> list[tuple[str, ...]]:
    """Rows of a table of goods: templates of the values of these names, for each sort of goods."""
    numbers = [(str(place + 1),) if numbered else () for place in range(count)]
    return [(*number, *(f"{{{name}{place}}}" for name in names)) for place, number in enumerate(numbers)]
