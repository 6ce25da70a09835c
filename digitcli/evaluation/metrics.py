"""How well the answers agree with the labels."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import DIGITS


@dataclass(frozen=True, slots=True)
class DigitScore:
    """How one digit is read: each share in [0, 1], ``support`` the number of its pictures; NaN where it is 0 of 0."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What ``evaluate`` measures. ``confusion[i, j]`` counts pictures of label i answered j, shape (10, 10), int64."""

    confusion: NDArray[np.int64]
    loss: float

    @property
    def count(self) -> int:
        """The number of pictures."""
        return int(self.confusion.sum())

    @property
    def errors(self) -> int:
        """The number of pictures whose likeliest digit is not their label."""
        return self.count - int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """The share of pictures whose likeliest digit is their label."""
        return 1 - self.errors / self.count

    def interval(self) -> tuple[float, float]:
        """Give the 95 % interval of the accuracy."""
        return wilson_interval(self.count - self.errors, self.count)

    def digits(self) -> list[DigitScore]:
        """Score each of the ten digits."""
        right = np.diag(self.confusion)
        answered, support = self.confusion.sum(axis=0), self.confusion.sum(axis=1)
        return [
            DigitScore(
                precision=_share(right[d], answered[d]),
                recall=_share(right[d], support[d]),
                f1=_share(2 * right[d], answered[d] + support[d]),
                support=int(support[d]),
            )
            for d in range(DIGITS)
        ]


def evaluate(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Evaluation:
    """Compare probabilities of shape (n, 10) with labels of shape (n,), n > 0.

    The loss is the mean categorical cross-entropy in nats.
    """
    answers = probabilities.argmax(axis=1)
    confusion = np.zeros((DIGITS, DIGITS), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    # a float32 softmax can underflow to 0
    loss = -float(np.log(np.maximum(of_label, np.finfo(np.float32).tiny)).mean())
    return Evaluation(confusion, loss)


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Give the interval of a share, by default at 95 %, in [0, 1]; ``trials`` > 0.

    E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference. JASA 22 (158), 1927.
    """
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def worst_mistakes(probabilities: NDArray[np.float32], labels: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Give the rows that were answered wrongly, the surest mistake first, at most ``most`` of them."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[order][:most]


def _share(part: np.int64, whole: np.int64) -> float:
    return float(part / whole) if whole else math.nan
