"""What ``evaluate`` measured, drawn for a terminal and written for machines."""

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from digitcli.datasets.labelled import LabelledImages
from digitcli.evaluation.metrics import TARGETS, DigitScore, Evaluation
from digitcli.output.confusion import draw_confusion
from digitcli.output.text import printable


def draw_scores(console: Console, evaluation: Evaluation, min_confidence: float) -> None:
    """Draw the figures, the table of digits and the confusion matrix."""
    for name, text in figures(evaluation, min_confidence):
        console.print(f"{name:<13}{text}")
    console.print()
    console.print(_digit_table(evaluation.digits()))
    console.print()
    draw_confusion(console, evaluation.confusion)


def figures(evaluation: Evaluation, min_confidence: float) -> list[tuple[str, str]]:
    """Say in a few words each what was measured over all pictures."""
    low, high = evaluation.interval()
    refused, error = evaluation.refusal.at(min_confidence)
    enough = [
        f"{evaluation.refusal.share_for(target):.2%} for ≤ {target:.2%}" for target in TARGETS
    ]
    return [
        ("accuracy", f"{evaluation.accuracy:.2%}  (95% interval {low:.2%} to {high:.2%})"),
        ("errors", f"{evaluation.errors:,} of {evaluation.count:,}"),
        ("loss", f"{evaluation.loss:.4f}"),
        (
            "calibration",
            f"{evaluation.calibration.error * 100:.2f} points expected error "
            f"({len(evaluation.calibration.bins)} bins)",
        ),
        (
            "unsure",
            f"{refused:.2%} below confidence {min_confidence:.2f}; "
            f"of the others {percent(error)} wrong",
        ),
        ("refusing", f"{', '.join(enough)} wrong"),
    ]


def draw_mistakes(
    console: Console,
    rows: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    pictures: LabelledImages,
) -> None:
    """List the given rows: which picture, its label, what was answered and how surely."""
    table = Table(title="worst mistakes", box=None, pad_edge=False)
    table.add_column("picture", overflow="fold")
    for column in ("true", "answer", "confidence"):
        table.add_column(column, justify="right")
    for row in rows:
        name = printable(pictures.paths[row]) if pictures.paths else f"#{row}"
        answer = int(probabilities[row].argmax())
        table.add_row(
            name, str(pictures.labels[row]), str(answer), f"{probabilities[row, answer]:.4f}"
        )
    console.print()
    console.print(table)


def scores_json(evaluation: Evaluation, min_confidence: float) -> str:
    """Give all that was measured as one JSON object; 0 of 0 is null."""
    refused, error = evaluation.refusal.at(min_confidence)
    content = {
        "count": evaluation.count,
        "errors": evaluation.errors,
        "accuracy": evaluation.accuracy,
        "accuracy_interval_95": list(evaluation.interval()),
        "loss": evaluation.loss,
        "calibration": {
            "expected_error": evaluation.calibration.error,
            "bins": [
                {
                    "low": b.low,
                    "high": b.high,
                    "count": b.count,
                    "confidence": _number(b.confidence),
                    "accuracy": _number(b.accuracy),
                }
                for b in evaluation.calibration.bins
            ],
        },
        "unsure": {"min_confidence": min_confidence, "refused": refused, "error": _number(error)},
        "refusal": [
            {"error": target, "refused": evaluation.refusal.share_for(target)} for target in TARGETS
        ],
        "digits": [
            {"digit": digit, **_numbers(score)} for digit, score in enumerate(evaluation.digits())
        ],
        "confusion": evaluation.confusion.tolist(),
    }
    return json.dumps(content, indent=2) + "\n"


def percent(share: float) -> str:
    """Write a share in [0, 1] as percent; NaN, 0 of 0, as a dash."""
    return "–" if math.isnan(share) else f"{share:.2%}"


def _digit_table(scores: list[DigitScore]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("digit", "precision", "recall", "F1", "pictures"):
        table.add_column(column, justify="right")
    for digit, score in enumerate(scores):
        table.add_row(
            str(digit),
            *(percent(share) for share in (score.precision, score.recall, score.f1)),
            str(score.support),
        )
    return table


def _number(share: float) -> float | None:
    return None if math.isnan(share) else share


def _numbers(score: DigitScore) -> dict[str, Any]:
    shares = {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    return {name: _number(share) for name, share in shares.items()} | {"support": score.support}
