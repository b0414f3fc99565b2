"""How a value is written: as printed, unless the field's description asks for another form."""

# ruff: noqa: RUF001 - full-width marks, dashes and quotes are what documents print

from __future__ import annotations

import re

from qwenport.documents.fields.dates import read_date
from qwenport.documents.fields.kinds import Kind
from qwenport.documents.fields.numbers import plain_number

_DATE_FORM = re.compile(r"(?i)\b(YYYY([-/.年]?)MM[-/.月]?DD日?|DD([-/.])MM[-/.]YYYY|MM([-/.])DD[-/.]YYYY)(?![A-Za-z])")
_NUMBER_ONLY = re.compile(
    r"只要数字|仅数字|只保留数字|纯数字|不含(?:货币)?(?:符号|单位)|不带(?:符号|单位)|"
    r"(?i:numbers? only|digits? only|numeric only|without (?:the )?(?:currency|unit))"
)
_SQUARED = re.compile(r"(?<=\d)\s?[cdkm]?m[23](?!\d)")
"""A unit of areas or volumes, whose figure is none of the value's."""
_RUN_ON = re.compile(r"([/.-]\d{1,2}[/.-](?:\d{4}|\d{2}))(\d{2}:\d{2})")
_AS_MOMENTS = frozenset({Kind.DATE, Kind.DATETIME, Kind.MOMENT, Kind.PERIOD})


def as_asked(text: str, kind: Kind, description: str) -> str:
    """Return a value in the form that a description asks for, or as printed where it asks for none."""
    asked = _DATE_FORM.search(description) if description else None
    if asked and kind in _AS_MOMENTS:
        return _date_as(text, asked.group(1)) or text
    if description and _NUMBER_ONLY.search(description):
        return plain_number(_SQUARED.sub("", text)) or text
    return _tidy(text, kind)


def _tidy(text: str, kind: Kind) -> str:
    """Mend the spaces that reading loses or adds: between date and time, before a hyphen or a check digit."""
    if kind in _AS_MOMENTS:
        return _RUN_ON.sub(r"\1 \2", text)
    if kind is Kind.TAX:
        return text.replace(" ", "")
    if kind is Kind.PERSON:
        return re.sub(r"\s+(?=[(（])", "", text)
    if kind in {Kind.CODE, Kind.DIGITS}:
        return re.sub(r"(?<=\w)\s+(?=-\w)|(?<=\w-)\s+(?=\w)", "", text) if text.count(" ") == 1 else text
    return text


def _date_as(text: str, form: str) -> str:
    """Write a date in a form such as `YYYY-MM-DD`; empty where the date is not certain."""
    parts = read_date(text)
    if parts is None:
        return ""
    year, month, day = parts
    written = re.sub(r"(?i)yyyy", f"{year:04d}", form)
    return re.sub(r"(?i)dd", f"{day:02d}", re.sub(r"(?i)mm", f"{month:02d}", written))
