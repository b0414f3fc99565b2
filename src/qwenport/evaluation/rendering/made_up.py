"""People, companies, places and sums that do not exist, by chance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Final

from qwenport.evaluation.rendering import identifiers

STATIONS: Final = (
    ("青溪", "Qingxi"),
    ("云岭东", "Yunlingdong"),
    ("松江湾", "Songjiangwan"),
    ("白鹭南", "Bailunan"),
    ("星河西", "Xinghexi"),
    ("望海北", "Wanghaibei"),
    ("柳泉", "Liuquan"),
    ("金穗", "Jinsui"),
    ("梅岗东", "Meigangdong"),
    ("鹤山湖", "Heshanhu"),
)
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = (
    "伟",
    "敏",
    "静怡",
    "子涵",
    "建国",
    "雨桐",
    "志强",
    "晓明",
    "欣然",
    "浩宇",
    "文博",
    "丽华",
    "思远",
    "佳宁",
)
_SURNAMES_HANT: Final = "陳黃李張林王吳劉蔡楊許鄭謝郭洪邱曾廖賴徐"
_GIVEN_HANT: Final = ("大文", "嘉欣", "志明", "美玲", "家豪", "詠詩", "俊傑", "淑芬", "子晴", "國強", "慧儀", "永康")
_FIRST: Final = (
    "Alice",
    "Brian",
    "Carmen",
    "Daniel",
    "Elena",
    "Farid",
    "Grace",
    "Henry",
    "Irene",
    "Jason",
    "Karen",
    "Leo",
)
_LAST: Final = ("Abbott", "Barnes", "Coleman", "Dalton", "Ellison", "Foster", "Griffin", "Hartley", "Ingram", "Jarvis")
_BRANDS: Final = ("青鸟", "云栖", "星澜", "墨鱼", "橙舟", "远岫", "松果", "晴川", "蓝鲸", "禾木")
_TRADES: Final = ("信息技术", "电子商务", "文化传媒", "物流", "餐饮管理", "机械设备", "环保科技", "建筑工程")
_BRANDS_HANT: Final = ("青鳥", "雲棲", "星瀾", "橙舟", "松果", "晴川", "藍鯨", "禾木", "海韻", "金麥")
_TRADES_HANT: Final = ("貿易", "實業", "國際物流", "電子", "飲食集團", "文化", "工程顧問")
_BRANDS_EN: Final = ("Bluefin", "Larkspur", "Quillon", "Maplecrest", "Tidewater", "Orchid Lane", "Northgate", "Sunmere")
_TRADES_EN: Final = ("Trading", "Logistics", "Hardware", "Stationery", "Foods", "Systems", "Supplies", "Electric")
_CITIES: Final = (("东海省", "青溪市", "云岭区"), ("江南省", "白鹭市", "柳泉区"), ("南山省", "星河市", "望海区"))
_ROADS: Final = ("梧桐路", "科创大道", "银杏街", "滨江中路", "学府东路", "望岳街")
_ROADS_HANT: Final = ("海棠道", "銀杏街", "德福道", "鳳凰里", "長青路", "康樂街")
_DISTRICTS_HANT: Final = ("九龍翠灣", "新界晴山", "香港月環", "九龍鹿角")
_ROADS_EN: Final = ("Maple Street", "Harbor Road", "Juniper Avenue", "Old Mill Lane", "Kestrel Drive", "Quarry Road")
_TOWNS_EN: Final = (("Fairhollow", "OR"), ("Millbrook Falls", "NY"), ("Cedar Point", "TX"), ("Lakewood Glen", "WA"))
_EPOCH: Final = date(2024, 1, 1)


class MadeUp:
    """Values by chance; the same seed gives the same values."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self._told: set[str] = set()

    def person(self, language: str = "zh-Hans") -> str:
        """A full name; another one at each call."""
        return self._another(lambda: self._person(language))

    def company(self, language: str = "zh-Hans") -> str:
        """A company that is called an example; another one at each call."""
        return self._another(lambda: self._company(language))

    def address(self, language: str = "zh-Hans") -> str:
        """An address in a place that does not exist; another one at each call."""
        return self._another(lambda: self._address(language))

    def _another(self, make: Callable[[], str]) -> str:
        value = make()
        while value in self._told:
            value = make()
        self._told.add(value)
        return value

    def _person(self, language: str) -> str:
        if language == "en":
            return f"{self.chance.choice(_FIRST)} {self.chance.choice(_LAST)}"
        surnames, given = (_SURNAMES_HANT, _GIVEN_HANT) if language == "zh-Hant" else (_SURNAMES, _GIVEN)
        return self.chance.choice(surnames) + self.chance.choice(given)

    def _company(self, language: str) -> str:
        if language == "en":
            return f"{self.chance.choice(_BRANDS_EN)} Sample {self.chance.choice(_TRADES_EN)}"
        if language == "zh-Hant":
            return f"{self.chance.choice(_BRANDS_HANT)}示例{self.chance.choice(_TRADES_HANT)}有限公司"
        city = self.chance.choice(_CITIES)[1]
        return f"{city}{self.chance.choice(_BRANDS)}示例{self.chance.choice(_TRADES)}有限公司"

    def _address(self, language: str) -> str:
        number = self.chance.randrange(1, 999)
        if language == "en":
            town, state = self.chance.choice(_TOWNS_EN)
            return f"{number} {self.chance.choice(_ROADS_EN)}, {town}, {state} {self.chance.randrange(10000, 99999)}"
        if language == "zh-Hant":
            floor, room = self.chance.randrange(1, 40), self.chance.choice("ABCDEF")
            return f"{self.chance.choice(_DISTRICTS_HANT)}{self.chance.choice(_ROADS_HANT)}{number}號{floor}樓{room}室"
        place = "".join(self.chance.choice(_CITIES))
        return f"{place}{self.chance.choice(_ROADS)}{number}号{self.chance.randrange(1, 30)}幢{self.digits(3)}室"

    def day(self, first: date = _EPOCH, days: int = 700) -> date:
        """A day."""
        return first + timedelta(days=self.chance.randrange(days))

    def birthday(self) -> date:
        """A day on which a grown person may have been born."""
        return self.day(date(1960, 1, 1), 16_000)

    def clock(self) -> str:
        """`HH:MM` in the day."""
        return f"{self.chance.randrange(7, 22):02d}:{self.chance.randrange(60):02d}"

    def digits(self, count: int) -> str:
        """A number of so many digits that does not begin with a nought."""
        return str(self.chance.randrange(10 ** (count - 1), 10**count))

    def cents(self, least: int, most: int) -> int:
        """An amount."""
        return self.chance.randrange(least, most)

    def pick(self, *values: str) -> str:
        """One of these."""
        return self.chance.choice(values)

    def stations(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Two stations, each with its name in pinyin."""
        first, second = self.chance.sample(STATIONS, 2)
        return first, second

    def train_seat(self) -> str:
        """`03车10C号`."""
        return f"{self.chance.randrange(1, 17):02d}车{self.chance.randrange(1, 20):02d}{self.pick(*'ABCDF')}号"

    def mobile(self) -> str:
        """A telephone number of a range that is not given out."""
        return f"100{self.digits(8)}"

    def landline(self) -> str:
        """A telephone number with an area code that does not exist."""
        return f"0{self.chance.choice(('100', '199', '188'))}-{self.digits(8)}"

    def credit_code(self, kind: str = "91") -> str:
        """A unified social credit code: `91` for companies, `92` for households."""
        return identifiers.credit_code(self.chance, kind)

    def resident_number(self, birth: date | None = None, *, masked: bool = False) -> str:
        """A number of a resident of China."""
        day = f"{birth or self.birthday():%Y%m%d}"
        make = identifiers.masked_resident_number if masked else identifiers.resident_number
        return make(day, self.chance)


def chinese_date(day: date) -> str:
    """`2024年05月20日`."""
    return f"{day.year}年{day.month:02d}月{day.day:02d}日"
