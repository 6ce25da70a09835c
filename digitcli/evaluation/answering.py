"""Predictions for labelled images, made exactly as ``classify`` makes them."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledFiles, LabelledImages
from digitcli.evaluation.answers import Answers
from digitcli.inference.classifier import Answer, Classifier
from digitcli.inference.network import Network
from digitcli.inference.rejection import decide
from digitcli.parallel.processes import Isolation
from digitcli.prediction import Status

Batches = Generator[list[Answer], None, None]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to labelled images.

    Attributes:
        answers: one for each image.
        canvases: the network's input by row, uint8 of shape (28, 28).
        digests: the SHA-256 of each file, or of the pixels where there is no file; None where it
            was not requested or the file could not be read.

    """

    answers: Answers
    canvases: dict[int, NDArray[np.uint8]]
    digests: Sequence[str | None]


def answer_files(
    classifier: Classifier,
    files: LabelledFiles,
    *,
    jobs: int,
    isolation: Isolation,
    watch: Callable[[Batches], Batches] = lambda batches: batches,
) -> Answered:
    """Read labelled files and classify them, exactly as ``classify`` does.

    The classifier must keep probabilities. ``watch`` yields the batches of answers that it is
    given, and may count them.
    """
    batches = watch(classifier.answer_all([list(files.sources)], jobs=jobs, isolation=isolation))
    found = [answer for batch in batches for answer in batch]
    unknown = (np.nan,) * 10
    probabilities = np.array([answer.probabilities or unknown for answer in found], np.float32)
    answers = Answers(
        labels=files.labels,
        predictions=[answer.prediction for answer in found],
        probabilities=probabilities,
        paths=[source.path for source in files.sources],
    )
    canvases = {row: answer.canvas for row, answer in enumerate(found) if answer.canvas is not None}
    return Answered(answers, canvases, digests=[answer.digest for answer in found])


def answer_images(network: Network, images: LabelledImages, *, with_digests: bool) -> Answered:
    """Classify canvases; each of them gets a digit."""
    probabilities = network.probabilities(images.images)
    predictions = [decide(row, None, min_confidence=0.0) for row in probabilities.tolist()]
    answers = Answers(images.labels, predictions, probabilities)
    digests = images.digests() if with_digests else [None] * len(images)
    return Answered(answers, canvases=dict(enumerate(images.images)), digests=digests)


def answer_again(network: Network, answered: Answered, *, min_confidence: float) -> Answers:
    """Classify the same canvases by another network.

    Where the image itself was the reason for no answer, such as several characters in it, the other
    network gives none for the same reason.
    """
    first = answered.answers
    has_run = [prediction.best_guess is not None for prediction in first.predictions]
    rows = np.flatnonzero(has_run).tolist()
    probabilities = np.full(first.probabilities.shape, np.nan, np.float32)
    predictions = list(first.predictions)
    if rows:
        canvases = np.stack([answered.canvases[row] for row in rows])
        probabilities[rows] = network.probabilities(canvases)
    for row in rows:
        prediction = decide(probabilities[row].tolist(), None, min_confidence=min_confidence)
        if predictions[row].status not in (Status.OK, Status.UNSURE):
            prediction = replace(
                prediction, status=Status.NO_DIGIT, digit=None, reason=predictions[row].reason
            )
        predictions[row] = prediction
    return Answers(first.labels, predictions, probabilities, first.paths)
