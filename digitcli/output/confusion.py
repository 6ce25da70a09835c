"""The confusion matrix: drawn for a terminal, written for machines, and as a picture."""

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

# As in `Evaluation`: [i, j] counts images of label i answered j. An eleventh column is for no
# answer, an eleventh row for images labelled as no digit.
Confusion = NDArray[np.int64]
NO_ANSWER = "none"
_NOT_A_DIGIT = "x"


def row_names(confusion: Confusion) -> list[str]:
    """Return what to call each label."""
    return [*map(str, range(DIGITS)), _NOT_A_DIGIT][: len(confusion)]


def column_names(confusion: Confusion) -> list[str]:
    """Return what to call each answer."""
    return [*map(str, range(DIGITS)), NO_ANSWER][: confusion.shape[1]]


def is_mistake(label: int, answer: int) -> bool:
    """Return whether a cell of the matrix counts wrong answers."""
    return answer < DIGITS and label != answer


_LONGEST_EXACT = 10_000  # from here on a count has more than four digits


def draw_confusion(console: Console, confusion: Confusion) -> None:
    """Draw a row for each true label, a column for each answer, and the totals.

    Zero is a dot, the diagonal is muted and mistakes are starred, so they stand out with and
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
        if int(confusion.sum()) >= _LONGEST_EXACT:
            short.caption = "* mistakes   k thousands, M millions, G billions; exact: --format csv"
        console.print(short, crop=False)
    else:
        console.print(exact, crop=False)


def shortened(count: int) -> str:
    """Write a count in at most four characters: exactly below 10,000, else rounded, as 12k."""
    if count < _LONGEST_EXACT:
        return str(count)
    rest, unit = count / 1e3, "k"
    if rest >= 999.5:
        rest, unit = count / 1e6, "M"
    if rest >= 999.5:
        rest, unit = count / 1e9, "G"
    return f"{rest:.1f}{unit}" if rest < 9.95 else f"{rest:.0f}{unit}"


def confusion_csv(confusion: Confusion) -> str:
    """Return the matrix as CSV, a row for each true label."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["true\\answer", *column_names(confusion)])
    names = row_names(confusion)
    writer.writerows([label, *row] for label, row in zip(names, confusion.tolist(), strict=True))
    return text.getvalue()


def confusion_fields(confusion: Confusion) -> dict[str, Any]:
    """Return the matrix as fields of a JSON object.

    ``confusion[i][j]`` counts images of label i answered j. Of image files ``no_answer[i]`` counts
    those of label i without an answer, and where images are labelled as no digit, ``not_a_digit``
    counts these by their answer, the last one for none.
    """
    fields: dict[str, Any] = {"confusion": confusion[:DIGITS, :DIGITS].tolist()}
    if confusion.shape[1] > DIGITS:
        fields["no_answer"] = confusion[:DIGITS, DIGITS].tolist()
    if len(confusion) > DIGITS:
        fields["not_a_digit"] = confusion[DIGITS].tolist()
    return fields


def _picture(kind: str) -> Callable[[Confusion], bytes]:
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
        [_cell(count, written, label, answer) for answer, count in enumerate(row)]
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
    for name in column_names(confusion):
        width = max(widest, len(name))
        table.add_column(name, justify="right", vertical="bottom", min_width=width)
    table.add_column("total", justify="right", vertical="bottom", min_width=max(5, widest + 1))
    for label, (name, row) in enumerate(zip(row_names(confusion), rows, strict=True)):
        table.add_row(name, *row, written(int(confusion[label].sum())))
    table.add_row("total", *answered, written(int(confusion.sum())), style="dim")
    return table


def _cell(count: int, written: Callable[[int], str], label: int, answer: int) -> Text:
    if label == answer:
        return Text(written(count), style="dim")
    if count == 0:
        return Text("·", style="dim")
    if is_mistake(label, answer):
        return Text("*" + written(count), style="bold red")
    return Text(written(count))
