"""Loss and accuracy of a network on labelled images, during training."""

import keras
import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import LabelledImages
from digitcli.inference.network import to_network_input
from digitcli.training.calibration import fit_temperature
from digitcli.training.history import Score

_BATCH = 2000  # images
_MIN_PROBABILITY = 1e-12  # its logarithm is finite


def score(network: keras.Sequential, data: LabelledImages) -> Score:
    """Return the mean cross-entropy and the accuracy of a network on labelled images."""
    return _score(probabilities(network, data.images), data.labels)


def calibrated_scores(network: keras.Sequential, *sets: LabelledImages) -> list[Score]:
    """Return the scores on sets of images, calibrated by the temperature best for all together.

    A network is calibrated after its training. Until then its loss grows with its confidence, even
    in epochs in which its answers get better.
    """
    predicted = [probabilities(network, images.images) for images in sets]
    logarithms = np.log(np.maximum(np.concatenate(predicted), _MIN_PROBABILITY))
    labels = np.concatenate([images.labels for images in sets])
    temperature = fit_temperature(logarithms, labels)
    return [
        _score(_calibrate(of_set, temperature), images.labels)
        for of_set, images in zip(predicted, sets, strict=True)
    ]


def _score(predicted: NDArray[np.float32], labels: NDArray[np.int64]) -> Score:
    of_label = predicted[np.arange(len(labels)), labels]
    return Score(
        loss=float(-np.log(np.maximum(of_label, _MIN_PROBABILITY)).mean()),
        accuracy=float((predicted.argmax(axis=1) == labels).mean()),
    )


def _calibrate(predicted: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Divide the logits behind probabilities (n, 10) by a temperature."""
    cooled = np.maximum(predicted, _MIN_PROBABILITY) ** (1 / temperature)
    return np.asarray(cooled / cooled.sum(axis=1, keepdims=True), np.float32)


def probabilities(network: keras.Sequential, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the probability of each digit, float32 ``(n, 10)``."""
    starts = range(0, len(images), _BATCH)
    return np.concatenate(
        [network(to_network_input(images[at : at + _BATCH])).numpy() for at in starts]
    )
