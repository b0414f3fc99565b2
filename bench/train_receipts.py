"""Trains the weights by which lines of shop receipts are chosen, and measures them on receipts it never saw.

    python -m bench.train_receipts DIR                     # measure on boxes of people, no OCR
    python -m bench.train_receipts DIR --pages CACHE       # measure on pages that `qwenport bench ocr --cache` keeps
    python -m bench.train_receipts DIR --write FILE        # train on all but the 50 held-out receipts, and store
    python -m bench.train_receipts DIR --names             # print which receipts are measured from OCR, for `--only`
    python -m bench.train_receipts DIR --faults            # count why addresses of unseen shops are wrong; with --pages

DIR is a folder of SROIE. Training sees the places of lines, character classes and whether general words such as TOTAL
or LTD occur; no text of a receipt comes into the weights.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from rapidfuzz import fuzz

from bench.address_faults import Fault, count_faults
from qwenport.documents.page import Page
from qwenport.documents.receipts.addresses import address_blocks
from qwenport.documents.receipts.companies import company_candidates
from qwenport.documents.receipts.purchase_dates import date_candidates
from qwenport.documents.receipts.reading import read_receipt
from qwenport.documents.receipts.sheet import compact, sheet_of
from qwenport.documents.receipts.totals import total_candidates
from qwenport.documents.receipts.weights import Features, Weights
from qwenport.evaluation.case import Case
from qwenport.evaluation.metrics.fields import all_counts, count_fields
from qwenport.evaluation.metrics.intervals import bootstrap
from qwenport.evaluation.metrics.values import is_same, means_same
from qwenport.evaluation.page_cache import PageCache
from qwenport.evaluation.reader_name import reader_name
from qwenport.evaluation.sroie import FIELDS, page_of_boxes, sroie_cases
from qwenport.settings.configuration_file import OcrTable

HELD_OUT = 50
HELD_OUT_SEED = 2026
SHOP_SEEDS = (5, 11)
SHOP_SHARE = 0.2
STRENGTH = 0.3
"""Of the pull of every weight towards what is believed beforehand (L2)."""
STEPS = 150
LEAST_ALIKE = 88.0
"""Of 100, how like the truth an address is that teaches: people who drew boxes and wrote fields mistyped some."""
SHOP_DAMPING = 0.7
"""0 for receipts that count alike, 1 for shops that do: a shop of sixty receipts must not teach its own layout."""

BEFOREHAND: dict[str, dict[str, float]] = {
    "company": {
        "has_end": 1.5, "mark_trade": 1.0, "mark_heading": -1.0, "mark_contact": -2.0, "mark_buyer": -2.0,
        "below_buyer": -2.0, "mark_person": -2.0, "mark_registration": -2.0, "has_date": -2.0, "has_colon": -1.0,
        "address_street": -1.5, "mostly_digits": -2.0, "row": -4.0, "is_large": 0.5, "is_rest": -2.0,
        "first_heading": -1.0, "second_is_rest": 2.0, "joined": -2.0, "second_has_end": 1.0,
    },
    "date": {
        "key_date": 1.0, "key_due": -2.0, "has_time": 0.5, "is_first": 0.5, "is_this_century": 1.0, "form_digits": -2.0,
    },
    "address": {
        "bias": -2.0, "has_street": 3.0, "has_area": 1.0, "has_unit": 1.5, "has_postcode": 2.0, "has_region": 2.0,
        "has_label": 1.0, "ends_address": -3.0, "past_end": -2.0, "has_end": -2.0, "has_amount": -2.0,
        "has_date": -2.0, "mark_heading": -1.0, "mark_buyer": -2.0, "mark_contact": -2.0, "is_registration": -2.0,
        "before_has_street": -1.0, "before_has_unit": -1.0, "before_ends_with_comma": -1.0,
        "last_ends_with_comma": -1.0,
        "after_has_region": -1.0, "after_has_postcode": -1.0, "has_town": 1.0, "postcodes": -2.0,
        "without_postcode": -0.5,
    },
    "total": {
        "key_total": 2.0, "key_grand": 1.0, "key_after": 1.0, "key_sub": -2.0, "key_without_tax": -1.0, "key_tax": -1.5,
        "key_with_tax": 1.0, "key_rounding": -1.0, "key_paid": -2.0, "key_change": -3.0, "key_saving": -2.0,
        "key_count": -1.5, "key_summary": -2.0, "in_summary": -2.0, "is_zero": -2.0, "lacks_cents": -2.0,
        "is_largest_unpaid": 1.0, "is_settled": 2.0, "is_summed": 0.5,
    },
}  # fmt: skip
"""What anybody would say without having seen a receipt; training pulls the weights towards it rather than towards 0."""

Vector = np.ndarray[Any, np.dtype[np.float64]]
Group = tuple[Sequence[Features], Sequence[bool], float]
"""Candidates of one receipt, which of them are right, and how much the receipt counts."""


class Example(Struct, frozen=True, kw_only=True):
    """A receipt with the page that its boxes make."""

    case: Case
    page: Page


def held_out(names: Sequence[str]) -> list[str]:
    """Return the 50 receipts that training never sees: drawn from the sorted names with the seed 2026."""
    return random.Random(HELD_OUT_SEED).sample(sorted(names), HELD_OUT)


def held_out_shops(cases: Sequence[Case], seed: int) -> set[str]:
    """Return a fifth of all shops, as `shop_of` names them."""
    shops = sorted({shop_of(case) for case in cases})
    return set(random.Random(seed).sample(shops, round(len(shops) * SHOP_SHARE)))


def receipts_of_unseen_shops(cases: Sequence[Case], seed: int) -> list[Case]:
    """Return all receipts of the held-out shops."""
    shops = held_out_shops(cases, seed)
    return [case for case in cases if shop_of(case) in shops]


def shop_of(case: Case) -> str:
    """Return the letters and digits of the company."""
    return re.sub(r"[^A-Z0-9]", "", case.fields["company"].upper())


def train(examples: Iterable[Example]) -> Weights:
    """Fit all four sets of weights."""
    seen = list(examples)
    receipts = Counter(shop_of(example.case) for example in seen)
    kinds: dict[str, list[Group]] = {name: [] for name in FIELDS}
    for example in seen:
        for name, (features, marks) in groups_of(example).items():
            kinds[name].append((features, marks, receipts[shop_of(example.case)] ** -SHOP_DAMPING))
    return Weights(
        company=fit_choice(kinds["company"], BEFOREHAND["company"]),
        date=fit_choice(kinds["date"], BEFOREHAND["date"]),
        address=fit_choice(kinds["address"], BEFOREHAND["address"]),
        total=fit_choice(kinds["total"], BEFOREHAND["total"]),
    )


def groups_of(example: Example) -> dict[str, tuple[Sequence[Features], Sequence[bool]]]:
    """Return the candidates of each field and which are right, seen from the fields of the truth."""
    sheet, truth = sheet_of(example.page), example.case.fields
    companies, dates, totals = company_candidates(sheet), date_candidates(sheet), total_candidates(sheet)
    blocks = address_blocks(sheet)
    return {
        "company": ([c.features for c in companies], [means_same(c.text, truth["company"]) for c in companies]),
        "date": ([c.features for c in dates], [means_same(c.text, truth["date"]) for c in dates]),
        "total": ([c.features for c in totals], [_is_total(c.amount.text, truth["total"]) for c in totals]),
        "address": ([b.features for b in blocks], _nearest([b.text for b in blocks], truth["address"])),
    }


def _nearest(texts: Sequence[str], truth: str) -> list[bool]:
    """Mark the texts that are most like the truth, which need not stand on the page letter by letter."""
    wanted = compact(truth)
    alike = [fuzz.ratio(compact(text), wanted) for text in texts]
    most = max(alike, default=0.0)
    return [each == most and each >= LEAST_ALIKE for each in alike]


def _is_total(text: str, truth: str) -> bool:
    return means_same(text, truth)


def fit_choice(groups: Sequence[Group], beforehand: Mapping[str, float]) -> dict[str, float]:
    """Fit a choice of one among the candidates of each receipt (conditional logistic regression).

    Where several candidates are right, the one that is likeliest so far counts most.
    """
    usable = [group for group in groups if any(group[1]) and not all(group[1])]
    names, tables = _tables([features for features, _, _ in usable], beforehand)
    pull = np.array([beforehand.get(name, 0.0) for name in names])
    bend = STRENGTH * np.eye(len(names))
    for table, (_, _, counts) in zip(tables, usable, strict=True):
        centred = table - table.mean(axis=0)
        bend += 0.5 * counts * (centred.T @ centred)

    def slope(weights: Vector) -> Vector:
        whole = STRENGTH * (pull - weights)
        for table, (_, marks, counts) in zip(tables, usable, strict=True):
            chance = _softmax(table @ weights)
            aim = np.where(np.array(marks, bool), chance, 0.0)
            whole += counts * (table.T @ (aim / max(float(aim.sum()), 1e-12) - chance))
        return whole

    return _climb(names, pull, slope, bend)


def _climb(names: Sequence[str], start: Vector, slope: Callable[[Vector], Vector], bend: Vector) -> dict[str, float]:
    """Climb to the top by steps that never overshoot, as `bend` is the steepest that the slope can bend (Böhning)."""
    weights = start.copy()
    inverse = np.linalg.inv(bend)
    for _ in range(STEPS):
        step = inverse @ slope(weights)
        weights += step
        if float(np.abs(step).max()) < 1e-3:
            break
    return {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True) if abs(weight) >= 5e-4}


def _tables(groups: Sequence[Sequence[Features]], beforehand: Mapping[str, float]) -> tuple[list[str], list[Vector]]:
    names = sorted({name for group in groups for features in group for name in features} | beforehand.keys())
    return names, [np.array([[features.get(name, 0.0) for name in names] for features in group]) for group in groups]


def _softmax(scores: Vector) -> Vector:
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def answer_of(page: Page, weights: Weights) -> dict[str, str]:
    """Return the four fields as texts."""
    receipt = read_receipt(page, weights)
    return {name: getattr(receipt, name).text for name in FIELDS}


def show(label: str, cases: Sequence[Case], pages: Mapping[str, Page], weights: Weights) -> None:
    """Print how many fields are right, and the interval of the whole."""
    measured = [case for case in cases if case.name in pages]
    answers = [answer_of(pages[case.name], weights) for case in measured]
    pairs = list(zip(measured, answers, strict=True))
    strict = [count_fields(case.fields, answer, is_same) for case, answer in pairs]
    loose = [count_fields(case.fields, answer, means_same) for case, answer in pairs]
    by_field = " ".join(
        f"{name} {sum(means_same(case.fields[name], answer[name]) for case, answer in pairs) / len(pairs):.2f}"
        for name in FIELDS
    )
    figure = bootstrap(loose, lambda counts: all_counts(counts).f1)
    print(
        f"{label:38} n {len(pairs):3}  strict F1 {all_counts(strict).f1:.3f}  normalised F1 {figure.figure:.3f} "
        f"[{figure.low:.3f}, {figure.high:.3f}]  {by_field}"
    )


def main() -> None:
    """Train and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of SROIE")
    parser.add_argument("--pages", type=Path, help="folder of recognised pages")
    parser.add_argument("--names", action="store_true", help="print the names of what is measured from OCR")
    parser.add_argument("--write", type=Path, help="where the weights go")
    parser.add_argument("--faults", action="store_true", help="count why addresses are wrong, and measure nothing else")
    options = parser.parse_args()
    examples = [Example(case=case, page=page_of_boxes(case)) for case in sroie_cases(options.data)]
    kept = set(held_out([example.case.name for example in examples]))
    if options.names:
        cases = [example.case for example in examples]
        drawn = [case.name for seed in SHOP_SEEDS for case in receipts_of_unseen_shops(cases, seed)]
        print("\n".join(dict.fromkeys((*sorted(kept), *drawn))))
        return
    cache = None if options.pages is None else PageCache(options.pages, reader_name(OcrTable()))
    if options.faults:
        show_faults(examples, cache)
        return
    weights = train(example for example in examples if example.case.name not in kept)
    if options.write:
        options.write.write_bytes(msgspec.json.format(msgspec.json.encode(weights, order="sorted")) + b"\n")
    measure(examples, weights, kept, cache)


