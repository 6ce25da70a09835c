"""From ink to the 28×28 canvas, framed as MNIST's digits are.

MNIST: "the images were centered in a 28x28 image by computing the center of mass of the pixels, and
translating the image so as to position this point at the center of the 28x28 field", after being
"size normalized to fit in a 20x20 pixel box while preserving their aspect ratio" with grey levels
from anti-aliasing (yann.lecun.com/exdb/mnist).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.preprocessing.box import Box
from digitcli.preprocessing.ink import FILLED, Ink

BOX = 20
# Pixels. Of MNIST's training images 5 % have strokes, by ``stroke_width``, below 1.65, half below
# 2.4.
THINNEST = 2.0
_FINE_SIDE = 80  # strokes are thickened at four times the box's resolution


def to_canvas(ink: Ink) -> NDArray[np.uint8]:
    """Set a digit's ink into a canvas as MNIST does.

    It fills a box of 20×20 with its aspect kept, no stroke thinner than MNIST's, centred by mass.

    Returns:
        uint8 of shape (28, 28), 255 full ink on 0. All zero where there is no ink.

    """
    if ink.framed:
        return ink.image
    canvas = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    if not ink.found:
        return canvas
    image = _with_stroke(ink.image, ink.stroke)
    height, width = image.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    moments = cv2.moments(small)
    left = _centred(moments["m10"] / moments["m00"], size[0])
    top = _centred(moments["m01"] / moments["m00"], size[1])
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def _centred(centre_of_mass: float, size: int) -> int:
    """Return where a box starts so that its mass is centred and the box is inside the canvas."""
    return min(max(round(CANVAS_SIDE / 2 - centre_of_mass), 0), CANVAS_SIDE - size)


def _with_stroke(image: NDArray[np.uint8], stroke: float) -> NDArray[np.uint8]:
    """Scale to the fine resolution and thicken thin strokes."""
    longest = max(image.shape)
    in_box = stroke * BOX / longest
    scale = _FINE_SIDE / longest
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    fine: NDArray[np.uint8] = cv2.resize(
        image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    # thickening by d widens the box as well as the stroke: (stroke + d) * BOX / (side + d) is the
    # wanted width
    change = round((THINNEST - in_box) * _FINE_SIDE / (BOX - THINNEST))
    if change <= 0:
        return fine
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (change + 1, change + 1))
    # reducing has paled what is thin
    fine = cv2.convertScaleAbs(fine, alpha=255 / max(int(fine.max()), 1))
    thicker: NDArray[np.uint8] = cv2.dilate(np.pad(fine, change // 2 + 1), kernel)
    return _trimmed(thicker)


def _trimmed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    box = Box.around(cv2.threshold(image, FILLED, 255, cv2.THRESH_BINARY)[1])
    return box.crop(image) if box.width else image
