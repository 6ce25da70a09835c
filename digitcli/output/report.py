"""``evaluate --report``: all that was measured as one page for people."""

import datetime
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli._version import __version__
from digitcli.atomic import write_bytes
from digitcli.evaluation.answers import Answers, Outcome
from digitcli.output import plots
from digitcli.output.confusion import column_names, is_mistake, row_names
from digitcli.output.html import page, picture_uri
from digitcli.output.model_card import card_facts
from digitcli.output.scores import (
    Scores,
    answer_name,
    comparison_in_words,
    figures,
    label_name,
    operating_points,
    percent,
    side_by_side,
)
from digitcli.output.text import printable
from digitcli.prediction import Status
from digitcli.weights_folder import WeightsFolder

GALLERY = 100  # mistakes shown: 100 take about 400 KB, and nobody looks at more
DIFFERENCES = 30  # images shown that only one of two networks gets right, for each of the two
THUMBNAIL_SIDE = 168  # twice as many pixels as it is drawn with, for fine screens


def write_report(
    path: Path,
    *,
    data: str,
    weights: WeightsFolder,
    scores: Scores,
    seen: Mapping[int, NDArray[np.uint8]],
    given: Mapping[int, NDArray[np.uint8] | None],
) -> None:
    """Write the report: one HTML file that needs no other, whole or not at all.

    Args:
        path: of the file.
        data: the data set's name.
        weights: whose network was measured.
        scores: what was measured.
        seen: the canvases of the rows to show, uint8 of shape (28, 28); the rows are those of
            `rows_to_show`.
        given: the images as given, by the same rows, at most ``THUMBNAIL_SIDE`` wide and high,
            where they came from files that can be read.

    Raises:
        OutputError: the file cannot be written.

    """
    evaluation = scores.evaluation
    mistakes = scores.answers.worst_mistakes(GALLERY)
    shown = _gallery(mistakes, scores, seen, given)
    anchors = {mistake["anchor"] for mistake in shown}
    answers = column_names(evaluation.confusion)
    has_answers = len(evaluation.refusal.answered) > 0
    content = page(
        "report.html",
        title=f"How {printable(weights.folder.name)} reads {printable(data)}",
        made=f"digitcli {__version__}, {datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        figures=figures(scores),
        answers=answers,
        matrix=_matrix(evaluation.confusion, anchors),
        answered=[f"{total:,}" for total in evaluation.confusion.sum(axis=0)],
        count=f"{evaluation.count:,}",
        digits=[
            (
                percent(score.precision),
                percent(score.recall),
                percent(score.f1),
                f"{score.support:,}",
            )
            for score in evaluation.digits()
        ],
        calibration_error=f"{evaluation.calibration.error * 100:.2f}",
        bins=[
            (
                f"{b.low:.2f} to {b.high:.2f}",
                f"{b.count:,}",
                percent(b.confidence),
                percent(b.accuracy),
            )
            for b in evaluation.calibration.bins
        ],
        points=[
            (
                str(point.threshold or 0),
                percent(point.coverage.share),
                percent(point.risk.share),
                " to ".join(percent(end) for end in point.risk.interval()),
                note,
            )
            for point, note in operating_points(scores)
        ],
        reliability=plots.render_element(
            plots.draw_reliability(evaluation.calibration), "reliability"
        ),
        refusal=plots.render_element(
            plots.draw_refusal_curve(evaluation.refusal, scores.min_confidence), "refusal"
        )
        if has_answers
        else None,
        against=_against(scores, seen, given),
        curves=_curves(weights),
        mistakes=shown,
        errors=evaluation.errors,
        failed=evaluation.outcomes[Outcome.UNREADABLE],
        failures=_failures(scores.answers),
        card=card_facts(weights.card),
    )
    write_bytes(path, content)


def rows_to_show(scores: Scores) -> list[int]:
    """Return the rows whose images the report shows."""
    rows = scores.answers.worst_mistakes(GALLERY)
    if scores.against is not None:
        comparison = scores.against.comparison
        rows += comparison.better[:DIFFERENCES] + comparison.worse[:DIFFERENCES]
    return sorted(set(rows))


