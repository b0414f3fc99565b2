"""Why addresses of receipts are wrong: other rows were chosen, or characters were read otherwise than typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from rapidfuzz.distance import Levenshtein

from qwenport.documents.page import Page
from qwenport.documents.receipts.addresses import address_blocks
from qwenport.documents.receipts.reading import read_receipt
from qwenport.documents.receipts.sheet import compact, sheet_of
from qwenport.documents.receipts.weights import Weights
from qwenport.evaluation.case import Case
from qwenport.evaluation.metrics.values import means_same

_FEW = 3


class Fault(StrEnum):
    """What is wrong with one address."""

    NONE = "right"
    ROWS = "other rows"
    """The address can be had from rows of the page; others were chosen, or none."""
    ACCENTS = "accents alone"
    """What was given is the address but for accents above or below its letters."""
    ONE_CHARACTER = "one character"
    """No rows of the page say the address; those that come nearest miss it by so much."""
    FEW_CHARACTERS = "two or three characters"
    MORE = "more characters"


def count_faults(cases: Sequence[Case], pages: Mapping[str, Page], weights: Weights) -> Counter[Fault]:
    """Return how many of the receipts that have a page have which fault."""
    return Counter(_fault(case, pages[case.name], weights) for case in cases if case.name in pages)


def _fault(case: Case, page: Page, weights: Weights) -> Fault:
    blocks = [block.text for block in address_blocks(sheet_of(page))]
    return fault_of(case.fields["address"], read_receipt(page, weights).address.text, blocks)


def fault_of(truth: str, given: str, blocks: Sequence[str]) -> Fault:
    """Return what is wrong with an address.

    Args:
        truth: as typed by people.
        given: empty where none was found.
        blocks: what stands in any rows of the page that follow each other.
    """
    if means_same(given, truth):
        return Fault.NONE
    if any(means_same(block, truth) for block in blocks):
        return Fault.ROWS
    wanted = compact(truth)
    if compact(given) == wanted:
        return Fault.ACCENTS
    away = min((Levenshtein.distance(compact(block), wanted) for block in blocks), default=len(wanted))
    if away > _FEW:
        return Fault.MORE
    return Fault.ONE_CHARACTER if away <= 1 else Fault.FEW_CHARACTERS
