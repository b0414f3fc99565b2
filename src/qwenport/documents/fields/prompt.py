"""Prompts that ask for fields: "read the invoice number and the date out of this picture, answer in JSON like {...}".

The train ticket of Model Studio's Qwen-OCR guide is the best-known one: it lists ten fields, then shows the shape with
single quotes and full-width colons. Braces that are not closed are taken as closed at the end.
"""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from qwenport.documents.fields.schema import Schema, SchemaInvalid, schema_of
from qwenport.documents.fields.unwanted import without_unwanted

_MOST_CHARACTERS = 64 * 1024
_ASKS = re.compile(
    r"提取|抽取|[识識][别別]|[读讀]取|[输輸]出|返回|[获獲]取|(?i:\bextract|\bread\b|\breturn|\boutput|\bidentify|\bfind\b|\bget\b|\bparse|\bfields?\b|"
    r"\brespond|\banswer|\bgive me|\bjson\b)"
)
_JSON_IS_WANTED = re.compile(r"(?i)json|字典|[键鍵]值|key[- ]value|object")
_READ = r"(?:提取|抽取|[识識][别別](?:并提取|出)?|[读讀]取|[获獲]取|[返输][回出])"
_LISTED_CHINESE = (
    re.compile(rf"{_READ}[^，。；:：\n、{{}}]{{0,40}}[:：]\s*(?P<names>[^。；\n{{}}:：]{{2,600}})"),
    re.compile(
        rf"{_READ}[^，。；:：\n、{{}}]{{0,24}}?(?:中的|中|里的|裡的|里|上的|的)\s*(?P<names>[^。；\n{{}}:：]{{2,600}})"
    ),
)
_LISTED_ENGLISH = (
    re.compile(
        r"(?i)(?:extract|read|return|identify|find|get|give me|parse|output)\b[^.:\n{}]{0,80}?"
        r"(?::|\bthe following(?: fields| information| values)?\s*[:,]?|\bthe\b)\s*"
        r"(?P<names>[^.\n{}]{2,600})"
    ),
)
_AND = re.compile(r"(?<=[\u4e00-\u9fff])(?:以及|[和及与])(?=[\u4e00-\u9fff])|\band\b|\bas well as\b")
_BULLET = re.compile(
    r"^[^\S\n]*(?:[-*•·●]|\d{1,3}[.)、．]|[(（]\d{1,3}[)）])[^\S\n]*(?P<name>[^\n]{1,120}?)[^\S\n]*$", re.MULTILINE
)
_TRAILING = re.compile(
    r"(?i)\s+(?:from|in|on|of|out of|as|and return|and output|and answer|for)\s+(?:the |this |that |my |each |a |an )?"
    r"(?:\w+ ){0,3}(?:image|picture|photo|document|receipt|invoice|ticket|scan|page|json|card|form|following|file)\b.*$"
)
_NO_FIELD = re.compile(
    r"(?i)^(?:all|any|every|everything|anything|other|text|words?|contents?|it|them|json|result|following|fields?|information|values?|data|key|文字|内容|全部|所有|任何|其他|其它|文本|信息|"
    r"字段|关键信息|上述关键信息|图像|图片)(?:\s?(?:text|words|content|内容|文字|文本|信息|fields|information|data))*$"
)


def asked_fields(prompt: str) -> Schema | None:
    """Return the fields that a prompt asks for; None where it asks for none."""
    if len(prompt) > _MOST_CHARACTERS or not _ASKS.search(prompt):
        return None
    for shape in _shapes(prompt):
        try:
            return schema_of(_template(shape))
        except SchemaInvalid:
            continue
    names = _listed(without_unwanted(prompt))
    if len(names) < (1 if _JSON_IS_WANTED.search(prompt) else 2):
        return None
    try:
        return schema_of(dict.fromkeys(names, ""))
    except SchemaInvalid:
        return None


def _shapes(prompt: str) -> list[dict[str, Any]]:
    """Return the objects that a prompt shows, the largest first."""
    found: list[dict[str, Any]] = []
    at = prompt.find("{")
    while at >= 0 and len(found) < 8:
        shape, end = _Shape(prompt).read(at)
        if shape:
            found.append(shape)
        at = prompt.find("{", max(end, at + 1))
    return sorted(found, key=_count, reverse=True)


def _count(shape: Any) -> int:
    if isinstance(shape, dict):
        return sum(max(1, _count(value)) for value in shape.values())
    return sum(_count(value) for value in shape) if isinstance(shape, list) else 0


def _template(shape: Any) -> Any:
    """Return a shape as a schema: what stands where values go is a description only if it describes."""
    if isinstance(shape, dict):
        return {name: _template(value) for name, value in shape.items()}
    if isinstance(shape, list):
        return [_template(value) for value in shape[:1]]
    return _description(shape) if isinstance(shape, str) else ""


