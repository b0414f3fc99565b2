"""`--help` of every command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qwenport.cli.main import app


def commands() -> Iterator[tuple[str, ...]]:
    """Yield every command that users see."""
    for group in app:
        if group.startswith("-") or not app[group].show:
            continue
        below = [name for name in app[group] if not name.startswith("-")]
        yield from ((group, name) for name in below) if below else ((group,),)


WORDS = tuple(commands())


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_describes_a_command_and_each_of_its_options(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    app([*words, "--help"], result_action="return_value")
    printed = capsys.readouterr().out
    command = app
    for word in words:
        command = command[word]
    arguments = command.assemble_argument_collection(parse_docstring=True)
    inherited = {argument.parameter.help for argument in arguments if argument.children} | {None, ""}
    undescribed = [each.name for each in arguments if not each.children and each.parameter.help in inherited]

    assert printed.startswith(f"Usage: qwenport {' '.join(words)}")
    assert len(printed.splitlines()[2]) > 10
    assert undescribed == []


def test_there_are_commands_of_commands() -> None:
    assert {("serve",), ("calls", "list"), ("accounts", "free-quota"), ("limits", "apply-published")} <= set(WORDS)
    assert ("worker",) not in WORDS
