"""Papers of identity, bank cards and name cards."""

# ruff: noqa: RUF001 - Chinese has marks of its own

from __future__ import annotations

from datetime import timedelta
from typing import Final

from qwenport.evaluation.rendering.canvas import BLUE, GREY, RED, WHITE, Canvas, Pen
from qwenport.evaluation.rendering.decoration import fill, portrait, rule, seal, waves
from qwenport.evaluation.rendering.identifiers import card_number, hong_kong_identity, zone_check_digit
from qwenport.evaluation.rendering.layout import Layout, Values
from qwenport.evaluation.rendering.made_up import MadeUp


def _resident(made: MadeUp) -> Values:
    born, start = made.birthday(), made.day()
    return {
        "name": made.person(),
        "sex": made.pick("男", "女"),
        "nation": made.pick("汉", "汉", "回", "苗", "蒙古"),
        "born": f"{born.year}年{born.month}月{born.day}日",
        "address": made.address(),
        "number": made.resident_number(born),
        "issuer": made.pick("青溪市公安局", "白鹭市公安局柳泉分局", "星河市公安局望海分局"),
        "valid": f"{start:%Y.%m.%d}-{start.year + 20}.{start:%m.%d}",
    }


def _draw_resident_front(canvas: Canvas) -> None:
    waves(canvas, (214, 228, 238), 20)
    key, value = Pen(size=27, ink=(40, 110, 170)), Pen(size=31)
    canvas.put_all(((70, 70, "姓名"), (70, 140, "性别"), (270, 140, "民族"), (70, 210, "出生"), (70, 280, "住址")), key)
    canvas.put_all(((160, 68, "{name}"), (160, 138, "{sex}"), (360, 138, "{nation}"), (160, 208, "{born}")), value)
    canvas.paragraph((160, 278), "{address}", 450, value)
    canvas.put((70, 510), "公民身份号码", key)
    canvas.put((310, 506), "{number}", Pen(size=36, role="figures", spacing=3))
    portrait(canvas, (680, 90, 930, 410))


def _draw_resident_back(canvas: Canvas) -> None:
    waves(canvas, (224, 228, 224), 20, -1.0)
    seal(canvas, (150, 140), 80, (196, 70, 60))
    canvas.put((590, 70), "中华人民共和国", Pen(size=52, role="head", anchor="m", spacing=8))
    canvas.put((590, 160), "居民身份证", Pen(size=76, role="head", anchor="m", spacing=14))
    canvas.put((240, 440), "签发机关", Pen(size=28))
    canvas.put((420, 440), "{issuer}", Pen(size=30))
    canvas.put((240, 520), "有效期限", Pen(size=28))
    canvas.put((420, 520), "{valid}", Pen(size=30))


def _hong_kong(made: MadeUp) -> Values:
    given, family = made.person("en").split()
    return {
        "name": made.person("zh-Hant"),
        "english": f"{family.upper()}, {given}",
        "codes": " ".join(made.digits(4) for _ in range(3)),
        "born": f"{made.birthday():%d-%m-%Y}",
        "sex": made.pick("男 M", "女 F"),
        "first": f"({made.day():%m-%y})",
        "issued": f"{made.day():%d-%m-%y}",
        "number": hong_kong_identity(made.chance),
    }


def _draw_hong_kong(canvas: Canvas) -> None:
    waves(canvas, (216, 232, 222), 18)
    canvas.put((500, 30), "香港永久性居民身份證", Pen(size=38, role="head", anchor="m"))
    canvas.put((500, 84), "HONG KONG PERMANENT IDENTITY CARD", Pen(size=24, anchor="m"))
    portrait(canvas, (50, 200, 290, 500))
    canvas.put((340, 134), "{name}", Pen(size=40))
    canvas.put((340, 196), "{english}", Pen(size=30))
    canvas.put((340, 248), "{codes}", Pen(size=26))
    canvas.put((340, 306), "出生日期 Date of Birth", Pen(size=20, ink=BLUE))
    canvas.put((340, 336), "{born}", Pen(size=30))
    canvas.put((640, 336), "{sex}", Pen(size=30))
    canvas.put((640, 402), "簽發日期 Date of Issue", Pen(size=20, ink=BLUE))
    canvas.put((340, 434), "{first}", Pen(size=28))
    canvas.put((640, 434), "{issued}", Pen(size=30))
    canvas.put((640, 510), "{number}", Pen(size=38, bold=True))


