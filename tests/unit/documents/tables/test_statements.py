"""Statements of accounts without rules, of which most rows leave some columns blank; and what only looks like them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from random import Random

import pytest
from msgspec import Struct

from qwenport.documents.page import Line, Page
from qwenport.documents.tables import find_tables

HEIGHT = 20.0
Grid = list[list[str]]


class Words(Struct, frozen=True, kw_only=True):
    """What a bank prints in one language."""

    names: Mapping[str, str]
    texts: tuple[str, ...]
    more: tuple[str, ...]
    opening: str
    closing: str
    keys: tuple[str, str, str, str]
    note: str


WORDS = {
    "en": Words(
        names={
            "date": "Date",
            "value": "Value date",
            "code": "Reference",
            "text": "Description",
            "out": "Money out",
            "into": "Money in",
            "amount": "Amount",
            "balance": "Balance",
        },
        texts=("Card purchase Juniper Cafe", "Salary", "Transfer to savings", "Cheque 100213", "Interest"),
        more=("on 12 May card 4711", "mandate 00321", "Fairhollow"),
        opening="Balance brought forward",
        closing="Closing balance",
        keys=("Account name", "Account number", "Statement date", "Branch"),
        note="Please check this statement and tell us of any error within 90 days.",
    ),
    "zh-Hans": Words(
        names={
            "date": "日期",
            "value": "起息日",
            "code": "凭证号",
            "text": "摘要",
            "out": "支出",
            "into": "存入",
            "amount": "金额",
            "balance": "余额",
        },
        texts=("转账 水电费", "银行卡消费 超市", "手续费", "工资入账", "网上购物 退款"),
        more=("尾号4711", "青溪支行", "代扣"),
        opening="期初余额",
        closing="期末余额",
        keys=("户名", "账号", "打印日期", "开户行"),
        note="请核对本账单，如有疑问请于九十日内与我行联系。",  # noqa: RUF001 - Chinese has marks of its own
    ),
    "zh-Hant": Words(
        names={
            "date": "日期",
            "value": "生效日期",
            "code": "參考編號",
            "text": "交易詳情",
            "out": "提取",
            "into": "存入",
            "amount": "金額",
            "balance": "結餘",
        },
        texts=("轉數快 付款", "自動轉賬 電費", "信用卡還款", "薪金入賬", "利息"),
        more=("編號4711", "銀杏街分行", "代扣"),
        opening="承前結餘",
        closing="期末結餘",
        keys=("戶口名稱", "戶口號碼", "結單日期", "分行"),
        note="請核對本結單，如有錯誤請於九十日內通知本行。",  # noqa: RUF001 - Chinese has marks of its own
    ),
}
KINDS: tuple[tuple[str, ...], ...] = (
    ("date", "text", "out", "into", "balance"),
    ("date", "text", "into", "out", "balance"),
    ("date", "value", "code", "text", "out", "into", "balance"),
    ("date", "value", "text", "out", "into", "balance"),
    ("date", "text", "code", "out", "into", "balance"),
    ("date", "text", "amount", "balance"),
    ("text", "date", "out", "into", "balance"),
)
AMOUNTS = ("out", "into", "amount", "balance")
PAIRS = ("Ada Fictional", "738-864967-992", "2024-05-31", "Fairhollow")
ADDRESSES = (
    ("Ada Fictional", "Bluefin Sample Bank"),
    ("12 Maple Street", "1 Harbor Road"),
    ("Fairhollow", "Cedar Point"),
)


def _width(text: str) -> float:
    return sum(20.0 if ord(character) > 0x2E80 else 10.0 for character in text)


def _line(text: str, x: float, y: float, align: str = "l") -> Line:
    width = _width(text)
    left = {"l": x, "r": x - width, "m": x - width / 2}[align]
    quad = (left, y, left + width, y, left + width, y + HEIGHT, left, y + HEIGHT)
    return Line(text=text, quad=quad, score=1.0)


def _lines(
    rows: Sequence[Sequence[str]], xs: Sequence[float], aligns: str, top: float, pitch: float = 40
) -> list[Line]:
    return [
        _line(text, x, top + pitch * index, align)
        for index, row in enumerate(rows)
        for text, x, align in zip(row, xs, aligns, strict=True)
        if text
    ]


def _grids(lines: Iterable[Line], *, angle: float = 0.0) -> list[Grid]:
    page = Page(width=1800, height=2000, lines=tuple(lines), angle=angle)
    grids = []
    for table in find_tables(page):
        grid = [[""] * table.columns for _ in range(table.rows)]
        for cell in table.cells:
            grid[cell.row][cell.column] = cell.text
        grids.append(grid)
    return grids


class Statement:
    """A page of a statement and the table that stands on it, always the same for a seed."""

    def __init__(self, language: str, seed: int, *, has_head: bool) -> None:
        self._chance = Random(f"{language}/{seed}/{has_head}")
        self._words = WORDS[language]
        self._has_head = has_head
        self._kind = self._chance.choice(KINDS)
        entries = self._entries()
        self._kind = tuple(name for name in self._kind if has_head or any(entry[name] for entry in entries))
        columns = self._columns(entries)
        self.lines = self._above(columns["text"][0])
        self.truth = self._print(entries, columns)
        self.lines.append(_line(self._words.note, 60, max(line.bottom for line in self.lines) + 40))

    def _entries(self) -> list[dict[str, list[str]]]:
        chance, words = self._chance, self._words
        deposits, codes = chance.choice((0.05, 0.15, 0.5, 0.85)), chance.choice((0.3, 0.7, 1.0))
        blank_dates = chance.choice((0.0, 0.5)) if self._has_head else 0.0
        blank_balances = chance.choice((0.0, 0.4)) if self._has_head else 0.0
        wrapped = 0.3 if self._kind[0] == "date" and chance.random() < 0.3 else 0.0
        sign = chance.choice(("-{}", "{}", "({})"))
        entries = [self._entry(text=[words.opening], balance=[self._amount()])] if chance.random() < 0.5 else []
        for index in range(chance.randrange(6, 25)):
            amount, is_deposit = self._amount(), chance.random() < deposits
            day = [f"2024-05-{index + 1:02d}"]
            entry = self._entry(
                date=[] if index and chance.random() < blank_dates and self._kind[0] == "date" else day,
                value=day,
                code=[f"FT{chance.randrange(10**5, 10**6)}"] if chance.random() < codes else [],
                text=[chance.choice(words.texts)],
                out=[] if is_deposit else [amount],
                into=[amount] if is_deposit else [],
                amount=[amount if is_deposit else sign.format(amount)],
                balance=[] if chance.random() < blank_balances else [self._amount()],
            )
            if chance.random() < wrapped:
                entry["text"].append(chance.choice(words.more))
            entries.append(entry)
        entries.append(self._entry(text=[words.closing], balance=[self._amount()]))
        return entries

    def _entry(self, **lines: list[str]) -> dict[str, list[str]]:
        return {name: lines.get(name, []) for name in self._kind}

    def _amount(self) -> str:
        cents = self._chance.randrange(*self._chance.choice(((100, 9999), (10_000, 999_999), (10**6, 9 * 10**7))))
        return f"{cents // 100:,}.{cents % 100:02d}"

    def _above(self, text_left: float) -> list[Line]:
        """Pairs, with and without colons, or two addresses; what stands to the right is aligned with no column."""
        right = max(260.0, text_left + 34)
        match self._chance.randrange(4):
            case 0:
                return _lines(list(zip(self._words.keys, PAIRS, strict=True)), (60, right), "ll", 100, 38)
            case 1:
                four = [(f"{key}:", value) for key, value in zip(self._words.keys, PAIRS, strict=True)]
                return _lines([four[0] + four[1], four[2] + four[3]], (60, 311, 617, 853), "llll", 100, 38)
            case 2:
                return _lines(ADDRESSES, (60, 713), "ll", 100, 30)
            case _:
                return [_line(self._words.keys[0], 60, 100)]

    def _print(self, entries: list[dict[str, list[str]]], columns: Mapping[str, tuple[float, float]]) -> Grid:
        chance, names = self._chance, self._words.names
        pitch, leading = chance.choice(((26, 24), (30, 24), (38, 26), (44, 24), (38, 38)))
        align = {name: "r" if name in AMOUNTS else "l" for name in self._kind}
        above, y, truth = chance.choice(("same", "same", "l", "m")), self.lines[-1].bottom + 36, []
        if self._has_head:
            for name in self._kind:
                self._put(columns[name], names[name], y, align[name] if above == "same" else above)
            y += pitch
            truth.append([names[name] for name in self._kind])
        for entry in entries:
            for name in self._kind:
                for index, text in enumerate(entry[name]):
                    self._put(columns[name], text, y + leading * index, align[name])
            y += pitch + leading * (max(map(len, entry.values())) - 1)
            truth.append([_joined(entry[name]) for name in self._kind])
        return truth

    def _columns(self, entries: list[dict[str, list[str]]]) -> dict[str, tuple[float, float]]:
        columns, left, gap = {}, 60.0, self._chance.choice((24, 30, 50, 90))
        for name in self._kind:
            texts = [text for entry in entries for text in entry[name]]
            width = max(map(_width, [*texts, self._words.names[name]])) + self._chance.choice((0, 0, 30, 80))
            columns[name] = (left, left + width)
            left += width + gap
        return columns

    def _put(self, column: tuple[float, float], text: str, y: float, align: str) -> None:
        left, right = column
        self.lines.append(_line(text, {"l": left, "r": right, "m": (left + right) / 2}[align], y, align))


def _joined(texts: Sequence[str]) -> str:
    joined = ""
    for text in texts:
        is_spaced = joined and ord(text[0]) < 0x2E80 and ord(joined[-1]) < 0x2E80
        joined += (" " if is_spaced else "") + text
    return joined


def _turned(line: Line, degrees: float) -> Line:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    places = [(line.quad[i] - 900, line.quad[i + 1] - 1000) for i in range(0, 8, 2)]
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = [
        (900 + x * cosine - y * sine, 1000 + x * sine + y * cosine) for x, y in places
    ]
    return Line(text=line.text, quad=(x0, y0, x1, y1, x2, y2, x3, y3), score=line.score)


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("language", WORDS)
def test_a_statement_with_names_above_its_columns_is_one_table(language: str, seed: int) -> None:
    statement = Statement(language, seed, has_head=True)

    assert _grids(statement.lines) == [statement.truth]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("language", WORDS)
def test_a_statement_without_names_is_one_table_too(language: str, seed: int) -> None:
    statement = Statement(language, seed, has_head=False)

    assert _grids(statement.lines) == [statement.truth]


@pytest.mark.parametrize("degrees", [-4.0, 3.0])
def test_a_statement_on_a_page_that_leans_is_the_same_table(degrees: float) -> None:
    statement = Statement("en", 0, has_head=True)

    assert _grids([_turned(line, degrees) for line in statement.lines], angle=degrees) == [statement.truth]


HEAD = ["Date", "Details", "Paid out", "Paid in", "Balance"]
XS, ALIGNS = (60.0, 200.0, 700.0, 900.0, 1100.0), "llrrr"


def _movements(count: int, *, deposits: Sequence[int] = (2, 5)) -> Grid:
    return [
        [
            f"{index + 1:02d} May",
            "Salary" if index in deposits else "Card purchase",
            "" if index in deposits else f"{index + 3}.50",
            f"{index + 800}.00" if index in deposits else "",
            f"1,{index + 100}.25",
        ]
        for index in range(count)
    ]


def test_a_single_deposit_among_many_payments_has_a_column_of_its_own() -> None:
    rows = _movements(24, deposits=(7,))

    assert _grids(_lines(rows, XS, ALIGNS, 100)) == [rows]


def test_a_column_that_is_named_and_blank_is_a_column() -> None:
    rows = [HEAD, *_movements(10, deposits=())]

    assert _grids(_lines(rows, XS, ALIGNS, 100)) == [rows]


def test_names_to_the_left_of_what_they_name_are_in_its_column() -> None:
    rows = _movements(8)
    head = _lines([HEAD], (60, 200, 560, 760, 960), "lllll", 60)

    assert _grids([*head, *_lines(rows, XS, ALIGNS, 100)]) == [[HEAD, *rows]]


def test_a_name_of_two_lines_stays_whole_below_lines_that_are_none_of_the_table() -> None:
    rows = _movements(8)
    above = _lines([("Account name", "Ada Fictional"), ("Account number", "738-864967-992")], (60, 347), "ll", 20)
    head = [*_lines([["", "", "Paid", "Paid", ""]], XS, ALIGNS, 120), *_lines([HEAD], XS, ALIGNS, 144)]

    assert _grids([*above, *head, *_lines(rows, XS, ALIGNS, 184)]) == [
        [["Date", "Details", "Paid Paid out", "Paid Paid in", "Balance"], *rows]
    ]


def test_a_name_over_two_columns_stays_above_the_names_of_these() -> None:
    rows = _movements(8)
    above = _lines([("Account name", "Ada Fictional"), ("Account number", "738-864967-992")], (60, 347), "ll", 20)
    wide = [_line("Entry", 165, 110, "m"), _line("Amounts of money", 860, 110, "m")]

    grids = _grids([*above, *wide, *_lines([HEAD], XS, ALIGNS, 150), *_lines(rows, XS, ALIGNS, 190)])

    assert grids == [[["Entry", "", "Amounts of money", "", ""], HEAD, *rows]]


def test_the_last_text_goes_on_in_its_own_row() -> None:
    rows = [HEAD, *_movements(8)]
    last = _line("Juniper Cafe", 200, 100 + 40 * len(rows))

    assert _grids([*_lines(rows, XS, ALIGNS, 100), last]) == [
        [*rows[:-1], ["08 May", "Card purchase Juniper Cafe", "10.50", "", "1,107.25"]]
    ]


@pytest.mark.parametrize("item", ["1. Keep it", "\u2022 Keep it", "(2) Keep", "\u2460 Keep", "3\u3001保存"])
def test_a_list_below_a_table_is_none_of_its_rows(item: str) -> None:
    rows = [[f"Card {name}", *row[1:]] for name, row in zip("ABCDEFGH", _movements(8), strict=True)]
    lines = _lines([["Card or account", *HEAD[1:]], *rows], (60, 320, 700, 900, 1100), ALIGNS, 100, 30)

    grids = _grids([*lines, _line(item, 60, 100 + 30 * 9)])

    assert grids == [[["Card or account", *HEAD[1:]], *rows]]


def test_a_note_beside_the_columns_below_a_table_is_none_of_its_rows() -> None:
    rows = [HEAD, *_movements(8)]
    note = [_line("Page one", 130, 100 + 40 * 9), _line("of three", 420, 100 + 40 * 9)]

    assert _grids([*_lines(rows, XS, ALIGNS, 100), *note]) == [rows]


def test_lines_of_an_address_above_names_are_none_of_these() -> None:
    rows = [HEAD, *_movements(8)]
    address = _lines(
        [("Ada", "Bluefin Bank"), ("Flat 3", "Harbor Road"), ("Mill", "Cedar Point")], XS[:2], "ll", 100, 26
    )

    assert _grids([*address, *_lines(rows, XS, ALIGNS, 178)]) == [rows]


def test_a_row_of_words_below_a_head_with_years_is_no_head() -> None:
    rows = [["Region", "Q1 2023", "Q2 2023", "Q3 2023"], ["North", "none", "none", "none"]]
    rows += [[name, f"{i}5.00", f"{i}6.00", f"{i}7.00"] for i, name in enumerate(("South", "East", "West", "Isles"), 1)]

    assert _grids(_lines(rows, (60, 400, 600, 800), "lrrr", 100)) == [rows]


def test_names_over_names_with_figures_stay_below_a_sentence() -> None:
    wide = [_line("Zone", 60, 152), _line("Standard", 385, 140, "m"), _line("Express", 685, 140, "m")]
    rows = [["", "1 kg", "5 kg", "1 kg", "5 kg"], *([f"Zone {name}", *["$56.44"] * 4] for name in "ABCDEF")]
    lines = [*wide, *_lines(rows, (60, 350, 500, 650, 800), "lrrrr", 164)]

    ((_, *grid),) = _grids([_line("Prices are valid until further notice", 60, 100), *lines])

    assert any("Standard" in text for row in grid for text in row)


@pytest.mark.parametrize("seed", range(6))
def test_a_receipt_without_names_of_columns_is_no_table(seed: int) -> None:
    chance = Random(seed)
    goods = [
        [str(chance.randrange(1, 9)), chance.choice(("Milk", "Fried rice", "Green tea")), f"{chance.randrange(90)}.50"]
        for _ in range(chance.randrange(4, 7))
    ]
    sums = [["Subtotal", "", "81.50"], ["Service", "Ten percent", "8.15"], ["Total", "", "89.65"]]

    assert _grids(_lines([*goods, *sums], (60, 200, 500), "llr", 100, chance.choice((26, 34)))) == []


def test_figures_on_a_receipt_beside_blank_space_are_no_table() -> None:
    goods = [["", "4", f"{i}3.50", f"{i}14.00", "SR"] for i in range(1, 9)]
    goods[3][0], goods[5][1] = "Offer", ""

    assert _grids(_lines(goods, (60, 300, 450, 600, 640), "lrrrl", 100, 34)) == []


@pytest.mark.parametrize(("pitch", "below"), [(44, 26), (54, 22)])
def test_goods_on_a_receipt_whose_names_run_across_the_columns_are_no_table(pitch: float, below: float) -> None:
    xs, aligns = (60, 160, 340, 440, 560), "llrrr"
    above = _lines([("Bluefin Sample Foods", "No 4711-55"), ("12 Maple Street", "2024-05-31")], (60, 380), "ll", 20)
    names = ("Fried rice with eggs", "Tea", "Milk", "Green tea of three sorts", "Beans and rice on toast", "Egg")
    goods = [
        line
        for index, name in enumerate(names)
        for line in (
            *_lines([[f"10{index}", "1", f"{index}.50", "SR", f"{index}.50"]], xs, aligns, 160 + pitch * index),
            _line(name, 60, 160 + below + pitch * index),
        )
    ]

    assert _grids([*above, *_lines([["Code", "Qty", "Price", "Tax", "Amount"]], xs, aligns, 120), *goods]) == []


@pytest.mark.parametrize("pitch", [26, 38, 60])
def test_addresses_beside_one_another_and_pairs_are_no_table(pitch: float) -> None:
    pairs = list(zip(WORDS["en"].keys, PAIRS, strict=True))

    assert _grids(_lines(ADDRESSES, (60, 713), "ll", 100, pitch)) == []
    assert _grids(_lines(pairs, (60, 347), "ll", 100, pitch)) == []
    assert _grids(_lines([pairs[0] + pairs[1], pairs[2] + pairs[3]], (60, 311, 617, 853), "llll", 100, pitch)) == []
