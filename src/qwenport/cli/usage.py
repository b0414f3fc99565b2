"""`qwenport usage`."""

from __future__ import annotations

from typing import Annotated, Literal

from qwenport.cli.arguments import ALWAYS, AsCsv, AsJson, Period, whole
from qwenport.cli.context import with_operator
from qwenport.cli.display import show_csv, show_json, show_table

By = Literal["hour", "day", "month", "key", "model", "account", "route", "day,key", "day,model", "key,model"]
Top = Annotated[int, whole(1, 1_000)]

COLUMNS = {"key": "key_id", "account": "account_id", "route": "served_by"}
"""Of what is summed by, where they are not called like it."""

SUMS = (
    *("requests", "unpriced_requests", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"),
    *("image_tokens", "images", "pages", "cost", "currency"),
)


def usage(
    *,
    account: str | None = None,
    workspace: str | None = None,
    key: str | None = None,
    model: str | None = None,
    served_by: str | None = None,
    period: Period = ALWAYS,
    by: By = "day",
    top: Top | None = None,
    order: Literal["cost", "tokens", "requests"] = "cost",
    timezone: str | None = None,
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """Show what was used and what it cost.

    Args:
        account: only the account with this id.
        workspace: only the workspace with this id.
        key: only the key with this id.
        model: only this model.
        served_by: only this engine and model that answered, such as llama/smollm2-135m-instruct.
        by: what the sums are for; `route` is the engine and model that answered.
        top: only so many sums, the greatest first.
        order: what the greatest have most of.
        timezone: whose hours, days and months are meant, such as Asia/Shanghai; the server's where it is left out.
        csv: print CSV.
        period: from when until when.
        json: print JSON.
    """
    names = {"account": account, "workspace": workspace, "key": key, "model": model, "served_by": served_by}
    filters = names | period.query()
    query = {**filters, "by": by, "top": top, "order": None if top is None else order, "timezone": timezone}
    rows = with_operator(lambda client: client.get("/usage", query))
    columns = (*(COLUMNS.get(name, name) for name in by.split(",")), *SUMS)
    if json:
        show_json(rows)
    elif csv:
        show_csv(rows, columns)
    else:
        for row in rows:
            if row["unpriced_requests"] == row["requests"]:
                row["cost"] = None
        show_table(rows, columns, "No usage matches." if any(filters.values()) else "Nothing was used yet.")
