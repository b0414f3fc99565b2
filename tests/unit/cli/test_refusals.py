"""What cannot be understood is one line with the fix, exit code 1, and nothing is sent."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import AdminApi, Run

KINDS = ("account", "workspace", "member", "key", "limit")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "../accounts", "a/b", "a?b", "a b", "é", "x" * 201])
def test_an_id_cannot_lead_to_another_address(run: Run, api: AdminApi, kind: str, text: str) -> None:
    command = {"workspace": ("workspaces", "rename", text, "n"), "member": ("members", "disable", text)}
    code, out, err = run(*command.get(kind, (f"{kind}s", "show", text)))

    assert (code, out, api.sent) == (1, "", [])
    assert err == f"qwenport: `{text}` is no {kind} id; see `qwenport {kind}s list`\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("calls show a%", "`a%` is no call id; see `qwenport calls`"),
        ("keys create --expires tomorrow", "the expiry is `tomorrow`; write it as ISO 8601 with a time zone"),
        ("keys create --expires 2030-01-01", "the expiry `2030-01-01` names no time zone"),
        ("keys create --hours 8-20", "`--hours` is `8-20`; write it like `08:00-20:00`"),
        ("keys create --timezone UTC", "`--timezone` and `--weekdays` go with `--hours`"),
        ("keys create --hours 08:00-20:00 --weekdays 0", "`--weekdays` is `0`; write numbers from 1 for Monday to 7"),
        ("keys create --rotate-after 90", "`--rotate-after` is `90`; write a number of days and d, such as `90d`"),
        ("keys create --keep-days 3", "`--keep-days` goes with `--keep-bodies`"),
        ("keys create --rpm -1", "--rpm"),
        ("keys create --rpm 1.5", "`1.5` is no whole number from 0 to 4611686018427387904"),
        ("keys rotate key-1 --overlap soon", "the overlap is `soon`; write a number and s, m, h or d, such as `24h`"),
        ("keys change key-1", "name what is to change"),
        ("keys change key-1 --ip 10.0.0.1 --clear ip", "`ip_ranges` cannot be set and cleared at once"),
        ("keys revoke", "give the text on standard input: `qwenport keys revoke --stdin < FILE`"),
        ("accounts activate acc-1", "name what is meant with `--model` or `--region`"),
        ("accounts free-tier-only acc-1 maybe", '"on", "off"'),
        ("accounts free-quota acc-1 --tokens -1", "--tokens"),
        ("accounts free-quota acc-1 --tokens 1 --days 0", "--days"),
        ("accounts create --email a@b.c --kind free", "prepaid"),
        ("accounts create", "--email"),
        ("accounts statement acc-1 --month 2026-13", "`--month` is `2026-13`; write it like `2026-11`"),
        ("accounts entries acc-1 --since yesterday", "`--since` is `yesterday`; write it as ISO 8601"),
        ("usage --until 2026-02-30", "`--until` is `2026-02-30`; write it as ISO 8601"),
        ("usage --by week", "--by"),
        ("usage --top 0", "--top"),
        ("usage --top 1e3", "`1e3` is no whole number from 1 to 1000"),
        ("calls --limit 0", "--limit"),
        ("calls --limit 1001", "--limit"),
        ("calls --status 99", "--status"),
        ("members change mem-1", "name what is to change, such as `--name`"),
        ("members add acc-1 --email a@b.c --role king", '"viewer"'),
        ("limits change lim-1", "name what is to change, such as `--cap`"),
        ("limits change lim-1 --burst-ms 5 --no-burst", "`--burst-ms` and `--no-burst` exclude each other"),
        ("limits create --unit bytes --window day --cap 1", "--unit"),
        ("limits apply-published", "name either an account with `--account` or a level with `--level`"),
        ("limits apply-published --account a --level b", "name either an account"),
        ("levels delete ..", "there is no level `..`; see `qwenport levels list`"),
        ("models price a/b", "there is no model `a/b`; see `qwenport models list`"),
        ("models price m --tokens 5", "`--tokens` is `5`; write input and output tokens, such as `1000,500`"),
        ("models price m --tokens 1,-5", "`--tokens` is `1,-5`"),
        ("models price m --tokens 1,2 --input-tokens 3", "use one of them"),
        ("models price m --on 1.1.2026", "`--on` is `1.1.2026`; write a day like `2026-11-01`"),
        ("maintenance off --words x", "`--words` goes with `qwenport maintenance on`"),
        ("maintenance maybe", '"on", "off"'),
        ("retention --keep-months 0 --yes", "--keep-months"),
        ("ledger reconcile none.csv --upstream u", "none.csv cannot be read: No such file or directory"),
        ("calls export --out .", ". is a folder; name a file"),
        ("calls export --out none/calls.csv", "none/calls.csv cannot be written: No such file or directory"),
        ("calls export --out calls.csv --format xlsx", "--format"),
        ("accounts close acc-1", "say `--yes` if you want it"),
        ("workspaces delete ws-1", "say `--yes` if you want it"),
        ("members remove mem-1", "say `--yes` if you want it"),
        ("retention --keep-months 1", "say `--yes` if you want it"),
        ("nonsense", "nonsense"),
        ("keys list --nonsense", "see `qwenport keys list --help`"),
    ],
)
def test_what_cannot_be_understood_is_one_line_and_sends_nothing(
    run: Run, api: AdminApi, arguments: str, words: str
) -> None:
    code, out, err = run(*arguments.split())

    assert (code, out, api.sent) == (1, "", [])
    assert err.startswith("qwenport: ")
    assert words in err
    assert err.count("\n") == 1


def test_a_refusal_of_the_admin_api_is_one_line(run: Run, api: AdminApi) -> None:
    api.refuse(409, "two\nlines\x1b[31m [red]and markup[/red]")

    assert run("keys", "list") == (1, "", "qwenport: two lines?[31m [red]and markup[/red]\n")


def test_words_of_others_are_shown_as_they_are_and_cannot_move_the_cursor(run: Run, api: AdminApi) -> None:
    api.answer([{"name": "[red]50%[/red]\x1b[2J\u202e", "description": "你好", "created_at": "2026-11-22T13:48:38Z"}])
    code, out, _ = run("levels", "list")

    assert code == 0
    assert re.split(r"  +", out.splitlines()[1]) == ["[red]50%[/red]?[2J?", "你好", "2026-11-22 13:48:38"]


class Terminal(io.StringIO):
    """Standard input as a person has it."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


@pytest.mark.parametrize(("typed", "sent"), [("y\n", 1), ("yes\n", 1), ("n\n", 0), ("\n", 0)])
def test_a_person_is_asked_before_what_cannot_be_undone(
    run: Run, api: AdminApi, monkeypatch: pytest.MonkeyPatch, typed: str, sent: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    code, _, err = run("accounts", "close", "acc-1", "--json")

    assert (code, len(api.sent)) == (1 - sent, sent)
    assert err.startswith("closing the account acc-1 cannot be undone. Go on? [y/N] ")
    assert ("nothing was changed" in err) == (not sent)