def _foreigner(made: MadeUp) -> Values:
    born, start = made.birthday(), made.day()
    given, family = made.person("en").upper().split()
    return {
        "name": f"{family}, {given}",
        "sex": made.pick("男 / M", "女 / F"),
        "born": f"{born:%Y.%m.%d}",
        "nation": made.pick("法国 / FRA", "德国 / DEU", "巴西 / BRA", "新西兰 / NZL"),
        "valid": f"{start:%Y.%m.%d}-{start + timedelta(days=3652):%Y.%m.%d}",
        "number": f"{made.pick('FRA', 'DEU', 'BRA')}{made.digits(12)}",
        "issuer": "国家移民管理局",
    }


def _draw_foreigner(canvas: Canvas) -> None:
    waves(canvas, (210, 224, 240), 22)
    canvas.put((500, 26), "中华人民共和国外国人永久居留身份证", Pen(size=34, role="head", anchor="m"))
    canvas.put((500, 76), "FOREIGN PERMANENT RESIDENT ID CARD", Pen(size=22, anchor="m"))
    key, value = Pen(size=20, ink=BLUE), Pen(size=29)
    left = (("姓名 / Name", "{name}"), ("性别 / Sex", "{sex}"), ("国籍 / Nationality", "{nation}"))
    right = (
        ("出生日期 / Date of Birth", "{born}"),
        ("有效期限 / Period of Validity", "{valid}"),
        ("证件号码 / ID No.", "{number}"),
    )
    for column, rows in ((60, left), (370, right)):
        for place, (heading, template) in enumerate(rows):
            canvas.put((column, 136 + place * 96), heading, key)
            canvas.put((column, 166 + place * 96), template, value.but(size=26))
    canvas.put((60, 440), "签发机关 / Issuing Authority", key)
    canvas.put((60, 470), "{issuer}", value)
    portrait(canvas, (760, 150, 950, 400))


def _passport(made: MadeUp) -> Values:
    given, family = made.person("en").upper().split()
    born, start = made.birthday(), made.day()
    number = f"{made.pick(*'EGP')}{made.digits(8)}"
    expires = start.replace(year=start.year + 10, day=min(start.day, 28))
    sex = made.pick("F", "M")
    first = f"P<UTO{family}<<{given}".ljust(44, "<")
    body = f"{number}{zone_check_digit(number)}UTO{born:%y%m%d}{zone_check_digit(f'{born:%y%m%d}')}"
    body += f"{sex}{expires:%y%m%d}{zone_check_digit(f'{expires:%y%m%d}')}" + "<" * 14 + "0"
    check = zone_check_digit(body[0:10] + body[13:20] + body[21:43])
    return {
        "number": number,
        "family": family,
        "given": given,
        "nation": "UTOPIAN",
        "born": f"{born:%d %b %Y}".upper(),
        "sex": sex,
        "place": made.pick("FAIRHOLLOW", "CEDAR POINT", "MILLBROOK"),
        "issued": f"{start:%d %b %Y}".upper(),
        "expires": f"{expires:%d %b %Y}".upper(),
        "authority": "MINISTRY OF SAMPLES",
        "zone1": first,
        "zone2": body + check,
    }


