"""Confidence that can be read as a probability: one temperature, fitted after training."""

import numpy as np
from numpy.typing import NDArray

_LOWEST, _HIGHEST = 0.1, 10.0


def fit_temperature(scores: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Find the temperature T for which softmax(scores / T) is likeliest to give the labels.

    ``scores`` ``(n, k)`` are logits, or logarithms of probabilities, of pictures that the network
    was not trained on; ``labels`` ``(n,)`` are 0 … k - 1. T lies in [0.1, 10]; above 1 the network
    was too sure. After Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks",
    2017.
    """
    low, high = np.log(_LOWEST), np.log(_HIGHEST)
    ratio = (np.sqrt(5) - 1) / 2
    # golden-section search: the loss has one minimum, as it is convex in 1 / T
    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
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
    shifted = scores - scores.max(axis=1, keepdims=True)
    return float(
        (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]).mean()
    )
