"""``evaluate --report``: all that was measured as one page for people."""

import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitcli._version import __version__
from digitcli.atomic import write_bytes
from digitcli.datasets.labelled import LabelledImages
from digitcli.evaluation.metrics import TARGETS, Evaluation
from digitcli.output import plots
from digitcli.output.html import page, picture_uri
from digitcli.output.model_card import card_facts
from digitcli.output.scores import figures, percent
from digitcli.output.text import printable
from digitcli.weights_folder import WeightsFolder

GALLERY = 100  # mistakes shown: 100 take about 400 KB, and nobody looks at more
THUMBNAIL_SIDE = 168  # twice as many pixels as it is drawn with, for fine screens


def write_report(
    path: Path,
    *,
    data: str,
    weights: WeightsFolder,
    pictures: LabelledImages,
    probabilities: NDArray[np.float32],
    mistakes: NDArray[np.int64],
    thumbnails: Mapping[int, NDArray[np.uint8] | None],
    evaluation: Evaluation,
) -> None:
    """Write the report: one HTML file that needs no other, whole or not at all.

    Args:
        path: of the file.
        data: the data set's name.
        weights: whose network was measured.
        pictures: that it was measured on.
        probabilities: of the pictures, float32 of shape (n, 10).
        mistakes: rows to show, at most ``GALLERY``.
        thumbnails: the images as given, by their rows, at most ``THUMBNAIL_SIDE`` wide and high,
            where they came from files that can be read.
        evaluation: all that was measured.

    Raises:
        OutputError: the file cannot be written.

    """
    threshold = weights.card.min_confidence
    shown = _gallery(mistakes, pictures, probabilities, thumbnails)
    anchors = {mistake["anchor"] for mistake in shown}
    content = page(
        "report.html",
        title=f"How {printable(weights.folder.name)} reads {printable(data)}",
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
        curves=_curves(weights),
        mistakes=shown,
        errors=evaluation.errors,
        failed=len(pictures.failures),
        failures=[
            (printable(name), printable(reason)) for name, reason in pictures.failures[:GALLERY]
        ],
        card=card_facts(weights.card),
    )
    write_bytes(path, content)


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
    rows: NDArray[np.int64],
    pictures: LabelledImages,
    probabilities: NDArray[np.float32],
    thumbnails: Mapping[int, NDArray[np.uint8] | None],
) -> list[dict[str, Any]]:
    mistakes: list[dict[str, Any]] = []
    anchors = set()
    for row in rows.tolist():
        top = np.argsort(-probabilities[row], kind="stable")[:3].tolist()
        anchor = _anchor(int(pictures.labels[row]), top[0])
        thumbnail = thumbnails.get(row)
        mistakes.append(
            {
                "anchor": None if anchor in anchors else anchor,
                "given": None if thumbnail is None else picture_uri(thumbnail),
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


def _curves(weights: WeightsFolder) -> str | None:
    history = weights.history()
    if history is None:
        return None
    try:
        return plots.inline_svg(plots.training_curves(history), "training")
    except ValueError:  # of a stranger's weights folder; it only lacks a plot
        return None


def _anchor(label: int, answer: int) -> str:
    return f"mistake-{label}-{answer}"
