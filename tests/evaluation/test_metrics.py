import math

import numpy as np
import pytest

from digitcli.evaluation.metrics import (
    calibration,
    evaluate,
    refusal,
    wilson_interval,
    worst_mistakes,
)

# label 3 answered 3 (0.8) and 5 (0.6); label 5 answered 5 (0.9); label 0 answered 5 (1.0)
PROBABILITIES = np.zeros((4, 10), np.float32)
PROBABILITIES[0, [3, 5]] = 0.8, 0.2
PROBABILITIES[1, [3, 5]] = 0.4, 0.6
PROBABILITIES[2, [5, 1]] = 0.9, 0.1
PROBABILITIES[3, 5] = 1.0
LABELS = np.array([3, 3, 5, 0])


def test_confusion_counts_label_by_answer() -> None:
    confusion = evaluate(PROBABILITIES, LABELS).confusion
    assert confusion[3, 3] == 1
    assert confusion[3, 5] == 1
    assert confusion[5, 5] == 1
    assert confusion[0, 5] == 1
    assert confusion.sum() == 4


def test_accuracy_and_errors_count_the_likeliest_digit() -> None:
    result = evaluate(PROBABILITIES, LABELS)
    assert (result.count, result.errors, result.accuracy) == (4, 2, 0.5)


def test_loss_is_the_mean_cross_entropy_and_finite() -> None:
    tiny = float(np.finfo(np.float32).tiny)
    expected = -sum(math.log(p) for p in (0.8, 0.4, 0.9, tiny)) / 4
    assert evaluate(PROBABILITIES, LABELS).loss == pytest.approx(expected, rel=1e-6)


def test_each_digit_is_scored_and_nought_of_nought_is_nan() -> None:
    digits = evaluate(PROBABILITIES, LABELS).digits()
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


def test_the_surest_mistake_comes_first() -> None:
    assert worst_mistakes(PROBABILITIES, LABELS, 10).tolist() == [3, 1]
    assert worst_mistakes(PROBABILITIES, LABELS, 1).tolist() == [3]


def test_the_expected_calibration_error_weighs_the_bins_by_their_counts() -> None:
    # bin (0.9, 1]: 3 answers, mean confidence 0.95, all right; bin (0.5, 0.6]: 1 answer, 0.6, wrong
    confidences = np.array([0.92, 0.95, 0.98, 0.6])
    result = calibration(confidences, np.array([True, True, True, False]), bins=10)
    assert result.error == pytest.approx((3 * 0.05 + 1 * 0.6) / 4)
    assert [b.count for b in result.bins] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert (result.bins[9].confidence, result.bins[9].accuracy) == (pytest.approx(0.95), 1.0)
    assert math.isnan(result.bins[0].accuracy)


def test_confidences_of_nought_and_one_have_a_bin() -> None:
    counts = [b.count for b in calibration(np.array([0.0, 1.0]), np.array([False, True])).bins]
    assert (len(counts), counts[0], counts[-1]) == (15, 1, 1)


def test_answers_as_often_right_as_they_say_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.1, 1, 200_000)
    assert calibration(confidences, rng.random(200_000) < confidences).error < 0.005


def test_the_least_sure_are_refused_first() -> None:
    result = refusal(np.array([0.9, 0.5, 0.7, 0.6]), np.array([True, False, True, False]))
    assert result.threshold.tolist() == [0.5, 0.6, 0.7, 0.9]
    assert result.refused.tolist() == [0.0, 0.25, 0.5, 0.75]
    assert result.error.tolist() == [0.5, pytest.approx(1 / 3), 0.0, 0.0]
    assert [result.share_for(e) for e in (0.5, 0.4, 0.1)] == [0.0, 0.25, 0.5]


def test_equally_sure_answers_are_refused_together() -> None:
    result = refusal(np.array([0.9, 0.9, 0.9, 0.4]), np.array([True, False, True, True]))
    assert result.refused.tolist() == [0.0, 0.25]
    assert result.error.tolist() == [0.25, pytest.approx(1 / 3)]


def test_where_even_the_surest_is_wrong_everything_must_be_refused() -> None:
    assert refusal(np.array([0.9, 0.5]), np.array([False, True])).share_for(0.005) == 1.0


@pytest.mark.parametrize(
    ("threshold", "refused", "error"),
    [(0.0, 0.0, 0.5), (0.5, 0.0, 0.5), (0.51, 0.25, 1 / 3), (0.9, 0.75, 0.0)],
)
def test_a_threshold_refuses_what_is_below_it(
    threshold: float, refused: float, error: float
) -> None:
    result = refusal(np.array([0.9, 0.5, 0.7, 0.6]), np.array([True, False, True, False]))
    assert result.at(threshold) == (refused, pytest.approx(error))


def test_a_threshold_above_all_confidences_leaves_nothing() -> None:
    share, error = refusal(np.array([0.9]), np.array([True])).at(0.95)
    assert share == 1.0
    assert math.isnan(error)
