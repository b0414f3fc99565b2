"""Rules that every module of the house keeps."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import qwenport

SOURCE = Path(qwenport.__file__).parent
PROJECT = SOURCE.parent.parent
MODULES = {path.relative_to(SOURCE).as_posix(): path.read_text("utf-8") for path in sorted(SOURCE.rglob("*.py"))}
TREES = {name: ast.parse(text) for name, text in MODULES.items()}

BROAD = {"server/endpoint.py": 1, "app/background.py": 1}
"""Where any error may be caught, how often: what was met there ends in the log and nowhere else."""

CLOCKS = {
    "core/clock.py",
    "core/ids.py",
    "server/request_record.py",
    "storage/sqlite_server.py",
    "testing/postgres.py",
    "testing/valkey.py",
}
"""Where time is read: the clock itself, ids that begin with it, durations in log lines, deadlines of servers."""

READS_TIME = {("time", name) for name in ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns")} | {
    ("datetime", name) for name in ("now", "today", "utcnow")
}


def nodes(kind: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for name, tree in TREES.items():
        yield from ((name, node) for node in ast.walk(tree) if isinstance(node, kind))


def counts(names: list[str]) -> dict[str, int]:
    return {name: names.count(name) for name in names}


def is_broad(handler: ast.AST) -> bool:
    """Tell whether a handler catches any error and does not pass it on."""
    assert isinstance(handler, ast.ExceptHandler)
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = {kind.id if isinstance(kind, ast.Name) else None if kind else "BaseException" for kind in kinds}
    if "Exception" in caught:
        return True
    passes_on = any(isinstance(node, ast.Raise) and node.exc is None for node in handler.body)
    return "BaseException" in caught and not passes_on


def test_any_error_is_caught_only_where_a_request_or_a_background_task_ends() -> None:
    found = [name for name, handler in nodes(ast.ExceptHandler) if is_broad(handler)]

    assert counts(found) == BROAD


@pytest.mark.parametrize("name", MODULES)
def test_a_module_holds_one_idea(name: str) -> None:
    assert len(MODULES[name].splitlines()) <= 400


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is(name: str) -> None:
    assert ast.get_docstring(TREES[name])


def test_time_is_read_through_the_clock() -> None:
    found = {
        name
        for name, node in nodes(ast.Attribute)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in READS_TIME
    }

    assert found <= CLOCKS


def test_only_the_command_line_prints() -> None:
    found = {
        name
        for name, node in nodes(ast.Call)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }

    assert {name for name in found if not name.startswith("cli/")} == set()


def test_no_task_is_made_that_nobody_keeps() -> None:
    found = [
        name
        for name, node in nodes(ast.Expr)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in {"create_task", "ensure_future"}
        # A task group keeps its own.
        and not (isinstance(node.value.func.value, ast.Name) and node.value.func.value.id == "group")
    ]

    assert found == []


def test_the_layers_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run(
        [command, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=100
    )

    assert ended.returncode == 0, ended.stdout
