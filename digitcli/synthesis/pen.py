"""Digits as pens draw them: MNIST's, and a few straight ones, reduced to the pen's line.

MNIST's strokes are as thick as its 20 x 20 pixels allow. A photographed pen is much thinner, so a
digit is kept here as the distance of every point from the middle of its stroke; any stroke width
can then be drawn from it, without steps.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.synthesis.digits import print_digit

FIELD = 112  # the side of a distance field, in field pixels
DIGIT = 92  # the longer side of the digit in it

_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)

# The pen's way for digits of long straight strokes, of which MNIST has few; x to the right, y down,
# in [0, 1].
_STRAIGHT = (
    (((0.5, 0.0), (0.5, 1.0)),),
    (((0.1, 0.35), (0.5, 0.0), (0.5, 1.0)),),
    (((0.1, 0.3), (0.5, 0.0), (0.5, 1.0)), ((0.1, 1.0), (0.9, 1.0))),
    (((0.0, 0.0), (0.8, 0.0), (0.3, 1.0)),),
    (((0.0, 0.0), (0.8, 0.0), (0.3, 1.0)), ((0.1, 0.5), (0.8, 0.5))),
    (((0.4, 0.0), (0.0, 0.6), (0.9, 0.6)), ((0.6, 0.35), (0.6, 1.0))),
    (((0.05, 0.0), (0.05, 0.55), (0.7, 0.55)), ((0.65, 0.0), (0.65, 1.0))),
    (((0.55, 1.0), (0.55, 0.0), (0.0, 0.65), (0.85, 0.65)),),
    (((0.0, 0.25), (0.3, 0.0), (0.65, 0.2), (0.5, 0.5), (0.0, 1.0), (1.0, 1.0)),),
    (((0.7, 0.0), (0.1, 0.0), (0.05, 0.45), (0.6, 0.45), (0.65, 0.8), (0.35, 1.0), (0.0, 0.9)),),
    (((0.7, 0.25), (0.35, 0.5), (0.05, 0.3), (0.3, 0.0), (0.7, 0.1), (0.7, 0.3), (0.65, 1.0)),),
)

# A display's segments, named as electronics names them, from a at the top clockwise, g the middle.
_SEGMENTS = {
    "a": ((0.0, 0.0), (1.0, 0.0)),
    "b": ((1.0, 0.0), (1.0, 0.5)),
    "c": ((1.0, 0.5), (1.0, 1.0)),
    "d": ((0.0, 1.0), (1.0, 1.0)),
    "e": ((0.0, 0.5), (0.0, 1.0)),
    "f": ((0.0, 0.0), (0.0, 0.5)),
    "g": ((0.0, 0.5), (1.0, 0.5)),
}
_SHOWN = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")


def _thinning_table(first: bool) -> npt.NDArray[np.uint8]:
    """Return for each of the 256 neighbourhoods whether the pixel stays (1).

    The table is for one of Zhang and Suen's two passes.
    """
    table = np.ones(256, np.uint8)
    for code in range(256):
        p = [code >> bit & 1 for bit in range(8)]  # north, then clockwise
        steps = sum(p[i] == 0 and p[(i + 1) % 8] == 1 for i in range(8))
        north, east, south, west = p[0], p[2], p[4], p[6]
        pairs = (
            (north * east * south, east * south * west)
            if first
            else (north * east * west, north * south * west)
        )
        table[code] = not (2 <= sum(p) <= 6 and steps == 1 and not any(pairs))
    return table


_PASSES = (_thinning_table(True), _thinning_table(False))


def middle_line(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Thin strokes to lines one pixel wide (Zhang and Suen 1984); 0 and 1 in, 0 and 1 out."""
    while True:
        before = mask
        for table in _PASSES:
            code = cv2.filter2D(mask, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            mask = mask & table[code]
        if np.array_equal(mask, before):
            return mask


@dataclass(frozen=True, slots=True)
class Pen:
    """One digit as the pen went.

    ``distance`` (112, 112) is that from the middle of the stroke, in field pixels. The digit lies
    in the middle of the field, its longer side is 92 pixels. ``whole`` is the same for the line
    without the gaps that the pen left in it; by default it left none. Where the line is ``broad``,
    as print is, the pen draws around it.
    """

    distance: npt.NDArray[np.float32]
    whole: npt.NDArray[np.float32] | None = None
    broad: bool = False

    @property
    def proportions(self) -> tuple[float, float]:
        """Width and height as shares of the longer side."""
        _, _, width, height = cv2.boundingRect((self.distance < 1).astype(np.uint8))
        return width / DIGIT, height / DIGIT

    def closed(self) -> "Pen":
        """Return the pen that left no gaps."""
        return self if self.whole is None else Pen(self.whole)

    def draw(
        self,
        shape: tuple[int, int],
        centre: tuple[float, float],
        size: float,
        stroke: float | npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """Give how much of each pixel of a picture the stroke covers, in [0, 1].

        ``centre`` is (x, y), ``size`` the digit's longer side, ``stroke`` the width of the pen, all
        in pixels.
        """
        scale = size / DIGIT
        matrix = np.array(
            [[scale, 0, centre[0] - scale * FIELD / 2], [0, scale, centre[1] - scale * FIELD / 2]],
            np.float32,
        )
        distance = scale * cv2.warpAffine(
            self.distance,
            matrix,
            shape[::-1],
            flags=cv2.INTER_LINEAR,
            borderValue=1e4,
            borderMode=cv2.BORDER_CONSTANT,
        )
        cover = np.clip(np.asarray(stroke) / 2 + 0.5 - distance, 0, np.minimum(stroke, 1))
        return np.asarray(cover, np.float32)


def from_mnist(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> Pen:
    """Take one of MNIST's digits (28, 28), a little turned, slanted and stretched."""
    ys, xs = np.nonzero(image > 110)
    matrix = _onto_field(np.stack([xs, ys], axis=1).astype(np.float64), _slant(rng))
    smooth = cv2.warpAffine(image, matrix, (FIELD, FIELD), flags=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(smooth, (0, 0), 1.5)
    return _pen(middle_line((smooth > 110).astype(np.uint8)))


def straight(rng: np.random.Generator) -> Pen:
    """Draw a 1, 2, 4, 5, 7 or 9 of long straight strokes, as a ruler-like hand does."""
    ways = [
        np.asarray(way) + rng.normal(0, 0.04, (len(way), 2))
        for way in _STRAIGHT[rng.integers(len(_STRAIGHT))]
    ]
    slant = _slant(rng) @ np.diag([rng.uniform(0.4, 0.9), 1.0])
    matrix = _onto_field(np.concatenate(ways), slant)
    line = np.zeros((FIELD, FIELD), np.uint8)
    for way in ways:
        _polyline(line, way, matrix)
    return _pen(line)


def printed(rng: np.random.Generator) -> Pen:
    """Take a digit of one of the fonts at hand."""
    sheet = print_digit(int(rng.integers(10)), rng)
    ys, xs = np.nonzero(sheet > 128)
    matrix = _onto_field(np.stack([xs, ys], axis=1).astype(np.float64), _slant(rng))
    large = cv2.warpAffine(sheet, matrix, (FIELD, FIELD), flags=cv2.INTER_LINEAR)
    mask = (large > 128).astype(np.uint8)
    if rng.random() < 0.5:
        return Pen(_pen(mask).distance, broad=True)
    return _pen(middle_line(mask))


def seven_segments(rng: np.random.Generator) -> tuple[Pen, Pen]:
    """Show a digit on a display; return its lit segments, and all seven."""
    narrow, slant = rng.uniform(0.4, 0.65), rng.uniform(0, 0.15)
    linear = np.array([[narrow, -slant], [0.0, 1.0]])
    matrix = _onto_field(np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]), linear)
    gap = rng.uniform(0.0, 0.12)
    lit, whole, every = np.zeros((3, FIELD, FIELD), np.uint8)
    shown = _SHOWN[rng.integers(10)]
    for name, (start, end) in _SEGMENTS.items():
        ends = np.array([start, end])
        inset = ends + gap * (ends[::-1] - ends) * (0.5 if start[0] == end[0] else 1.0)
        _polyline(every, inset, matrix)
        if name in shown:
            _polyline(lit, inset, matrix)
            _polyline(whole, ends, matrix)
    return Pen(_pen(lit).distance, _pen(whole).distance), _pen(every)


def _polyline(
    line: npt.NDArray[np.uint8], points: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64]
) -> None:
    on_field = np.rint(points @ matrix[:, :2].T + matrix[:, 2]).astype(np.int32)
    cv2.polylines(line, [on_field], False, 1)


def _slant(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    angle, shear = rng.normal(0, 0.13), rng.normal(0, 0.12)
    # a high or wide image is seen squeezed into a square
    stretch = math.exp(rng.normal(0, 0.18 if rng.random() < 0.75 else 0.45))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(turn @ np.array([[stretch, shear], [0, 1]]))


def _onto_field(
    points: npt.NDArray[np.float64], linear: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the affine map (2, 3) that applies ``linear`` and centres ``points`` in the field.

    The points have the shape (n, 2).
    """
    moved = points @ linear.T
    low, high = moved.min(axis=0), moved.max(axis=0)
    scale = DIGIT / max(float((high - low).max()), 1e-6)
    return np.column_stack([linear * scale, FIELD / 2 - scale * (low + high) / 2])


def _pen(line: npt.NDArray[np.uint8]) -> Pen:
    return Pen(cv2.distanceTransform(1 - line, cv2.DIST_L2, 5).astype(np.float32))
