"""Progress bars on standard error."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)

from qwenport.cli.display import ERRORS


class _Phases:
    """One bar after another; without a terminal, one line a phase."""

    def __init__(self, *columns: ProgressColumn, console: Console = ERRORS) -> None:
        self._columns = columns
        self._console = console
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def _begin(self, label: str, total: int | None) -> None:
        if not self._console.is_terminal:
            self.say(label)
            return
        # What is printed below the bar goes above it; what is printed into a file or a pipe goes there.
        is_shown = sys.stdout.isatty()
        columns = (TextColumn("{task.description}"), BarColumn(), *self._columns)
        self._progress = Progress(*columns, console=self._console, redirect_stdout=is_shown)
        self._progress.start()
        self._task = self._progress.add_task(label, total=total)

    def _advance(self, count: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)

    def _grow(self, count: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=(self._progress.tasks[0].total or 0) + count)

    def say(self, text: str) -> None:
        """Show a line."""
        self._console.print(text, markup=False)

    def end(self) -> None:
        """End the phase."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class Bar(_Phases):
    """Shows a transfer."""

    def __init__(self) -> None:
        super().__init__(DownloadColumn(), TransferSpeedColumn())

    def begin(self, label: str, total_bytes: int | None) -> None:
        """Start a phase; None where its length is not known beforehand."""
        self._begin(label, total_bytes)

    def advance(self, count_bytes: int) -> None:
        """Add to the phase."""
        self._advance(count_bytes)


class RowBar(_Phases):
    """Shows how many rows are written, or pages read."""

    def __init__(self, console: Console = ERRORS) -> None:
        """Show it on standard error, or elsewhere."""
        super().__init__(MofNCompleteColumn(), console=console)

    def begin(self, label: str, total_rows: int | None) -> None:
        """Start a phase; None where its length is not known beforehand."""
        self._begin(label, total_rows)

    def grow(self, count_rows: int) -> None:
        """Make the phase longer than it was believed to be."""
        self._grow(count_rows)

    def advance(self, count_rows: int) -> None:
        """Add to the phase."""
        self._advance(count_rows)


class TableBar(_Phases):
    """Shows the tables of a database one after another, on a terminal alone."""

    def __init__(self) -> None:
        super().__init__(MofNCompleteColumn())
        self._table = ""
        self._rows = 0

    def __call__(self, table: str, rows: int) -> None:
        """Show how many rows of a table are done."""
        if not self._console.is_terminal:
            return
        if table != self._table:
            self.end()
            self._begin(table, None)
            self._table, self._rows = table, 0
        self._advance(rows - self._rows)
        self._rows = rows

    def close(self) -> None:
        """End the last table."""
        self.end()
