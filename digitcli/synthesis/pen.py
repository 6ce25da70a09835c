"""The strokes of digits as distance fields: MNIST's, a few of straight lines, print and displays.

MNIST's strokes are as thick as its 20×20 pixels allow, and a photographed pen is much thinner. So a
digit is kept as the distance of every point from the centre line of its strokes; strokes of any
width can be drawn from that, with smooth edges.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.synthesis.digits import print_digit
from digitcli.synthesis.drawing_files import SEGMENT_ENDS, load_packaged

FIELD = 112  # side of a distance field, in its pixels
DIGIT = 92  # the longer side of the digit in it

_INK_OF_MNIST = 110  # of 255, from which a pixel belongs to a stroke
_INK_OF_PRINT = 128  # of 255

# The lit segments of each digit.
_LIT = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")


# Weights that sum a pixel's eight neighbours up to a number: bit 0 north, then clockwise.
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def _thinning_table(*, first: bool) -> npt.NDArray[np.uint8]:
    """Return which pixels stay (1) in one of Zhang and Suen's two passes, by their neighbours."""
    table = np.ones(256, np.uint8)
    for code in range(256):
        ring = [code >> bit & 1 for bit in range(8)]
        count = sum(ring)
        steps = sum(ring[i] == 0 and ring[(i + 1) % 8] == 1 for i in range(8))
        north, east, south, west = ring[0], ring[2], ring[4], ring[6]
        if first:
            is_edge = not (north and east and south) and not (east and south and west)
        else:
            is_edge = not (north and east and west) and not (north and south and west)
        is_removed = 2 <= count <= 6 and steps == 1 and is_edge
        table[code] = not is_removed
    return table


_PASSES = (_thinning_table(first=True), _thinning_table(first=False))


