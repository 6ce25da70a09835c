"""The background: how bright it is, evenly lit or not, and how far the ink stands out from it."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

_SMALL = 40  # pixels; in a crop of this size light cannot be told from ink
# Pixels; light changes slowly, so the background is estimated on an image of this size.
_COARSE_SIDE = 64


class FlatBackground(NamedTuple):
    """A ground without light and shade: its grey level, and whether ink is brighter."""

    level: int
    bright_ink: bool


def find_flat_background(grey: Grey) -> FlatBackground | None:
    """Find the ground of a drawing or a small crop; None in a photo.

    The ground is what most of the border shows. It is flat where most of that has one and the same
    grey level.
    """
    border = border_of(grey)
    lowest, highest, _, _ = cv2.minMaxLoc(grey)
    light = border > (lowest + highest) / 2
    bright_ink = 2 * int(np.count_nonzero(light)) < light.size
    ground = border[light != bright_ink]
    level = int(quantile(ground, 0.5))
    flat = max(grey.shape) <= _SMALL or np.count_nonzero(ground == level) >= 0.6 * ground.size
    return FlatBackground(level, bright_ink) if flat else None


def border_of(grey: Grey) -> Grey:
    """Give the pixels of the first and last rows and columns."""
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def has_bright_ink(grey: Grey, marks: NDArray[np.bool_]) -> bool:
    """Return whether ink is brighter than its background.

    It is told from the pixels marked as ink, or from all where none is marked.
    """
    small = reduced(grey, _COARSE_SIDE)
    if marks.any():
        ground = cv2.resize(
            cv2.blur(small, (17, 17)), grey.shape[::-1], interpolation=cv2.INTER_LINEAR
        )
        return int(grey[marks].astype(np.int32).sum()) > int(ground[marks].astype(np.int32).sum())
    rest = small.astype(np.int32) - cv2.medianBlur(small, _odd(min(small.shape) / 3))
    bright, dark = np.maximum(rest, 0), np.maximum(-rest, 0)
    return float((bright * bright).sum()) > 1.5 * float((dark * dark).sum())


def subtract_background(grey: Grey) -> Grey:
    """Measure how far bright ink stands out from its ground, in grey levels.

    A white top-hat, whose opening is done on a reduced picture: the ground is what remains when
    everything narrower than a quarter of the picture is cut down. What lies along the border counts
    as wide.
    """
    small = reduced(cv2.GaussianBlur(grey, (0, 0), max(1.0, max(grey.shape) / 200)), _COARSE_SIDE)
    size = _odd(max(small.shape) / 4)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    padded = cv2.copyMakeBorder(small, size, size, size, size, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[size:-size, size:-size]
    ground = cv2.resize(
        cv2.GaussianBlur(opened, (0, 0), size / 8), grey.shape[::-1], interpolation=cv2.INTER_LINEAR
    )
    strength: Grey = cv2.subtract(grey, ground)
    return strength


def estimate_noise(strength: Grey) -> float:
    """Estimate the standard deviation of the background, in grey levels.

    It is taken from what is much fainter than ink.
    """
    rest = strength[strength < 0.4 * cv2.minMaxLoc(strength)[1]]
    return 1.5 * quantile(rest, 0.5) if rest.size else 0.0


def quantile(values: NDArray[Any], share: float) -> float:
    """Return the value that this share of the values stays below.

    NumPy's own function takes ten times as long on few values.
    """
    at = int(share * (values.size - 1))
    return float(np.partition(values, at)[at])


def reduced(grey: Grey, side: int) -> Grey:
    """Reduce an image by a whole factor, its longer side to about ``side`` pixels.

    A smaller image stays as it is.
    """
    factor = round(max(grey.shape) / side)
    if factor <= 1:
        return grey
    size = max(1, round(grey.shape[1] / factor)), max(1, round(grey.shape[0] / factor))
    small: Grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return small


def _odd(size: float) -> int:
    return max(3, int(size) | 1)