def measure(examples: Sequence[Example], weights: Weights, kept: set[str], cache: PageCache | None) -> None:
    """Print the figures of the held-out receipts and of shops that training did not see."""
    untrained = Weights(**BEFOREHAND)
    boxes = {example.case.name: example.page for example in examples}
    held = [example.case for example in examples if example.case.name in kept]
    show("held-out, boxes", held, boxes, weights)
    if cache is not None:
        show("held-out, OCR", held, cache.pages_of(held), weights)
        show("held-out, OCR, untrained", held, cache.pages_of(held), untrained)
    for seed in SHOP_SEEDS:
        unseen, fitted = split(examples, seed)
        show(f"unseen shops, seed {seed}, boxes", unseen, boxes, fitted)
        if cache is not None:
            show(f"unseen shops, seed {seed}, OCR", unseen, cache.pages_of(unseen), fitted)
            show(f"unseen shops, seed {seed}, OCR, untrained", unseen, cache.pages_of(unseen), untrained)


def split(examples: Sequence[Example], seed: int) -> tuple[list[Case], Weights]:
    """Return the receipts of the held-out shops, and weights that were trained on all others."""
    unseen = receipts_of_unseen_shops([example.case for example in examples], seed)
    names = {case.name for case in unseen}
    return unseen, train(example for example in examples if example.case.name not in names)


def show_faults(examples: Sequence[Example], cache: PageCache | None) -> None:
    """Print how many addresses of unseen shops are wrong in which way."""
    boxes = {example.case.name: example.page for example in examples}
    for seed in SHOP_SEEDS:
        unseen, fitted = split(examples, seed)
        for source, pages in (("boxes", boxes), ("OCR", {} if cache is None else cache.pages_of(unseen))):
            counts = count_faults(unseen, pages, fitted)
            if counts:
                print(f"unseen shops, seed {seed}, {source}: {', '.join(f'{counts[f]} {f}' for f in Fault)}")


if __name__ == "__main__":
    main()
