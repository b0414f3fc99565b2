"""Train tickets, itineraries and taxi tickets, whose values stand without keys."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re
from collections.abc import Sequence

from qwenport.documents.fields.folding import has_chinese, is_chinese
from qwenport.documents.fields.frame import Fragment
from qwenport.documents.fields.kinds import Kind, find
from qwenport.documents.fields.passages import Passage, Piece, whole
from qwenport.documents.fields.unlabelled.places import Finds, add, beside, extent, matching, of_kind
from qwenport.documents.unreadable import Pattern

_TRAIN_ALONE = Pattern(r"^\W*(?P<it>[GDCZTKYSLP]\s?\d{1,4}|\d{1,4}(?=次))\s?次?\W*(?:[-—→>]*)$")
_STATIONS_AND_TRAIN = Pattern(
    r"^\W*(?P<start>[\u4e00-\u9fff][\u4e00-\u9fff ]{1,8}?)\W*(?P<train>[GDCZTKYSLP]\d{1,4})次?\W*"
    r"(?P<end>[\u4e00-\u9fff][\u4e00-\u9fff ]{1,8})\W*$"
)
_STATION = Pattern(r"^\W*(?P<it>[\u4e00-\u9fff]{1,7}(?:\s*[\u4e00-\u9fff]{1,4}){0,3}|[A-Z][A-Za-z' ]{2,24})\W*$")
_TICKET_NUMBER = Pattern(r"(?<![\dA-Za-z])[A-Z0-9]{7,21}(?![\dA-Za-z*])")
_NO_STATION = re.compile(r"检票|候车|二等|一等|报销|限乘|退|改签|发票|铁路|网|学生|车票|席|改|乘|[号元次]")


def train_ticket(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a train ticket."""
    finds: Finds = {}
    _train_and_stations(fragments, finds)
    _departure(fragments, finds)
    for order, passage in enumerate(
        matching(fragments, r"\d{1,2}\s?车\s?(?:\d{1,3}\s?[A-F]?\s?号?(?:[上中下]铺)?|无座)")
    ):
        add(finds, "seat", passage, 0.9 - 0.1 * order)
    for passage in matching(fragments, r"(?<!车)无座"):
        add(finds, "seat", passage, 0.6)
    for order, passage in enumerate(of_kind(fragments, Kind.CLASS, 1.0)):
        add(finds, "seat_class", passage, 0.9 - 0.1 * order)
    for order, passage in enumerate(of_kind(fragments, Kind.MONEY, 0.97)):
        add(finds, "price", passage, 0.85 - 0.1 * order)
    _holder(fragments, finds)
    _ticket_number(fragments, finds)
    for passage in matching(
        fragments, r"(?:检票口?|候车室?)\s*[:：]?\s*(?P<it>[A-Z]?\d{1,3}[A-Z]{0,2}(?:\s?[-、,]\s?[A-Z]?\d{1,3}[A-Z]?)*)"
    ):
        add(finds, "gate", passage, 0.9)
    return finds


def _train_and_stations(fragments: Sequence[Fragment], finds: Finds) -> None:
    for fragment in fragments:
        if match := _STATIONS_AND_TRAIN.match(fragment.text):
            for group, name in (("train", "train_number"), ("start", "from_station"), ("end", "to_station")):
                add(finds, name, whole(fragment).part(match.start(group), match.end(group)).stripped(), 0.93)
            continue
        if match := _TRAIN_ALONE.match(fragment.text):
            left, right = beside(fragment, fragments)
            start, end = _station(left, towards_left=True), _station(right, towards_left=False)
            surely = 0.93 if start and end else 0.6
            add(finds, "train_number", whole(fragment).part(match.start("it"), match.end("it")), surely)
            if start:
                add(finds, "from_station", start, surely)
            if end:
                add(finds, "to_station", end, surely)
    if "from_station" not in finds:
        _stations_alone(fragments, finds)