_EXAMPLE = re.compile(
    r"(?i)^(?:x+|\.+|…+|\?+|string|str|text|number|float|int|null|none|value|值|内容|字符串|文本|\W*)$"
)


def _description(text: str) -> str:
    return "" if _EXAMPLE.match(text.strip()) else text


class _Shape:
    """A tolerant reader of JSON that people write: any quotes, full-width marks, no quotes, comments, open ends."""

    _MOST_LEVELS = 8
    _OPENING = "\"'“”‘’「『`"
    _CLOSING: ClassVar[Mapping[str, str]] = {"“": "”“", "”": "”“", "‘": "’‘", "’": "’‘", "「": "」", "『": "』"}

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self, at: int) -> tuple[dict[str, Any] | None, int]:
        """Return the object that begins at a brace, and where it ends."""
        try:
            decoded = msgspec.json.decode(self._text[at : self._text.rindex("}") + 1])
            if isinstance(decoded, dict):
                return decoded, self._text.rindex("}") + 1
        except (ValueError, RecursionError):
            pass
        self._at = at
        shape = self._object(0)
        return shape or None, self._at

    def _object(self, level: int) -> dict[str, Any]:
        self._at += 1
        shape: dict[str, Any] = {}
        while self._skip(" \t\r\n,，;；、") and self._peek() not in "}]":
            before = self._at
            name = self._word(":：=}])")
            self._skip(" \t\r\n")
            if not self._peek() or self._peek() not in ":：=":
                if self._at == before:
                    self._at += 1
                continue
            self._at += 1
            value = self._value(level + 1)
            if name:
                shape[name] = value
        self._at += 1
        return shape

    def _value(self, level: int) -> Any:
        self._skip(" \t\r\n")
        mark = self._peek()
        if mark == "{" and level < self._MOST_LEVELS:
            return self._object(level)
        if mark == "[" and level < self._MOST_LEVELS:
            self._at += 1
            values: list[Any] = []
            while self._skip(" \t\r\n,，") and self._peek() not in "]}":
                before = self._at
                values.append(self._value(level + 1))
                if self._at == before:
                    self._at += 1
            if self._peek() == "]":
                self._at += 1
            return [value for value in values if value not in ("...", "…")]
        return self._word(",，}\n]")

    def _word(self, ends: str) -> str:
        """Return a word in quotes, or without them up to one of `ends`."""
        mark = self._peek()
        if mark and mark in self._OPENING:
            closing = self._CLOSING.get(mark, mark)
            end = next(
                (at for at in range(self._at + 1, len(self._text)) if self._text[at] in closing), len(self._text)
            )
            word = self._text[self._at + 1 : end]
            self._at = end + 1
            return word.strip()
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in ends:
            self._at += 1
        return self._text[start : self._at].strip()

    def _skip(self, marks: str) -> bool:
        while self._at < len(self._text) and self._text[self._at] in marks:
            self._at += 1
        return self._at < len(self._text)

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""


def _listed(prompt: str) -> list[str]:
    """Return the names that a prompt lists in bullets, else in a sentence."""
    bullets = [_name(match.group("name")) for match in _BULLET.finditer(prompt)]
    names = [name for name in bullets if name]
    if len(names) >= 2:
        return list(dict.fromkeys(names))
    for pattern in (*_LISTED_CHINESE, *_LISTED_ENGLISH):
        if match := pattern.search(prompt):
            names = [name for each in _parts(_TRAILING.sub("", match.group("names"))) if (name := _name(each))]
            if names:
                return list(dict.fromkeys(names))
    return []


def _parts(listed: str) -> list[str]:
    """Return the parts of a list; a joining word counts before its last part alone, or where there are no commas."""
    *first, last = re.split(r"[、，,;；]|\s/\s", listed)
    return [*first, *re.split(_AND, last)]


def _name(text: str) -> str:
    """Return a listed name without its explanation; empty for what cannot be one."""
    bare = re.split(r"[:：(（]|\s[-–—]\s", text.strip())[0]
    bare = re.sub(r"(?i)^(?:and|the|its|以及|还有|和)\s+", "", bare.strip(" \"'“”‘’`*.。,，;；、")).strip()
    bare = re.sub(r"(?i)^(?:the|its)\s+", "", bare)
    is_long = len(bare) > (20 if re.search(r"[\u4e00-\u9fff]", bare) else 48)
    if re.match(r"返回|输出|以\s?json|用\s?json|并|不要|请|(?i:return|output|as json|in json)", bare):
        return ""
    return "" if not bare or is_long or _NO_FIELD.match(bare) or not any(map(str.isalnum, bare)) else bare
