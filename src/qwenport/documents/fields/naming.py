"""What values are called that stand on a page without a key: in the language and the script of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from opencc import OpenCC

from qwenport.documents.fields.folding import is_chinese, is_kana, simplified
from qwenport.documents.fields.vocabulary import VOCABULARIES, Vocabulary

_LEAST_CHINESE = 0.2
"""Share of the letters from which on a page is Chinese: many print an English name under each of their keys."""
_MOST_KANA = 0.1
"""Share of the letters from which on it is Japanese, for which there are no names but the English ones."""
_TO_TRADITIONAL = OpenCC("s2t")
_NEUTRAL: Mapping[str, str] = {
    "address": "地址",
    "company": "公司名称",
    "customer": "客户名称",
    "hospital": "医疗机构",
    "phone": "电话",
    "supplier": "供应商",
}
"""Names that say no more than was found; what documents print in their place says which address or company it is."""


def names_for(texts: Iterable[str], vocabulary: Vocabulary) -> Mapping[str, str]:
    """Return names of a document's concepts for a page with these texts; those that are left out keep their own."""
    letters = [letter for text in texts for letter in text if letter.isalpha()]
    chinese = sum(map(is_chinese, letters))
    if chinese < _LEAST_CHINESE * len(letters) or not chinese or sum(map(is_kana, letters)) > _MOST_KANA * len(letters):
        return {}
    names = _chinese_names(vocabulary.document)
    if _is_traditional(letters):
        return {name: _TO_TRADITIONAL.convert(chinese_name) for name, chinese_name in names.items()}
    return names


@lru_cache(maxsize=64)
def _chinese_names(document: str) -> Mapping[str, str]:
    """Return the Chinese names of all concepts: those of this kind of document before those of others."""
    names: dict[str, str] = dict(_NEUTRAL)
    for vocabulary in sorted(VOCABULARIES, key=lambda each: each.document != document):
        for concept in vocabulary.concepts:
            if concept.chinese:
                names.setdefault(concept.name, concept.chinese)
    return names


def _is_traditional(letters: Iterable[str]) -> bool:
    """Tell whether more of the characters are of the Traditional script alone than of the Simplified one."""
    votes = 0
    for letter in letters:
        votes += (simplified(letter) != letter) - (_traditional(letter) != letter)
    return votes > 0


@lru_cache(maxsize=20_000)
def _traditional(character: str) -> str:
    return str(_TO_TRADITIONAL.convert(character))
