"""Identity cards, and papers of companies, in English."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.canvas import BLUE, GREY, RED, WHITE, Canvas, Pen
from qwenport.evaluation.rendering.decoration import fill, frame, portrait, rule, seal, waves
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp

_ACTIVITIES: Final = (
    "Wholesale of office machinery and equipment",
    "Restaurants and mobile food service activities",
    "Computer programming and related consultancy",
    "Retail sale of hardware, paints and glass",
)


def _citizen(made: MadeUp) -> Values:
    return {
        "number": f"S{made.digits(7)}{made.pick(*'ABCDEFGHIZJ')}",
        "name": made.person("en").upper(),
        "race": made.pick("CHINESE", "MALAY", "INDIAN", "EURASIAN"),
        "born": f"{made.birthday():%d-%m-%Y}",
        "sex": made.pick("M", "F"),
        "country": made.pick("UTOPIA", "ARCADIA", "ELDORADO"),
    }


def _draw_citizen(canvas: Canvas) -> None:
    waves(canvas, (240, 220, 216), 18)
    canvas.put((60, 36), "REPUBLIC OF UTOPIA", Pen(size=30, role="head", bold=True))
    canvas.put((500, 40), "IDENTITY CARD NO.", Pen(size=24))
    canvas.put((740, 36), "{number}", Pen(size=34, bold=True, ink=RED))
    portrait(canvas, (60, 120, 300, 430))
    key, value = Pen(size=19, ink=GREY), Pen(size=30)
    for y, heading, template in (
        (120, "Name", "{name}"),
        (210, "Race", "{race}"),
        (300, "Date of birth", "{born}"),
        (390, "Country/Place of birth", "{country}"),
    ):
        canvas.put((350, y), heading, key)
        canvas.put((350, y + 28), template, value)
    canvas.put((680, 300), "Sex", key)
    canvas.put((680, 328), "{sex}", value)


def _state(made: MadeUp) -> Values:
    born, issued = made.birthday(), made.day()
    given, family = made.person("en").upper().split()
    return {
        "number": f"{made.pick(*'DFNY')}{made.digits(7)}",
        "expires": f"{issued + timedelta(days=2922):%m/%d/%Y}",
        "family": family,
        "given": given,
        "address": made.address("en").upper(),
        "born": f"{born:%m/%d/%Y}",
        "sex": made.pick("M", "F"),
        "height": f"{made.pick('5', '6')}'-{made.pick('01', '04', '08', '10')}\"",
        "eyes": made.pick("BRN", "BLU", "HAZ"),
        "issued": f"{issued:%m/%d/%Y}",
    }


def _draw_state(canvas: Canvas) -> None:
    waves(canvas, (216, 226, 240), 22)
    fill(canvas, (0, 0, 1000, 84), (40, 80, 140))
    canvas.put((40, 18), "COLUMBIA SAMPLE", Pen(size=40, role="head", ink=WHITE, bold=True))
    canvas.put((960, 26), "IDENTIFICATION CARD", Pen(size=28, ink=WHITE, anchor="r"))
    portrait(canvas, (40, 120, 310, 460))
    key, value = Pen(size=20, ink=BLUE), Pen(size=30, bold=True)
    for x, y, heading, template in (
        (350, 120, "ID", "{number}"),
        (350, 172, "EXP", "{expires}"),
        (350, 224, "LN", "{family}"),
        (350, 276, "FN", "{given}"),
        (350, 384, "DOB", "{born}"),
        (350, 440, "SEX", "{sex}"),
        (500, 440, "HGT", "{height}"),
        (720, 440, "EYES", "{eyes}"),
        (700, 520, "ISS", "{issued}"),
    ):
        canvas.put((x, y + 8), heading, key)
        canvas.put((x + 68, y), template, value)
    canvas.paragraph((350, 330), "{address}", 620, Pen(size=26))


def _national(made: MadeUp) -> Values:
    born, issued = made.birthday(), made.day()
    given, family = made.person("en").split()
    return {
        "family": family.upper(),
        "given": given,
        "sex": made.pick("F", "M"),
        "nation": "UTO",
        "born": f"{born:%d.%m.%Y}",
        "expires": f"{issued + timedelta(days=3652):%d.%m.%Y}",
        "number": f"{made.pick('L', 'T', 'C')}{made.digits(8)}",
        "place": made.pick("Fairhollow", "Cedar Point", "Millbrook"),
    }


def _draw_national(canvas: Canvas) -> None:
    waves(canvas, (220, 236, 232), 20)
    canvas.put((500, 26), "IDENTITY CARD", Pen(size=36, role="head", anchor="m", spacing=4))
    canvas.put((940, 90), "{number}", Pen(size=30, role="figures", anchor="r"))
    canvas.put((940, 128), "Document No.", Pen(size=17, ink=BLUE, anchor="r"))
    portrait(canvas, (60, 120, 330, 480))
    key, value = Pen(size=18, ink=BLUE), Pen(size=28)
    for x, y, heading, template in (
        (380, 100, "Surname", "{family}"),
        (380, 180, "Given names", "{given}"),
        (380, 260, "Sex", "{sex}"),
        (520, 260, "Nationality", "{nation}"),
        (720, 260, "Date of birth", "{born}"),
        (380, 340, "Place of birth", "{place}"),
        (380, 420, "Date of expiry", "{expires}"),
    ):
        canvas.put((x, y), heading, key)
        canvas.put((x, y + 26), template, value)


def _incorporation(made: MadeUp) -> Values:
    day = made.day()
    return {
        "number": made.digits(8),
        "name": f"{made.company('en').upper()} LIMITED",
        "date": f"{day.day} {day:%B %Y}",
        "registrar": made.person("en"),
    }


def _draw_incorporation(canvas: Canvas) -> None:
    frame(canvas, (30, 30, 970, 1270), (60, 90, 60), 8)
    seal(canvas, (500, 140), 62, (60, 90, 60))
    canvas.put((500, 230), "CERTIFICATE OF INCORPORATION", Pen(size=42, role="head", anchor="m", bold=True))
    canvas.put((500, 292), "OF A PRIVATE LIMITED COMPANY", Pen(size=26, role="head", anchor="m"))
    canvas.put((500, 380), "Company Number {number}", Pen(size=30, anchor="m"))
    canvas.put((120, 480), "The Registrar of Companies hereby certifies that", Pen(size=27))
    canvas.put((500, 560), "{name}", Pen(size=34, anchor="m", bold=True))
    canvas.paragraph(
        (120, 650),
        "is this day incorporated under the Companies Act as a private company, that the company is limited by shares, "
        "and the situation of its registered office is in Utopia.",
        760,
        Pen(size=27),
    )
    canvas.put((120, 830), "Given at Companies House, Fairhollow, on {date}.", Pen(size=27))
    rule(canvas, (560, 1080), (890, 1080))
    canvas.put((560, 1094), "{registrar}", Pen(size=26))
    canvas.put((560, 1132), "Registrar of Companies", Pen(size=22, ink=GREY))


def _city(made: MadeUp) -> Values:
    day = made.day()
    return {
        "name": f"{made.company('en')} LLC",
        "owner": made.person("en"),
        "address": made.address("en"),
        "number": f"BL-{day.year}-{made.digits(5)}",
        "type": made.pick("General Retail", "Food Service", "Home Occupation", "Contractor"),
        "issued": f"{day:%B} {day.day}, {day.year}",
        "expires": f"December 31, {day.year}",
        "city": made.pick("FAIRHOLLOW", "CEDAR POINT", "LAKEWOOD GLEN"),
    }


def _draw_city(canvas: Canvas) -> None:
    frame(canvas, (24, 24, 1376, 976), (150, 120, 50), 6)
    canvas.put((700, 70), "CITY OF {city}", Pen(size=46, role="head", anchor="m", spacing=4))
    canvas.put((700, 140), "BUSINESS LICENSE", Pen(size=64, role="head", anchor="m", bold=True))
    canvas.put((700, 232), "This license must be posted in a conspicuous place", Pen(size=22, anchor="m", ink=GREY))
    left = (("BUSINESS NAME:", "{name}"), ("OWNER:", "{owner}"), ("LOCATION:", "{address}"), ("TYPE:", "{type}"))
    right = (("LICENSE NO.:", "{number}"), ("ISSUE DATE:", "{issued}"), ("EXPIRATION DATE:", "{expires}"))
    for x, width, rows in ((90, 600, left), (800, 500, right)):
        y = 330.0
        for heading, template in rows:
            canvas.put((x, y), heading, Pen(size=21, bold=True, ink=(120, 90, 30)))
            y = canvas.paragraph((x, y + 34), template, width, Pen(size=30)) + 36
    seal(canvas, (1180, 780), 90, (150, 120, 50))


def _profile(made: MadeUp) -> Values:
    day = made.day()
    return {
        "name": f"{made.company('en').upper()} PTE. LTD.",
        "number": f"{day.year}{made.digits(5)}{made.pick(*'KMNRWZ')}",
        "date": f"{day:%d/%m/%Y}",
        "type": made.pick("EXEMPT PRIVATE COMPANY LIMITED BY SHARES", "LIMITED PRIVATE COMPANY"),
        "status": made.pick("Live Company", "In Liquidation"),
        "activity": made.pick(*_ACTIVITIES),
        "address": made.address("en").upper(),
        "capital": f"{made.cents(1, 90)},000",
    }


def _draw_profile(canvas: Canvas) -> None:
    canvas.put((80, 60), "BUSINESS PROFILE (COMPANY)", Pen(size=34, role="head", bold=True))
    canvas.put((80, 112), "Registry of Companies of Utopia", Pen(size=22, ink=GREY))
    rule(canvas, (80, 150), (1120, 150))
    pen, y = Pen(size=24), 190.0
    for heading, template in (
        ("Name of Company", "{name}"),
        ("Registration No.", "{number}"),
        ("Incorporation Date", "{date}"),
        ("Company Type", "{type}"),
        ("Status of Company", "{status}"),
        ("Principal Activities", "{activity}"),
        ("Paid-up Capital (USD)", "{capital}"),
        ("Registered Office Address", "{address}"),
    ):
        canvas.put((80, y), heading, pen)
        canvas.put((440, y), ":", pen)
        y = canvas.paragraph((470, y), template, 640, pen) + 26


LAYOUTS: Final = (
    Layout(
        name="identity-english",
        kind="identity card",
        language="en",
        size=(1000, 520),
        invent=_citizen,
        draw=_draw_citizen,
        looks=("sans", "narrow"),
        head_looks=("serif", "sans"),
        paper=(250, 242, 240),
        asks={
            "id_number": "number",
            "name": "name",
            "race": "race",
            "date_of_birth": "born",
            "sex": "sex",
            "place_of_birth": "country",
        },
    ),
    Layout(
        name="identity-state",
        kind="identity card",
        language="en",
        size=(1000, 590),
        invent=_state,
        draw=_draw_state,
        looks=("sans", "narrow"),
        paper=(240, 244, 250),
        asks={
            "id_number": "number",
            "last_name": "family",
            "first_name": "given",
            "date_of_birth": "born",
            "expiration_date": "expires",
            "issue_date": "issued",
            "sex": "sex",
            "height": "height",
            "address": "address",
        },
    ),
    Layout(
        name="identity-national",
        kind="identity card",
        language="en",
        size=(1000, 540),
        invent=_national,
        draw=_draw_national,
        looks=("sans", "serif"),
        figure_looks=("mono", "sans"),
        paper=(240, 248, 246),
        asks={
            "surname": "family",
            "given_names": "given",
            "sex": "sex",
            "nationality": "nation",
            "date_of_birth": "born",
            "place_of_birth": "place",
            "date_of_expiry": "expires",
            "document_number": "number",
        },
    ),
    Layout(
        name="certificate-of-incorporation",
        kind="business licence",
        language="en",
        size=(1000, 1300),
        invent=_incorporation,
        draw=_draw_incorporation,
        looks=("serif", "sans"),
        head_looks=("serif",),
        paper=(252, 252, 246),
        asks={
            "company_name": "name",
            "company_number": "number",
            "date_of_incorporation": "date",
            "registrar": "registrar",
        },
    ),
    Layout(
        name="business-license-city",
        kind="business licence",
        language="en",
        size=(1400, 1000),
        invent=_city,
        draw=_draw_city,
        looks=("sans", "serif"),
        head_looks=("serif", "sans"),
        paper=(254, 251, 242),
        asks={
            "business_name": "name",
            "owner": "owner",
            "address": "address",
            "license_number": "number",
            "license_type": "type",
            "issue_date": "issued",
            "expiration_date": "expires",
        },
    ),
    Layout(
        name="business-profile",
        kind="business licence",
        language="en",
        size=(1200, 800),
        invent=_profile,
        draw=_draw_profile,
        looks=("sans", "serif"),
        asks={
            "company_name": "name",
            "registration_number": "number",
            "incorporation_date": "date",
            "company_type": "type",
            "status": "status",
            "principal_activity": "activity",
            "paid_up_capital": "capital",
            "registered_address": "address",
        },
    ),
)
