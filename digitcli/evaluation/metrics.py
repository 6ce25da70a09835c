"""How well the answers agree with the labels."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import DIGITS, NO_DIGIT
from digitcli.evaluation.answers import Answers, Outcome
from digitcli.prediction import Status

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
        """The expected calibration error, in [0, 1]; NaN where there are no predictions.

        It is the mean of |confidence - accuracy|, the bins weighted by their counts.

        C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger: On Calibration of Modern Neural Networks. ICML
        2017.
        """
        filled = [b for b in self.bins if b.count]
        gaps = sum(b.count * abs(b.confidence - b.accuracy) for b in filled)
        return _share(gaps, sum(b.count for b in filled))


class Proportion(NamedTuple):
    """A part of a whole, both counts."""

    part: int
    whole: int

    @property
    def share(self) -> float:
        """The share in [0, 1]; NaN of 0 of 0."""
        return _share(self.part, self.whole)

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the share, NaN of 0 of 0."""
        return wilson_interval(self.part, self.whole) if self.whole else (math.nan, math.nan)


class OperatingPoint(NamedTuple):
    """What a threshold of the confidence brings.

    ``coverage`` are the images answered, of all; ``risk`` are those answered wrongly, of these.
    """

    threshold: float
    coverage: Proportion
    risk: Proportion


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is left when the least confident answers are refused.

    Row k of the arrays of shape (m,): where all answers below the confidence ``threshold[k]``,
    float64, are refused, ``answered[k]`` images are left, int64, of which ``wrong[k]``, int64, are
    answered wrongly. ``threshold`` rises; refusing everything is no row. ``total`` is the number of
    all images, those included that are refused whatever the threshold.

    R. El-Yaniv, Y. Wiener: On the Foundations of Noise-free Selective Classification. JMLR 11,
    2010.
    """

    threshold: NDArray[np.float64]
    answered: NDArray[np.int64]
    wrong: NDArray[np.int64]
    total: int

    @property
    def refused(self) -> NDArray[np.float64]:
        """The share of all images that is refused, row by row; it rises."""
        return 1 - self.answered / self.total

    @property
    def error(self) -> NDArray[np.float64]:
        """The share of the answered images that is wrong, row by row."""
        return self.wrong / self.answered

    def share_for(self, error: float) -> float:
        """Return the smallest share to refuse so that at most ``error`` of the rest is wrong.

        All shares are in [0, 1].
        """
        row = self._row_for(error)
        return 1.0 if row is None else float(self.refused[row])

    def threshold_for(self, error: float) -> float | None:
        """Return the threshold that refuses this smallest share; None where no answer is left.

        Of all that do, it is the one with the fewest decimals.
        """
        row = self._row_for(error)
        if row is None:
            return None
        return _shortest_between(
            float(self.threshold[row - 1]) if row else -1.0, float(self.threshold[row])
        )

    def at(self, threshold: float) -> OperatingPoint:
        """Return what refusing all answers below a confidence brings."""
        row = int(np.searchsorted(self.threshold, threshold))
        answered, wrong = (
            (int(self.answered[row]), int(self.wrong[row])) if row < len(self.threshold) else (0, 0)
        )
        return OperatingPoint(
            threshold, Proportion(answered, self.total), Proportion(wrong, answered)
        )

    def _row_for(self, error: float) -> int | None:
        enough = np.flatnonzero(self.error <= error)
        return int(enough[0]) if enough.size else None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What ``evaluate`` measures.

    Attributes:
        confusion: ``confusion[i, j]`` counts the images of label i answered j, dtype int64. Of
            arrays the shape is (10, 10). Of image files there is an eleventh column, for no answer;
            and where images are labelled as no digit, an eleventh row for these.
        outcomes: how many images of each kind; of arrays all are right or wrong.
        reasons: why images count as ``Outcome.NO_DIGIT``, and how many.
        best_guess: the images of digits whose likeliest digit is their label, of those for which
            the network was asked, answered or not.
        loss: mean categorical cross-entropy over the same images, in nats; NaN where there are
            none.
        calibration: of the images that the network's confidence decides about.
        refusal: of all images that could be read.

    """

    confusion: NDArray[np.int64]
    outcomes: Counter[Outcome]
    reasons: Counter[str]
    best_guess: Proportion
    loss: float
    calibration: Calibration
    refusal: Refusal

    @property
    def has_files(self) -> bool:
        """Whether image files were measured, of which some may get no answer."""
        return bool(self.confusion.shape[1] > DIGITS)

    @property
    def count(self) -> int:
        """The number of images."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> Proportion:
        """The right answers, of all answers."""
        answers = self.confusion[:, :DIGITS]
        return Proportion(int(np.trace(answers)), int(answers.sum()))

    @property
    def errors(self) -> int:
        """The number of wrong answers."""
        return self.accuracy.whole - self.accuracy.part

    def digits(self) -> list[DigitScore]:
        """Score each of the ten digits; an image without an answer is one that was not found."""
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


def evaluate(answers: Answers) -> Evaluation:
    """Hold the predictions for n > 0 images against their labels."""
    labels = answers.labels
    predictions = answers.predictions
    decided_by_confidence = np.array(
        [prediction.status in (Status.OK, Status.UNSURE) for prediction in predictions]
    )
    confidences = answers.probabilities.max(axis=1).astype(np.float64)
    guesses = answers.probabilities.argmax(axis=1)
    guessed = ~np.isnan(confidences) & (labels != NO_DIGIT)
    of_label = answers.probabilities[np.arange(len(labels)), labels][guessed].astype(np.float64)
    # a float32 softmax can underflow to 0
    losses = -np.log(np.maximum(of_label, np.finfo(np.float32).tiny))
    right = (guesses == labels)[decided_by_confidence]
    readable = sum(prediction.status is not Status.ERROR for prediction in predictions)
    return Evaluation(
        confusion=_confusion(answers),
        outcomes=Counter(answers.outcomes()),
        reasons=answers.reasons(),
        best_guess=Proportion(int((guesses == labels)[guessed].sum()), int(guessed.sum())),
        loss=float(losses.mean()) if losses.size else math.nan,
        calibration=calibration(confidences[decided_by_confidence], right),
        refusal=refusal(confidences[decided_by_confidence], right, readable),
    )


def _confusion(answers: Answers) -> NDArray[np.int64]:
    has_others = bool((answers.labels == NO_DIGIT).any())
    shape = (DIGITS + has_others, DIGITS + (answers.paths is not None))
    confusion = np.zeros(shape, np.int64)
    digits = [prediction.digit for prediction in answers.predictions]
    columns = np.array([DIGITS if digit is None else digit for digit in digits], np.int64)
    rows = np.where(answers.labels == NO_DIGIT, DIGITS, answers.labels)
    np.add.at(confusion, (rows, columns), 1)
    return confusion


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


def refusal(
    confidences: NDArray[np.float64], right: NDArray[np.bool_], total: int | None = None
) -> Refusal:
    """Measure what is left as predictions are refused, the least confident first.

    ``total`` is the number of all images, where some have no confidence as they are refused in any
    case.
    """
    order = np.argsort(-confidences, kind="stable")
    sorted_confidences = confidences[order]
    wrong = np.cumsum(~right[order], dtype=np.int64)
    # answers of the same confidence are refused together
    differs = sorted_confidences[1:] != sorted_confidences[:-1]
    last = np.flatnonzero(np.append(differs, [True] * (len(right) > 0)))[::-1]
    return Refusal(
        sorted_confidences[last], last + 1, wrong[last], len(right) if total is None else total
    )


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the interval of a share, by default at 95 %, in [0, 1]; ``trials`` > 0.

    E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference. JASA 22
    (158), 1927.
    """
    share = successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _shortest_between(low: float, high: float) -> float:
    """Return the number with the fewest decimals in (low, high], 0 ≤ high ≤ 1."""
    for decimals in range(17):
        number = math.floor(high * 10**decimals) / 10**decimals
        if low < number <= high:
            return float(number)
    return high


def _share(part: float, whole: int) -> float:
    return float(part / whole) if whole else math.nan
