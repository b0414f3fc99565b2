# ruff: noqa: E501, RUF001 - text as documents print it

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from qwenport.documents.fields import Fields, extract, parse_schema
from qwenport.documents.page import Page

Row = tuple[str, float, float, float, float]
PageOf = Callable[..., Page]

TICKET: Sequence[Row] = (
    ("Z18H020123", 60, 40, 200, 30), ("检票：A12", 600, 40, 120, 30), ("北京南 站", 80, 100, 160, 40),
    ("G1948", 330, 105, 120, 36), ("上海虹桥 站", 560, 100, 200, 40), ("Beijingnan", 90, 150, 140, 24),
    ("Shanghaihongqiao", 560, 150, 190, 24), ("2024年05月20日 08:00开", 60, 190, 320, 30),
    ("03车10C号", 520, 190, 140, 30), ("¥ 553.0元", 60, 235, 130, 30), ("二等座", 540, 235, 90, 30),
    ("限乘当日当次车", 60, 275, 200, 30), ("1101081990****1234 张三", 60, 320, 330, 30),
    ("买票请到12306 发货请到95306", 100, 380, 360, 24), ("24329116804000 北京南售", 60, 460, 330, 24),
)  # fmt: skip
TICKET_VALUES = {
    "发票号码": "Z18H020123", "车次": "G1948", "起始站": "北京南 站", "终点站": "上海虹桥 站",
    "发车日期和时间点": "2024年05月20日 08:00开", "座位号": "03车10C号", "席别类型": "二等座", "票价": "¥ 553.0元",
    "身份证号码": "1101081990****1234", "购票人姓名": "张三",
}  # fmt: skip

