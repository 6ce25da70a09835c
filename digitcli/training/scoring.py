"""Scoring a network on labelled images while it is made."""

import keras
import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledImages
from digitcli.inference.network import to_network_input
from digitcli.training.calibration import fit_temperature
from digitcli.training.history import Score

_BATCH = 2000
_LEAST = 1e-12  # probability: its logarithm stays finite


def score(network: keras.Sequential, data: LabelledImages) -> Score:
    """Return the mean cross-entropy and the accuracy of the network's answers."""
    return _score(probabilities(network, data.images), data.labels)


def calibrated_scores(network: keras.Sequential, *sets: LabelledImages) -> list[Score]:
    """Return the scores on some sets of images as they are at the temperature best for all of them.

    A network is calibrated when its training has ended. Until then its loss grows with its
    confidence, also in epochs in which it learns to answer better.
    """
    chances = [probabilities(network, images.images) for images in sets]
    scores = np.log(np.maximum(np.concatenate(chances), _LEAST))
    temperature = fit_temperature(scores, np.concatenate([images.labels for images in sets]))
    return [
        _score(_cooled(probability, temperature), images.labels)
        for probability, images in zip(chances, sets, strict=True)
    ]


def _score(chances: NDArray[np.float32], labels: NDArray[np.int64]) -> Score:
    of_label = chances[np.arange(len(labels)), labels]
    return Score(
        loss=float(-np.log(np.maximum(of_label, _LEAST)).mean()),
        accuracy=float((chances.argmax(axis=1) == labels).mean()),
    )


def _cooled(chances: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    cooled = np.maximum(chances, _LEAST) ** (1 / temperature)
    return np.asarray(cooled / cooled.sum(axis=1, keepdims=True), np.float32)


def probabilities(network: keras.Sequential, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the probability of each digit, float32 ``(n, 10)``."""
    starts = range(0, len(images), _BATCH)
    return np.concatenate(
        [network(to_network_input(images[at : at + _BATCH])).numpy() for at in starts]
    )
