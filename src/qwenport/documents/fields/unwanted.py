"""What a prompt does not want: "do not return the name", "all fields except the address", "不要返回姓名、电话"."""

# ruff: noqa: RUF001 - full-width marks are what people write

from __future__ import annotations

import re

_GIVE = (
    r"(?:return|output|extract|include|read|give|list|mention|show|report|print|provide|write|identify|recogni[sz]e|find|"
    r"get|parse|need|want|add|tell|answer|respond)"
)
_GIVE_CHINESE = (
    r"(?:返回|输出|提取|抽取|包含|包括|[识識][别別]|[读讀]取|[获獲]取|[给給]出|[显顯]示|列出|写出|加入|填写|[输輸]出)"
)
_EXACTLY = r"(?!\s(?:any\w*|other|more|further)\b[^.;!?\n{]{0,40}\b(?:but|except|besides|than)\b)"
"""Nothing else than what follows is what is wanted, and all of it."""
_NO = (
    r"\b(?:(?:(?:do|must|should|need)\s)?not|(?:don|shouldn|needn|mustn)['’]t|never)\s"
    rf"(?:(?:also|even|ever|to)\s)?{_GIVE}\b{_EXACTLY}|"
    r"(?:\b(?:but|and)\s)?(?<!or\s)\bnot\s(?:the|its|any|his|her|their)\b|"
    r"(?<!anything\s)(?<!nothing\s)\bexcept\b|"
    r"(?:\A|(?<=[,;.!?\n]\s)|(?<=[,;\n])|\band\s|\bplease\s)(?:excluding|ignor(?:e|ing)|omit|exclude|skip|leave out)\b"
)
_CLAUSE = r"(?:(?<![\u4e00-\u9fff])|(?<=[但请請并並且也而又都]))"
"""Where a clause begins: 不含税金额 and 别名 are fields."""
_LEFT_OUT = r"(?:[遗遺]?漏|忘|忽略|省略|[缺丢丟少跳]|捏造|[编編伪偽虚]|猜)"
"""Not to be done to fields that are wanted."""
_NO_CHINESE = (
    rf"{_CLAUSE}(?:(?:不(?:要|用|必|需要?)|[无無毋]需)(?!{_LEFT_OUT})|"
    rf"(?:不|不得|勿|切勿|别|別|禁止)(?=再?{_GIVE_CHINESE})|忽略|排除|跳[过過])"
)
_TO_ITS_END = (
    r"(?:[^.。;；!！?？\n{()（）]|[(（][^()（）\n]*[)）])*?"
    rf"(?=[.。;；!！?？\n{{)）]|[(（](?![^()（）\n]*[)）])|\s?\b(?:but|only|just|instead)\b|[,:]\s?(?:(?:and|then|please)\s)?{_GIVE}\b|"
    rf"\band\s(?:then\s)?(?:return|output|answer|respond)\b|"
    rf"[，,、]?(?:但|而是|只|[仅僅])|[，,](?:[请請并並再]|然后|同[时時])?{_GIVE_CHINESE}|\Z)"
)
_ITS_BULLETS = r"(?:(?<=[:：])(?:\n[^\S\n]*(?:[-*•·●]|\d{1,3}[.)、．])[^\n]*)+)?"
_UNWANTED = re.compile(
    rf"(?:(?i:{_NO})|{_NO_CHINESE}){_TO_ITS_END}{_ITS_BULLETS}|除了?[^，,。；;\n]{{1,40}}?(?:之外|以外|外)"
)


def without_unwanted(prompt: str) -> str:
    """Return a prompt without the clauses that say what is not to be answered."""
    kept: list[str] = []
    at = 0
    for clause in _UNWANTED.finditer(prompt):
        kept.append(prompt[at : clause.start()].rstrip(" ,，、"))
        at = clause.end()
    return "".join((*kept, prompt[at:]))
