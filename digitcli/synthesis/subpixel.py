"""Lines and polygons at fractional coordinates, with smooth edges."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 4  # of the fraction in OpenCV's fixed-point coordinates
STEPS = 1 << BITS  # in a pixel


def to_fixed_point(points: NDArray[Any]) -> NDArray[np.int32]:
    """Return coordinates in pixels as OpenCV takes them with ``shift=BITS``."""
    return np.asarray(np.rint(points * STEPS), np.int32)


def draw_polyline(
    image: NDArray[np.uint8], points: NDArray[Any], thickness: int, value: int = 255
) -> None:
    """Draw an open line through points (n, 2), x and y in pixels, on a grey image."""
    fixed = to_fixed_point(points)
    cv2.polylines(
        image,
        [fixed],
        isClosed=False,
        color=value,
        thickness=thickness,
        lineType=cv2.LINE_AA,
        shift=BITS,
    )


def fill_polygon(image: NDArray[np.uint8], points: NDArray[Any]) -> None:
    """Fill the polygon of points (n, 2), x and y in pixels, with white on a grey image."""
    cv2.fillPoly(image, [to_fixed_point(points)], 255, lineType=cv2.LINE_AA, shift=BITS)
