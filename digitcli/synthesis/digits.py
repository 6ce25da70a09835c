"""Digits as pixels: drawings written by a pen, digits printed in a font, framed as MNIST's.

Each time a drawing is written, its points, proportions, slant and pen change at random. Print uses
the fonts that OpenCV and Pillow carry.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitcli.architectures import CANVAS_SIDE
from digitcli.synthesis.drawing_files import Form
from digitcli.synthesis.subpixel import draw_polyline

BOX = 20  # pixels of the longer side of MNIST's digits

HEIGHT = 64  # pixels of the box in which drawings are written, and of print
MARGIN = 26  # pixels around it
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
    """Write a form with a pen: uint8, white on black.

    Args:
        form: the strokes.
        rng: decides the proportions, the slant, the pen and how far each point moves.
        narrowest: the smallest width, as a share of the height.
        broadest: the broadest pen, as a number of 64 parts of the longer side.
        widest: the largest width, as a share of the height.

    """
    proportion = rng.uniform(narrowest, widest)
    longer = max(proportion, 1.0)
    width, height = HEIGHT * proportion / longer, HEIGHT / longer
    slant, pen = rng.normal(0.05, 0.2), int(rng.integers(4, broadest + 1))
    sheet = blank_sheet()
    # by point, so that points that two strokes share stay shared
    moved = {
        point: np.array(point) + rng.normal(0, _WOBBLE, 2) for stroke in form for point in stroke
    }
    for stroke in form:
        in_box = fit_curve(np.array([moved[point] for point in stroke]))
        points = in_box * (width, height) + MARGIN
        points[:, 0] += slant * (MARGIN + height / 2 - points[:, 1])
        draw_polyline(sheet, points, pen)
    return sheet


def blank_sheet() -> NDArray[np.uint8]:
    """Return a black image with room for a drawing and its margin."""
    return np.zeros((HEIGHT + 2 * MARGIN, HEIGHT + 2 * MARGIN), np.uint8)


def print_digit(digit: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Print a digit in one of the fonts at hand: uint8, white on black."""
    if rng.random() < 0.3:
        image = Image.fromarray(blank_sheet())
        ImageDraw.Draw(image).text((MARGIN, 8), str(digit), 255, ImageFont.load_default(HEIGHT))
        sheet = np.array(image)
    else:
        sheet = blank_sheet()
        font = int(rng.choice(HERSHEY))
        scale = 5 if font == cv2.FONT_HERSHEY_PLAIN else 2.7
        thickness = int(rng.integers(2, 9))
        base = (MARGIN, HEIGHT + MARGIN)
        cv2.putText(sheet, str(digit), base, font, scale, 255, thickness, cv2.LINE_AA)
    if rng.random() < 0.3:  # bold print has heavy verticals
        wide_bar = np.ones((2, int(rng.integers(3, 8))), np.uint8)
        sheet = np.asarray(cv2.dilate(sheet, wide_bar), np.uint8)
    stretch = rng.uniform(0.6, 1.1)
    stretched = cv2.resize(sheet, None, fx=stretch, fy=1, interpolation=cv2.INTER_AREA)
    return np.asarray(stretched, np.uint8)


def frame_as_mnist(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frame ink as MNIST does: in a box of 20×20, its centre of mass in the middle of 28×28."""
    x, y, width, height = cv2.boundingRect(sheet)
    scale = BOX / max(width, height)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    ink = sheet[y : y + height, x : x + width]
    small = cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_AREA)
    moments = cv2.moments(small)
    mass = moments["m00"]
    canvas = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    if not mass:
        return canvas
    left = min(max(round(CANVAS_SIDE / 2 - moments["m10"] / mass), 0), CANVAS_SIDE - columns)
    top = min(max(round(CANVAS_SIDE / 2 - moments["m01"] / mass), 0), CANVAS_SIDE - rows)
    canvas[top : top + rows, left : left + columns] = small
    return canvas


def fit_curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a smooth curve through points (n, 2): a Catmull-Rom spline, eight steps a point."""
    if len(points) < 3:
        return points
    is_closed = np.allclose(points[0], points[-1])
    if is_closed:
        before, after = points[-2], points[1]
    else:
        before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
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
