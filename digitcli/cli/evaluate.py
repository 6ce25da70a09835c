"""``digitcli evaluate``: how well the network reads labelled images."""

import sys
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitcli.cli.options import (
    AsIsOption,
    ColorOption,
    Invert,
    InvertOption,
    JobsOption,
    MaxPixelsOption,
    MinConfidenceOption,
    TimeoutOption,
    WeightsOption,
    isolation_of_command,
)
from digitcli.cli.outputs import spare_inputs
from digitcli.errors import DataError, ExitCode
from digitcli.inputs.source import MAX_PIXELS, MAX_SECONDS
from digitcli.output.console import Color, complain, console
from digitcli.prediction import Status
from digitcli.weights_folder import open_weights

if TYPE_CHECKING:
    from digitcli.datasets.labelled import LabelledFiles, LabelledImages
    from digitcli.evaluation.answering import Answered, Batches
    from digitcli.inference.classifier import Classifier
    from digitcli.inference.network import Network
    from digitcli.output.scores import Scores
    from digitcli.parallel.processes import Isolation
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
            help="Class folders 0 … 9 of images, a labels file (.csv, .tsv) with the columns path "
            "and label, a folder of IDX files, or an .npz in Keras' layout. Without it: MNIST's "
            "10,000 test images.",
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
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="WEIGHTS",
            help="Compare with another network on the same images.",
        ),
    ] = None,
    min_confidence: MinConfidenceOption = None,
    as_is: AsIsOption = False,
    invert: InvertOption = Invert.AUTO,
    max_pixels: MaxPixelsOption = MAX_PIXELS,
    jobs: JobsOption = None,
    timeout: TimeoutOption = MAX_SECONDS,
    color: ColorOption = Color.AUTO,
) -> ExitCode:
    """Measure the network on labelled images.

    Image files are read and answered as classify does with the same options.
    Prints how many answers are right, wrong, unsure, no digit and unreadable, the accuracy of the
    answers with its 95 % interval, loss, how far confidences can be trusted, what refusing the
    least confident answers brings, precision, recall and F1 of each digit, and the confusion
    matrix, whose rows are the true labels and whose columns are the answers.
    """
    from digitcli.datasets.labelled import LabelledFiles
    from digitcli.datasets.load import load_split
    from digitcli.datasets.mnist import load_test
    from digitcli.evaluation import answering
    from digitcli.inference.classifier import Classifier
    from digitcli.inference.network import Network
    from digitcli.output.confusion import confusion_csv, write_confusion
    from digitcli.output.scores import draw_differences, draw_mistakes, draw_scores, scores_json
    from digitcli.parallel.cores import default_jobs
    from digitcli.process import settle_libraries

    settle_libraries()
    folder = open_weights(weights)
    other = None if against is None else Network(against)
    folders = [folder] if other is None else [folder, other.weights]
    knows_seen = any(each.seen() is not None for each in folders)
    classifier = Classifier(
        weights,
        as_is=as_is,
        invert=invert.value,
        min_confidence=min_confidence,
        max_pixels=max_pixels,
        with_canvas=other is not None or report is not None,
        with_probabilities=True,
        with_digest=knows_seen,
    )
    images = load_test() if data is None else load_split(data, "test")
    isolation = isolation_of_command(timeout, plain_too=jobs is not None)
    if isinstance(images, LabelledFiles):
        _check_files(images)
        inputs = [str(data), *(source.path for source in images.sources)]
        spare_inputs([confusion, report], inputs, folders)
        answered = answering.answer_files(
            classifier,
            images,
            jobs=jobs or default_jobs(),
            isolation=isolation,
            watch=lambda batches: _with_progress(batches, len(images.sources), color),
        )
    else:
        if invert is not Invert.AUTO:
            raise typer.BadParameter("--invert is about image files, and these are arrays")
        spare_inputs([confusion, report], [str(data)] if data else [], folders)
        answered = answering.answer_images(classifier.network, images, with_digests=knows_seen)
    scores = _score(classifier, answered, other, min_confidence)
    if confusion:
        write_confusion(confusion, scores.evaluation.confusion)
    if report:
        _write_report(report, folder, data, scores, answered, max_pixels, isolation)
    if format_ is ScoresFormat.JSON:
        sys.stdout.write(scores_json(scores))
    elif format_ is ScoresFormat.CSV:
        sys.stdout.write(confusion_csv(scores.evaluation.confusion))
    else:
        out = console(color)
        draw_scores(out, scores)
        if errors:
            draw_mistakes(out, scores, errors)
        if errors and scores.against is not None:
            draw_differences(out, scores, scores.against, errors)
    return _status(images, scores)


