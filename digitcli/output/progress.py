"""The progress of a long run, on stderr where that is a terminal."""

import time
from collections.abc import Generator, Iterable, Mapping
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text

from digitcli.inputs.discovery import Tally
from digitcli.prediction import Status

T = TypeVar("T")

_PATIENCE = 0.3  # seconds, after which the bar is shown; a shorter run shows none
_REFRESH = 0.1  # seconds


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


def show_progress(batches: Iterable[list[T]], tally: Tally, console: Console) -> Generator[list[T]]:
    """Yield batches of answers and show a bar on the console meanwhile, where it can be redrawn.

    It shows the count, the rate, and the time left once that is known.
    """
    if not console.is_interactive:
        yield from batches
        return
    # without a thread that refreshes the bar, as worker processes are forked meanwhile
    columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, auto_refresh=False)
    task = bar.add_task("", total=None)
    due = time.monotonic() + _PATIENCE
    try:
        for batch in batches:
            yield batch
            bar.update(task, advance=len(batch), total=None if tally.unexplored else tally.found)
            if time.monotonic() >= due:
                bar.start()
                bar.refresh()
                due = time.monotonic() + _REFRESH
    finally:
        bar.stop()


def summary(counts: Mapping[Status, int], seconds: float) -> str:
    """Return a line about a run: number of images, results, time and rate."""
    total = sum(counts.values())
    names = {
        Status.OK: "digit" if counts.get(Status.OK) == 1 else "digits",
        Status.UNSURE: "unsure",
        Status.NO_DIGIT: "without a digit",
        Status.ERROR: "failed",
    }
    results = ", ".join(f"{counts.get(status, 0):,} {name}" for status, name in names.items())
    return f"{total:,} in {seconds:.1f} s ({total / seconds:,.0f} a second): {results}"