def _matrix(confusion: NDArray[np.int64], anchors: set[str | None]) -> list[dict[str, Any]]:
    rows = []
    for label, (name, counts) in enumerate(
        zip(row_names(confusion), confusion.tolist(), strict=True)
    ):
        cells = []
        for answer, (column, count) in enumerate(zip(column_names(confusion), counts, strict=True)):
            mistake = is_mistake(label, answer) and count
            # the square root keeps single mistakes visible beside frequent ones
            share = min(0.85, 0.12 + 2 * math.sqrt(count / sum(counts))) if mistake else 0
            anchor = _anchor(name, column)
            cells.append(
                {
                    "kind": "wrong" if mistake else "right" if label == answer else "none",
                    "answer": column,
                    "count": f"{count:,}" if count else "·",
                    "share": f"{share:.2f}",
                    "anchor": anchor if anchor in anchors else None,
                }
            )
        rows.append({"label": name, "cells": cells, "total": f"{sum(counts):,}"})
    return rows


def _gallery(
    rows: Sequence[int],
    scores: Scores,
    seen: Mapping[int, NDArray[np.uint8]],
    given: Mapping[int, NDArray[np.uint8] | None],
) -> list[dict[str, Any]]:
    mistakes: list[dict[str, Any]] = []
    anchors = set()
    for row in rows:
        probabilities = scores.answers.probabilities[row]
        top = np.argsort(-probabilities, kind="stable")[:3].tolist()
        label = label_name(int(scores.answers.labels[row]))
        anchor = _anchor(label, str(top[0]))
        mistakes.append(
            _picture(row, scores.answers, seen, given)
            | {
                "anchor": None if anchor in anchors else anchor,
                "answer": top[0],
                "top": [
                    (d, f"{probabilities[d]:.2%}", f"{probabilities[d] * 100:.1f}") for d in top
                ],
            }
        )
        anchors.add(anchor)
    return mistakes


def _picture(
    row: int,
    answers: Answers,
    seen: Mapping[int, NDArray[np.uint8]],
    given: Mapping[int, NDArray[np.uint8] | None],
) -> dict[str, Any]:
    thumbnail, canvas = given.get(row), seen.get(row)
    return {
        "given": None if thumbnail is None else picture_uri(thumbnail),
        "seen": None if canvas is None else picture_uri(canvas),
        "name": printable(answers.name(row)),
        "label": label_name(int(answers.labels[row])),
    }


def _against(
    scores: Scores,
    seen: Mapping[int, NDArray[np.uint8]],
    given: Mapping[int, NDArray[np.uint8] | None],
) -> dict[str, Any] | None:
    """Lay out the comparison with another network."""
    against = scores.against
    if against is None:
        return None
    comparison = against.comparison
    groups = [
        {
            "name": printable(name),
            "count": f"{len(rows):,}",
            "images": [
                _picture(row, scores.answers, seen, given)
                | {
                    "ours": answer_name(scores.answers, row),
                    "theirs": answer_name(against.answers, row),
                }
                for row in rows[:DIFFERENCES]
            ],
        }
        for name, rows in (
            (scores.name, comparison.better),
            (against.name, comparison.worse),
        )
    ]
    return {
        "names": (printable(scores.name), printable(against.name)),
        "rows": side_by_side(scores, against),
        "verdict": comparison_in_words(len(comparison.better), len(comparison.worse), comparison.p),
        "groups": groups,
    }


def _failures(answers: Answers) -> list[tuple[str, str]]:
    """List files that could not be read and why, at most ``GALLERY``."""
    unreadable = (
        (answers.name(row), prediction.reason or "")
        for row, prediction in enumerate(answers.predictions)
        if prediction.status is Status.ERROR
    )
    return [
        (printable(name), printable(reason))
        for name, reason in itertools.islice(unreadable, GALLERY)
    ]


def _curves(weights: WeightsFolder) -> str | None:
    history = weights.history()
    if history is None:
        return None
    try:
        return plots.render_element(plots.draw_training_curves(history), "training")
    except ValueError:  # of a stranger's weights folder; it only lacks a plot
        return None


def _anchor(label: str, answer: str) -> str:
    return f"mistake-{label}-{answer}"
