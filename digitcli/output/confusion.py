"""The confusion matrix: drawn for a terminal, written for machines, and as a picture."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from digitcli.atomic import write_bytes

Confusion = NDArray[np.int64]  # [i, j] counts pictures of label i answered j, shape (10, 10)


def draw_confusion(console: Console, confusion: Confusion) -> None:
    """Draw a row for each true label, a column for each answer, and the totals.

    Nought is a dot, the diagonal is muted and mistakes are starred, so they stand out with and
    without colour. Where the terminal is too narrow, large counts are shortened to three digits,
    and the caption says so.
    """
    exact = _table(confusion, str)
    if (
        console.is_terminal
        and console.measure(exact, options=console.options.update(max_width=10_000)).maximum
        > console.width
    ):
        short = _table(confusion, shortened, gap=1)
        short.caption = "* mistakes   k thousands, M millions, G billions; exact: --format csv"
        console.print(short, crop=False)
    else:
        console.print(exact, crop=False)


def shortened(count: int) -> str:
    """Write a count in at most four characters: exactly below 10,000, else rounded, as 12k."""
    if count < 10_000:
        return str(count)
    rest, unit = count / 1e3, "k"
    if rest >= 999.5:
        rest, unit = count / 1e6, "M"
    if rest >= 999.5:
        rest, unit = count / 1e9, "G"
    return f"{rest:.1f}{unit}" if rest < 9.95 else f"{rest:.0f}{unit}"


def confusion_csv(confusion: Confusion) -> str:
    """Give the matrix as CSV, a row for each true label."""
    text = io.StringIO()
    writer = csv.writer(text)
    digits = range(len(confusion))
    writer.writerow(["true\\answer", *digits])
    writer.writerows([label, *row] for label, row in zip(digits, confusion.tolist(), strict=True))
    return text.getvalue()


def confusion_json(confusion: Confusion) -> str:
    """Return the matrix as JSON: ``confusion[i][j]`` counts images of label i predicted as j."""
    return json.dumps({"confusion": confusion.tolist()}) + "\n"


def _picture(kind: str) -> Callable[[Confusion], bytes]:
    def draw(confusion: Confusion) -> bytes:
        from digitcli.output import plots

        return plots.rendered(plots.confusion_matrix(confusion), kind)

    return draw


WRITERS: dict[str, Callable[[Confusion], bytes]] = {
    ".csv": lambda confusion: confusion_csv(confusion).encode(),
    ".json": lambda confusion: confusion_json(confusion).encode(),
    ".svg": _picture("svg"),
    ".png": _picture("png"),
}


def write_confusion(path: Path, confusion: Confusion) -> None:
    """Write the matrix into a file, as what its ending says: one of ``WRITERS``.

    Raises:
        OutputError: the file cannot be written.

    """
    write_bytes(path, WRITERS[path.suffix.lower()](confusion))


def _table(confusion: Confusion, written: Callable[[int], str], gap: int = 2) -> Table:
    rows = [
        [_cell(count, written, diagonal=label == answer) for answer, count in enumerate(row)]
        for label, row in enumerate(confusion.tolist())
    ]
    answered = [Text(written(total)) for total in confusion.sum(axis=0).tolist()]
    widest = max(len(cell) for row in [*rows, answered] for cell in row)
    table = Table(
        title="confusion matrix",
        title_justify="left",
        caption="* mistakes",
        caption_justify="left",
        box=None,
    )
    table.padding, table.pad_edge = (0, gap, 0, 0), False
    # columns that keep their width: rather wider than the terminal than a number cut
    table.add_column("answer →\ntrue ↓", min_width=8)
    for digit in range(len(confusion)):
        table.add_column(str(digit), justify="right", vertical="bottom", min_width=widest)
    table.add_column("total", justify="right", vertical="bottom", min_width=max(5, widest + 1))
    for label, row in enumerate(rows):
        table.add_row(str(label), *row, written(int(confusion[label].sum())))
    table.add_row("total", *answered, written(int(confusion.sum())), style="dim")
    return table


def _cell(count: int, written: Callable[[int], str], *, diagonal: bool) -> Text:
    if diagonal:
        return Text(written(count), style="dim")
    return Text("*" + written(count), style="bold red") if count else Text("·", style="dim")