def _check_files(files: "LabelledFiles") -> None:
    """Write to stderr what of a data set is not used.

    Raises:
        DataError: there is nothing to measure.

    """
    for line in files.remarks:
        complain(line)
    for path, reason in files.problems:
        complain(f"{path}: {reason}")
    if not files.sources:
        raise DataError(f"{files.name} holds no labelled images")


def _with_progress(batches: "Batches", count: int, color: Color) -> "Batches":
    """Show on stderr how far it has come, where that is a terminal."""
    if not sys.stderr.isatty():
        return batches
    from digitcli.inputs.discovery import Tally
    from digitcli.output.progress import show_progress

    return show_progress(batches, Tally(found=count), console(color, stderr=True))


def _score(
    classifier: "Classifier",
    answered: "Answered",
    other: "Network | None",
    min_confidence: float | None,
) -> "Scores":
    """Measure the answers, and those of another network where one was asked for."""
    from digitcli.evaluation.answering import answer_again
    from digitcli.evaluation.comparison import compare
    from digitcli.evaluation.metrics import evaluate as measure
    from digitcli.output.scores import Against, Scores

    answers = answered.answers
    scores = Scores(
        name=str(classifier.weights),
        answers=answers,
        evaluation=measure(answers),
        min_confidence=classifier.min_confidence,
        seen=_count_seen(classifier.network, answered),
    )
    if other is None:
        return scores
    threshold = other.card.min_confidence if min_confidence is None else min_confidence
    # arrays are all answered, as they are without a comparison
    threshold = 0.0 if answers.paths is None else threshold
    theirs = answer_again(other, answered, min_confidence=threshold)
    against = Against(
        name=other.name,
        answers=theirs,
        evaluation=measure(theirs),
        comparison=compare(answers.outcomes(), theirs.outcomes()),
        seen=_count_seen(other, answered),
    )
    return replace(scores, against=against)


def _count_seen(network: "Network", answered: "Answered") -> int | None:
    """Count the images that a network was trained on; None where it has no list of these."""
    seen = network.weights.seen()
    return None if seen is None else sum(digest in seen for digest in answered.digests)


def _write_report(
    path: Path,
    weights: "WeightsFolder",
    data: Path | None,
    scores: "Scores",
    answered: "Answered",
    max_pixels: int,
    isolation: "Isolation",
) -> None:
    from digitcli.inputs.source import Source
    from digitcli.output.report import THUMBNAIL_SIDE, rows_to_show, write_report
    from digitcli.preprocessing.thumbnails import read_thumbnails

    rows = rows_to_show(scores)
    given: dict[int, Any] = {}
    if answered.answers.paths is not None:
        sources = [Source(answered.answers.paths[row]) for row in rows]
        thumbnails = read_thumbnails(
            sources, THUMBNAIL_SIDE, max_pixels=max_pixels, isolation=isolation
        )
        given = dict(zip(rows, thumbnails, strict=True))
    write_report(
        path,
        data="MNIST's test images" if data is None else str(data),
        weights=weights,
        scores=scores,
        seen=answered.canvases,
        given=given,
    )


def _status(images: "LabelledFiles | LabelledImages", scores: "Scores") -> ExitCode:
    """Name on stderr the files that could not be read; return the exit status they cause."""
    answers = scores.answers
    failed = False
    for row, prediction in enumerate(answers.predictions):
        if prediction.status is Status.ERROR:
            failed = True
            complain(f"{answers.name(row)}: {prediction.reason}")
    failed = failed or bool(getattr(images, "problems", ()))
    return ExitCode.INPUT_FAILED if failed else ExitCode.OK