def _draw_passport(canvas: Canvas) -> None:
    waves(canvas, (226, 220, 236), 18)
    canvas.put((60, 30), "PASSPORT", Pen(size=36, role="head", bold=True))
    canvas.put((600, 36), "UTOPIA", Pen(size=30, role="head", anchor="m", spacing=8))
    key, value = Pen(size=17, ink=BLUE), Pen(size=26)
    portrait(canvas, (60, 120, 320, 460))
    places = (
        (370, 100, "Type", "P"),
        (520, 100, "Country code", "UTO"),
        (760, 100, "Passport No.", "{number}"),
        (370, 172, "Surname", "{family}"),
        (370, 244, "Given names", "{given}"),
        (370, 316, "Nationality", "{nation}"),
        (700, 316, "Date of birth", "{born}"),
        (370, 388, "Sex", "{sex}"),
        (470, 388, "Place of birth", "{place}"),
        (370, 460, "Date of issue", "{issued}"),
        (700, 460, "Date of expiry", "{expires}"),
        (700, 388, "Authority", "{authority}"),
    )
    for x, y, heading, template in places:
        canvas.put((x, y), heading, key)
        canvas.put((x, y + 24), template, value)
    zone = Pen(size=34, role="figures")
    canvas.put((50, 572), "{zone1}", zone)
    canvas.put((50, 628), "{zone2}", zone)


def _bank_card(made: MadeUp) -> Values:
    return {
        "bank": made.pick("示例云岭银行", "示例青溪银行", "示例望海银行"),
        "type": made.pick("借记卡", "信用卡"),
        "number": card_number(made.chance, made.pick("6299", "4199", "5399")),
        "until": f"{made.chance.randrange(1, 13):02d}/{made.chance.randrange(27, 36)}",
        "holder": made.person("en").upper(),
    }


def _draw_bank_card(canvas: Canvas) -> None:
    fill(canvas, (10, 10, 850, 530), (28, 70, 120), round_by=40)
    canvas.put((60, 50), "{bank}", Pen(size=40, role="head", ink=WHITE))
    canvas.put((800, 58), "{type}", Pen(size=30, anchor="r", ink=WHITE))
    fill(canvas, (60, 160, 170, 240), (214, 186, 110), round_by=12)
    canvas.put((60, 290), "{number}", Pen(size=56, role="figures", ink=WHITE, spacing=2))
    canvas.put((360, 380), "VALID THRU", Pen(size=18, ink=WHITE))
    canvas.put((480, 370), "{until}", Pen(size=34, role="figures", ink=WHITE))
    canvas.put((60, 450), "{holder}", Pen(size=32, role="figures", ink=WHITE))


def _name_card(made: MadeUp) -> Values:
    return {
        "name": made.person("zh-Hant"),
        "title": made.pick("市場總監", "業務經理", "高級工程師", "財務主任"),
        "company": made.company("zh-Hant"),
        "address": made.address("zh-Hant"),
        "phone": f"+852 2{made.digits(3)} {made.digits(4)}",
        "mobile": f"+852 9{made.digits(3)} {made.digits(4)}",
        "mail": f"{made.pick('info', 'may', 'ken')}{made.digits(2)}@{made.pick('harbour', 'kestrel')}.example",
    }


def _draw_name_card(canvas: Canvas) -> None:
    fill(canvas, (0, 0, 24, 540), (150, 40, 60))
    canvas.put((70, 60), "{company}", Pen(size=32, role="head"))
    canvas.put((70, 190), "{name}", Pen(size=54, role="head", spacing=6))
    canvas.put((330, 214), "{title}", Pen(size=28, ink=GREY))
    rule(canvas, (70, 290), (830, 290), RED, 1)
    rows = ("地址：{address}", "電話：{phone}", "手提：{mobile}", "電郵：{mail}")
    canvas.rows((70, 320), 46, rows, Pen(size=25))


def _english_name_card(made: MadeUp) -> Values:
    return {
        "name": made.person("en"),
        "title": made.pick("Head of Procurement", "Senior Engineer", "Account Manager"),
        "company": f"{made.company('en')} Inc.",
        "address": made.address("en"),
        "phone": f"+1 555 010 {made.digits(4)}",
        "mail": f"{made.pick('office', 'desk')}{made.digits(2)}@{made.pick('bluefin', 'larkspur')}.example",
        "web": f"www.{made.pick('bluefin', 'quillon')}.example",
    }


