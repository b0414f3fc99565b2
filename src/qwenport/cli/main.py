"""The command `qwenport`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from cyclopts import App, CycloptsError

from qwenport.app.refusal import StartRefused
from qwenport.catalog.errors import CatalogInvalid, PullFailed
from qwenport.cli import account_money, account_terms, export, model_price
from qwenport.cli.accounts import accounts
from qwenport.cli.audit import audit
from qwenport.cli.call import call
from qwenport.cli.calls import calls
from qwenport.cli.chat import chat
from qwenport.cli.context import CommandFailed
from qwenport.cli.database import db
from qwenport.cli.display import ERRORS
from qwenport.cli.doctor import doctor
from qwenport.cli.engine import engine
from qwenport.cli.house import maintenance, reload, retention, status
from qwenport.cli.keys import keys
from qwenport.cli.ledger import ledger
from qwenport.cli.limits import levels, limits
from qwenport.cli.members import members
from qwenport.cli.models import models
from qwenport.cli.ocr import ocr
from qwenport.cli.ocr_bench import bench
from qwenport.cli.rates import rates
from qwenport.cli.serve import serve, worker
from qwenport.cli.upstreams import upstreams
from qwenport.cli.usage import usage
from qwenport.cli.workspaces import workspaces
from qwenport.client.admin_client import AdminError
from qwenport.core.errors import StorageUnavailable
from qwenport.core.printable import printable
from qwenport.metering.parquet import ParquetUnavailable
from qwenport.settings.settings import SettingInvalid
from qwenport.storage.backup_file import BackupRefused

app = App(
    name="qwenport",
    help="A self-hosted Qwen platform.",
    version=version("qwenport"),
    result_action="return_int_as_exit_code_else_zero",
    exit_on_error=False,
    print_error=False,
)
app.command(serve)
app.command(worker, show=False)
for group in (
    accounts,
    workspaces,
    members,
    keys,
    limits,
    levels,
    rates,
    models,
    engine,
    upstreams,
    calls,
    ledger,
    db,
    bench,
):
    app.command(group)
for command in (usage, audit, status, reload, maintenance, retention, chat, call, ocr, doctor):
    app.command(command)

CONTRIBUTING = (account_money, account_terms, export, model_price)
"""Modules that add commands to the groups of others."""

SENTENCE_END = re.compile(r"(?<!\.)\.\s*$")

EXPECTED = (
    AdminError,
    BackupRefused,
    CatalogInvalid,
    CommandFailed,
    ParquetUnavailable,
    PullFailed,
    SettingInvalid,
    StartRefused,
    StorageUnavailable,
)
"""Errors whose message is all that a user needs."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error is one line on standard error and exit code 1.

    Args:
        arguments: the words after `qwenport`; those of this process where they are left out.
    """
    try:
        code = app(sys.argv[1:] if arguments is None else arguments)
    except EXPECTED as error:
        refuse(str(error))
    except CycloptsError as error:
        command = " ".join(("qwenport", *(error.command_chain or ())))
        refuse(f"{SENTENCE_END.sub('', str(error))}; see `{command} --help`")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    sys.exit(code)


def refuse(words: str) -> NoReturn:
    """End with one line on standard error, without what would break it or move the cursor."""
    ERRORS.print(f"qwenport: {printable(' '.join(words.split()))}", markup=False)
    sys.exit(1)
