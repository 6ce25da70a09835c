"""``evaluate --report``: all that was measured as one page for people."""

import datetime
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli import __version__
from digitcli.atomic import write_file
from digitcli.datasets.labelled import LabelledImages
from digitcli.errors import ImageError
from digitcli.evaluation.metrics import TARGETS, Evaluation, worst_mistakes
from digitcli.inputs.decoding import decode
from digitcli.inputs.discovery import Source, read_source
from digitcli.output import plots
from digitcli.output.html import page, picture_uri
from digitcli.output.model_card import card_facts
from digitcli.output.pictures import fitted
from digitcli.output.scores import figures, percent
from digitcli.output.text import printable
from digitcli.weights_folder import WeightsFolder

GALLERY = 100  # mistakes shown: 100 take about 400 KB, and nobody looks at more
_THUMBNAIL = 168  # twice as many pixels as it is drawn with, for fine screens


def write_report(
    path: Path,
    *,
    data: str,
    bundle: WeightsFolder,
    pictures: LabelledImages,
    probabilities: NDArray[np.float32],
    evaluation: Evaluation,
) -> None:
    """Write the report: one HTML file that needs no other, whole or not at all.

    ``data`` names the data set. Probabilities, shape (n, 10), are those of the pictures.

    Raises:
        OutputError: the file cannot be written.

    """
    threshold = bundle.card.min_confidence
    rows = worst_mistakes(probabilities, pictures.labels, GALLERY)
    mistakes = _gallery(rows, pictures, probabilities)
    anchors = {mistake["anchor"] for mistake in mistakes}
    content = page(
        "report.html",
        title=f"How {printable(bundle.folder.name)} reads {printable(data)}",
        made=f"digitcli {__version__}, {datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        figures=figures(evaluation, threshold),
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
        targets=[
            (f"{target:.2%}", f"{evaluation.refusal.share_for(target):.2%}") for target in TARGETS
        ],
        reliability=plots.inline_svg(plots.reliability(evaluation.calibration), "reliability"),
        refusal=plots.inline_svg(plots.refusal_curve(evaluation.refusal, threshold), "refusal"),
        curves=_curves(bundle),
        mistakes=mistakes,
        errors=evaluation.errors,
        failed=len(pictures.failures),
        failures=[
            (printable(name), printable(reason)) for name, reason in pictures.failures[:GALLERY]
        ],
        card=card_facts(bundle.card),
    )
    with write_file(path) as stream:
        stream.write(content)


def _matrix(confusion: NDArray[np.int64], anchors: set[str | None]) -> list[dict[str, Any]]:
    rows = []
    for label, counts in enumerate(confusion.tolist()):
        cells = []
        for answer, count in enumerate(counts):
            kind = "right" if label == answer else "wrong" if count else "none"
            # the square root keeps single mistakes visible beside frequent ones
            share = f"{min(0.85, 0.12 + 2 * math.sqrt(count / sum(counts))):.2f}" if count else "0"
            linked = _anchor(label, answer) in anchors
            cells.append(
                {
                    "kind": kind,
                    "count": f"{count:,}" if count else "·",
                    "share": share,
                    "linked": linked,
                }
            )
        rows.append({"label": label, "cells": cells, "total": f"{sum(counts):,}"})
    return rows


def _gallery(
    rows: NDArray[np.int64], pictures: LabelledImages, probabilities: NDArray[np.float32]
) -> list[dict[str, Any]]:
    mistakes: list[dict[str, Any]] = []
    anchors = set()
    for row in rows.tolist():
        top = np.argsort(-probabilities[row], kind="stable")[:3].tolist()
        anchor = _anchor(int(pictures.labels[row]), top[0])
        mistakes.append(
            {
                "anchor": None if anchor in anchors else anchor,
                "given": _thumbnail(pictures.paths[row]) if pictures.paths else None,
                "seen": picture_uri(pictures.images[row]),
                "name": printable(pictures.paths[row]) if pictures.paths else f"#{row}",
                "label": int(pictures.labels[row]),
                "answer": top[0],
                "top": [
                    (d, f"{probabilities[row, d]:.2%}", f"{probabilities[row, d] * 100:.1f}")
                    for d in top
                ],
            }
        )
        anchors.add(anchor)
    return mistakes


def _thumbnail(path: str) -> str | None:
    try:
        return picture_uri(fitted(decode(read_source(Source(path))), _THUMBNAIL))
    except ImageError:  # it could be read a moment ago; the page can do without
        return None


def _curves(bundle: WeightsFolder) -> str | None:
    history = bundle.history()
    if history is None:
        return None
    try:
        return plots.inline_svg(plots.training_curves(history), "training")
    except ValueError:  # of a stranger's weights folder; it only lacks a plot
        return None


def _anchor(label: int, answer: int) -> str:
    return f"mistake-{label}-{answer}"
