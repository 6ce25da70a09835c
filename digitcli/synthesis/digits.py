"""How a drawing becomes pixels: written by a pen, printed in a font, framed as MNIST's digits.

Every written copy has its points, proportions, slant and pen changed at random. Print comes from
the fonts that OpenCV and Pillow carry.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitcli.architectures import CANVAS_SIDE
from digitcli.synthesis.drawing_files import Form

BOX = 20

_FINE = 64  # forms are drawn in a box of this height
_MARGIN = 26  # around it
_WOBBLE = 0.04  # of the box, standard deviation of each point

HERSHEY = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_PLAIN,
)


def write(
    form: Form,
    rng: np.random.Generator,
    *,
    narrowest: float,
    broadest: int,
    widest: float = 0.85,
) -> NDArray[np.uint8]:
    """Write a form: uint8, white on black.

    It is ``narrowest`` to ``widest`` of its height wide, written with a pen of at most ``broadest``
    of 64 parts of its longer side.
    """
    proportion = rng.uniform(narrowest, widest)
    longer = max(proportion, 1.0)
    width, height = _FINE * proportion / longer, _FINE / longer
    slant, pen = rng.normal(0.05, 0.2), int(rng.integers(4, broadest + 1))
    sheet = np.zeros((_FINE + 2 * _MARGIN, _FINE + 2 * _MARGIN), np.uint8)
    # points that two strokes share stay shared
    moved = {
        point: np.array(point) + rng.normal(0, _WOBBLE, 2) for stroke in form for point in stroke
    }
    for stroke in form:
        points = curve(np.array([moved[point] for point in stroke])) * (width, height) + _MARGIN
        points[:, 0] += slant * (_MARGIN + height / 2 - points[:, 1])
        cv2.polylines(
            sheet, [np.round(points * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4
        )
    return sheet


def print_digit(digit: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Print a digit in one of the fonts at hand: uint8, white on black."""
    sheet = np.zeros((_FINE + 2 * _MARGIN, _FINE + 2 * _MARGIN), np.uint8)
    if rng.random() < 0.3:
        picture = Image.fromarray(sheet)
        ImageDraw.Draw(picture).text((_MARGIN, 8), str(digit), 255, ImageFont.load_default(_FINE))
        sheet = np.array(picture)
    else:
        font = int(rng.choice(HERSHEY))
        scale = 5 if font == cv2.FONT_HERSHEY_PLAIN else 2.7
        cv2.putText(
            sheet,
            str(digit),
            (_MARGIN, _FINE + _MARGIN),
            font,
            scale,
            255,
            int(rng.integers(2, 9)),
            cv2.LINE_AA,
        )
    if rng.random() < 0.3:  # bold print has heavy verticals
        sheet = np.asarray(
            cv2.dilate(sheet, np.ones((2, int(rng.integers(3, 8))), np.uint8)), np.uint8
        )
    wide = rng.uniform(0.6, 1.1)
    return np.asarray(
        cv2.resize(sheet, None, fx=wide, fy=1, interpolation=cv2.INTER_AREA), np.uint8
    )


def framed(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frame ink as MNIST does: in a box of 20×20, its centre of mass in the middle of 28×28."""
    x, y, width, height = cv2.boundingRect(sheet)
    scale = BOX / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(sheet[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA)
    moments = cv2.moments(small)
    canvas = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    if not moments["m00"]:
        return canvas
    left, top = (
        min(max(round(CANVAS_SIDE / 2 - moments[first] / moments["m00"]), 0), CANVAS_SIDE - length)
        for first, length in zip(("m10", "m01"), size, strict=True)
    )
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give a smooth curve through points, by a Catmull-Rom spline."""
    if len(points) < 3:
        return points
    before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    if np.allclose(points[0], points[-1]):
        before, after = points[-2], points[1]
    p = np.vstack([before, points, after])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None, None]
    p0, p1, p2, p3 = p[:-3], p[1:-2], p[2:-1], p[3:]
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.vstack([curve.swapaxes(0, 1).reshape(-1, 2), points[-1:]])
