"""Where a digit's ink is in an image, by the learned detector (digitcli.networks.detector).

It is for pictures where rules are lost: squared paper, shadows, page edges, faint pencil. Its map
is as fine as 128 x 128 pixels allow; the exact ink is for rules to complete.
"""

import threading
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.architectures import DETECTOR_SIDE
from digitcli.runtime import Model
from digitcli.weights_folder import open_weights

_WEIGHTS = "detector"
_NEAR = (33, 33)  # pixels of 128: what counts as the neighbourhood, wider than most strokes
_FAINT = 4.0  # grey levels squared: contrasts below this are noise and are not brought up

_local = threading.local()


def ink_probability(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the probability, in [0, 1], that each pixel of a grey image is a digit's ink.

    The image is uint8 (h, w), may be of any size and is seen at 128 x 128. Dark and light ink are
    found alike. Each thread that asks gets an interpreter of its own, at its first call.

    Raises:
        WeightsError: the detector's weights cannot be used.

    """
    seen = _model().run(network_input(grey)[np.newaxis])[0, :, :, 0]
    height, width = grey.shape
    return np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def network_input(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Give what the detector sees of a grey picture (h, w): float32 (128, 128, 2).

    One channel is the brightness against the whole picture, the other against the neighbourhood and
    as a multiple of the contrasts usual there, so that faint ink in a shadow looks like any other.
    """
    height, width = grey.shape
    way = cv2.INTER_AREA if min(height, width) >= DETECTOR_SIDE else cv2.INTER_LINEAR
    picture = cv2.resize(grey, (DETECTOR_SIDE, DETECTOR_SIDE), interpolation=way).astype(np.float32)
    seen = np.empty((DETECTOR_SIDE, DETECTOR_SIDE, 2), np.float32)
    mean, deviation = cv2.meanStdDev(picture)
    seen[:, :, 0] = (picture - mean[0, 0]) / (deviation[0, 0] + 1)
    contrast = picture - cv2.blur(picture, _NEAR)
    seen[:, :, 1] = contrast / cv2.sqrt(cv2.blur(contrast * contrast, _NEAR) + _FAINT)
    return seen


def _model() -> Model:
    if not hasattr(_local, "model"):
        _local.model = Model(_content(), _WEIGHTS)
    model: Model = _local.model
    return model


@cache
def _content() -> bytes:
    return open_weights(_WEIGHTS).model()