KINDS: dict[str, tuple[Sequence[Row], dict[str, str]]] = {
    "taxi ticket": (
        (("发票代码 131002060201", 60, 40, 300, 26), ("发票号码 05512345", 60, 80, 260, 26),
         ("出租汽车专用", 100, 120, 160, 26), ("车号", 60, 160, 50, 26), ("京B·12345", 160, 160, 120, 26),
         ("日期 2024-03-05", 60, 200, 220, 26), ("上车 08:15", 60, 240, 140, 26), ("下车 08:45", 60, 280, 140, 26),
         ("里程 12.3km", 60, 320, 160, 26), ("金额 45.00元", 60, 360, 180, 26)),
        {"发票代码": "131002060201", "发票号码": "05512345", "车牌号": "京B·12345", "乘车日期": "2024-03-05",
         "上车时间": "08:15", "下车时间": "08:45", "里程": "12.3km", "总金额": "45.00元"},
    ),
    "VAT invoice with buyer and seller in blocks": (
        (("江南增值税专用发票", 500, 30, 300, 36), ("开票日期：2024年10月06日", 900, 90, 260, 24),
         ("购", 50, 140, 22, 24), ("买", 50, 180, 22, 24), ("方", 50, 220, 22, 24),
         ("名", 100, 140, 24, 24), ("称：", 170, 140, 40, 24), ("甲乙示例有限公司", 230, 140, 260, 24),
         ("纳税人识别号：", 100, 180, 130, 24), ("91110197MA8NXT5XX2", 240, 180, 250, 24),
         ("货物或应税劳务、服务名称", 60, 300, 260, 24), ("金额", 900, 300, 50, 24), ("税率", 1000, 300, 50, 24),
         ("税额", 1100, 300, 50, 24), ("*研发服务*技术开发费", 60, 340, 240, 24), ("17520.35", 860, 340, 100, 24),
         ("6%", 1010, 340, 40, 24), ("1051.22", 1090, 340, 80, 24), ("合　　计", 60, 420, 100, 24),
         ("¥17520.35", 850, 420, 110, 24), ("¥1051.22", 1080, 420, 90, 24), ("价税合计（大写）", 60, 470, 170, 24),
         ("壹万捌仟伍佰柒拾壹元伍角柒分", 400, 470, 320, 24), ("（小写）", 900, 470, 70, 24),
         ("¥18571.57", 1000, 470, 110, 24), ("销", 50, 540, 22, 24), ("售", 50, 580, 22, 24),
         ("方", 50, 620, 22, 24), ("名　　称：", 100, 540, 110, 24), ("丙丁示例有限公司", 230, 540, 260, 24),
         ("纳税人识别号：", 100, 580, 130, 24), ("91330198MAN2GFXDC8", 240, 580, 250, 24)),
        {"购买方名称": "甲乙示例有限公司", "购买方税号": "91110197MA8NXT5XX2", "销售方名称": "丙丁示例有限公司",
         "销售方税号": "91330198MAN2GFXDC8", "开票日期": "2024年10月06日", "合计金额": "¥17520.35",
         "税额": "¥1051.22", "税率": "6%", "价税合计": "¥18571.57", "大写金额": "壹万捌仟伍佰柒拾壹元伍角柒分"},
    ),
    "identity card whose keys ran into their values": (
        (("姓名李小明", 60, 40, 180, 32), ("性别男民族汉", 60, 90, 220, 32), ("出生1990年1月12日", 60, 140, 280, 32),
         ("住址北京市示例区样板街12号院", 60, 190, 380, 32), ("3号楼402室", 118, 228, 160, 32),
         ("公民身份号码", 60, 320, 160, 32), ("110101199001123457", 260, 320, 320, 32)),
        {"姓名": "李小明", "性别": "男", "民族": "汉", "出生日期": "1990年1月12日",
         "住址": "北京市示例区样板街12号院3号楼402室", "身份证号": "110101199001123457"},
    ),
    "Hong Kong identity card": (
        (("香港永久性居民身份證", 60, 20, 300, 30), ("HONG KONG PERMANENT IDENTITY CARD", 60, 56, 460, 24),
         ("陳小文", 60, 110, 110, 32), ("CHAN, Siu Man", 60, 160, 200, 26), ("7115 1420 2429", 60, 200, 220, 26),
         ("出生日期 Date of Birth", 60, 260, 250, 24), ("01-02-1985", 60, 292, 150, 26), ("女 F", 340, 292, 60, 26),
         ("A123456(3)", 420, 400, 180, 34)),
        {"姓名": "陳小文", "英文姓名": "CHAN, Siu Man", "電碼": "7115 1420 2429", "出生日期": "01-02-1985",
         "性別": "女 F", "身份證號碼": "A123456(3)"},
    ),
    "business licence whose spaced-out keys were not read": (
        (("营业执照", 310, 257, 460, 90), ("统一社会信用代码91110197MAT49U3A69", 290, 381, 510, 24),
         ("名", 160, 484, 36, 24), ("星河市晴川示例文化传媒有限公司", 370, 484, 420, 24), ("类", 160, 564, 36, 30),
         ("型", 260, 560, 36, 30), ("其他有限责任公司", 370, 560, 230, 28),
         ("东海省青溪市云岭区科创大道166号11幢431室", 375, 628, 560, 24), ("法定代表人", 165, 706, 176, 30),
         ("赵敏", 374, 704, 70, 34), ("登记机关", 830, 1199, 140, 30), ("青溪市市场监督管理局", 706, 1251, 264, 24)),
        {"企业名称": "星河市晴川示例文化传媒有限公司", "类型": "其他有限责任公司", "法定代表人": "赵敏",
         "住所": "东海省青溪市云岭区科创大道166号11幢431室", "登记机关": "青溪市市场监督管理局"},
    ),
    "English identity card with abbreviations and an address without a key": (
        (("WESTLAND SAMPLE", 40, 20, 400, 36), ("IDENTIFICATION CARD", 650, 30, 310, 24), ("ID", 350, 128, 26, 24),
         ("T1234567", 416, 122, 150, 32), ("EXP", 350, 180, 46, 24), ("07/11/2033", 416, 174, 160, 30),
         ("LN", 350, 232, 32, 24), ("MORROW", 416, 228, 124, 28), ("FN", 350, 284, 32, 24),
         ("ADA", 416, 278, 70, 28), ("12B QUARRY ROAD, CEDAR POINT, TX 35628", 350, 333, 560, 24),
         ("DOB", 350, 392, 46, 24), ("07/28/1965", 416, 387, 156, 28), ("SEX", 350, 448, 46, 24),
         ("F", 416, 445, 20, 26), ("HGT", 500, 448, 50, 24), ("5'-01\"", 562, 440, 80, 34),
         ("ISS", 696, 528, 40, 24), ("07/11/2025", 766, 522, 156, 30)),
        {"id_number": "T1234567", "last_name": "MORROW", "first_name": "ADA", "date_of_birth": "07/28/1965",
         "expiration_date": "07/11/2033", "issue_date": "07/11/2025", "sex": "F", "height": "5'-01\"",
         "address": "12B QUARRY ROAD, CEDAR POINT, TX 35628"},
    ),
    "identity card with a number above its caption": (
        (("IDENTITY CARD", 300, 20, 400, 34), ("L12345678", 780, 90, 160, 28), ("Document No.", 830, 124, 110, 18),
         ("Surname", 380, 100, 80, 18), ("MORROW", 380, 126, 120, 26), ("Given names", 380, 180, 110, 18),
         ("Ada", 380, 206, 50, 26), ("Place of birth", 380, 340, 120, 18), ("Cedar Point", 380, 366, 150, 26)),
        {"document_number": "L12345678", "surname": "MORROW", "given_names": "Ada", "place_of_birth": "Cedar Point"},
    ),
    "business profile whose colons stand apart from the keys": (
        (("BUSINESS PROFILE (COMPANY)", 80, 60, 640, 36), ("Name of Company", 80, 192, 230, 28),
         (": TIDEWATER SAMPLE FOODS PTE. LTD.", 440, 192, 540, 26), ("Company Type", 80, 250, 190, 28),
         (": EXEMPT PRIVATE COMPANY LIMITED BY", 440, 250, 560, 26), ("SHARES", 468, 284, 110, 26),
         ("Status of Company", 80, 340, 230, 28), (":", 440, 340, 8, 26), ("In Liquidation", 468, 340, 180, 26),
         ("Principal Activities", 80, 400, 230, 28), (": Retail sale of paints", 440, 400, 300, 26),
         ("Country of Tax Residence", 80, 460, 300, 28), (": Utopia", 440, 460, 110, 26)),
        {"company_name": "TIDEWATER SAMPLE FOODS PTE. LTD.", "status": "In Liquidation",
         "company_type": "EXEMPT PRIVATE COMPANY LIMITED BY SHARES", "principal_activity": "Retail sale of paints",
         "country_of_tax_residence": "Utopia"},
    ),
    "certificate of incorporation in running text with a signature": (
        (("CERTIFICATE OF INCORPORATION", 120, 230, 760, 42), ("OF A PRIVATE LIMITED COMPANY", 270, 292, 460, 26),
         ("Company Number 80464927", 320, 380, 360, 30),
         ("The Registrar of Companies hereby certifies that", 120, 480, 560, 28),
         ("MAPLECREST SAMPLE STATIONERY LIMITED", 110, 560, 780, 34),
         ("is this day incorporated under the Companies Act as a private", 120, 650, 720, 28),
         ("company, that the company is limited by shares, and the situation of", 120, 686, 760, 28),
         ("Given at Companies House, Fairhollow, on 28 May 2025.", 120, 830, 640, 28),
         ("Carmen Ellison", 560, 1094, 180, 26), ("Registrar of Companies", 560, 1132, 230, 22)),
        {"company_name": "MAPLECREST SAMPLE STATIONERY LIMITED", "company_number": "80464927",
         "date_of_incorporation": "28 May 2025", "registrar": "Carmen Ellison"},
    ),
    "city business license with owner and location": (
        (("CITY OF CEDAR POINT", 450, 70, 500, 44), ("BUSINESS LICENSE", 370, 140, 660, 60),
         ("BUSINESS NAME:", 90, 330, 190, 20), ("Northgate Sample Hardware LLC", 90, 364, 450, 30),
         ("OWNER:", 90, 440, 90, 20), ("Carmen Griffin", 90, 474, 210, 30), ("LOCATION:", 90, 550, 120, 20),
         ("345 Harbor Road, Millbrook Falls, NY", 90, 584, 540, 30), ("26601", 90, 624, 90, 30),
         ("TYPE:", 90, 700, 70, 20), ("Food Service", 90, 734, 190, 30), ("LICENSE NO.:", 800, 330, 150, 20),
         ("BL-2025-19971", 800, 364, 220, 30), ("ISSUE DATE:", 800, 440, 140, 20), ("November 6, 2025", 800, 474, 250, 30),
         ("EXPIRATION DATE:", 800, 550, 210, 20), ("December 31, 2025", 800, 584, 260, 30)),
        {"business_name": "Northgate Sample Hardware LLC", "owner": "Carmen Griffin", "license_type": "Food Service",
         "address": "345 Harbor Road, Millbrook Falls, NY 26601", "license_number": "BL-2025-19971",
         "issue_date": "November 6, 2025", "expiration_date": "December 31, 2025"},
    ),
    "passport with keys above their values": (
        (("PASSPORT", 60, 20, 200, 30), ("Passport No.", 700, 60, 120, 20), ("G12345678", 700, 84, 150, 26),
         ("Surname", 300, 120, 80, 18), ("ELLISON", 300, 142, 120, 24), ("Given names", 300, 190, 110, 18),
         ("ANNA MARIE", 300, 212, 170, 24), ("Date of birth", 300, 260, 120, 18), ("12 MAR 1990", 300, 282, 160, 24),
         ("Sex", 560, 260, 40, 18), ("F", 560, 282, 20, 24), ("Date of expiry", 300, 330, 120, 18),
         ("01 JAN 2030", 300, 352, 160, 24)),
        {"passportNumber": "G12345678", "surname": "ELLISON", "given_names": "ANNA MARIE", "date_of_birth": "12 MAR 1990",
         "sex": "F", "expiry_date": "01 JAN 2030"},
    ),
    "business licence with a scope over several lines": (
        (("营业执照", 400, 20, 260, 60), ("统一社会信用", 60, 120, 150, 24), ("代码", 60, 146, 50, 24),
         ("91110108MA01ABCD2X", 230, 132, 300, 24), ("名　　称", 60, 200, 110, 24),
         ("示例科技（北京）有限公司", 200, 200, 320, 24), ("法定代表人", 60, 250, 120, 24), ("王 芳", 200, 250, 70, 24),
         ("经营范围", 60, 300, 110, 24), ("技术开发、技术咨询；销售计算机、软件及", 200, 300, 460, 24),
         ("辅助设备。（依法须经批准的项目，经相关部", 200, 330, 470, 24), ("门批准后方可开展经营活动）", 200, 360, 320, 24),
         ("注册资本", 60, 420, 110, 24), ("壹佰万元整", 200, 420, 140, 24), ("成立日期", 700, 420, 110, 24),
         ("2019年03月11日", 830, 420, 200, 24)),
        {"统一社会信用代码": "91110108MA01ABCD2X", "企业名称": "示例科技（北京）有限公司", "法定代表人": "王 芳",
         "经营范围": "技术开发、技术咨询；销售计算机、软件及辅助设备。（依法须经批准的项目，经相关部门批准后方可开展经营活动）",
         "注册资本": "壹佰万元整", "成立日期": "2019年03月11日"},
    ),
    "vehicle licence": (
        (("机动车行驶证", 300, 20, 300, 36), ("号牌号码", 50, 100, 100, 24), ("京A·88888", 180, 100, 130, 24),
         ("车辆类型", 480, 100, 100, 24), ("小型轿车", 610, 100, 110, 24), ("所有人", 50, 150, 80, 24),
         ("赵六", 180, 150, 60, 24), ("车辆识别代号", 50, 200, 140, 24), ("LSVAA4182E2123456", 210, 200, 260, 24),
         ("注册日期", 50, 250, 100, 24), ("2020-06-03", 180, 250, 140, 24)),
        {"车牌号": "京A·88888", "车辆类型": "小型轿车", "车主": "赵六", "车架号": "LSVAA4182E2123456",
         "注册日期": "2020-06-03"},
    ),
    "bank card": (
        (("示例银行", 60, 30, 200, 40), ("6222 0212 3456 7890 123", 60, 200, 480, 40), ("VALID THRU", 200, 260, 100, 16),
         ("12/29", 310, 256, 80, 24), ("ZHANG SAN", 60, 310, 200, 28), ("银联", 500, 310, 90, 30)),
        {"卡号": "6222 0212 3456 7890 123", "有效期": "12/29", "持卡人": "ZHANG SAN", "发卡行": "示例银行"},
    ),
    "name card": (
        (("Bluefin Sample Systems Ltd.", 60, 30, 360, 30), ("Karen Dalton", 60, 120, 260, 40),
         ("Sales Director", 60, 170, 190, 26), ("T: +852 2345 6789", 60, 260, 220, 24), ("M: +852 9123 4567", 60, 290, 220, 24),
         ("E: karen@bluefin.example", 60, 320, 300, 24), ("Unit 5, 12 Harbour Road, Wan Chai", 60, 350, 400, 24)),
        {"name": "Karen Dalton", "job_title": "Sales Director", "company": "Bluefin Sample Systems Ltd.",
         "phone": "+852 2345 6789", "mobile": "+852 9123 4567", "email": "karen@bluefin.example",
         "address": "Unit 5, 12 Harbour Road, Wan Chai"},
    ),
    "purchase order in Traditional Chinese": (
        (("採購單", 60, 30, 160, 40), ("採購單號：", 60, 100, 120, 24), ("PO-20240088", 190, 100, 160, 24),
         ("供應商：", 60, 140, 100, 24), ("示例實業有限公司", 190, 140, 220, 24), ("送貨地點：", 60, 180, 120, 24),
         ("九龍示例道12號3樓", 190, 180, 230, 24), ("總額", 700, 400, 60, 24), ("HK$14,331.78", 800, 400, 160, 24)),
        {"採購單編號": "PO-20240088", "供應商": "示例實業有限公司", "送貨地址": "九龍示例道12號3樓", "總金額": "HK$14,331.78"},
    ),
    "delivery note": (
        (("Delivery Note", 60, 20, 300, 40), ("Delivery No:", 60, 90, 120, 24), ("DN784922", 220, 90, 110, 24),
         ("Dispatch Date:", 60, 130, 140, 24), ("20/09/2025", 220, 130, 120, 24), ("Deliver To:", 600, 90, 110, 24),
         ("Bluefin Sample Electric Inc.", 600, 130, 280, 24), ("169 Kestrel Drive, Fairhollow", 600, 164, 300, 24),
         ("Total pieces: 119", 60, 500, 180, 24), ("Received by: Grace Ingram", 60, 560, 270, 24)),
        {"delivery_note_number": "DN784922", "date": "20/09/2025", "customer": "Bluefin Sample Electric Inc.",
         "delivery_address": "169 Kestrel Drive, Fairhollow", "total_quantity": "119", "receivedBy": "Grace Ingram"},
    ),
    "electricity bill": (
        (("电费通知单", 60, 20, 240, 40), ("户号：4447562222", 60, 90, 240, 24), ("户名：马子涵", 60, 130, 180, 24),
         ("上期示数", 110, 220, 100, 24), ("本期示数", 310, 220, 100, 24), ("本期电量（千瓦时）", 460, 220, 200, 24),
         ("8562", 130, 270, 60, 24), ("9082", 330, 270, 60, 24), ("520", 540, 270, 40, 24),
         ("应交电费", 60, 340, 120, 24), ("290.32元", 240, 340, 140, 24)),
        {"户号": "4447562222", "户名": "马子涵", "上期读数": "8562", "本期读数": "9082", "用电量": "520", "应缴金额": "290.32元"},
    ),
    "medical bill": (
        (("示例市人民医院", 300, 20, 260, 36), ("门诊收费票据", 320, 64, 200, 30), ("姓名：陈静", 60, 120, 160, 24),
         ("就诊日期：2024-06-01", 400, 120, 260, 24), ("金额合计（小写）：126.50", 60, 300, 300, 24),
         ("个人支付：26.50", 60, 340, 200, 24), ("医保统筹支付：100.00", 400, 340, 260, 24)),
        {"患者姓名": "陈静", "就诊日期": "2024-06-01", "总金额": "126.50", "个人自付": "26.50", "医保支付": "100.00",
         "医院名称": "示例市人民医院"},
    ),
    "head of a contract": (
        (("服务合同", 400, 20, 220, 50), ("合同编号：HT-2024-0088", 700, 90, 260, 24), ("甲方：示例甲有限公司", 60, 140, 300, 24),
         ("代表人：王五", 60, 176, 160, 24), ("乙方：示例乙有限公司", 60, 230, 300, 24), ("授权代表：赵七", 60, 266, 190, 24),
         ("三、合同金额：¥88,000.00", 60, 340, 320, 24)),
        {"合同编号": "HT-2024-0088", "甲方": "示例甲有限公司", "乙方": "示例乙有限公司", "甲方代表": "王五",
         "乙方代表": "赵七", "合同金额": "¥88,000.00"},
    ),
    "fixed-amount invoice": (
        (("通用定额发票", 260, 40, 280, 40), ("发票代码 159491682600", 60, 120, 300, 26), ("发票号码 84600515", 60, 160, 240, 26),
         ("伍拾元整", 560, 150, 180, 40)),
        {"发票代码": "159491682600", "发票号码": "84600515", "发票金额": "伍拾元整"},
    ),
}  # fmt: skip


