"""Where a digit's ink is in a picture, by the learned detector (digitcli.networks.detector), run by LiteRT.

It is for pictures where rules are lost: squared paper, shadows, page edges, faint pencil. Its map
is as fine as 128 x 128 pixels allow; the exact ink is for rules to complete.
"""

import threading
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digitcli import weights_folder
from digitcli.cli.silence import quiet

SIDE = 128
_WEIGHTS = "detector"
_NEAR = (33, 33)  # pixels of 128: what counts as the neighbourhood, wider than most strokes
_FAINT = 4.0  # grey levels squared: contrasts below this are noise and are not brought up

_local = threading.local()
_creating = threading.Lock()


def ink_probability(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Give for each pixel of a grey picture (h, w) uint8 the probability, in [0, 1], that it is a digit's ink.

    Dark and light ink are found alike. The picture may be of any size and is seen at 128 x 128.
    Each thread that asks gets an interpreter of its own, at its first call.

    Raises:
        WeightsError: the detector's weights cannot be used.

    """
    interpreter = _interpreter()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], network_input(grey)[None])
    interpreter.invoke()
    seen = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0, :, :, 0]
    height, width = grey.shape
    return np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def network_input(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Give what the detector sees of a grey picture (h, w): float32 (128, 128, 2).

    One channel is the brightness against the whole picture, the other against the neighbourhood and
    as a multiple of the contrasts usual there, so that faint ink in a shadow looks like any other.
    """
    height, width = grey.shape
    way = cv2.INTER_AREA if min(height, width) >= SIDE else cv2.INTER_LINEAR
    picture = cv2.resize(grey, (SIDE, SIDE), interpolation=way).astype(np.float32)
    seen = np.empty((SIDE, SIDE, 2), np.float32)
    mean, deviation = cv2.meanStdDev(picture)
    seen[:, :, 0] = (picture - mean[0, 0]) / (deviation[0, 0] + 1)
    contrast = picture - cv2.blur(picture, _NEAR)
    seen[:, :, 1] = contrast / cv2.sqrt(cv2.blur(contrast * contrast, _NEAR) + _FAINT)
    return seen


def _interpreter() -> Any:
    if not hasattr(_local, "interpreter"):
        from ai_edge_litert.interpreter import Interpreter

        with _creating, quiet():  # LiteRT announces that it runs on the CPU
            _local.interpreter = Interpreter(model_content=_model(), num_threads=1)
            _local.interpreter.allocate_tensors()
    return _local.interpreter


@cache
def _model() -> bytes:
    return weights_folder.open_weights(_WEIGHTS).model()
