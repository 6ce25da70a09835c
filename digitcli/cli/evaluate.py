"""``digitcli evaluate``: how well the network reads labelled pictures."""

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli.cli.options import ColorOption, WeightsOption, isolation_of_command
from digitcli.errors import ExitCode
from digitcli.output.console import Color, complain, console

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from digitcli.datasets.labelled import LabelledImages
    from digitcli.evaluation import metrics
    from digitcli.weights_folder import WeightsFolder


class ScoresFormat(str, Enum):
    """How the measurements are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def _confusion_file(path: Path | None) -> Path | None:
    from digitcli.output.confusion import WRITERS

    if path and path.suffix.lower() not in WRITERS:
        raise typer.BadParameter(f"the file's name must end in one of {', '.join(WRITERS)}")
    return path


def evaluate(
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DATA]",
            help="An .npz in Keras' layout, a folder of IDX files, or class folders 0 … 9 of "
            "pictures. Without it: MNIST's 10,000 test images.",
            show_default=False,
        ),
    ] = None,
    format_: Annotated[
        ScoresFormat,
        typer.Option("--format", "-f", help="csv is the confusion matrix, json is everything."),
    ] = ScoresFormat.TEXT,
    errors: Annotated[
        int, typer.Option("--errors", min=0, metavar="N", help="List the N worst mistakes.")
    ] = 0,
    confusion: Annotated[
        Path | None,
        typer.Option(
            "--confusion",
            metavar="FILE",
            callback=_confusion_file,
            help="Write the confusion matrix into FILE too, as its ending says: .csv, .json, .svg "
            "or .png.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write all of it for people into FILE: one page of HTML.",
        ),
    ] = None,
    weights: WeightsOption = "lenet5",
    color: ColorOption = Color.AUTO,
) -> ExitCode:
    """Measure the network on labelled pictures.

    Prints accuracy with its 95 % interval, loss, how far confidences can be trusted and what
    refusing the least sure answers brings, precision, recall and F1 of each digit, and the
    confusion matrix, whose rows are the true labels and whose columns are the answers.
    """
    from digitcli.cli.outputs import spare_inputs
    from digitcli.datasets.mnist import load_test
    from digitcli.evaluation import metrics
    from digitcli.inference.network import Network
    from digitcli.output.confusion import confusion_csv, write_confusion
    from digitcli.output.scores import draw_mistakes, draw_scores, scores_json
    from digitcli.preprocessing.labelled_files import load_images
    from digitcli.process import settle_libraries

    settle_libraries()
    network = Network(weights)
    spare_inputs([confusion, report], [str(data)] if data else [], network.weights)
    pictures = load_test() if data is None else load_images(data, "test", isolation_of_command())
    for path, reason in pictures.failures:
        complain(f"{path}: {reason}")
    probabilities = network.probabilities(pictures.images)
    evaluation = metrics.evaluate(probabilities, pictures.labels)
    if confusion:
        write_confusion(confusion, evaluation.confusion)
    if report:
        _write_report(report, network.weights, data, pictures, probabilities, evaluation)
    if format_ is ScoresFormat.JSON:
        sys.stdout.write(scores_json(evaluation, network.card.min_confidence))
    elif format_ is ScoresFormat.CSV:
        sys.stdout.write(confusion_csv(evaluation.confusion))
    else:
        out = console(color)
        draw_scores(out, evaluation, network.card.min_confidence)
        if errors:
            rows = metrics.worst_mistakes(probabilities, pictures.labels, errors)
            draw_mistakes(out, rows, probabilities, pictures)
    return ExitCode.INPUT_FAILED if pictures.failures else ExitCode.OK


def _write_report(
    path: Path,
    weights: "WeightsFolder",
    data: Path | None,
    pictures: "LabelledImages",
    probabilities: "NDArray[np.float32]",
    evaluation: "metrics.Evaluation",
) -> None:
    from digitcli.evaluation.metrics import worst_mistakes
    from digitcli.inputs.source import Source
    from digitcli.output.report import GALLERY, THUMBNAIL_SIDE, write_report
    from digitcli.preprocessing.pipeline import read_thumbnail

    mistakes = worst_mistakes(probabilities, pictures.labels, GALLERY)
    of_files = mistakes.tolist() if pictures.paths else []
    thumbnails = {
        row: read_thumbnail(Source(pictures.paths[row]), THUMBNAIL_SIDE) for row in of_files
    }
    write_report(
        path,
        data="MNIST's test images" if data is None else str(data),
        weights=weights,
        pictures=pictures,
        probabilities=probabilities,
        mistakes=mistakes,
        thumbnails=thumbnails,
        evaluation=evaluation,
    )
