"""The command `qwenport`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App

from qwenport.app.refusal import StartRefused
from qwenport.catalog.errors import CatalogInvalid, PullFailed
from qwenport.cli.accounts import accounts
from qwenport.cli.chat import chat
from qwenport.cli.context import ERRORS, CommandFailed
from qwenport.cli.doctor import doctor
from qwenport.cli.keys import keys
from qwenport.cli.models import models
from qwenport.cli.serve import serve, worker
from qwenport.cli.usage import calls, ledger, usage
from qwenport.client.admin_client import AdminError
from qwenport.core.errors import StorageUnavailable
from qwenport.settings.settings import SettingInvalid

app = App(
    name="qwenport",
    help="A self-hosted Qwen platform.",
    version=version("qwenport"),
    result_action="return_int_as_exit_code_else_zero",
)
app.command(serve)
app.command(worker, show=False)
app.command(accounts)
app.command(keys)
app.command(models)
app.command(usage)
app.command(calls)
app.command(ledger)
app.command(chat)
app.command(doctor)

EXPECTED = (
    AdminError,
    CatalogInvalid,
    CommandFailed,
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
        ERRORS.print(f"qwenport: {error}", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    sys.exit(code)
