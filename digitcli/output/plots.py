"""Plots by matplotlib: as files, and as SVG that takes the colours of the page around it."""
# ruff: noqa: E402

import csv
import io
import logging
import math
import re
from collections.abc import Sequence
from typing import Any

# on import matplotlib logs about its caches to stderr, where digitcli prints nothing unless
# something is wrong
logging.getLogger("matplotlib").setLevel(logging.ERROR)

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from digitcli.datasets.labelled import DIGITS
from digitcli.evaluation.metrics import TARGETS, Calibration, Refusal

Image = NDArray[np.uint8]
Numbers = NDArray[np.float64]

# Dark enough on white, bright enough on black. An HTML page replaces them by its own colours.
INK, LINE, OTHER = "#202124", "#1f77b4", "#d95f02"
_IN_PAGE = {INK: "currentColor", LINE: "var(--line)", OTHER: "var(--other)"}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "digitcli",  # the same plot is the same file
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
}
_SHEET_WIDTH = 11  # inches
_MAX_POINTS = 400  # of a curve; more cannot be seen
_MIN_DRAWN = 1e-5  # a loss or a share below it is drawn here, as the axis is logarithmic
_MAX_FINITE = 1e9  # of epochs and losses in a history; more is damage


@rc_context(_STYLE)
def render_file(figure: Figure, kind: str) -> bytes:
    """Return a figure as the content of a file, ``svg`` or ``png``, on white."""
    content = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else None
    figure.savefig(content, format=kind, dpi=150, metadata=metadata, facecolor="white")
    return content.getvalue()


