"""What fields of documents are called, as it is written down in the tables of this package.

A line of a table reads `name kind: key | key ;; asked | asked`. Keys are what documents print and callers ask for;
after `;;` stand names that callers use and documents do not. `buyer>key` is a key that counts in the part of the page
about the buyer. Keys are compared folded (see `folding`), so one spelling of each is enough.
"""

from __future__ import annotations

import re
from itertools import product

from msgspec import Struct

from qwenport.documents.fields.folding import fold, has_chinese
from qwenport.documents.fields.kinds import Kind


class Key(Struct, frozen=True):
    """A folded name, and the part of the page in which it counts."""

    text: str
    section: str = ""


class Concept(Struct, frozen=True, kw_only=True):
    """One field of a kind of document, under all its names."""

    name: str
    kind: Kind
    keys: tuple[Key, ...]
    """What is printed, the most telling first."""
    asked: frozenset[str]
    """What callers may call it, the printed keys among them."""
    chinese: str
    """Its usual Chinese name, Simplified; empty where the table has none."""
    document: str


class Vocabulary(Struct, frozen=True, kw_only=True):
    """The fields of one kind of document."""

    document: str
    markers: tuple[str, ...]
    """Folded words which tell that a page is of this kind."""
    concepts: tuple[Concept, ...]


_ALIKE = (
    ("number", "no", "num", "nr"),
    ("telephone", "phone", "tel"),
    ("amount", "amt"),
    ("quantity", "qty"),
    ("address", "addr", "add"),
    ("invoice", "inv"),
    ("reference", "ref"),
    ("account", "acct", "a/c", "ac"),
    ("registration", "reg"),
    ("licence", "license", "lic"),
    ("identity", "id", "identification"),
    ("purchase order", "po", "p.o."),
    ("description", "desc"),
    ("date of birth", "dob", "birth date", "birthday", "birthdate"),
    ("organisation", "organization"),
    ("company", "co"),
    ("department", "dept"),
)
_ENDINGS = (("号码", "编号", "号", "No", "序号"), ("电话", "电话号码", "联系电话"), ("名称", "名"))


def vocabulary(document: str, markers: str, table: str) -> Vocabulary:
    """Read a table."""
    concepts = tuple(_concept(line, document) for line in table.strip().splitlines() if line.strip())
    return Vocabulary(document=document, markers=tuple(fold(each) for each in markers.split("|")), concepts=concepts)


def _concept(line: str, document: str) -> Concept:
    head, _, names = line.partition(":")
    name, kind = head.split()
    printed, _, asked = names.partition(";;")
    keys: dict[Key, None] = {}
    for each in printed.split("|"):
        section, _, key = each.strip().rpartition(">")
        for spelling in (*spellings(key.strip()), *_without_number(key.strip())):
            keys.setdefault(Key(spelling, section))
    calls = {spelling for each in asked.split("|") for spelling in spellings(each.strip())}
    calls |= {spelling for each in printed.split("|") if ">" not in each for spelling in spellings(each.strip())} | {
        fold(name)
    }
    chinese = next((key for key in map(str.strip, printed.split("|")) if has_chinese(key) and ">" not in key), "")
    return Concept(
        name=name, kind=Kind(kind), keys=tuple(keys), asked=frozenset(calls), chinese=chinese, document=document
    )


def spellings(key: str) -> tuple[str, ...]:
    """Return the folded ways of writing a key: `no` for `number`, `号` for `号码`, and so on; its own way first."""
    if not key:
        return ()
    return _chinese_spellings(key) if has_chinese(key) else _latin_spellings(key)


def _chinese_spellings(key: str) -> tuple[str, ...]:
    own = fold(key)
    found = {own: None}
    for endings in _ENDINGS[:1]:
        ending = next((each for each in endings if own.endswith(fold(each))), "")
        stem = own[: len(own) - len(ending)]
        if ending and len(stem) >= 2:
            found |= {stem + fold(each): None for each in endings}
    for one, other in (("合同", "合约"), ("合约", "合同"), ("采购", "订购"), ("账户", "户口")):
        found |= {each.replace(one, other): None for each in tuple(found) if one in each}
    return tuple(found)


def _latin_spellings(key: str) -> tuple[str, ...]:
    tokens = [token for token in re.split(r"[\s_.]+", key.lower()) if token]
    choices = [_alike(token) if len(tokens) > 1 else (token,) for token in tokens]
    whole = next((alike for alike in _ALIKE if key.lower() in alike), None)
    found = {fold(key): None}
    for choice in product(*choices):
        spelt = fold("".join(choice))
        if len(spelt) >= 2:
            found[spelt] = None
        if len(found) >= 24:
            break
    found |= {fold(each): None for each in whole or () if len(fold(each)) >= 2}
    if len(tokens) > 1:
        found[fold("".join((*tokens[:-1], _other_number(tokens[-1]))))] = None
    return tuple(found)


def _other_number(noun: str) -> str:
    """Return the plural of a singular, and the singular of a plural: `activity` and `activities`."""
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    if noun.endswith("ss"):
        return noun
    return noun[:-1] if noun.endswith("s") else noun + "s"


def _without_number(key: str) -> tuple[str, ...]:
    """Return what is left of `tracking number` where a document prints `Tracking` alone."""
    tokens = key.lower().split()
    ends = len(tokens) > 1 and tokens[-1] in {*_ALIKE[0], "#"}
    return (fold(" ".join(tokens[:-1])),) if ends and len(fold(tokens[0])) > 3 else ()


def _alike(token: str) -> tuple[str, ...]:
    alike = next((each for each in _ALIKE if token in each), (token,))
    return (token, *(each for each in alike if each != token))
