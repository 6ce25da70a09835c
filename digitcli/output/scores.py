"""What ``evaluate`` measured, drawn for a terminal and written for machines."""

import csv
import io
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from digitcli.datasets.labelled import LabelledImages
from digitcli.evaluation.metrics import DigitScore, Evaluation
from digitcli.output.text import printable


def draw_scores(console: Console, evaluation: Evaluation) -> None:
    """Draw loss, accuracy, the table of digits and the confusion matrix."""
    low, high = evaluation.interval()
    console.print(f"accuracy  {evaluation.accuracy:.2%}  (95 % interval {low:.2%} to {high:.2%})")
    console.print(f"errors    {evaluation.errors:,} of {evaluation.count:,}")
    console.print(f"loss      {evaluation.loss:.4f}")
    console.print()
    console.print(_digit_table(evaluation.digits()))
    console.print()
    console.print(confusion_table(evaluation))


def confusion_table(evaluation: Evaluation) -> Table:
    """Lay out the confusion matrix: a row for each true label, a column for each answer, totals at the edges.

    The diagonal is muted and nought a dot, so mistakes stand out; without colour the diagonal stands in brackets.
    """
    confusion = evaluation.confusion
    table = Table(title="confusion matrix", caption="rows: true label   columns: answer", box=None, pad_edge=False)
    table.add_column("true", justify="right")
    for digit in range(len(confusion)):
        table.add_column(str(digit), justify="right")
    table.add_column("total", justify="right")
    for label, row in enumerate(confusion):
        cells = [_cell(int(count), diagonal=label == answer) for answer, count in enumerate(row)]
        table.add_row(str(label), *cells, str(row.sum()))
    table.add_row("total", *(str(total) for total in confusion.sum(axis=0)), str(evaluation.count), style="dim")
    return table


def draw_mistakes(
    console: Console, rows: NDArray[np.int64], probabilities: NDArray[np.float32], pictures: LabelledImages
) -> None:
    """List the given rows: which picture, its label, what was answered and how surely."""
    table = Table(title="worst mistakes", box=None, pad_edge=False)
    table.add_column("picture", overflow="fold")
    for column in ("true", "answer", "confidence"):
        table.add_column(column, justify="right")
    for row in rows:
        name = printable(pictures.paths[row]) if pictures.paths else f"#{row}"
        answer = int(probabilities[row].argmax())
        table.add_row(name, str(pictures.labels[row]), str(answer), f"{probabilities[row, answer]:.4f}")
    console.print()
    console.print(table)


def scores_json(evaluation: Evaluation) -> str:
    """Give all that was measured as one JSON object; 0 of 0 is null."""
    low, high = evaluation.interval()
    content = {
        "count": evaluation.count,
        "errors": evaluation.errors,
        "accuracy": evaluation.accuracy,
        "accuracy_interval_95": [low, high],
        "loss": evaluation.loss,
        "digits": [{"digit": digit, **_numbers(score)} for digit, score in enumerate(evaluation.digits())],
        "confusion": evaluation.confusion.tolist(),
    }
    return json.dumps(content, indent=2) + "\n"


def confusion_csv(evaluation: Evaluation) -> str:
    """Give the confusion matrix as CSV, a row for each true label."""
    text = io.StringIO()
    writer = csv.writer(text)
    digits = range(len(evaluation.confusion))
    writer.writerow(["true\\answer", *digits])
    writer.writerows([label, *row] for label, row in zip(digits, evaluation.confusion.tolist(), strict=True))
    return text.getvalue()


def _digit_table(scores: list[DigitScore]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("digit", "precision", "recall", "F1", "pictures"):
        table.add_column(column, justify="right")
    for digit, score in enumerate(scores):
        table.add_row(
            str(digit), *(_percent(share) for share in (score.precision, score.recall, score.f1)), str(score.support)
        )
    return table


def _cell(count: int, *, diagonal: bool) -> Text:
    if diagonal:
        return Text(f"[{count}]", style="dim")
    return Text(str(count), style="bold red") if count else Text("·", style="dim")


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.2%}"


def _numbers(score: DigitScore) -> dict[str, Any]:
    shares = {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    return {name: None if math.isnan(share) else share for name, share in shares.items()} | {"support": score.support}