def _read(page: Page, wanted: object) -> Fields:
    return extract(page, parse_schema(json.dumps(wanted).encode()))


def test_the_ten_fields_of_a_train_ticket_are_found_without_keys(page_of: PageOf) -> None:
    assert _read(page_of(TICKET), dict.fromkeys(TICKET_VALUES, "")).values == TICKET_VALUES


def test_a_page_that_leans_reads_the_same(page_of: PageOf) -> None:
    assert _read(page_of(TICKET, angle=3.0), dict.fromkeys(TICKET_VALUES, "")).values == TICKET_VALUES


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_a_document_are_found_whole(page_of: PageOf, kind: str) -> None:
    rows, values = KINDS[kind]

    assert _read(page_of(rows), dict.fromkeys(values, "")).values == values


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_text_of_the_page(page_of: PageOf, kind: str) -> None:
    rows, values = KINDS[kind]
    printed = "".join(text for text, *_ in rows).replace(" ", "")

    found = _read(page_of(rows), dict.fromkeys((*values, "传真", "swift code", "护照号码"), "")).values

    assert [value for value in found.values() if value.replace(" ", "") not in printed and len(value) < 40] == []


def test_what_is_not_on_the_page_is_left_empty(page_of: PageOf) -> None:
    page = page_of([("姓名：张三", 60, 40, 160, 24), ("日期：2024-05-20", 60, 80, 220, 24)])

    found = _read(page, {"姓名": "", "传真": "", "金额": "", "客户": {"邮箱": ""}})

    assert found.values == {"姓名": "张三", "传真": "", "金额": "", "客户": {"邮箱": ""}}
    assert set(found.places) == set(found.scores) == {("姓名",)}