@rc_context(_STYLE)
def render_element(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element for an HTML page that defines ``--line`` and ``--other``.

    ``name`` prefixes all ids, as several such elements share one page. The element is hidden from
    screen readers: the page says in words what it shows.
    """
    content = io.StringIO()
    figure.savefig(content, format="svg", metadata={"Date": None}, transparent=True)
    svg = content.getvalue()
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for color, in_page in _IN_PAGE.items():
        svg = svg.replace(color, in_page)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


@rc_context(_STYLE)
def draw_confusion_matrix(
    confusion: NDArray[np.int64], labels: Sequence[str], answers: Sequence[str]
) -> Figure:
    """Draw the confusion matrix: the diagonal grey, mistakes red by their share of the row.

    ``labels`` and ``answers`` name its rows and columns. The columns from the eleventh on, images
    without an answer, are no mistakes.
    """
    figure = Figure(figsize=(6.4, 6.0), layout="constrained")
    axes = figure.add_subplot()
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    mistakes = share.copy()
    np.fill_diagonal(mistakes, 0)
    mistakes[:, DIGITS:] = 0
    # the square root keeps single mistakes visible beside frequent ones
    red = np.sqrt(mistakes / max(mistakes.max(), 0.01))
    cells = np.stack([np.ones_like(red), 1 - 0.7 * red, 1 - 0.8 * red], axis=-1)
    cells[np.diag_indices(min(confusion.shape))] = 0.9
    axes.imshow(cells)
    for (label, answer), count in np.ndenumerate(confusion):
        if count or label == answer:
            axes.text(
                x=answer,
                y=label,
                s=str(count),
                ha="center",
                va="center",
                color=INK,
                weight="bold" if mistakes[label, answer] else "normal",
                fontsize=7,
            )
    answered, labelled = confusion.sum(axis=0), confusion.sum(axis=1)
    columns = [f"{name}\n({n})" for name, n in zip(answers, answered, strict=True)]
    rows = [f"{name}  ({n})" for name, n in zip(labels, labelled, strict=True)]
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("answer, and its total")
    axes.set_ylabel("true label, and its total")
    axes.set_title("confusion matrix")
    return figure


@rc_context(_STYLE)
def draw_reliability(calibration: Calibration) -> Figure:
    """Draw the accuracy of each bin against its confidence, and the number of its predictions."""
    figure = Figure(figsize=(4.8, 4.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    filled = [b for b in calibration.bins if b.count]
    middles = [(b.low + b.high) / 2 for b in filled]
    accuracies = [b.accuracy for b in filled]
    confidences = [b.confidence for b in filled]
    counts = [b.count for b in filled]
    width = 0.9 / len(calibration.bins)
    upper.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--")
    upper.bar(middles, accuracies, width, color=LINE, alpha=0.45)
    upper.plot(confidences, accuracies, "o", color=LINE, markersize=4)
    upper.set_ylabel("accuracy")
    upper.set_ylim(0, 1.02)
    lower.bar(middles, counts, width, color=LINE, alpha=0.45)
    lower.set_yscale("log")
    lower.set_ylabel("images")
    lower.set_xlabel("confidence")
    lower.set_xlim(0, 1)
    return figure


@rc_context(_STYLE)
def draw_refusal_curve(refusal: Refusal, min_confidence: float) -> Figure:
    """Draw the error of the answers left against the share refused, and mark ``min_confidence``.

    ``refusal`` must have at least one row.
    """
    figure = Figure(figsize=(4.8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    start = float(refusal.refused[0])
    widest = max(refusal.share_for(target) for target in TARGETS)
    end = min(1.0, start + max(0.02, 1.3 * (widest - start)))
    shares = np.linspace(start, end, _MAX_POINTS)
    rows = np.searchsorted(refusal.refused, shares)
    rows = np.unique(rows.clip(0, len(refusal.error) - 1))
    axes.step(refusal.refused[rows], refusal.error[rows], where="post", color=LINE)
    for target in TARGETS:
        axes.axhline(target, color=INK, linewidth=0.6, linestyle=":")
        axes.text(end, target, f"{target:.2%}", ha="right", va="bottom", fontsize=7)
    in_use = refusal.at(min_confidence)
    refused, error = 1 - in_use.coverage.share, in_use.risk.share
    if refused <= end and not math.isnan(error):
        axes.plot(
            refused,
            error,
            "o",
            color=OTHER,
            label=f"where confidence < {min_confidence:.2f} is refused",
        )
        axes.legend(loc="upper right")
    axes.set_xlim(start, end)
    axes.set_ylim(0, max(2 * TARGETS[0], 1.1 * float(refusal.error[0])))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("share of all images that is refused")
    axes.set_ylabel("error rate of the answers")
    return figure


@rc_context(_STYLE)
def draw_training_curves(history: str) -> Figure:
    """Draw loss and accuracy over the epochs.

    ``history`` is the content of a weights folder's history.csv; the columns epoch, loss, accuracy,
    validation_loss and validation_accuracy are drawn.

    Raises:
        ValueError: it is not such a table, has no rows, or has numbers out of range.

    """
    rows = list(csv.DictReader(io.StringIO(history)))
    epochs = _read_column(rows, "epoch", _MAX_FINITE)
    loss = _read_column(rows, "loss", _MAX_FINITE)
    validation_loss = _read_column(rows, "validation_loss", _MAX_FINITE)
    accuracy = _read_column(rows, "accuracy", 1)
    validation_accuracy = _read_column(rows, "validation_accuracy", 1)
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_curves(left, epochs, loss, validation_loss)
    left.set_ylabel("loss")
    left.legend()
    _draw_curves(right, epochs, 1 - accuracy, 1 - validation_accuracy)
    right.yaxis.set_major_formatter(PercentFormatter(1))
    right.set_ylabel("error rate")
    return figure


def _read_column(rows: list[dict[str, str]], name: str, most: float) -> Numbers:
    try:
        column = np.array([float(row[name]) for row in rows])
    except (KeyError, TypeError) as error:
        raise ValueError("not the history of a training run") from error
    in_range = (column >= 0) & (column <= most)  # NaN fails both comparisons
    if not len(column) or not in_range.all():
        raise ValueError(f"the history has no epochs, or a {name} out of range")
    return column


def _draw_curves(axes: Axes, epochs: Numbers, training: Numbers, validation: Numbers) -> None:
    marker = "o" if len(epochs) == 1 else ""
    axes.plot(
        epochs,
        training.clip(min=_MIN_DRAWN),
        color=LINE,
        linestyle="--",
        marker=marker,
        label="training",
    )
    axes.plot(
        epochs, validation.clip(min=_MIN_DRAWN), color=OTHER, marker=marker, label="validation"
    )
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")


@rc_context(_STYLE)
def draw_contact_sheet(
    *,
    title: str,
    stages: Sequence[tuple[str, Image]],
    layers: Sequence[tuple[str, Sequence[Image]]],
    outputs: Sequence[float],
    occlusion: Image | None,
) -> Figure:
    """Lay out an inspection.

    The first row holds the stages. A row for each layer of several maps follows. The last, where
    there are outputs, holds the layers of one image, the outputs as bars, and the occlusion map.
    """
    layers_of_maps = [(name, images) for name, images in layers if len(images) > 1]
    layers_of_units = [(name, images[0]) for name, images in layers if len(images) == 1]
    heights = [min(3.0, 1.2 * _SHEET_WIDTH / len(stages))]
    heights += [1.6 if len(images) < 10 else 0.8 for _, images in layers_of_maps]
    heights += [3.0] if outputs else []
    figure = Figure(figsize=(_SHEET_WIDTH, sum(heights) + 0.5 * len(heights)), layout="constrained")
    figure.suptitle(title, parse_math=False)
    rows = iter(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).flat)
    all_axes = next(rows).subplots(1, len(stages))
    for axes, (name, image) in zip(all_axes, stages, strict=True):
        _show_image(axes, image, name)
    for name, images in layers_of_maps:
        row = next(rows)
        row.suptitle(name, fontsize=9)
        for axes, image in zip(row.subplots(1, len(images)), images, strict=True):
            _show_image(axes, image)
    if outputs:
        *left_axes, bars, last_axes = next(rows).subplots(1, len(layers_of_units) + 2)
        for axes, (name, image) in zip(left_axes, layers_of_units, strict=True):
            _show_image(axes, image, name)
        bars.barh(range(len(outputs)), outputs, color=LINE)
        bars.set_yticks(range(len(outputs)))
        bars.set_xlim(0, 1)
        bars.invert_yaxis()
        bars.set_xlabel("probability")
        bars.set_ylabel("digit")
        bars.set_title("outputs", fontsize=9)
        if occlusion is not None:
            _show_image(last_axes, occlusion, "occlusion")
    return figure


def _show_image(axes: Axes, image: Image, title: str = "") -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)
