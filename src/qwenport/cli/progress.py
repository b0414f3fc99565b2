"""A progress bar on standard error."""

from __future__ import annotations

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from qwenport.cli.context import ERRORS


class Bar:
    """Shows a transfer; without a terminal, one line a phase."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def begin(self, label: str, total_bytes: int | None) -> None:
        """Start a phase."""
        if not ERRORS.is_terminal:
            self.say(label)
            return
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=ERRORS
        )
        self._progress.start()
        self._task = self._progress.add_task(label, total=total_bytes)

    def advance(self, count_bytes: int) -> None:
        """Add to the phase."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count_bytes)

    def say(self, text: str) -> None:
        """Show a line."""
        ERRORS.print(text, markup=False)

    def end(self) -> None:
        """End the phase."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
