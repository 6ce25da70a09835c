"""Confidence that can be read as a probability: one temperature, fitted after training."""

import numpy as np
from numpy.typing import NDArray

_LOWEST, _HIGHEST = 0.1, 10.0  # temperatures
_TOLERANCE = 1e-4  # of the logarithm of the temperature


def fit_temperature(scores: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Return the temperature T that minimises the mean cross-entropy of softmax(scores / T).

    ``scores`` ``(n, k)`` are logits, or logarithms of probabilities, of images that the network was
    not trained on; ``labels`` ``(n,)`` are 0 … k - 1. T lies in [0.1, 10]; above 1 the network was
    overconfident. After Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural
    Networks", 2017.
    """
    # Golden-section search: the loss is convex in 1 / T, so it has one minimum. SciPy's
    # minimize_scalar would make SciPy a dependency for these eight lines.
    low, high = np.log(_LOWEST), np.log(_HIGHEST)
    ratio = (np.sqrt(5) - 1) / 2
    while high - low > _TOLERANCE:
        left = high - ratio * (high - low)
        right = low + ratio * (high - low)
        if _loss(scores / np.exp(left), labels) < _loss(scores / np.exp(right), labels):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def choose_threshold(confidences: NDArray[np.floating], refused: float) -> float:
    """Return the highest threshold, in steps of 0.01, that refuses at most a share ``refused``."""
    steps = np.arange(100) / 100
    shares = (np.asarray(confidences)[:, None] < steps).mean(axis=0)
    return float(steps[shares <= refused].max())


def _loss(scores: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Return the mean cross-entropy of softmax(scores)."""
    shifted = scores - scores.max(axis=1, keepdims=True)  # so that no exponential overflows
    of_label = shifted[np.arange(len(labels)), labels]
    return float((np.log(np.exp(shifted).sum(axis=1)) - of_label).mean())
