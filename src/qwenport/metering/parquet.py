"""Call history as a Parquet file; needs pyarrow, which is imported when it is used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import structs

from qwenport.metering.call_report import CallRow

_COUNTS = frozenset({"images", "pages", "status"})
_BOOLEANS = frozenset({"streams", "batch"})
_AMOUNTS = frozenset({"cost", "held", "refunded"})


class ParquetUnavailable(RuntimeError):
    """pyarrow is not installed; the words are for the operator."""


def write_parquet(batches: Iterable[Sequence[CallRow]], path: Path) -> int:
    """Write calls, one row group a batch, and return how many; a file that could not be finished is not left behind.

    Amounts are decimals of 9 places. Raises `ParquetUnavailable`, and `OSError` where the file cannot be written.
    """
    arrow, parquet = _pyarrow()
    schema = arrow.schema([(name, _type(arrow, name)) for name in CallRow.__struct_fields__])
    unfinished = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with parquet.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for rows in batches:
                writer.write_table(arrow.Table.from_pylist([_values(row) for row in rows], schema=schema))
                count += len(rows)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise ParquetUnavailable("Parquet needs pyarrow: `pip install pyarrow`, or export as CSV") from error


def _type(arrow: Any, name: str) -> Any:
    if name == "at":
        return arrow.timestamp("ms", tz="UTC")
    if name in _AMOUNTS:
        return arrow.decimal128(28, 9)
    if name in _BOOLEANS:
        return arrow.bool_()
    return arrow.int64() if name in _COUNTS or name.endswith(("_tokens", "_ms")) else arrow.string()


def _values(row: CallRow) -> dict[str, object]:
    values: dict[str, object] = structs.asdict(row)
    for name in _AMOUNTS:
        amount = values[name]
        values[name] = None if amount is None else Decimal(str(amount))
    return values
