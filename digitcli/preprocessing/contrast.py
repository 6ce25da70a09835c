"""How far each pixel stands out from its background in the direction of the ink's colour.

The background is what is seen around the ink, smoothed, so light and shade are part of it. The ink
has a colour, and a pixel's distance from its background is measured towards that colour alone: so
dark ink, light ink, and red ink on green paper are measured alike.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.characters import LIKELY, MARKED
from digitcli.preprocessing.detection import Map, resize_to_detector

Grey = NDArray[np.uint8]

FULL = 200  # strength of the ink's own colour; darker spots in it have room above
_EDGE = np.ones((5, 5), np.uint8)  # strokes have soft edges, which are no background either
_ROUNDING = 0.5  # grey levels; a smaller difference is no colour of its own
_SMOOTH = 10.0  # pixels of 128, deviation of the smoothing; light changes more slowly


class Contrast(NamedTuple):
    """How an image's pixels stand out.

    Attributes:
        strength: uint8 (height, width), 0 for the background, `FULL` for the ink's own colour.
        bright: the ink is brighter than the background.

    """

    strength: Grey
    bright: bool


def measure_contrast(image: NDArray[np.uint8], ink: Map) -> Contrast | None:
    """Measure how far each pixel stands out towards the ink's colour.

    Args:
        image: uint8 of shape (height, width) or (height, width, 3).
        ink: the detector's map of all ink in it, float32 (128, 128).

    Returns:
        None where no pixel is likely to be ink, or ink and background have one colour.

    """
    small = resize_to_detector(image).astype(np.float32)
    likely = ink > LIKELY
    if not likely.any():
        return None
    background = _estimate_background(small, ink)
    differences = np.sort((small - background)[likely], axis=0)
    towards = np.atleast_1d(differences[len(differences) // 2])  # np.median takes 7 ms to load
    squared = float((towards * towards).sum())
    if squared < _ROUNDING**2:
        return None
    # one row: each pixel's colour becomes one number, its part of the way to the ink's colour
    projection = (towards * (FULL / squared)).astype(np.float32)[np.newaxis]
    of_image = cv2.transform(image.astype(np.float32), projection)
    of_background = cv2.transform(background, projection)
    size = image.shape[1], image.shape[0]
    of_background = cv2.resize(of_background, size, interpolation=cv2.INTER_LINEAR)
    strength = np.clip(of_image - of_background, 0, 255).astype(np.uint8)
    return Contrast(strength, bright=bool(towards.sum() > 0))


def _estimate_background(image: Map, ink: Map) -> Map:
    """Smooth an image over what is no ink (Knutsson and Westin: normalised convolution, 1993)."""
    inked = cv2.dilate((ink > MARKED).astype(np.uint8), _EDGE)
    free = np.float32(1e-4) + (inked == 0)
    weight = cv2.GaussianBlur(free, (0, 0), _SMOOTH)
    if image.ndim == 2:
        return np.asarray(cv2.GaussianBlur(image * free, (0, 0), _SMOOTH) / weight, np.float32)
    smooth = cv2.GaussianBlur(image * free[:, :, np.newaxis], (0, 0), _SMOOTH)
    return np.asarray(smooth / weight[:, :, np.newaxis], np.float32)