def test_a_key_is_never_a_value(page_of: PageOf) -> None:
    page = page_of([("姓名", 60, 40, 60, 24), ("性别", 200, 40, 60, 24), ("民族", 340, 40, 60, 24)])

    assert _read(page, {"姓名": "", "性别": "", "民族": ""}).values == {"姓名": "", "性别": "", "民族": ""}


def test_one_value_serves_one_field(page_of: PageOf) -> None:
    page = page_of([("Phone: 2345 6789", 60, 40, 220, 24)])

    assert _read(page, {"phone": "", "fax": ""}).values == {"phone": "2345 6789", "fax": ""}


def test_a_value_below_its_key_is_not_that_of_an_empty_key_under_it(page_of: PageOf) -> None:
    page = page_of([("Surname", 60, 40, 80, 18), ("MORROW", 60, 60, 120, 24), ("Given names", 60, 86, 110, 18)])

    assert _read(page, {"surname": "", "given_names": ""}).values == {"surname": "MORROW", "given_names": ""}
    assert _read(page, {"given_names": ""}).values == {"given_names": ""}


def test_a_sentence_about_a_company_is_not_its_name(page_of: PageOf) -> None:
    page = page_of(
        [
            ("Company", 60, 40, 90, 24),
            ("that is limited by shares and has its office here", 60, 70, 520, 24),
            ("NORTHGATE SAMPLE FOODS LIMITED", 60, 300, 420, 30),
            ("Registrar of Companies", 60, 400, 240, 22),
        ]
    )

    assert _read(page, {"company_name": ""}).values == {"company_name": "NORTHGATE SAMPLE FOODS LIMITED"}