def _station(near: Sequence[Fragment], *, towards_left: bool) -> Passage | None:
    """Return the station beside a train number, with a `站` that was read apart."""
    for at, fragment in enumerate(near[:3]):
        if fragment.text.strip() == "站" and towards_left and at + 1 < len(near):
            further = near[at + 1]
            if _STATION.match(further.text):
                return Passage((*whole(further).stripped().pieces, *whole(fragment).stripped().pieces))
        match = _STATION.match(fragment.text)
        if match is None or _NO_STATION.search(fragment.text):
            continue
        passage = whole(fragment).part(match.start("it"), match.end("it")).stripped()
        if not towards_left and at + 1 < len(near) and near[at + 1].text.strip() == "站":
            return Passage((*passage.pieces, *whole(near[at + 1]).stripped().pieces))
        return passage
    return None


def _stations_alone(fragments: Sequence[Fragment], finds: Finds) -> None:
    """Take two names ending in `站` in one row where no train number stands between them."""
    stations = [each for each in fragments if re.fullmatch(r"\W*[\u4e00-\u9fff ]{1,9}站\W*", each.text)]
    for station in stations:
        _, right = beside(station, stations)
        if right:
            add(finds, "from_station", whole(station).stripped(), 0.85)
            add(finds, "to_station", whole(right[0]).stripped(), 0.85)
            return


def _departure(fragments: Sequence[Fragment], finds: Finds) -> None:
    for fragment in fragments:
        passage = _with_time(fragment, fragments)
        for found in find(Kind.DATETIME, passage.text):
            if found.fit < 1.0:
                continue
            part = passage.part(found.start, found.end)
            opens = 0.93 if part.text.rstrip().endswith(("开", "開")) else 0.8
            add(finds, "departure_datetime", part, opens)
            for name, kind in (("departure_date", Kind.DATE), ("departure_time", Kind.TIME)):
                inner = find(kind, part.text)
                if inner:
                    add(finds, name, part.part(inner[0].start, inner[0].end), opens)


def _with_time(fragment: Fragment, fragments: Sequence[Fragment]) -> Passage:
    """Return a fragment with what follows in its row, if it is a date and that a time."""
    passage = whole(fragment)
    if not any(each.fit == 1.0 for each in find(Kind.DATE, fragment.text)):
        return passage
    for each in beside(fragment, fragments)[1][:2]:
        is_time = bool(find(Kind.TIME, each.text)) or each.text.strip() in {"开", "開"}
        if is_time and each.left - passage.pieces[-1].fragment.right < 4 * fragment.height:
            passage = Passage((*passage.pieces, Piece(each, 0, len(each.text))))
    return passage


def _holder(fragments: Sequence[Fragment], finds: Finds) -> None:
    for passage in of_kind(fragments, Kind.PERSON, 0.95):
        add(finds, "id_number", passage, 0.93)
        last = passage.pieces[-1]
        rest = last.fragment.text[last.end :]
        name = Passage((Piece(last.fragment, last.end, len(last.fragment.text)),)).stripped()
        if not rest.strip():
            right = beside(last.fragment, fragments)[1]
            near = [each for each in right[:1] if each.left - last.fragment.right < 16 * last.fragment.height]
            name = whole(near[0]).stripped() if near else name
        if name.text and (not has_chinese(name.text) or len(name.text) <= 8) and not any(map(str.isdigit, name.text)):
            add(finds, "passenger", name, 0.92)


def _ticket_number(fragments: Sequence[Fragment], finds: Finds) -> None:
    """Take the number at the top, left before right."""
    left, top, right, bottom = extent(fragments)
    for fragment in fragments:
        height = (fragment.middle - top) / max(1.0, bottom - top)
        aside = (fragment.left - left) / max(1.0, right - left)
        match = next(_TICKET_NUMBER.finditer(fragment.text), None)
        if match and height < 0.3 and sum(mark.isdigit() for mark in match.group()) >= 6:
            add(
                finds,
                "ticket_number",
                whole(fragment).part(match.start(), match.end()),
                0.85 - 0.2 * height - 0.15 * aside,
            )
    for passage in matching(fragments[-6:], r"(?<![\dA-Za-z*])[A-Z0-9]{14,24}(?![\dA-Za-z*])"):
        digits = sum(mark.isdigit() for mark in passage.text)
        add(finds, "electronic_ticket_number", passage, 0.5 if digits > 8 else 0.2)
        add(finds, "ticket_number", passage, 0.45 if digits > 8 else 0.2)


