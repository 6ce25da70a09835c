"""The confusion matrix for a terminal, for programs, and as a plot."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from digitcli.atomic import write_bytes
from digitcli.datasets.labelled import DIGITS

# As in `Evaluation`: [i, j] counts the images of label i answered j. An eleventh column is for no
# answer, an eleventh row for images labelled as no digit.
Confusion = NDArray[np.int64]
NO_ANSWER = "none"
_NOT_A_DIGIT = "x"


def row_names(confusion: Confusion) -> list[str]:
    """Return the name of each label."""
    return [*map(str, range(DIGITS)), _NOT_A_DIGIT][: len(confusion)]


def column_names(confusion: Confusion) -> list[str]:
    """Return the name of each answer."""
    return [*map(str, range(DIGITS)), NO_ANSWER][: confusion.shape[1]]


def is_mistake(label: int, answer: int) -> bool:
    """Return whether a cell of the matrix counts wrong answers."""
    return answer < DIGITS and label != answer


_FIVE_DIGITS = 10_000  # counts from here on are shortened
_UNLIMITED = 10_000  # columns


def draw_confusion(console: Console, confusion: Confusion) -> None:
    """Draw a row for each label, a column for each answer, and the totals.

    Zero is a dot, the diagonal is muted and mistakes are starred, so that they stand out with and
    without colour. Where the terminal is too narrow, large counts are shortened to three digits,
    and the caption says so.
    """
    exact = _table(confusion, str)
    unlimited = console.options.update(max_width=_UNLIMITED)
    width = console.measure(exact, options=unlimited).maximum
    if console.is_terminal and width > console.width:
        short = _table(confusion, shorten_count, gap=1)
        if int(confusion.sum()) >= _FIVE_DIGITS:
            short.caption = "* mistakes   k thousands, M millions, G billions; exact: --format csv"
        console.print(short, crop=False)
    else:
        console.print(exact, crop=False)


def shorten_count(count: int) -> str:
    """Return a count in at most four characters: exactly below 10,000, else rounded, as 12k."""
    if count < _FIVE_DIGITS:
        return str(count)
    number, unit = count / 1e3, "k"
    if number >= 999.5:
        number, unit = count / 1e6, "M"
    if number >= 999.5:
        number, unit = count / 1e9, "G"
    return f"{number:.1f}{unit}" if number < 9.95 else f"{number:.0f}{unit}"


def confusion_csv(confusion: Confusion) -> str:
    """Return the matrix as CSV, a row for each label."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["true\\answer", *column_names(confusion)])
    names = row_names(confusion)
    writer.writerows([label, *row] for label, row in zip(names, confusion.tolist(), strict=True))
    return text.getvalue()


def confusion_fields(confusion: Confusion) -> dict[str, Any]:
    """Return the matrix as fields of a JSON object.

    ``confusion[i][j]`` counts the images of label i answered j. For image files ``no_answer[i]``
    counts those of label i without an answer. Where images are labelled as no digit,
    ``not_a_digit`` counts these by their answer, and those without one last.
    """
    fields: dict[str, Any] = {"confusion": confusion[:DIGITS, :DIGITS].tolist()}
    if confusion.shape[1] > DIGITS:
        fields["no_answer"] = confusion[:DIGITS, DIGITS].tolist()
    if len(confusion) > DIGITS:
        fields["not_a_digit"] = confusion[DIGITS].tolist()
    return fields


def _plot_as(kind: str) -> Callable[[Confusion], bytes]:
    def draw(confusion: Confusion) -> bytes:
        from digitcli.output import plots

        figure = plots.draw_confusion_matrix(
            confusion, row_names(confusion), column_names(confusion)
        )
        return plots.render_file(figure, kind)

    return draw


WRITERS: dict[str, Callable[[Confusion], bytes]] = {
    ".csv": lambda confusion: confusion_csv(confusion).encode(),
    ".json": lambda confusion: (json.dumps(confusion_fields(confusion)) + "\n").encode(),
    ".svg": _plot_as("svg"),
    ".png": _plot_as("png"),
}


def write_confusion(path: Path, confusion: Confusion) -> None:
    """Write the matrix to a file in the format of its ending, one of ``WRITERS``.

    Raises:
        OutputError: the file cannot be written.

    """
    write_bytes(path, WRITERS[path.suffix.lower()](confusion))


def _table(confusion: Confusion, format_count: Callable[[int], str], gap: int = 2) -> Table:
    rows = [
        [_cell(count, format_count, label, answer) for answer, count in enumerate(row)]
        for label, row in enumerate(confusion.tolist())
    ]
    answered = [Text(format_count(total)) for total in confusion.sum(axis=0).tolist()]
    widest = max(len(cell) for row in [*rows, answered] for cell in row)
    table = Table(
        title="confusion matrix",
        title_justify="left",
        caption="* mistakes",
        caption_justify="left",
        box=None,
    )
    table.padding, table.pad_edge = (0, gap, 0, 0), False
    # with least widths: a table wider than the terminal is better than numbers that are cut
    table.add_column("answer →\ntrue ↓", min_width=8)
    for name in column_names(confusion):
        width = max(widest, len(name))
        table.add_column(name, justify="right", vertical="bottom", min_width=width)
    table.add_column("total", justify="right", vertical="bottom", min_width=max(5, widest + 1))
    for label, (name, row) in enumerate(zip(row_names(confusion), rows, strict=True)):
        table.add_row(name, *row, format_count(int(confusion[label].sum())))
    table.add_row("total", *answered, format_count(int(confusion.sum())), style="dim")
    return table


def _cell(count: int, format_count: Callable[[int], str], label: int, answer: int) -> Text:
    if label == answer:
        return Text(format_count(count), style="dim")
    if count == 0:
        return Text("·", style="dim")
    if is_mistake(label, answer):
        return Text("*" + format_count(count), style="bold red")
    return Text(format_count(count))
