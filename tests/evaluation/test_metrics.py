import math

import numpy as np
import pytest
from scipy.stats import binomtest
from scoring import all_answered
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from digitcli.datasets.labelled import NO_DIGIT
from digitcli.evaluation.answers import Answers, Outcome
from digitcli.evaluation.metrics import (
    Proportion,
    evaluate,
    measure_calibration,
    measure_refusal,
    wilson_interval,
)
from digitcli.prediction import Prediction, Status

# label 3 answered 3 (0.8) and 5 (0.6); label 5 answered 5 (0.9); label 0 answered 5 (1.0)
PROBABILITIES = np.zeros((4, 10), np.float32)
PROBABILITIES[0, [3, 5]] = 0.8, 0.2
PROBABILITIES[1, [3, 5]] = 0.4, 0.6
PROBABILITIES[2, [5, 1]] = 0.9, 0.1
PROBABILITIES[3, 5] = 1.0
LABELS = np.array([3, 3, 5, 0])


def test_confusion_counts_label_by_answer() -> None:
    confusion = evaluate(all_answered(PROBABILITIES, LABELS)).confusion
    assert confusion[3, 3] == 1
    assert confusion[3, 5] == 1
    assert confusion[5, 5] == 1
    assert confusion[0, 5] == 1
    assert confusion.sum() == 4


def test_accuracy_and_errors_count_the_likeliest_digit() -> None:
    result = evaluate(all_answered(PROBABILITIES, LABELS))
    assert (result.count, result.errors, result.accuracy) == (4, 2, Proportion(2, 4))


def test_loss_is_the_mean_cross_entropy_and_finite() -> None:
    tiny = float(np.finfo(np.float32).tiny)
    expected = -sum(math.log(p) for p in (0.8, 0.4, 0.9, tiny)) / 4
    assert evaluate(all_answered(PROBABILITIES, LABELS)).loss == pytest.approx(expected, rel=1e-6)


def test_each_digit_is_scored_and_nought_of_nought_is_nan() -> None:
    digits = evaluate(all_answered(PROBABILITIES, LABELS)).digits()
    assert (digits[3].precision, digits[3].recall, digits[3].support) == (1.0, 0.5, 2)
    assert digits[3].f1 == pytest.approx(2 / 3)
    assert digits[5].precision == pytest.approx(1 / 3)
    assert digits[5].recall == 1.0
    assert digits[0].recall == 0.0
    assert math.isnan(digits[0].precision)
    assert math.isnan(digits[9].f1)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_gives_the_published_values(
    successes: int, trials: int, low: float, high: float
) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_the_most_confident_mistake_comes_first() -> None:
    answers = all_answered(PROBABILITIES, LABELS)
    assert answers.worst_mistakes(10) == [3, 1]
    assert answers.worst_mistakes(1) == [3]


def test_the_expected_calibration_error_weighs_the_bins_by_their_counts() -> None:
    # bin (0.9, 1]: 3 answers, mean confidence 0.95, all right; bin (0.5, 0.6]: 1 answer, 0.6, wrong
    confidences = np.array([0.92, 0.95, 0.98, 0.6])
    result = measure_calibration(confidences, np.array([True, True, True, False]), bins=10)
    assert result.error == pytest.approx((3 * 0.05 + 1 * 0.6) / 4)
    assert [b.count for b in result.bins] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert result.bins[9].confidence == pytest.approx(0.95)
    assert result.bins[9].accuracy == 1.0
    assert math.isnan(result.bins[0].accuracy)


@pytest.mark.parametrize("seed", range(5))
def test_bins_and_calibration_error_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidences = rng.beta(4, 1, 3000)
    right = rng.random(3000) < confidences**2
    shares, means = calibration_curve(right, confidences, n_bins=15, strategy="uniform")
    result = measure_calibration(confidences, right)
    filled = [b for b in result.bins if b.count]
    assert [b.accuracy for b in filled] == pytest.approx(shares)
    assert [b.confidence for b in filled] == pytest.approx(means)
    weights, _ = np.histogram(confidences, bins=15, range=(0, 1))
    expected = np.average(np.abs(shares - means), weights=weights[weights > 0])
    assert result.error == pytest.approx(expected)