def _draw_english_name_card(canvas: Canvas) -> None:
    canvas.put((840, 60), "{company}", Pen(size=30, role="head", anchor="r", bold=True, ink=(30, 90, 90)))
    canvas.put((60, 170), "{name}", Pen(size=46, role="head"))
    canvas.put((60, 232), "{title}", Pen(size=25, ink=GREY))
    canvas.rows((60, 340), 42, ("T {phone}", "E {mail}", "{web}", "{address}"), Pen(size=23))


LAYOUTS: Final = (
    Layout(
        name="identity-front",
        kind="identity card",
        language="zh-Hans",
        size=(1000, 630),
        invent=_resident,
        draw=_draw_resident_front,
        looks=("sans",),
        figure_looks=("sans", "mono"),
        paper=(240, 246, 250),
        asks={
            "姓名": "name",
            "性别": "sex",
            "民族": "nation",
            "出生日期": "born",
            "住址": "address",
            "身份证号": "number",
        },
    ),
    Layout(
        name="identity-back",
        kind="identity card",
        language="zh-Hans",
        size=(1000, 630),
        invent=_resident,
        draw=_draw_resident_back,
        looks=("sans", "kai"),
        head_looks=("serif", "sans"),
        paper=(244, 246, 240),
        asks={"发证机关": "issuer", "有效期": "valid"},
    ),
    Layout(
        name="identity-hong-kong",
        kind="identity card",
        language="zh-Hant",
        size=(1000, 600),
        invent=_hong_kong,
        draw=_draw_hong_kong,
        looks=("sans", "serif"),
        paper=(240, 248, 242),
        asks={
            "姓名": "name",
            "英文姓名": "english",
            "出生日期": "born",
            "性別": "sex",
            "簽發日期": "issued",
            "身份證號碼": "number",
        },
    ),
    Layout(
        name="identity-foreigner",
        kind="identity card",
        language="zh-Hans",
        size=(1000, 540),
        invent=_foreigner,
        draw=_draw_foreigner,
        looks=("sans",),
        head_looks=("serif", "sans"),
        paper=(240, 244, 250),
        asks={
            "姓名": "name",
            "性别": "sex",
            "出生日期": "born",
            "国籍": "nation",
            "有效期限": "valid",
            "证件号码": "number",
            "签发机关": "issuer",
        },
    ),
    Layout(
        name="passport",
        kind="passport",
        language="en",
        size=(1050, 700),
        invent=_passport,
        draw=_draw_passport,
        looks=("sans", "serif"),
        figure_looks=("mono",),
        paper=(246, 243, 250),
        asks={
            "passport_number": "number",
            "surname": "family",
            "given_names": "given",
            "nationality": "nation",
            "date_of_birth": "born",
            "sex": "sex",
            "place_of_birth": "place",
            "issue_date": "issued",
            "expiry_date": "expires",
        },
    ),
    Layout(
        name="bank-card",
        kind="bank card",
        language="zh-Hans",
        size=(860, 540),
        invent=_bank_card,
        draw=_draw_bank_card,
        looks=("sans",),
        head_looks=("kai", "sans"),
        figure_looks=("mono", "sans"),
        paper=(226, 228, 230),
        asks={"卡号": "number", "银行名称": "bank", "有效期": "until", "卡类型": "type", "持卡人": "holder"},
    ),
    Layout(
        name="name-card",
        kind="name card",
        language="zh-Hant",
        size=(900, 540),
        invent=_name_card,
        draw=_draw_name_card,
        looks=("sans", "serif"),
        head_looks=("kai", "serif"),
        asks={
            "姓名": "name",
            "職位": "title",
            "公司名稱": "company",
            "地址": "address",
            "電話": "phone",
            "手機": "mobile",
            "電子郵箱": "mail",
        },
    ),
    Layout(
        name="business-card",
        kind="name card",
        language="en",
        size=(900, 540),
        invent=_english_name_card,
        draw=_draw_english_name_card,
        looks=("sans", "serif", "narrow"),
        head_looks=("serif", "sans"),
        asks={
            "name": "name",
            "job_title": "title",
            "company": "company",
            "address": "address",
            "phone": "phone",
            "email": "mail",
            "website": "web",
        },
    ),
)
