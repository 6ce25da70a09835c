"""What the learned detector (digitcli.networks.detector) sees in a part of an image."""

import threading
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import DETECTOR_CHANNELS, DETECTOR_SIDE
from digitcli.runtime import Model
from digitcli.weights_folder import open_weights

Map = NDArray[np.float32]

_WEIGHTS = "detector"
_NEAR = (33, 33)  # pixels of 128: what counts as the neighbourhood, wider than most strokes
_FAINT = 4.0  # grey levels squared: contrasts below this are noise and are not brought up

_local = threading.local()


class Sight(NamedTuple):
    """What the detector sees, as float32 maps (128, 128) of probabilities in [0, 1].

    Attributes:
        ink: that a pixel is ink of a digit, of any digit in view.
        characters: that a pixel is in the middle of a digit: one blot for each.

    """

    ink: Map
    characters: Map


def look(image: NDArray[np.uint8]) -> Sight:
    """Look at an image, whatever its size, at 128 × 128; dark and light ink are found alike.

    Each thread that asks gets an interpreter of its own, at its first call.

    Args:
        image: uint8 of shape (height, width) or (height, width, 3).

    Raises:
        WeightsError: the detector's weights cannot be used.

    """
    seen = _model().run(network_input(image)[np.newaxis])[0]
    return Sight(np.ascontiguousarray(seen[:, :, 0]), np.ascontiguousarray(seen[:, :, 1]))


def network_input(image: NDArray[np.uint8]) -> Map:
    """Return the detector's input for an image (h, w) or (h, w, 3): float32 (128, 128, 4).

    One channel is the brightness against the whole image. The others are red, green and blue
    against the neighbourhood, as a multiple of the contrasts usual there, so that faint ink in a
    shadow looks like any other.
    """
    small = resize_to_detector(image)
    grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    mean, deviation = cv2.meanStdDev(grey)
    seen = np.empty((DETECTOR_SIDE, DETECTOR_SIDE, DETECTOR_CHANNELS), np.float32)
    seen[:, :, 0] = (grey - np.float32(mean[0, 0])) / np.float32(deviation[0, 0] + 1)
    pixels = small.astype(np.float32)
    contrast = pixels - cv2.blur(pixels, _NEAR)
    squared = contrast * contrast
    power = cv2.blur(squared if squared.ndim == 2 else squared.mean(axis=2), _NEAR)
    usual = cv2.sqrt(power + _FAINT)[:, :, np.newaxis]
    seen[:, :, 1:] = (contrast if contrast.ndim == 3 else contrast[:, :, np.newaxis]) / usual
    return seen


def resize_to_detector(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image (h, w) or (h, w, 3) as a square of the detector's side."""
    is_large = min(image.shape[:2]) >= DETECTOR_SIDE
    way = cv2.INTER_AREA if is_large else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (DETECTOR_SIDE, DETECTOR_SIDE), interpolation=way))


def _model() -> Model:
    if not hasattr(_local, "model"):
        _local.model = Model(_content(), _WEIGHTS)
    model: Model = _local.model
    return model


@cache
def _content() -> bytes:
    return open_weights(_WEIGHTS).model()
