"""Scoring a network on labelled images while it is made."""

import keras
import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledImages
from digitcli.inference.network import to_network_input
from digitcli.training.history import Score

_BATCH = 2000
_LEAST = 1e-12  # probability: its logarithm stays finite


def score(network: keras.Sequential, data: LabelledImages) -> Score:
    """Return the mean cross-entropy and the accuracy of the network's answers."""
    chances = probabilities(network, data.images)
    of_label = chances[np.arange(len(data)), data.labels]
    return Score(
        loss=float(-np.log(np.maximum(of_label, _LEAST)).mean()),
        accuracy=float((chances.argmax(axis=1) == data.labels).mean()),
    )


def probabilities(network: keras.Sequential, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the probability of each digit, float32 ``(n, 10)``."""
    starts = range(0, len(images), _BATCH)
    return np.concatenate(
        [network(to_network_input(images[at : at + _BATCH])).numpy() for at in starts]
    )
