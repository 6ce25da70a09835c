import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from digitcli.training.calibration import choose_threshold, fit_temperature


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_it_finds_the_temperature_that_the_labels_were_drawn_with(temperature):
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, (20_000, 10))
    chances = np.exp(scores / temperature)
    chances /= chances.sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert fit_temperature(scores, labels) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_the_temperature_is_that_of_scipy_s_minimiser(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, rng.uniform(1, 5), (200, 10))
    labels = np.where(rng.random(200) < 0.7, scores.argmax(axis=1), rng.integers(0, 10, 200))

    def negative_log_likelihood(temperature):
        return -log_softmax(scores / temperature, axis=1)[np.arange(200), labels].mean()

    best = minimize_scalar(negative_log_likelihood, bounds=(0.1, 10), method="bounded")
    assert fit_temperature(scores, labels) == pytest.approx(best.x, rel=1e-3)


def test_labels_that_are_always_right_end_at_the_lowest_temperature():
    assert fit_temperature(np.eye(10), np.arange(10)) == pytest.approx(0.1, rel=0.01)


def test_the_threshold_is_the_highest_that_refuses_no_more_than_asked():
    confidences = np.array([0.305, 0.605, 0.9, 0.99])
    assert choose_threshold(confidences, 0) == 0.3
    assert choose_threshold(confidences, 0.25) == 0.6
    assert choose_threshold(confidences, 0.3) == 0.6
