"""``evaluate --report``: all measures as an HTML page."""

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
from digitcli.evaluation.metrics import Bin, DigitScore, OperatingPoint
from digitcli.output import plots
from digitcli.output.confusion import column_names, is_mistake, row_names
from digitcli.output.html import image_uri, page
from digitcli.output.model_card import card_facts
from digitcli.output.scores import (
    Scores,
    answer_name,
    describe_comparison,
    figures,
    label_name,
    operating_points,
    percent,
    side_by_side,
)
from digitcli.output.text import printable
from digitcli.prediction import Status
from digitcli.weights_folder import WeightsFolder

GALLERY = 100  # mistakes shown; 100 take about 400 KB
DIFFERENCES = 30  # images shown that only one of two networks gets right, for each of the two
THUMBNAIL_SIDE = 168  # pixels; twice the size on the page, for screens of high resolution


def write_report(
    path: Path,
    *,
    data: str,
    weights: WeightsFolder,
    scores: Scores,
    seen: Mapping[int, NDArray[np.uint8]],
    given: Mapping[int, NDArray[np.uint8] | None],
) -> None:
    """Write the report atomically: an HTML file that needs no other.

    Args:
        path: of the file.
        data: name of the data set.
        weights: of the network that was measured.
        scores: the measures.
        seen: the canvases, uint8 of shape (28, 28), by the rows of `rows_to_show`.
        given: the images as given, by the same rows, at most ``THUMBNAIL_SIDE`` wide and high; None
            where a file cannot be read any more.

    Raises:
        OutputError: the file cannot be written.

    """
    evaluation = scores.evaluation
    mistakes = _gallery(scores.answers.worst_mistakes(GALLERY), scores, seen, given)
    anchors = {mistake["anchor"] for mistake in mistakes}
    content = page(
        "report.html",
        title=f"How {printable(weights.folder.name)} reads {printable(data)}",
        made=f"digitcli {__version__}, {datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        figures=figures(scores),
        answers=column_names(evaluation.confusion),
        matrix=_matrix(evaluation.confusion, anchors),
        answered=[f"{total:,}" for total in evaluation.confusion.sum(axis=0)],
        count=f"{evaluation.count:,}",
        digits=[_digit_row(score) for score in evaluation.digits()],
        calibration_error=f"{evaluation.calibration.error * 100:.2f}",
        bins=[_bin_row(each) for each in evaluation.calibration.bins],
        points=[_point_row(point, note) for point, note in operating_points(scores)],
        reliability=plots.render_element(
            plots.draw_reliability(evaluation.calibration), "reliability"
        ),
        refusal=_draw_refusal(scores),
        against=_against(scores, seen, given),
        curves=_draw_curves(weights),
        mistakes=mistakes,
        errors=evaluation.errors,
        failed=evaluation.outcomes[Outcome.UNREADABLE],
        failures=_list_failures(scores.answers),
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


def _digit_row(score: DigitScore) -> tuple[str, ...]:
    shares = (score.precision, score.recall, score.f1)
    return (*map(percent, shares), f"{score.support:,}")


def _bin_row(each: Bin) -> tuple[str, ...]:
    interval = f"{each.low:.2f} to {each.high:.2f}"
    return (interval, f"{each.count:,}", percent(each.confidence), percent(each.accuracy))


def _point_row(point: OperatingPoint, note: str) -> tuple[str, ...]:
    low, high = point.risk.interval()
    return (
        str(point.threshold or 0),
        percent(point.coverage.share),
        percent(point.risk.share),
        f"{percent(low)} to {percent(high)}",
        note,
    )


def _matrix(confusion: NDArray[np.int64], anchors: set[str | None]) -> list[dict[str, Any]]:
    """Return the rows of the confusion matrix; cells link to the ``anchors`` in the gallery."""
    columns = column_names(confusion)
    rows = []
    for label, name in enumerate(row_names(confusion)):
        counts = confusion[label].tolist()
        total = sum(counts)
        cells = []
        for answer, count in enumerate(counts):
            kind, share = "none", 0.0
            if is_mistake(label, answer) and count:
                # the square root keeps single mistakes visible beside frequent ones
                kind, share = "wrong", min(0.85, 0.12 + 2 * math.sqrt(count / total))
            elif label == answer:
                kind = "right"
            anchor = _anchor(name, columns[answer])
            cells.append(
                {
                    "kind": kind,
                    "answer": columns[answer],
                    "count": f"{count:,}" if count else "·",
                    "share": f"{share:.2f}",
                    "anchor": anchor if anchor in anchors else None,
                }
            )
        rows.append({"label": name, "cells": cells, "total": f"{total:,}"})
    return rows


def _gallery(
    rows: Sequence[int],
    scores: Scores,
    seen: Mapping[int, NDArray[np.uint8]],
    given: Mapping[int, NDArray[np.uint8] | None],
) -> list[dict[str, Any]]:
    """Return the images of some rows; the first of each label and answer has an anchor."""
    mistakes: list[dict[str, Any]] = []
    anchors = set()
    for row in rows:
        probabilities = scores.answers.probabilities[row]
        top = np.argsort(-probabilities, kind="stable")[:3].tolist()
        label = label_name(int(scores.answers.labels[row]))
        anchor = _anchor(label, str(top[0]))
        bars = [
            (digit, f"{probabilities[digit]:.2%}", f"{probabilities[digit] * 100:.1f}")
            for digit in top
        ]
        mistakes.append(
            {
                **_image_fields(row, scores.answers, seen, given),
                "anchor": None if anchor in anchors else anchor,
                "answer": top[0],
                "top": bars,
            }
        )
        anchors.add(anchor)
    return mistakes


def _image_fields(
    row: int,
    answers: Answers,
    seen: Mapping[int, NDArray[np.uint8]],
    given: Mapping[int, NDArray[np.uint8] | None],
) -> dict[str, Any]:
    thumbnail, canvas = given.get(row), seen.get(row)
    return {
        "given": None if thumbnail is None else image_uri(thumbnail),
        "seen": None if canvas is None else image_uri(canvas),
        "name": printable(answers.name(row)),
        "label": label_name(int(answers.labels[row])),
    }


def _against(
    scores: Scores,
    seen: Mapping[int, NDArray[np.uint8]],
    given: Mapping[int, NDArray[np.uint8] | None],
) -> dict[str, Any] | None:
    """Return the comparison with another network; None where there is none."""
    against = scores.against
    if against is None:
        return None
    comparison = against.comparison
    groups = []
    for name, rows in ((scores.name, comparison.better), (against.name, comparison.worse)):
        images = [
            {
                **_image_fields(row, scores.answers, seen, given),
                "ours": answer_name(scores.answers, row),
                "theirs": answer_name(against.answers, row),
            }
            for row in rows[:DIFFERENCES]
        ]
        groups.append({"name": printable(name), "count": f"{len(rows):,}", "images": images})
    verdict = describe_comparison(
        better=len(comparison.better), worse=len(comparison.worse), p=comparison.p
    )
    return {
        "names": (printable(scores.name), printable(against.name)),
        "rows": side_by_side(scores, against),
        "verdict": verdict,
        "groups": groups,
    }


def _list_failures(answers: Answers) -> list[tuple[str, str]]:
    """Return files that could not be read and why, at most ``GALLERY`` of them."""
    unreadable = (
        (answers.name(row), prediction.reason or "")
        for row, prediction in enumerate(answers.predictions)
        if prediction.status is Status.ERROR
    )
    return [
        (printable(name), printable(reason))
        for name, reason in itertools.islice(unreadable, GALLERY)
    ]


def _draw_refusal(scores: Scores) -> str | None:
    refusal = scores.evaluation.refusal
    if not len(refusal.answered):
        return None
    return plots.render_element(plots.draw_refusal_curve(refusal, scores.min_confidence), "refusal")


def _draw_curves(weights: WeightsFolder) -> str | None:
    history = weights.history()
    if history is None:
        return None
    try:
        return plots.render_element(plots.draw_training_curves(history), "training")
    except ValueError:  # a damaged history costs only the plot
        return None


def _anchor(label: str, answer: str) -> str:
    return f"mistake-{label}-{answer}"
