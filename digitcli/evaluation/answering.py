"""A network asked about labelled images, as ``classify`` asks it."""

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
        canvases: what the network saw of each, by row: uint8 of shape (28, 28).
        digests: the SHA-256 of each file, or of the pixels where there is no file; None where it
            was not asked for or the file could not be read.

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
    """Read labelled files and ask the network about them, exactly as ``classify`` does.

    The classifier must keep probabilities. ``watch`` passes the batches of answers on, and may
    count them meanwhile.
    """
    batches = watch(classifier.answer_all([list(files.sources)], jobs=jobs, isolation=isolation))
    found = [answer for batch in batches for answer in batch]
    unasked = (np.nan,) * 10
    probabilities = np.array([answer.probabilities or unasked for answer in found], np.float32)
    return Answered(
        Answers(
            files.labels,
            [answer.prediction for answer in found],
            probabilities,
            [source.path for source in files.sources],
        ),
        {row: answer.canvas for row, answer in enumerate(found) if answer.canvas is not None},
        [answer.digest for answer in found],
    )


def answer_images(network: Network, images: LabelledImages, *, with_digests: bool) -> Answered:
    """Ask the network about canvases; each of them is answered."""
    probabilities = network.probabilities(images.images)
    predictions = [decide(row, None, min_confidence=0.0) for row in probabilities.tolist()]
    return Answered(
        Answers(images.labels, predictions, probabilities),
        dict(enumerate(images.images)),
        images.digests() if with_digests else [None] * len(images),
    )


def answer_again(network: Network, answered: Answered, *, min_confidence: float) -> Answers:
    """Ask another network about the same canvases.

    What the image itself speaks against, as several characters in it, speaks against the other
    network's answer as well.
    """
    first = answered.answers
    decided = (Status.OK, Status.UNSURE)
    rows = [
        row for row, prediction in enumerate(first.predictions) if prediction.best_guess is not None
    ]
    probabilities = np.full(first.probabilities.shape, np.nan, np.float32)
    predictions = list(first.predictions)
    if rows:
        canvases = np.stack([answered.canvases[row] for row in rows])
        probabilities[rows] = network.probabilities(canvases)
    for row in rows:
        prediction = decide(probabilities[row].tolist(), None, min_confidence=min_confidence)
        if predictions[row].status not in decided:
            prediction = replace(
                prediction, status=Status.NO_DIGIT, digit=None, reason=predictions[row].reason
            )
        predictions[row] = prediction
    return Answers(first.labels, predictions, probabilities, first.paths)
