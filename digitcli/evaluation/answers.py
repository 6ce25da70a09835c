"""Predictions for labelled images, and the outcome of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import NO_DIGIT
from digitcli.prediction import Prediction, Status


class Outcome(str, Enum):
    """How a prediction counts; each counts in one way."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"
    NO_DIGIT = "no_digit"
    UNREADABLE = "unreadable"


_WITHOUT_ANSWER = {Status.UNSURE: Outcome.UNSURE, Status.NO_DIGIT: Outcome.NO_DIGIT}


def outcome_of(label: int, prediction: Prediction) -> Outcome:
    """Return how a prediction counts for an image with a label, 0 to 9 or ``NO_DIGIT``.

    For an image that shows no digit, a digit is wrong, and no digit is right.
    """
    if prediction.status is Status.ERROR:
        return Outcome.UNREADABLE
    if prediction.status is Status.OK:
        return Outcome.RIGHT if prediction.digit == label else Outcome.WRONG
    return Outcome.RIGHT if label == NO_DIGIT else _WITHOUT_ANSWER[prediction.status]


@dataclass(frozen=True, slots=True)
class Answers:
    """Predictions for n labelled images.

    Attributes:
        labels: shape (n,), dtype int64, 0 to 9 or ``NO_DIGIT``.
        predictions: n of them.
        probabilities: of the ten digits, float32 of shape (n, 10); NaN where the network did not
            run.
        paths: of the image files; None where the images are arrays, which all get a digit.

    """

    labels: NDArray[np.int64]
    predictions: Sequence[Prediction]
    probabilities: NDArray[np.float32]
    paths: Sequence[str] | None = None

    def outcomes(self) -> list[Outcome]:
        """Return how each prediction counts."""
        pairs = zip(self.labels.tolist(), self.predictions, strict=True)
        return [outcome_of(label, prediction) for label, prediction in pairs]

    def name(self, row: int) -> str:
        """Return the path of an image, or its number in an array."""
        return f"#{row}" if self.paths is None else self.paths[row]

    def reasons(self) -> Counter[str]:
        """Count the reasons of the images that count as ``Outcome.NO_DIGIT``."""
        pairs = zip(self.outcomes(), self.predictions, strict=True)
        return Counter(
            prediction.reason or "" for outcome, prediction in pairs if outcome is Outcome.NO_DIGIT
        )

    def worst_mistakes(self, most: int) -> list[int]:
        """Return the rows of at most ``most`` wrong predictions, the most confident first."""
        rows = [row for row, outcome in enumerate(self.outcomes()) if outcome is Outcome.WRONG]
        rows.sort(key=lambda row: -(self.predictions[row].confidence or 0.0))
        return rows[:most]