def test_confidences_of_nought_and_one_have_a_bin() -> None:
    counts = [
        b.count for b in measure_calibration(np.array([0.0, 1.0]), np.array([False, True])).bins
    ]
    assert (len(counts), counts[0], counts[-1]) == (15, 1, 1)


def test_answers_as_often_right_as_they_say_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.1, 1, 200_000)
    assert measure_calibration(confidences, rng.random(200_000) < confidences).error < 0.005


def test_the_least_sure_are_refused_first() -> None:
    result = measure_refusal(np.array([0.9, 0.5, 0.7, 0.6]), np.array([True, False, True, False]))
    assert result.threshold.tolist() == [0.5, 0.6, 0.7, 0.9]
    assert result.refused.tolist() == [0.0, 0.25, 0.5, 0.75]
    assert result.error.tolist() == [0.5, pytest.approx(1 / 3), 0.0, 0.0]
    assert [result.share_for(e) for e in (0.5, 0.4, 0.1)] == [0.0, 0.25, 0.5]


def test_equally_sure_answers_are_refused_together() -> None:
    result = measure_refusal(np.array([0.9, 0.9, 0.9, 0.4]), np.array([True, False, True, True]))
    assert result.refused.tolist() == [0.0, 0.25]
    assert result.error.tolist() == [0.25, pytest.approx(1 / 3)]


def test_where_even_the_surest_is_wrong_everything_must_be_refused() -> None:
    assert measure_refusal(np.array([0.9, 0.5]), np.array([False, True])).share_for(0.005) == 1.0


@pytest.mark.parametrize(
    ("threshold", "refused", "error"),
    [(0.0, 0.0, 0.5), (0.5, 0.0, 0.5), (0.51, 0.25, 1 / 3), (0.9, 0.75, 0.0)],
)
def test_a_threshold_refuses_what_is_below_it(
    threshold: float, refused: float, error: float
) -> None:
    result = measure_refusal(np.array([0.9, 0.5, 0.7, 0.6]), np.array([True, False, True, False]))
    point = result.at(threshold)
    assert point.coverage.share == pytest.approx(1 - refused)
    assert point.risk.share == pytest.approx(error)


def test_a_threshold_above_all_confidences_leaves_nothing() -> None:
    point = measure_refusal(np.array([0.9]), np.array([True])).at(0.95)
    assert point.coverage == Proportion(0, 1)
    assert math.isnan(point.risk.share)


def test_the_threshold_for_an_error_is_a_short_number_that_refuses_just_enough() -> None:
    result = measure_refusal(
        np.array([0.9, 0.51234, 0.7, 0.6]), np.array([True, False, True, False])
    )
    threshold = result.threshold_for(0.1)
    assert threshold == 0.7
    assert result.at(threshold).coverage == Proportion(2, 4)
    assert result.threshold_for(0.5) == 0.0
    assert result.threshold_for(0.4) == 0.6
    close = measure_refusal(np.array([0.99991, 0.99984]), np.array([True, False]))
    assert close.threshold_for(0.0) == 0.9999


def test_what_is_refused_in_any_case_is_in_the_curve() -> None:
    result = measure_refusal(np.array([0.9, 0.5]), np.array([True, False]), total=4)
    assert result.refused.tolist() == [0.5, 0.75]
    assert result.at(0.0).coverage == Proportion(2, 4)
    assert result.share_for(0.5) == 0.5


def test_without_an_answer_every_figure_is_nought_of_nought() -> None:
    predictions = [Prediction(Status.NO_DIGIT, reason="no ink"), Prediction(Status.ERROR)]
    unasked = np.full((2, 10), np.nan, np.float32)
    result = evaluate(Answers(np.array([3, 4]), predictions, unasked, ["a", "b"]))
    assert (result.count, result.accuracy, result.best_guess) == (2, (0, 0), (0, 0))
    assert all(map(math.isnan, result.accuracy.interval()))
    assert math.isnan(result.loss)
    assert math.isnan(result.calibration.error)
    assert result.refusal.share_for(0.005) == 1.0
    assert result.refusal.threshold_for(0.005) is None


