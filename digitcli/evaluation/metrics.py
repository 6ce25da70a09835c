"""Measures of how well the predictions agree with the labels."""

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
# Error rates that are to be reached by refusing; the paper of 1998 compares networks at the first.
TARGETS = (0.005, 0.001, 0.0005)


@dataclass(frozen=True, slots=True)
class DigitScore:
    """Precision, recall and F1 of one digit, in [0, 1]; NaN where they are 0 of 0.

    ``support`` is the number of images of the digit.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The predictions whose confidence lies in (low, high].

    ``confidence`` is their mean confidence, ``accuracy`` the share of them that is right. Both are
    in [0, 1], and NaN where ``count`` is 0.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Confidence against accuracy, in bins of equal width over [0, 1]."""

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
        """The share in [0, 1]; NaN for 0 of 0."""
        return _share(self.part, self.whole)

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the share; NaN for 0 of 0."""
        return wilson_interval(self.part, self.whole) if self.whole else (math.nan, math.nan)


class OperatingPoint(NamedTuple):
    """Coverage and risk at a threshold of the confidence.

    ``coverage`` is the proportion of all images that are answered, ``risk`` the proportion of these
    that are answered wrongly.
    """

    threshold: float
    coverage: Proportion
    risk: Proportion


@dataclass(frozen=True, slots=True)
class Refusal:
    """Coverage and errors at all thresholds below which answers can be refused.

    The rows are ordered by rising threshold; there is none for refusing everything.

    Attributes:
        threshold: float64 of shape (m,); answers of a lower confidence are refused.
        answered: int64 of shape (m,), the number of images that are still answered.
        wrong: int64 of shape (m,), the number of these that are answered wrongly.
        total: number of all images, including those that are refused at any threshold.

    R. El-Yaniv, Y. Wiener: On the Foundations of Noise-free Selective Classification. JMLR 11,
    2010.
    """

    threshold: NDArray[np.float64]
    answered: NDArray[np.int64]
    wrong: NDArray[np.int64]
    total: int

    @property
    def refused(self) -> NDArray[np.float64]:
        """The share of all images that is refused, by row; it rises."""
        return 1 - self.answered / self.total

    @property
    def error(self) -> NDArray[np.float64]:
        """The share of the answered images that is wrong, by row."""
        return self.wrong / self.answered

    def share_for(self, error: float) -> float:
        """Return the smallest share to refuse for an error of at most ``error``, both in [0, 1]."""
        row = self._row_for(error)
        return 1.0 if row is None else float(self.refused[row])

    def threshold_for(self, error: float) -> float | None:
        """Return the threshold with the fewest decimals that refuses this smallest share.

        It is None where no answer would be left.
        """
        row = self._row_for(error)
        if row is None:
            return None
        lower = float(self.threshold[row - 1]) if row else -1.0
        return _shortest_between(lower, float(self.threshold[row]))

    def at(self, threshold: float) -> OperatingPoint:
        """Return coverage and risk where all answers below a confidence are refused."""
        answered = wrong = 0
        row = int(np.searchsorted(self.threshold, threshold))
        if row < len(self.threshold):
            answered, wrong = int(self.answered[row]), int(self.wrong[row])
        return OperatingPoint(
            threshold, coverage=Proportion(answered, self.total), risk=Proportion(wrong, answered)
        )

    def _row_for(self, error: float) -> int | None:
        """Return the first row with an error of at most ``error``; None where there is none."""
        rows = np.flatnonzero(self.error <= error)
        return int(rows[0]) if rows.size else None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measures of ``evaluate``.

    Attributes:
        confusion: int64; ``confusion[i, j]`` counts the images of label i answered j. For arrays
            the shape is (10, 10). For image files there is an eleventh column, for no answer; and
            where images are labelled as no digit, an eleventh row for these.
        outcomes: number of images by outcome; arrays are all right or wrong.
        reasons: number of images by reason, for the outcome ``Outcome.NO_DIGIT``.
        best_guess: of the images of digits on which the network ran, answered or not, those whose
            likeliest digit is their label.
        loss: mean cross-entropy over the same images, in nats; NaN where there are none.
        calibration: of the images for which the confidence decides whether they are answered.
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
        """The proportion of the answers that are right."""
        answers = self.confusion[:, :DIGITS]
        return Proportion(int(np.trace(answers)), int(answers.sum()))

    @property
    def errors(self) -> int:
        """The number of wrong answers."""
        return self.accuracy.whole - self.accuracy.part

    def digits(self) -> list[DigitScore]:
        """Return the scores of the ten digits; an image without an answer lowers the recall."""
        right = np.diag(self.confusion)
        answered = self.confusion.sum(axis=0)
        support = self.confusion.sum(axis=1)
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
    """Measure the predictions for n > 0 images against their labels."""
    labels = answers.labels
    predictions = answers.predictions
    confidences = answers.probabilities.max(axis=1).astype(np.float64)
    is_label = answers.probabilities.argmax(axis=1) == labels
    has_guess = ~np.isnan(confidences) & (labels != NO_DIGIT)
    decided_by_confidence = np.array(
        [prediction.status in (Status.OK, Status.UNSURE) for prediction in predictions]
    )
    of_label = answers.probabilities[np.arange(len(labels)), labels][has_guess]
    smallest = np.finfo(np.float32).tiny  # a float32 softmax can underflow to 0
    losses = -np.log(np.maximum(of_label.astype(np.float64), smallest))
    right = is_label[decided_by_confidence]
    readable = sum(prediction.status is not Status.ERROR for prediction in predictions)
    return Evaluation(
        confusion=_count_confusion(answers),
        outcomes=Counter(answers.outcomes()),
        reasons=answers.reasons(),
        best_guess=Proportion(int(is_label[has_guess].sum()), int(has_guess.sum())),
        loss=float(losses.mean()) if losses.size else math.nan,
        calibration=measure_calibration(confidences[decided_by_confidence], right),
        refusal=measure_refusal(confidences[decided_by_confidence], right, readable),
    )


def _count_confusion(answers: Answers) -> NDArray[np.int64]:
    is_negative = answers.labels == NO_DIGIT
    has_files = answers.paths is not None
    rows = DIGITS + 1 if is_negative.any() else DIGITS
    columns = DIGITS + 1 if has_files else DIGITS
    confusion = np.zeros((rows, columns), np.int64)
    row_of = np.where(is_negative, DIGITS, answers.labels)
    digits = [prediction.digit for prediction in answers.predictions]
    column_of = np.array([DIGITS if digit is None else digit for digit in digits], np.int64)
    np.add.at(confusion, (row_of, column_of), 1)
    return confusion


def measure_calibration(
    confidences: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS
) -> Calibration:
    """Sort predictions into bins by their confidence, in [0, 1], and measure each bin."""
    bin_of = np.clip(np.ceil(confidences * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    sums_of_confidence = np.bincount(bin_of, confidences, bins)
    right_counts = np.bincount(bin_of, right, bins)
    return Calibration(
        tuple(
            Bin(
                low=i / bins,
                high=(i + 1) / bins,
                count=int(counts[i]),
                confidence=_share(sums_of_confidence[i], counts[i]),
                accuracy=_share(right_counts[i], counts[i]),
            )
            for i in range(bins)
        )
    )


def measure_refusal(
    confidences: NDArray[np.float64], right: NDArray[np.bool_], total: int | None = None
) -> Refusal:
    """Measure coverage and errors as predictions are refused, the least confident first.

    ``total`` is the number of all images, where some are refused at any threshold and so have no
    confidence here.
    """
    order = np.argsort(-confidences, kind="stable")
    falling = confidences[order]
    wrong = np.cumsum(~right[order], dtype=np.int64)
    # answers of the same confidence are refused together: only the last of each is a row
    is_last = np.ones(len(falling), bool)
    is_last[:-1] = falling[1:] != falling[:-1]
    last = np.flatnonzero(is_last)[::-1]
    return Refusal(
        threshold=falling[last],
        answered=last + 1,
        wrong=wrong[last],
        total=len(right) if total is None else total,
    )


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval of a share, by default at 95 %, in [0, 1]; ``trials`` > 0.

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
