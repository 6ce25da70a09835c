"""Digits drawn by code: forms that MNIST's American writers hardly use, and print.

MNIST's 1 is a bare stroke, its 7 has no bar, its 9 a straight leg. Elsewhere a 1 has a flag and
often a foot, a 7 has a bar and a 9 a curled tail. Each form here is a few pen strokes; every copy
has its points, proportions, slant and pen changed at random. Print comes from the fonts that OpenCV
and Pillow carry.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitcli.architectures import CANVAS_SIDE
from digitcli.datasets.labelled import LabelledImages

BOX = 20

_FINE = 64  # forms are drawn in a box of this height
_MARGIN = 26  # around it
_WOBBLE = 0.04  # of the box, standard deviation of each point

Stroke = tuple[tuple[float, float], ...]
Form = tuple[Stroke, ...]

# Points (x, y) in a box from (0, 0), top left, to (1, 1). A stroke is drawn as a smooth curve
# through its points; a corner is where one stroke ends and the next begins.
FORMS: dict[int, tuple[Form, ...]] = {
    0: (
        (
            (
                (0.5, 0),
                (0.15, 0.12),
                (0, 0.5),
                (0.15, 0.88),
                (0.5, 1),
                (0.85, 0.88),
                (1, 0.5),
                (0.85, 0.12),
                (0.45, 0),
            ),
        ),
        (
            (
                (0.7, 0.05),
                (0.3, 0),
                (0, 0.4),
                (0.1, 0.85),
                (0.5, 1),
                (0.95, 0.75),
                (0.95, 0.3),
                (0.6, 0),
                (0.3, 0.12),
            ),
        ),
    ),
    1: (
        (((0.1, 0.3), (0.5, 0)), ((0.5, 0), (0.5, 1))),
        (((0, 0.5), (0.5, 0)), ((0.5, 0), (0.45, 1))),
        (((0, 0.65), (0.6, 0)), ((0.6, 0), (0.6, 1))),
        (((0, 0.85), (0.6, 0)), ((0.6, 0), (0.65, 1))),
        (((0.5, 0), (0.5, 1)),),
        (((0.2, 0.25), (0.4, 0.2), (0.5, 0)), ((0.5, 0), (0.5, 1))),
        (((0.15, 0.3), (0.5, 0)), ((0.5, 0), (0.5, 1)), ((0.1, 1), (0.9, 1))),
        (((0.1, 0.25), (0.5, 0)), ((0.5, 0), (0.5, 1)), ((0, 1), (1, 1))),
        (((0.25, 0.2), (0.5, 0)), ((0.5, 0), (0.5, 1)), ((0.3, 1), (0.75, 1))),
    ),
    2: (
        (
            ((0.05, 0.28), (0.25, 0.02), (0.75, 0.02), (0.95, 0.3), (0.6, 0.65), (0, 1)),
            ((0, 1), (1, 1)),
        ),
        (
            ((0.05, 0.2), (0.5, 0), (0.9, 0.2), (0.6, 0.6), (0, 0.97)),
            ((0, 0.97), (0.5, 0.9), (1, 1)),
        ),
        (
            (
                (0.1, 0.2),
                (0.5, 0),
                (0.9, 0.3),
                (0.3, 0.9),
                (0, 0.95),
                (0.15, 0.75),
                (0.5, 0.9),
                (1, 1),
            ),
        ),
    ),
    3: (
        (
            ((0.05, 0.12), (0.45, 0), (0.9, 0.15), (0.8, 0.4), (0.4, 0.47)),
            ((0.4, 0.47), (0.9, 0.55), (0.95, 0.85), (0.5, 1), (0, 0.88)),
        ),
        (
            ((0.05, 0), (0.9, 0)),
            ((0.9, 0), (0.4, 0.4)),
            ((0.4, 0.4), (0.95, 0.5), (0.95, 0.85), (0.5, 1), (0.05, 0.92)),
        ),
    ),
    4: (
        (((0.3, 0), (0.15, 0.35), (0, 0.6)), ((0, 0.6), (1, 0.6)), ((0.75, 0.25), (0.7, 1))),
        (((0.65, 0), (0, 0.65)), ((0, 0.65), (1, 0.65)), ((0.7, 0), (0.7, 1))),
        (((0.55, 0), (0.05, 0.65)), ((0.05, 0.65), (1, 0.62)), ((0.65, 0.38), (0.6, 1))),
        (((0.5, 0), (0.1, 0.5), (0.15, 0.65), (0.5, 0.66), (0.95, 0.6)), ((0.75, 0.35), (0.6, 1))),
        (((0.1, 0), (0.05, 0.5)), ((0.05, 0.5), (0.9, 0.5)), ((0.9, 0), (0.85, 1))),
        (((0.6, 0), (0, 0.75)), ((0, 0.75), (1, 0.7)), ((0.75, 0.45), (0.6, 1))),
        (((0.6, 0), (0.1, 0.6), (0.2, 0.8), (1, 0.7)), ((0.8, 0.4), (0.6, 1))),
    ),
    5: (
        (
            ((0.9, 0), (0.2, 0)),
            ((0.2, 0), (0.1, 0.45)),
            ((0.1, 0.45), (0.55, 0.36), (0.95, 0.65), (0.6, 1), (0, 0.92)),
        ),
        (
            ((0.2, 0), (0.12, 0.45), (0.6, 0.4), (0.95, 0.7), (0.6, 1), (0, 0.9)),
            ((0.2, 0.03), (0.95, 0)),
        ),
    ),
    6: (
        (
            (
                (0.75, 0),
                (0.25, 0.3),
                (0, 0.7),
                (0.3, 1),
                (0.85, 0.9),
                (0.9, 0.6),
                (0.5, 0.48),
                (0.05, 0.7),
            ),
        ),
        (
            (
                (0.2, 0),
                (0.05, 0.5),
                (0.1, 0.9),
                (0.5, 1),
                (0.95, 0.85),
                (0.8, 0.55),
                (0.4, 0.55),
                (0.08, 0.75),
            ),
        ),
    ),
    7: (
        (((0, 0), (1, 0)), ((1, 0), (0.55, 0.5), (0.4, 1))),
        (((0, 0), (1, 0)), ((1, 0), (0.35, 1)), ((0.3, 0.5), (0.95, 0.5))),
        (((0, 0.02), (1, 0)), ((1, 0), (0.6, 0.5), (0.5, 1)), ((0.3, 0.5), (1, 0.45))),
        (
            ((0, 0.15), (0.03, 0)),
            ((0.03, 0), (1, 0.03)),
            ((1, 0.03), (0.4, 1)),
            ((0.25, 0.55), (0.95, 0.5)),
        ),
        (
            ((0, 0.17), (0.04, 0)),
            ((0.04, 0), (0.5, 0.06), (1, 0)),
            ((1, 0), (0.55, 0.45), (0.4, 1)),
        ),
    ),
    8: (
        (
            ((0.5, 0.46), (0.1, 0.25), (0.5, 0), (0.9, 0.25), (0.5, 0.46)),
            ((0.5, 0.46), (0, 0.75), (0.5, 1), (1, 0.75), (0.5, 0.46)),
        ),
        (
            (
                (0.8, 0.08),
                (0.3, 0),
                (0.15, 0.3),
                (0.85, 0.65),
                (0.7, 1),
                (0.15, 0.95),
                (0.15, 0.65),
                (0.8, 0.3),
                (0.75, 0),
            ),
        ),
    ),
    9: (
        (((0.9, 0.2), (0.5, 0), (0.05, 0.25), (0.4, 0.52), (0.9, 0.25)), ((0.95, 0.1), (0.85, 1))),
        (
            ((0.9, 0.2), (0.5, 0), (0.05, 0.25), (0.4, 0.5), (0.9, 0.25)),
            ((0.92, 0.15), (0.95, 0.75), (0.55, 1), (0.05, 0.9)),
        ),
        (
            ((0.85, 0.1), (0.3, 0.02), (0.1, 0.35), (0.6, 0.45), (0.9, 0.15)),
            ((0.9, 0.15), (0.95, 0.8), (0.4, 1), (0, 0.8), (0.15, 0.72)),
        ),
        (((0.9, 0.25), (0.5, 0), (0.1, 0.25), (0.5, 0.5), (0.9, 0.25), (0.75, 0.75), (0.3, 1)),),
    ),
}

# A 1 with a flag is what MNIST lacks most.
_SHARES = {digit: 4 if digit == 1 else 2 if digit in (4, 7, 9) else 1 for digit in FORMS}

HERSHEY = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_PLAIN,
)


def drawn_digits(count: int, rng: np.random.Generator, printed: float = 0.3) -> LabelledImages:
    """Draw ``count`` digits, a share ``printed`` of them in print, framed as MNIST's are."""
    digits, shares = np.array(list(_SHARES)), np.array(list(_SHARES.values()), float)
    labels = rng.choice(digits, count, p=shares / shares.sum())
    images = np.zeros((count, CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    for image, digit in zip(images, labels, strict=True):
        image[:] = framed(
            print_digit(digit, rng) if rng.random() < printed else write_digit(digit, rng)
        )
    return LabelledImages(images, labels.astype(np.int64))


def write_digit(digit: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Write a digit in one of its forms: uint8, white on black."""
    forms = FORMS[digit]
    # a 1 has no loop that a broad pen could fill
    return write(
        forms[rng.integers(len(forms))], rng, narrowest=0.3, broadest=21 if digit == 1 else 13
    )


def write(
    form: Form, rng: np.random.Generator, *, narrowest: float, broadest: int
) -> NDArray[np.uint8]:
    """Write a form: uint8, white on black.

    It is at least ``narrowest`` of its height wide, written with a pen of at most ``broadest`` of
    64 parts of it.
    """
    height, width = _FINE, _FINE * rng.uniform(narrowest, 0.85)
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