# a 3 answered, a 3 answered 5, a 4 unsure, a 4 with several characters, a blank 5, a broken 6, and
# no digit: answered 1, unsure, no ink
PREDICTIONS = [
    Prediction(Status.OK, 3, 0.9, 3),
    Prediction(Status.OK, 5, 0.8, 5),
    Prediction(Status.UNSURE, None, 0.4, 4, "low confidence"),
    Prediction(Status.NO_DIGIT, None, 0.99, 4, "several characters"),
    Prediction(Status.NO_DIGIT, reason="no ink"),
    Prediction(Status.ERROR, reason="not a picture"),
    Prediction(Status.OK, 1, 0.95, 1),
    Prediction(Status.UNSURE, None, 0.3, 7, "low confidence"),
    Prediction(Status.NO_DIGIT, reason="no ink"),
]


def of_files() -> Answers:
    probabilities = np.full((len(PREDICTIONS), 10), np.nan, np.float32)
    for row, prediction in enumerate(PREDICTIONS):
        if prediction.best_guess is not None:
            assert prediction.confidence is not None
            probabilities[row] = (1 - prediction.confidence) / 9
            probabilities[row, prediction.best_guess] = prediction.confidence
    labels = np.array([3, 3, 4, 4, 5, 6, *[NO_DIGIT] * 3])
    return Answers(labels, PREDICTIONS, probabilities, [f"{i}.png" for i in range(len(labels))])


def test_every_image_counts_as_one_of_five() -> None:
    result = evaluate(of_files())
    assert result.outcomes == {
        Outcome.RIGHT: 3,
        Outcome.WRONG: 2,
        Outcome.UNSURE: 1,
        Outcome.NO_DIGIT: 2,
        Outcome.UNREADABLE: 1,
    }
    assert result.outcomes.total() == result.count == 9
    assert result.reasons == {"several characters": 1, "no ink": 1}


def test_the_accuracy_is_that_of_the_answers_and_the_best_guess_stands_beside_it() -> None:
    result = evaluate(of_files())
    assert result.accuracy == Proportion(1, 3)
    assert result.best_guess == Proportion(3, 4)


def test_what_got_no_answer_has_a_column_and_what_is_no_digit_a_row() -> None:
    confusion = evaluate(of_files()).confusion
    assert confusion.shape == (11, 11)
    assert [confusion[label, 10] for label in (3, 4, 5, 6)] == [0, 2, 1, 1]
    assert (confusion[10, 1], confusion[10, 10]) == (1, 2)
    assert evaluate(of_files()).digits()[4].recall == 0.0


def test_the_images_own_evidence_is_in_the_refusal_curve() -> None:
    result = evaluate(of_files()).refusal
    assert result.at(0.0).coverage == Proportion(5, 8)  # all but the broken file
    assert result.at(0.0).risk == Proportion(2 + 1, 5)  # 3 as 5, no digit as 1 and as 7
    assert result.at(0.85).risk == Proportion(1, 2)


def test_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    probabilities = rng.dirichlet(np.full(10, 0.3), 500).astype(np.float32)
    labels = np.where(rng.random(500) < 0.7, probabilities.argmax(axis=1), rng.integers(0, 9, 500))
    result = evaluate(all_answered(probabilities, labels))
    guesses = probabilities.argmax(axis=1)
    digits = range(10)
    assert np.array_equal(result.confusion, confusion_matrix(labels, guesses, labels=digits))
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    assert result.loss == pytest.approx(log_loss(labels, exact, labels=digits), rel=1e-5)
    expected = precision_recall_fscore_support(labels, guesses, labels=digits, zero_division=np.nan)
    for digit, score in enumerate(result.digits()):
        assert score.precision == pytest.approx(expected[0][digit], nan_ok=True)
        assert score.recall == pytest.approx(expected[1][digit], nan_ok=True)
        assert score.support == expected[3][digit]
        if score.support:  # scikit-learn calls F1 zero where a digit is neither there nor answered
            assert score.f1 == pytest.approx(expected[2][digit])


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (1, 1), (39, 10_000), (93, 94), (7, 20)])
def test_the_interval_is_that_of_scipy(part: int, whole: int) -> None:
    expected = binomtest(part, whole).proportion_ci(0.95, method="wilson")
    assert Proportion(part, whole).interval() == pytest.approx(expected, abs=1e-7)
