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
    ],
)
def test_prompts_for_plain_text_ask_for_no_fields(prompt: str) -> None:
    assert asked_fields(prompt) is None