def flight(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of an itinerary or boarding pass."""
    finds: Finds = {}
    for order, passage in enumerate(of_kind(fragments, Kind.FLIGHT, 1.0)):
        add(finds, "flight_number", passage, 0.62 - 0.1 * order)
    for passage in of_kind(fragments, Kind.PERSON, 0.95):
        add(finds, "id_number", passage, 0.6)
    for passage in matching(fragments, r"(?<!\d)\d{3}-?\d{10}(?!\d)"):
        add(finds, "ticket_number", passage, 0.6)
    for passage in matching(fragments, r"(?P<it>(?:CNY|¥|￥|HKD|USD)\s?[\d,]+\.\d\d)"):
        add(finds, "total", passage, 0.3)
    for name, mark in (("fund", "CN"), ("fuel", "YQ|YR")):
        for passage in matching(fragments, rf"(?:{mark})\s?\d+(?:\.\d\d)?"):
            add(finds, name, passage, 0.6)
    for order, passage in enumerate(of_kind(fragments, Kind.DATE, 0.6)):
        add(finds, "flight_date", passage, 0.45 - 0.1 * order)
    for order, passage in enumerate(of_kind(fragments, Kind.TIME, 1.0)):
        add(finds, "flight_time", passage, 0.45 - 0.1 * order)
    _route(fragments, finds)
    return finds


def _route(fragments: Sequence[Fragment], finds: Finds) -> None:
    """Take `自: A` or `FROM: A` with `至: B` or `TO: B` below it, or two airport codes in a row."""
    for name, pattern in (("from_station", r"自|FROM|From"), ("to_station", r"至|TO|To")):
        for passage in matching(fragments, rf"^(?:{pattern})\s*(?:FROM|TO|From|To)?\s*[:：]\s*(?P<it>\S.*)$"):
            add(finds, name, passage, 0.9)
    codes = [each for each in fragments if re.fullmatch(r"[A-Z]{3}", each.text.strip())]
    for code in codes:
        right = beside(code, codes)[1]
        if right:
            add(finds, "from_station", whole(code).stripped(), 0.5)
            add(finds, "to_station", whole(right[0]).stripped(), 0.5)
            return


def taxi(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a taxi ticket."""
    finds: Finds = {}
    for passage in of_kind(fragments, Kind.PLATE, 0.95):
        add(finds, "plate", passage, 0.6)
    for order, passage in enumerate(of_kind(fragments, Kind.DATE, 1.0)):
        add(finds, "date", passage, 0.55 - 0.1 * order)
    for fragment in fragments:
        match = re.search(
            r"(\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)\s*[-~—至–]+\s*(\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)", fragment.text
        )
        if match:
            add(finds, "boarding_time", whole(fragment).part(*match.span(1)), 0.75)
            add(finds, "alighting_time", whole(fragment).part(*match.span(2)), 0.75)
            add(finds, "times", whole(fragment).part(*match.span(0)), 0.75)
    _codes(fragments, finds)
    return finds


def _codes(fragments: Sequence[Fragment], finds: Finds) -> None:
    for passage in matching(fragments, r"(?<!\d)1\d{11}(?!\d)"):
        add(finds, "invoice_code", passage, 0.5)
    for passage in matching(fragments, r"^\D{0,4}(?P<it>\d{8})$"):
        add(finds, "invoice_number", passage, 0.45)


def toll(fragments: Sequence[Fragment]) -> Finds:
    """Find the values of a toll receipt."""
    finds: Finds = {}
    for order, passage in enumerate(of_kind(fragments, Kind.DATETIME, 1.0)):
        add(finds, "datetime", passage, 0.6 - 0.1 * order)
    for fragment in fragments:
        match = re.match(r"^\W*([\u4e00-\u9fff]{2,8})\s*(?:[-—→~至]+|到)\s*([\u4e00-\u9fff]{2,8})\W*$", fragment.text)
        if match and all(is_chinese(group[0]) for group in match.groups()):
            add(finds, "entry", whole(fragment).part(*match.span(1)), 0.5)
            add(finds, "exit", whole(fragment).part(*match.span(2)), 0.5)
    for passage in of_kind(fragments, Kind.MONEY, 0.97):
        add(finds, "amount", passage, 0.5)
    _codes(fragments, finds)
    return finds
