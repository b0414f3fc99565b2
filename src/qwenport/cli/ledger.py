"""`qwenport ledger`: whether the books balance, and what puts them right."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from qwenport.cli.arguments import AsJson, given, identified, separated
from qwenport.cli.context import CommandFailed, with_operator
from qwenport.cli.display import say, show_json, show_table, show_whole

ledger = App(name="ledger", help="Check the books, refund and correct, compare with an upstream's export.")

TOTALS = ("account_id", "currency", "requests", "unpriced_requests", "cost")
LARGEST_EXPORT_BYTES = 64 << 20


@ledger.command
def check(*, json: AsJson = False) -> int:
    """Check that call history, ledger and usage agree; the exit code is 0 when the books balance.

    Args:
        json: print JSON.
    """
    found = with_operator(lambda client: client.get("/ledger/check"))
    if json:
        show_json(found)
    else:
        say("The books balance." if found["balanced"] else "The books do NOT balance:")
        for difference in found["differences"]:
            say(f"  {difference}")
        say(
            f"{found['calls']:,} calls, {found['open_holds']} open holds ({found['stale_holds']} stale), "
            f"{found['unposted']} unposted"
        )
        show_table(found["totals"], TOTALS, "")
    return 0 if found["balanced"] else 1


@ledger.command
def refund(request_id: str, /, *, amount: str | None = None, note: str = "", json: AsJson = False) -> None:
    """Give back what a call cost; never more than it did, earlier refunds counted.

    Args:
        request_id: the call's request id.
        amount: how much, such as 0.50; all that was not given back yet where it is left out.
        note: what stands beside it in the books.
        json: print JSON.
    """
    body = given(request_id=identified("call", request_id), amount=amount, note=note)
    show_whole(with_operator(lambda client: client.post("/ledger/refund", body)), json=json)


@ledger.command
def correct(request_id: str, /, *, cost: str, note: str = "", json: AsJson = False) -> None:
    """Say what a call ought to have cost; the difference is moved by a new entry.

    Args:
        request_id: the call's request id.
        cost: what it ought to have cost, such as 0.50; 0 for nothing.
        note: why.
        json: print JSON.
    """
    body = {"request_id": identified("call", request_id), "cost": cost, "note": note}
    show_whole(with_operator(lambda client: client.post("/ledger/correct", body)), json=json)


@ledger.command
def reconcile(
    file: Path,
    /,
    *,
    upstream: str,
    columns: str = "",
    currency: str | None = None,
    tolerance: str | None = None,
    timezone: str | None = None,
    json: AsJson = False,
) -> int:
    """Compare the books with an upstream's usage export, and list what differs; the exit code is 0 when nothing does.

    Args:
        file: the export, as CSV in UTF-8 or GB18030.
        upstream: the engine or upstream whose calls it bills: the first part of their `served_by`.
        columns: headings that are not known by themselves, such as "day=Booked on,model=Product".
        currency: of its amounts, where it has no column for it.
        tolerance: by how much amounts may differ, such as 0.01.
        timezone: in which its days are meant, such as Asia/Shanghai; the server's where it is left out.
        json: print JSON.
    """
    content = read_export(file)
    query = {"upstream": upstream, "currency": currency, "tolerance": tolerance, "timezone": timezone}
    query |= {"columns": ",".join(separated(columns)) or None}
    found = with_operator(lambda client: client.post_csv("/ledger/reconcile", content, query))
    show_whole(found, json=json)
    return 1 if found["differing"] or found["bad"] else 0


def read_export(file: Path) -> bytes:
    """Return a file.

    Raises:
        CommandFailed: it cannot be read, or is larger than the server takes.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_EXPORT_BYTES + 1)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_EXPORT_BYTES:
        raise CommandFailed(f"{file} is larger than {LARGEST_EXPORT_BYTES >> 20} MiB; split it by day")
    return content
