# ruff: noqa: E501, RUF001 - prompts as people write them

from __future__ import annotations

import pytest

from qwenport.documents.fields import asked_fields

_TICKET = (
    "发票号码", "车次", "起始站", "终点站", "发车日期和时间点", "座位号", "席别类型", "票价", "身份证号码", "购票人姓名"
)  # fmt: skip
_TICKET_PROMPT = (
    "请提取车票图像中的发票号码、车次、起始站、终点站、发车日期和时间点、座位号、席别类型、票价、身份证号码、购票人姓名。"
    "要求准确无误的提取上述关键信息、不要遗漏和捏造虚假信息，模糊或者强光遮挡的单个文字可以用英文问号?代替。"
)
_TICKET_SHAPE = (
    "返回数据格式以json方式输出，格式为：{'发票号码'：'xxx', '车次'：'xxx', '起始站'：'xxx', '终点站'：'xxx', "
    "'发车日期和时间点'：'xxx', '座位号'：'xxx', '席别类型'：'xxx','票价':'xxx', '身份证号码'：'xxx', '购票人姓名'：'xxx'"
)


@pytest.mark.parametrize("end", ["}", "", '"},', "}}"])
def test_the_ticket_prompt_asks_for_its_ten_fields_however_its_shape_ends(end: str) -> None:
    schema = asked_fields(_TICKET_PROMPT + _TICKET_SHAPE + end)

    assert schema is not None
    assert schema.template == dict.fromkeys(_TICKET, "")


def test_the_ticket_prompt_is_understood_without_its_shape() -> None:
    schema = asked_fields(_TICKET_PROMPT)

    assert schema is not None
    assert schema.template == dict.fromkeys(_TICKET, "")


@pytest.mark.parametrize(
    ("prompt", "template"),
    [
        (
            "Extract the invoice number, date and total amount from this receipt as JSON.",
            {"invoice number": "", "date": "", "total amount": ""},
        ),
        ("提取以下字段：姓名、性别、出生日期，返回JSON", {"姓名": "", "性别": "", "出生日期": ""}),
        (
            "Please extract:\n- Name\n- Date of birth (YYYY-MM-DD)\n* ID number\n",
            {"Name": "", "Date of birth": "", "ID number": ""},
        ),
        (
            'Return this:\n```json\n{"buyer": {"name": "full legal name"}, "items": [{"name": "", "price": ""}, ...]}\n```',
            {"buyer": {"name": "full legal name"}, "items": [{"name": "", "price": ""}]},
        ),
        ("输出JSON：{“姓名”：“”，“地址”：“xxx”}", {"姓名": "", "地址": ""}),
        ("Answer in JSON like {total: 12.5, currency: string}", {"total": "12.5", "currency": ""}),
    ],
)
def test_prompts_that_list_or_show_fields_ask_for_them(prompt: str, template: object) -> None:
    schema = asked_fields(prompt)

    assert schema is not None
    assert schema.template == template


@pytest.mark.parametrize(
    "prompt",
    [
        "Read all the text in the image.",
        "请提取图像中的文字",
        "请输出图片中的文字内容，不要任何描述和格式。",
        "What is in this picture?",
        "OCR",
        "",
        "{" * 5000,
        "Read:" + "\n" * 60_000,
    ],
)
def test_prompts_for_plain_text_ask_for_no_fields(prompt: str) -> None:
    assert asked_fields(prompt) is None


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("提取图中的姓名、性别，不要返回地址、电话", ["姓名", "性别"]),
        ("提取以下字段：日期，金额，不要返回姓名，地址和电话", ["日期", "金额"]),
        ("不要返回姓名，只提取发票中的日期、金额", ["日期", "金额"]),
        ("不提取姓名、电话，请输出图片中的日期、金额", ["日期", "金额"]),
        ("提取图中的姓名、日期，忽略地址、电话", ["姓名", "日期"]),
        ("提取除姓名以外的字段：日期、金额", ["日期", "金额"]),
        ("Extract the name, date and total, but not the address", ["name", "date", "total"]),
        ("Extract the name, date and total, except the address and phone.", ["name", "date", "total"]),
        ("Extract the name and date, excluding the address and phone", ["name", "date"]),
        ("Do not return the name, return the date and total as JSON", ["date", "total"]),
        ("Never return the name or the address. Extract the following: date, total", ["date", "total"]),
        ("Extract the number, date (do not include the time), and total", ["number", "date", "total"]),
        ("提取图中的日期（不要包含时间）、金额", ["日期", "金额"]),
        ("Extract the name, date, but not the address (home) or phone", ["name", "date"]),
        ("Extract:\n- Name\n- Date\nDo not extract:\n- Address\n- Phone", ["Name", "Date"]),
        ("Extract:\n1. Name\n2. Do not return the address\n3. Date", ["Name", "Date"]),
    ],
)
def test_what_a_prompt_does_not_want_is_not_asked_for(prompt: str, names: list[str]) -> None:
    schema = asked_fields(prompt)

    assert schema is not None
    assert list(schema.template) == names


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("提取发票中的不含税金额、别名、税额", ["不含税金额", "别名", "税额"]),
        ("不要遗漏图片中的任何字段，提取图中的姓名、日期", ["姓名", "日期"]),
        ("Extract the total excluding tax, the tax and the date", ["total excluding tax", "tax", "date"]),
        ("Do not return anything other than the name, date and total", ["name", "date", "total"]),
        ("Don't output anything but the name and the date", ["name", "date"]),
        ("Never leave a field out: extract the name, date", ["name", "date"]),
        ('Do not return the name. {"name": "without its title", "date": ""}', ["name", "date"]),
    ],
)
def test_what_only_looks_like_a_refusal_is_asked_for(prompt: str, names: list[str]) -> None:
    schema = asked_fields(prompt)

    assert schema is not None
    assert list(schema.template) == names


@pytest.mark.parametrize(
    "prompt",
    [
        "Read all text. Do not extract the name and the date.",
        "读取图片里的文字，无需返回姓名、电话，JSON格式",
        "Output everything except the name and address as JSON",
    ],
)
def test_a_prompt_that_names_only_what_it_does_not_want_asks_for_no_fields(prompt: str) -> None:
    assert asked_fields(prompt) is None
