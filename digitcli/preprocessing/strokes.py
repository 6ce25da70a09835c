"""Which pixels of a window are the main digit's strokes, at the window's own resolution."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.characters import LIKELY, MARKED
from digitcli.preprocessing.contrast import FULL
from digitcli.preprocessing.detection import Map
from digitcli.preprocessing.ink import Grey

# Strength from which a pixel that is marked, within reach of a mark, or joined to one, is ink.
STRONG = 0.3 * FULL
# Of a component's pixels that are marked, from which all of it is the digit: the detector leaves
# gaps.
_MOSTLY = 0.5
_REACH = 1 / 64  # of the window's longer side: marks are as coarse as the detector's pixels
# A display has so many segments. What has more pieces is of dots, and is drawn as the detector sees
# it: joined.
_MOST_PIECES = 7
_PIECE = 0.02  # of the strokes' area; a smaller one is a speck
_HALF = 127  # of 255: share of a pixel that is strong
_ALL_ROUND = np.ones((3, 3), np.uint8)


class Strokes(NamedTuple):
    """The main digit's ink.

    Attributes:
        image: uint8 (height, width), 255 full ink on 0.
        certainty: mean probability that its pixels are a digit's ink.

    """

    image: Grey
    certainty: float


def select_strokes(strength: Grey, ink: Map) -> Strokes | None:
    """Select the main digit's ink.

    Args:
        strength: uint8 (height, width), how far each pixel stands out.
        ink: the detector's map of the main digit's ink, of whatever size.

    Returns:
        The strokes in ``strength``'s shape; None where nothing is marked.

    """
    height, width = strength.shape
    probability = cv2.resize(ink, (width, height), interpolation=cv2.INTER_LINEAR)
    strong = (strength > STRONG).astype(np.uint8)
    marks = (probability > LIKELY) & (strong > 0)
    if not marks.any():
        return None
    reach = max(1, round(max(height, width) * _REACH))
    around = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near = cv2.dilate(marks.astype(np.uint8), around)
    strokes = np.maximum(strong & near, _mostly_marked(strong, marks))
    marked = ink > MARKED
    if _is_dotted(strokes):
        joined = np.rint(255 * probability).astype(np.uint8)
        size = ink.shape[1], ink.shape[0]
        share = cv2.resize(255 * strong, size, interpolation=cv2.INTER_AREA)
        # at a dot's rim the detector is less certain
        is_dot = share > _HALF
        return Strokes(joined, float(ink[marked & is_dot].mean()))
    image = cv2.convertScaleAbs(strength, alpha=255 / FULL)
    # the strokes' soft edges belong to them
    image = np.asarray(image * cv2.dilate(strokes, _ALL_ROUND), np.uint8)
    return Strokes(image, float(ink[marked].mean()))


def _mostly_marked(strong: Grey, marks: NDArray[np.bool_]) -> Grey:
    """Return 1 where a whole component of strong pixels is the digit's.

    One that runs out of the window may be a line on which the digit stands.
    """
    height, width = strong.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    left, top, columns, rows, area = stats.T
    right, bottom = left + columns, top + rows
    is_inside = (left > 0) & (top > 0) & (right < width) & (bottom < height)
    share = np.bincount(labels[marks], minlength=count) / area
    is_digit = is_inside & (share > _MOSTLY)
    return np.asarray(is_digit[labels], np.uint8)


def _is_dotted(strokes: Grey) -> bool:
    _, _, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int(np.count_nonzero(areas > _PIECE * areas.sum())) > _MOST_PIECES