ORDINARY: dict[str, tuple[Sequence[Row], dict[str, str]]] = {
    "an empty key below a list": (
        (("送货单", 300, 20, 120, 34), ("品名", 60, 140, 50, 24), ("数量", 610, 140, 50, 24), ("办公椅", 60, 172, 80, 24),
         ("2", 610, 172, 20, 24), ("文件柜", 60, 204, 80, 24), ("3", 610, 204, 20, 24), ("备注", 60, 236, 60, 24)),
        {"备注": ""},
    ),
    "a way of paying that is not told": (
        (("RECEIPT", 60, 20, 120, 30), ("Bread", 60, 126, 70, 24), ("2.00", 600, 126, 60, 24),
         ("Payment method", 60, 152, 150, 24)),
        {"payment_method": ""},
    ),
    "numbers of a visit and of a member": (
        (("Clinic of Samples", 60, 40, 300, 30), ("Visit ID: 2024001234567", 60, 120, 280, 24),
         ("Member ID: 5566778899", 60, 160, 280, 24)),
        {"id_number": "", "patient": ""},
    ),
    "the number of a patient on a Chinese bill": (
        (("门诊收费票据", 60, 40, 300, 30), ("病历", 60, 80, 60, 24), ("ID：0012345678", 300, 80, 200, 24)),
        {"身份证号": ""},
    ),
    "the title of a card": (
        (("IDENTIFICATION CARD", 60, 56, 300, 26), ("0712198533", 60, 170, 180, 26)),
        {"id_number": ""},
    ),
    "the father's name": (
        (("IDENTITY CARD", 60, 20, 200, 26), ("Name", 60, 60, 60, 24), ("ADA MORROW", 300, 60, 150, 24),
         ("Name of Father", 60, 100, 150, 24), ("JOHN MORROW", 300, 100, 160, 24)),
        {"name": "ADA MORROW"},
    ),
    "a total of something else": (
        (("RECEIPT", 60, 20, 120, 30), ("Total of discounts", 60, 100, 200, 24), ("7.00", 400, 100, 60, 24),
         ("Total", 60, 140, 60, 24), ("50.00", 400, 140, 70, 24)),
        {"total": "50.00"},
    ),
    "a numbered caption": (
        (("PASSPORT", 60, 20, 160, 30), ("5 Place of birth / Lieu de naissance", 60, 120, 340, 18)),
        {"address": ""},
    ),
    "the form of a company": (
        (("营业执照", 300, 40, 200, 60), ("名", 160, 150, 30, 24), ("星河市晴川示例餐饮部", 370, 150, 300, 24),
         ("有限责任公司", 370, 200, 200, 24)),
        {"企业名称": "星河市晴川示例餐饮部"},
    ),
    "a place for a seal": (
        (("营业执照", 300, 40, 200, 60), ("（盖章）", 560, 150, 100, 24), ("法定代表人", 560, 180, 120, 22)),
        {"法定代表人": ""},
    ),
    "two companies without a key": (
        (("营业执照", 300, 40, 200, 60), ("星河市晴川示例贸易有限公司", 370, 150, 400, 24),
         ("星河示例投资管理有限公司", 370, 300, 380, 24)),
        {"企业名称": ""},
    ),
    "a name that begins in lower case": (
        (("INVOICE", 60, 20, 120, 30), ("Bill To", 60, 80, 80, 24), ("van der Berg Holdings Ltd", 60, 110, 280, 24),
         ("12 Harbour Road", 60, 140, 190, 24)),
        {"buyer_name": "van der Berg Holdings Ltd"},
    ),
    "a state at the end of a line": (
        (("PASSPORT", 60, 20, 160, 30), ("Place of birth: PORTLAND, OR", 60, 60, 330, 24),
         ("ORGAN DONOR", 230, 90, 160, 24)),
        {"place_of_birth": "PORTLAND, OR"},
    ),
    "another column's colon": (
        (("DELIVERY ORDER", 60, 20, 240, 30), ("Customer", 60, 80, 100, 24), (":", 180, 80, 8, 24),
         ("Acme Trading Ltd", 200, 80, 240, 24), ("DO No", 700, 100, 70, 24), (": DO-1001", 800, 92, 120, 24)),
        {"customer": "Acme Trading Ltd"},
    ),
    "a number within a line far below": (
        (("IDENTITY CARD", 60, 20, 200, 26), ("ID No.", 60, 60, 80, 24), ("Ref 12-345-67890 batch", 60, 120, 260, 24)),
        {"id_number": ""},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ORDINARY)
def test_nothing_is_taken_for_a_value_that_is_none(page_of: PageOf, kind: str) -> None:
    rows, values = ORDINARY[kind]

    assert _read(page_of(rows), dict.fromkeys(values, "")).values == values


def test_a_bank_of_somewhere_is_a_name_and_no_key(page_of: PageOf) -> None:
    page = page_of(
        [
            ("BANK OF SAMPLE TOWN", 60, 40, 400, 40),
            ("DEBIT", 700, 40, 90, 30),
            ("6299 1234 5678 9012", 60, 290, 500, 50),
            ("ADA MORROW", 60, 450, 260, 30),
        ]
    )
    values = {"bank": "BANK OF SAMPLE TOWN", "card_number": "6299 1234 5678 9012", "cardholder": "ADA MORROW"}

    assert _read(page, dict.fromkeys(values, "")).values == values


@pytest.mark.parametrize("field", ["principal_activity", "principal_activities"])
def test_a_key_is_known_in_the_singular_and_in_the_plural(page_of: PageOf, field: str) -> None:
    page = page_of([("BUSINESS PROFILE", 60, 20, 240, 30), ("Principal Activities", 60, 70, 220, 24),
                    ("Retail sale of paints", 320, 70, 250, 24)])  # fmt: skip

    assert _read(page, {field: ""}).values == {field: "Retail sale of paints"}


@pytest.mark.parametrize("field", ["fax", "传真号码", "門店傳真", "Fax No."])
def test_a_number_without_a_key_is_no_fax(page_of: PageOf, field: str) -> None:
    page = page_of([("Bluefin Sample Ltd.", 60, 40, 240, 24), ("Call 2345 6789", 60, 80, 170, 24)])

    assert _read(page, {field: ""}).values == {field: ""}
    assert _read(page, {"phone": "", field: ""}).values == {"phone": "2345 6789", field: ""}


@pytest.mark.parametrize(
    "below",
    ["+86 (10) 1234-5678", "Mob 9123 4567", "Call us: 012-345 6789", "（张三）13812345678", "13812345678 张三收"],
)
def test_a_telephone_number_below_an_address_is_no_part_of_it(page_of: PageOf, below: str) -> None:
    page = page_of([
        ("Deliver To", 60, 40, 110, 24), ("Address", 60, 100, 110, 24), ("12 Harbour Road, Wan Chai", 60, 130, 300, 24),
        (below, 60, 156, 260, 24),
    ])  # fmt: skip

    assert _read(page, {"address": ""}).values == {"address": "12 Harbour Road, Wan Chai"}


@pytest.mark.parametrize(
    "below", ["Sacramento, CA 95814", "Sacramento, CA 95814-1234", "Unit 5 2345 6789", "Selangor 47100 012-345 6789"]
)
def test_what_looks_like_a_telephone_number_in_an_address_stays_in_it(page_of: PageOf, below: str) -> None:
    page = page_of([
        ("Deliver To", 60, 40, 110, 24), ("Address", 60, 100, 110, 24), ("12 Harbour Road,", 60, 130, 200, 24),
        (below, 60, 156, 260, 24),
    ])  # fmt: skip

    assert _read(page, {"address": ""}).values == {"address": f"12 Harbour Road, {below}"}


@pytest.mark.parametrize("below", ["010-12345678", "(010) 1234 5678"])
def test_a_field_of_address_and_telephone_has_both(page_of: PageOf, below: str) -> None:
    page = page_of([
        ("增值税专用发票", 60, 40, 200, 24), ("购买方", 60, 70, 110, 24),
        ("地址、电话：北京市示例区样板街12号院", 60, 100, 400, 24), (below, 192, 126, 200, 24),
    ])  # fmt: skip

    assert _read(page, {"购买方地址电话": ""}).values == {"购买方地址电话": f"北京市示例区样板街12号院{below}"}


def test_the_same_thing_asked_twice_is_given_twice(page_of: PageOf) -> None:
    page = page_of([("电子发票", 60, 10, 120, 24), ("开票日期：2024-05-20", 60, 40, 260, 24)])

    assert _read(page, {"开票日期": "", "发票日期": ""}).values == {"开票日期": "2024-05-20", "发票日期": "2024-05-20"}


def test_of_two_candidates_the_nearer_to_its_key_is_taken(page_of: PageOf) -> None:
    page = page_of([
        ("Invoice Date:", 60, 40, 130, 24), ("02/09/2024", 210, 40, 120, 24),
        ("Due Date:", 60, 80, 100, 24), ("03/10/2024", 210, 80, 120, 24),
    ])  # fmt: skip

    assert _read(page, {"due_date": "", "invoice_date": ""}).values == {
        "due_date": "03/10/2024",
        "invoice_date": "02/09/2024",
    }


def test_a_key_with_one_wrong_character_is_known(page_of: PageOf) -> None:
    page = page_of([("营业执照", 60, 10, 160, 40), ("法定代裹人：王芳", 60, 80, 200, 24)])

    assert _read(page, {"法定代表人": ""}).values == {"法定代表人": "王芳"}


def test_a_key_that_no_table_knows_is_found_by_its_own_words(page_of: PageOf) -> None:
    page = page_of([("Warp core serial: WX-77", 60, 40, 260, 24), ("取餐码：A251", 60, 80, 160, 24)])

    assert _read(page, {"warp_core_serial": "", "取餐码": ""}).values == {"warp_core_serial": "WX-77", "取餐码": "A251"}


def test_a_description_names_the_field_and_its_form(page_of: PageOf) -> None:
    page = page_of([("发票", 60, 10, 60, 24), ("开票日期：2024年05月20日", 60, 40, 280, 24)])

    assert _read(page, {"field_1": "开票日期，YYYY-MM-DD"}).values == {"field_1": "2024-05-20"}


def test_nested_fields_take_the_name_of_their_object(page_of: PageOf) -> None:
    page = page_of([
        ("电子发票（普通发票）", 400, 10, 260, 30), ("购买方信息", 40, 100, 24, 120), ("名称：甲有限公司", 80, 110, 240, 24),
        ("销售方信息", 640, 100, 24, 120), ("名称：乙有限公司", 680, 110, 240, 24),
    ])  # fmt: skip

    found = _read(page, {"销售方": {"名称": ""}, "购买方": {"名称": ""}})

    assert found.values == {"销售方": {"名称": "乙有限公司"}, "购买方": {"名称": "甲有限公司"}}


def test_a_list_has_an_entry_for_each_row_below_the_headings(page_of: PageOf) -> None:
    page = page_of([
        ("Description", 60, 100, 120, 20), ("Qty", 500, 100, 40, 20), ("Amount", 700, 100, 80, 20),
        ("Hex bolts M8", 60, 140, 140, 20), ("84", 510, 140, 26, 20), ("14,540.40", 690, 140, 92, 20),
        ("Conveyor belt", 60, 180, 140, 20), ("2 m", 60, 202, 40, 20), ("114", 504, 180, 36, 20),
        ("18,523.86", 690, 180, 92, 20), ("Subtotal", 500, 260, 90, 20), ("33,064.26", 690, 260, 92, 20),
    ])  # fmt: skip

    found = _read(page, {"items": [{"description": "", "quantity": "", "amount": ""}], "subtotal": ""})

    assert found.values == {
        "items": [
            {"description": "Hex bolts M8", "quantity": "84", "amount": "14,540.40"},
            {"description": "Conveyor belt 2 m", "quantity": "114", "amount": "18,523.86"},
        ],
        "subtotal": "33,064.26",
    }


def test_a_list_without_headings_on_the_page_is_empty(page_of: PageOf) -> None:
    assert _read(page_of([("Hello", 60, 40, 80, 24)]), {"items": [{"name": ""}]}).values == {"items": []}


def test_the_place_of_a_value_is_the_part_of_the_line_that_is_the_value(page_of: PageOf) -> None:
    page = page_of([("姓名：张三", 0, 40, 100, 20)])

    (quad,) = _read(page, {"姓名": ""}).places["姓名",]

    assert quad == pytest.approx((60, 40, 100, 40, 100, 60, 60, 60))


def test_a_page_without_text_gives_empty_values() -> None:
    page = Page(width=10, height=10)

    assert _read(page, {"姓名": "", "items": [""]}).values == {"姓名": "", "items": []}
