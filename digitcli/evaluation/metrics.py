"""How well the answers agree with the labels."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import DIGITS

BINS = 15  # as Guo et al. use; see Calibration
# Error rates to bring the predictions down to; the paper of 1998 compares at the first.
TARGETS = (0.005, 0.001, 0.0005)


@dataclass(frozen=True, slots=True)
class DigitScore:
    """How well one digit is read.

    Each share lies in [0, 1] and is NaN where it is 0 of 0; ``support`` is the number of images of
    the digit.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The predictions whose confidence lies in (low, high].

    ``confidence`` is their mean confidence and ``accuracy`` the share of them that is right: both
    in [0, 1], NaN where ``count`` is 0.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether a confidence can be read as a probability: bins of equal width over [0, 1]."""

    bins: tuple[Bin, ...]

    @property
    def error(self) -> float:
        """The expected calibration error, in [0, 1].

        It is the mean of |confidence - accuracy|, the bins weighted by their counts.

        C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger: On Calibration of Modern Neural Networks. ICML
        2017.
        """
        filled = [b for b in self.bins if b.count]
        return sum(b.count * abs(b.confidence - b.accuracy) for b in filled) / sum(
            b.count for b in filled
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is left when the least sure answers are refused.

    Row k of the arrays, float64 of shape (m,): all answers below the confidence ``threshold[k]``
    are refused, which is the share ``refused[k]`` of all pictures, and of the others the share
    ``error[k]`` is wrong. Both ``threshold`` and ``refused`` rise, the latter from 0; refusing
    everything is no row.
    """

    threshold: NDArray[np.float64]
    refused: NDArray[np.float64]
    error: NDArray[np.float64]

    def share_for(self, error: float) -> float:
        """Return the smallest share to refuse so that at most ``error`` of the rest is wrong.

        All shares are in [0, 1].
        """
        enough = np.flatnonzero(self.error <= error)
        return float(self.refused[enough[0]]) if enough.size else 1.0

    def at(self, threshold: float) -> tuple[float, float]:
        """Return the share refused below a confidence, and the error of the rest, NaN if none."""
        row = int(np.searchsorted(self.threshold, threshold))
        return (
            (float(self.refused[row]), float(self.error[row]))
            if row < len(self.threshold)
            else (1.0, math.nan)
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What ``evaluate`` measures.

    ``confusion[i, j]`` counts the images of label i predicted as j, shape (10, 10), int64.
    """

    confusion: NDArray[np.int64]
    loss: float
    calibration: Calibration
    refusal: Refusal

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
    confidences, right = probabilities.max(axis=1).astype(np.float64), answers == labels
    return Evaluation(confusion, loss, calibration(confidences, right), refusal(confidences, right))


def calibration(
    confidences: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS
) -> Calibration:
    """Sort predictions into bins by their confidence, in [0, 1], and measure each bin."""
    number = np.clip(np.ceil(confidences * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(number, minlength=bins)
    sure = np.bincount(number, confidences, bins)
    correct = np.bincount(number, right, bins)
    return Calibration(
        tuple(
            Bin(
                i / bins,
                (i + 1) / bins,
                int(counts[i]),
                _share(sure[i], counts[i]),
                _share(correct[i], counts[i]),
            )
            for i in range(bins)
        )
    )


def refusal(confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> Refusal:
    """Measure the error of the rest as predictions are refused, the least confident first."""
    order = np.argsort(-confidences, kind="stable")
    sorted_confidences = confidences[order]
    wrong = np.cumsum(~right[order])
    # answers of the same confidence are refused together
    last = np.flatnonzero(np.append(sorted_confidences[1:] != sorted_confidences[:-1], True))[::-1]
    answered = last + 1
    return Refusal(sorted_confidences[last], 1 - answered / len(right), wrong[last] / answered)


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Give the interval of a share, by default at 95 %, in [0, 1]; ``trials`` > 0.

    E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference. JASA 22
    (158), 1927.
    """
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def worst_mistakes(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], most: int
) -> NDArray[np.int64]:
    """Return the rows predicted wrongly, the most confident first, at most ``most`` of them."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[order][:most]


def _share(part: float, whole: int) -> float:
    return float(part / whole) if whole else math.nan