def thin(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Thin strokes to lines one pixel wide: uint8, 0 and 1, in and out.

    T. Y. Zhang, C. Y. Suen: A Fast Parallel Algorithm for Thinning Digital Patterns. CACM 27 (3),
    1984. OpenCV has it only in its contributed modules, and scikit-image would be one more
    dependency for this alone.
    """
    while True:
        before = mask
        for table in _PASSES:
            code = cv2.filter2D(mask, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            mask = mask & table[code]
        if np.array_equal(mask, before):
            return mask


@dataclass(frozen=True, slots=True)
class Strokes:
    """The strokes of one digit.

    Attributes:
        distance: float32 (112, 112), the distance from the strokes' centre line in field pixels.
            The digit lies in the middle of the field, its longer side is 92 pixels.
        without_gaps: the same for the line without the gaps that the pen left; None where it left
            none.
        broad: the line is as broad as print is, and the pen draws around it.

    """

    distance: npt.NDArray[np.float32]
    without_gaps: npt.NDArray[np.float32] | None = None
    broad: bool = False

    @property
    def proportions(self) -> tuple[float, float]:
        """Width and height as shares of the longer side."""
        _, _, width, height = cv2.boundingRect((self.distance < 1).astype(np.uint8))
        return width / DIGIT, height / DIGIT

    def close_gaps(self) -> "Strokes":
        """Return the strokes without the gaps that the pen left."""
        return self if self.without_gaps is None else Strokes(self.without_gaps)

    def draw(
        self,
        shape: tuple[int, int],
        centre: tuple[float, float],
        size: float,
        width: float | npt.NDArray[np.float32],
    ) -> npt.NDArray[np.float32]:
        """Draw the strokes.

        Args:
            shape: (height, width) of the image.
            centre: (x, y) of the digit, in pixels.
            size: the digit's longer side in pixels.
            width: of the pen in pixels, for all of the image or for each of its pixels.

        Returns:
            float32 of ``shape``, the share of each pixel that the strokes cover, in [0, 1].

        """
        scale = size / DIGIT
        x, y = centre
        to_image = np.array(
            [[scale, 0, x - scale * FIELD / 2], [0, scale, y - scale * FIELD / 2]], np.float32
        )
        height, columns = shape
        distance = scale * cv2.warpAffine(
            self.distance,
            to_image,
            (columns, height),
            flags=cv2.INTER_LINEAR,
            borderValue=1e4,
            borderMode=cv2.BORDER_CONSTANT,
        )
        cover = np.clip(np.asarray(width) / 2 + 0.5 - distance, 0, np.minimum(width, 1))
        return np.asarray(cover, np.float32)


class Glyph(NamedTuple):
    """A digit to write.

    Attributes:
        strokes: of the digit.
        all_segments: all seven segments of a display that shows it; None where no display does.

    """

    strokes: Strokes
    all_segments: Strokes | None = None


def trace_mnist(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> Glyph:
    """Trace one of MNIST's digits (28, 28), a little turned, slanted and stretched."""
    rows, columns = np.nonzero(image > _INK_OF_MNIST)
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    to_field = _map_onto_field(points, _random_slant(rng))
    large = cv2.warpAffine(image, to_field, (FIELD, FIELD), flags=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(large, (0, 0), 1.5)
    mask = (smooth > _INK_OF_MNIST).astype(np.uint8)
    return Glyph(_strokes_along(thin(mask)))


def draw_straight(rng: np.random.Generator) -> Glyph:
    """Draw a 1, 2, 4, 5, 7 or 9 of long straight strokes, as a ruler-like hand does."""
    drawings = load_packaged("straight")
    drawing = drawings[rng.integers(len(drawings))]
    strokes = [
        np.asarray(stroke) + rng.normal(0, 0.04, (len(stroke), 2)) for stroke in drawing.strokes
    ]
    slant = _random_slant(rng) @ np.diag([rng.uniform(*drawing.width), 1.0])
    to_field = _map_onto_field(np.concatenate(strokes), slant)
    line = np.zeros((FIELD, FIELD), np.uint8)
    for stroke in strokes:
        _draw_line(line, stroke, to_field)
    return Glyph(_strokes_along(line))


def trace_print(rng: np.random.Generator) -> Glyph:
    """Trace a digit printed in one of the fonts at hand: its centre line, or all of its ink."""
    sheet = print_digit(int(rng.integers(10)), rng)
    rows, columns = np.nonzero(sheet > _INK_OF_PRINT)
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    to_field = _map_onto_field(points, _random_slant(rng))
    large = cv2.warpAffine(sheet, to_field, (FIELD, FIELD), flags=cv2.INTER_LINEAR)
    mask = (large > _INK_OF_PRINT).astype(np.uint8)
    if rng.random() < 0.5:
        return Glyph(Strokes(_distance_from(mask), broad=True))
    return Glyph(_strokes_along(thin(mask)))


def draw_seven_segments(rng: np.random.Generator) -> Glyph:
    """Draw a digit as a seven-segment display shows it."""
    narrow, slant = rng.uniform(0.4, 0.65), rng.uniform(0, 0.15)
    linear = np.array([[narrow, -slant], [0.0, 1.0]])
    corners = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
    to_field = _map_onto_field(corners, linear)
    gap = rng.uniform(0.0, 0.12)
    lit, without_gaps, every = np.zeros((3, FIELD, FIELD), np.uint8)
    lit_names = _LIT[rng.integers(10)]
    for name, (start, end) in SEGMENT_ENDS.items():
        is_upright = start[0] == end[0]
        ends = np.array([start, end])
        inset = ends + gap * (ends[::-1] - ends) * (0.5 if is_upright else 1.0)
        _draw_line(every, inset, to_field)
        if name in lit_names:
            _draw_line(lit, inset, to_field)
            _draw_line(without_gaps, ends, to_field)
    strokes = Strokes(_distance_from(lit), without_gaps=_distance_from(without_gaps))
    return Glyph(strokes, all_segments=_strokes_along(every))


def _draw_line(
    image: npt.NDArray[np.uint8], points: npt.NDArray[np.float64], affine: npt.NDArray[np.float64]
) -> None:
    """Draw a line of ones through points (n, 2) that an affine map (2, 3) moves."""
    linear, offset = affine[:, :2], affine[:, 2]
    moved = np.rint(points @ linear.T + offset).astype(np.int32)
    cv2.polylines(image, [moved], isClosed=False, color=1)


def _random_slant(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a linear map (2, 2) that turns, slants and stretches a little."""
    angle, shear = rng.normal(0, 0.13), rng.normal(0, 0.12)
    # a high or wide image is seen squeezed into a square
    stretch = math.exp(rng.normal(0, 0.18 if rng.random() < 0.75 else 0.45))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(turn @ np.array([[stretch, shear], [0, 1]]))


def _map_onto_field(
    points: npt.NDArray[np.float64], linear: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the affine map (2, 3) that applies ``linear`` and centres ``points`` in the field.

    The points have the shape (n, 2).
    """
    moved = points @ linear.T
    low, high = moved.min(axis=0), moved.max(axis=0)
    scale = DIGIT / max(float((high - low).max()), 1e-6)
    return np.column_stack([linear * scale, FIELD / 2 - scale * (low + high) / 2])


def _strokes_along(line: npt.NDArray[np.uint8]) -> Strokes:
    return Strokes(_distance_from(line))


def _distance_from(line: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the distance of each pixel from the nearest one of a line of ones."""
    return np.asarray(cv2.distanceTransform(1 - line, cv2.DIST_L2, 5), np.float32)
