"""The pages on money say what the code does: roles, units, windows, refusals, parts of a price, ledger accounts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from qwenport.accounts.roles import GRANTS, Permission, Role
from qwenport.app.configured_limits import configured_limits
from qwenport.app.operators_catalog import load_catalog
from qwenport.catalog.catalog import Catalog
from qwenport.core.caller import AccountKind, AccountState
from qwenport.core.ids import LimitId
from qwenport.core.limits import Limit, Mode, Unit, Window
from qwenport.core.usage import Usage
from qwenport.gate.charges import counters_of
from qwenport.gate.counters import refusal_of
from qwenport.metering.ledger_accounts import ADJUSTMENTS, PAYMENTS, REVENUE
from qwenport.metering.price_book import PriceBook
from qwenport.metering.price_lines import PriceQuestion, price_lines
from qwenport.metering.pricing import Part
from qwenport.settings.configuration_file import BooksTable
from qwenport.settings.settings import load_settings

Fences = Callable[[Path, str], list[str]]
Rows = Callable[[Path], list[list[str]]]

CODE = re.compile(r"`([^`]+)`")
LINE = re.compile(r"^(\w[\w ]*?)  +([\d,]+)  ([\d.]+)  +([\d,]+)  ([\d.]+) +([\d.]+) *$", re.MULTILINE)

pytestmark = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture
def page(language: str, root: Path) -> Callable[[str], Path]:
    """Give a page of the language by its name."""
    return lambda name: root / "docs" / language / f"{name}.md"


Page = Callable[[str], Path]


def first_codes(table: list[list[str]]) -> set[str]:
    return {name for row in table for name in CODE.findall(row[0])}


def test_the_table_of_roles_is_the_one_that_is_enforced(page: Page, rows: Rows) -> None:
    columns = len(Role) + 1
    head, *table = [row for row in rows(page("accounts")) if len(row) == columns and not row[0].startswith("---")]
    said = {
        Role(role): {
            name
            for row in table
            if row[column]
            for name in CODE.findall(row[0])
            if name in Permission.__members__.values()
        }
        for column, role in enumerate(head[1:], 1)
    }

    assert said == {role: set(allowed) for role, allowed in GRANTS.items()}
    assert first_codes(table) == set(Permission)


def test_every_kind_and_state_of_an_account_has_its_row(page: Page, rows: Rows) -> None:
    assert first_codes(rows(page("accounts"))) >= {*AccountKind, *AccountState}


def test_every_unit_window_mode_and_field_of_a_limit_is_explained(page: Page, rows: Rows) -> None:
    table = rows(page("limits"))
    fields = set(Limit.__struct_fields__) - {"id"}

    assert first_codes(table) >= {*Unit, *Window, *fields}
    assert {code for row in table for code in CODE.findall(row[1])} >= set(Mode)


def test_each_refusal_of_a_limit_is_the_one_that_the_page_names(page: Page, rows: Rows) -> None:
    said = [CODE.findall(row[1])[0] for row in rows(page("limits")) if row[1].startswith("429 ")]
    by_minute, at_once, money = (
        counters_of(Limit(id=LimitId("lim-1"), unit=unit, window=window, cap=1, burst_ms=burst_ms), "")
        for unit, window, burst_ms in (
            (Unit.REQUESTS, Window.MINUTE, 1000),
            (Unit.REQUESTS, Window.AT_ONCE, None),
            (Unit.MONEY, Window.DAY, None),
        )
    )
    bounds = [*by_minute, *at_once, *money]

    assert said == [refusal_of(bound, 1).code for bound in bounds]
    assert [bound.rank for bound in bounds] == sorted(bound.rank for bound in bounds)


def test_the_limits_of_the_example_are_taken(page: Page, fences: Fences, tmp_path: Path) -> None:
    (text,) = fences(page("limits"), "toml")
    (tmp_path / "qwenport.toml").write_text(text, "utf-8")
    settings = load_settings({"QWENPORT_CONFIG": str(tmp_path / "qwenport.toml")}, tmp_path)

    assert [(each.unit, each.window, each.mode) for each in configured_limits(settings)] == [
        (Unit.REQUESTS, Window.MINUTE, Mode.ENFORCE),
        (Unit.MONEY, Window.DAY, Mode.SHADOW),
    ]


def test_the_route_of_the_example_costs_nothing(page: Page, fences: Fences, tmp_path: Path) -> None:
    (text,) = fences(page("prices"), "toml")
    (tmp_path / "qwenport.toml").write_text(text, "utf-8")
    catalog = load_catalog(load_settings({"QWENPORT_DATA_DIR": str(tmp_path)}, tmp_path))

    assert [name for name, card in catalog.cards.items() if card.costs_nothing] == ["qwen-turbo"]


def test_the_retention_of_the_example_is_taken(page: Page, fences: Fences, tmp_path: Path) -> None:
    (text,) = fences(page("books"), "toml")
    (tmp_path / "qwenport.toml").write_text(text, "utf-8")
    settings = load_settings({"QWENPORT_CONFIG": str(tmp_path / "qwenport.toml")}, tmp_path)

    assert settings.file.books == BooksTable(keep_months=24, keep_audit_months=36)


def test_every_part_of_a_price_has_its_row(page: Page, rows: Rows) -> None:
    assert first_codes(rows(page("prices"))) >= set(Part)


def test_the_price_that_is_explained_line_by_line_is_the_one_that_is_billed(page: Page, fences: Fences) -> None:
    example = fences(page("prices"), "console")[0]
    explained = price_lines(
        PriceBook(Catalog.load().cards),
        PriceQuestion(
            card=Catalog.load().cards["qwen-plus"],
            usage=Usage(input_tokens=150_000, output_tokens=2_000, cached_tokens=50_000, reasoning_tokens=1_500),
            currency="CNY",
            on=date(2026, 11, 22),
        ),
    )
    lines = [
        (what, int(tokens.replace(",", "")), price, int(per.replace(",", "")), factor, amount)
        for what, tokens, price, per, factor, amount in LINE.findall(example)
    ]

    assert lines == [
        (each.what, each.tokens, each.price, each.per_tokens, each.factor, each.amount) for each in explained.lines
    ]
    assert f"\ncost: {explained.cost}\n" in example
    assert sum(Decimal(line[-1]) for line in lines) == Decimal(explained.cost or "0")


def test_the_ledger_accounts_are_those_of_the_ledger(page: Page, rows: Rows) -> None:
    named = {code for row in rows(page("books")) for cell in row[1:] for code in CODE.findall(cell)}

    assert {code for code in named if re.fullmatch(r"\w+:\w+", code)} == {
        "customer:ID",
        REVENUE,
        PAYMENTS,
        ADJUSTMENTS,
    }
