"""Answers made of probabilities, for the tests of what is measured and shown."""

import numpy as np
from numpy.typing import NDArray

from digitcli.evaluation.answers import Answers
from digitcli.evaluation.metrics import evaluate
from digitcli.output.scores import Scores
from digitcli.prediction import Prediction, Status


def all_answered(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Answers:
    """Answers to arrays: each image gets its likeliest digit."""
    predictions = [
        Prediction(Status.OK, int(row.argmax()), float(row.max()), int(row.argmax()))
        for row in probabilities
    ]
    return Answers(labels, predictions, probabilities)


def scores_of(answers: Answers, min_confidence: float = 0.5, name: str = "lenet5") -> Scores:
    """All that is shown of some answers."""
    return Scores(name, answers, evaluate(answers), min_confidence)
