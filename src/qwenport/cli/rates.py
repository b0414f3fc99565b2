"""`qwenport rates`: exchange rates, by which a price in another currency is converted."""

from __future__ import annotations

from cyclopts import App

from qwenport.cli.arguments import AsJson
from qwenport.cli.context import with_operator
from qwenport.cli.display import show_json, show_rows, show_table

rates = App(name="rates", help="List and set the exchange rates of prices.")

COLUMNS = ("base", "quote", "since", "rate", "source")


@rates.command(name="list")
def list_(*, json: AsJson = False) -> None:
    """List the exchange rates.

    Args:
        json: print JSON.
    """
    show_rows(with_operator(lambda client: client.get("/rates")), COLUMNS, "There is no exchange rate yet.", json=json)


@rates.command(name="set")
def set_(base: str, quote: str, rate: str, /, *, since: str, source: str = "", json: AsJson = False) -> None:
    """Set what one unit of a currency costs from a day on; postings of earlier days keep their rate.

    Args:
        base: the currency of which one unit is meant, as ISO 4217, such as USD.
        quote: the currency in which it is paid for, such as CNY.
        rate: how much of that it costs, as an exact decimal, such as 7.12.
        since: the first day on which this holds, as 2026-11-01.
        source: where the rate is from.
        json: print JSON.
    """
    body = {"base": base, "quote": quote, "rate": rate, "since": since, "source": source}
    made = with_operator(lambda client: client.put("/rates", body))
    show_json(made) if json else show_table([made], COLUMNS, "")
