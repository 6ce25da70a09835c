"""Erase the lines of ruled and squared paper.

A ruled line is straight, thin, and crosses the window from side to side; no stroke of a digit does
all of this. Lines are found by a Hough transform of their upper edges (R. Duda and P. Hart: Use of
the Hough transformation to detect lines and curves in pictures. Communications of the ACM 15,
1972), for slopes near the axes only.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

_SIDE = 160  # pixels of the longer side at which lines are looked for
_SLOPES = np.linspace(-0.25, 0.25, 35)  # 14 degrees either way
_MARGIN = 0.25  # of the width: so much higher or lower is a line of the steepest slope at x = 0
_COVERAGE = 0.5  # share of the width that a line must run along
_ENDS = 0.4  # share of the first and the last tenth of the width
_THICKEST = 0.04  # of the longer side; what is thicker is a stroke
_REACH = 4  # pixels of 160 to either side of a found edge, in which a line's pixels are looked for
_MOST = 60  # lines
# Of a strength from which ink is strong: a line may be paler, and reducing pales it more.
_PALE, _PALEST = 0.6, 1 / 3
_CORE = 0.5  # of a line's strength, in what counts as its thickness
# Of a line's strength, and of strong ink in addition: what is stronger is a stroke that crosses it.
_CROSSING, _CROSSING_MORE = 1.7, 0.5


class Line(NamedTuple):
    """A line that runs from left to right: y = slope · x + offset, in pixels."""

    slope: float
    offset: float


def without_lines(strength: Grey, strong: float) -> Grey:
    """Erase lines that run across the window, but not the strokes that cross them.

    Args:
        strength: uint8 (height, width), how far each pixel stands out from the background.
        strong: strength from which ink is strong.

    Returns:
        uint8 of the same shape.

    """
    strength = _without_level_lines(strength, strong)
    turned = np.ascontiguousarray(strength.T)
    return np.ascontiguousarray(_without_level_lines(turned, strong).T)


def _without_level_lines(strength: Grey, strong: float) -> Grey:
    height, width = strength.shape
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    mask = cv2.resize(strength, size, interpolation=cv2.INTER_AREA) > _PALE * strong
    upper_edges = mask.copy()
    upper_edges[1:] &= ~mask[:-1]
    reach = round(_REACH / scale)
    thickest = 1
    erased = np.zeros(strength.shape, np.bool_)
    for line in _find_level_lines(upper_edges):
        line = Line(line.slope, (line.offset + 0.5) / scale)
        thickness = _mark_line(erased, strength, line, reach, strong)
        thickest = max(thickest, thickness)
    if not erased.any():
        return strength
    # where a stroke crosses a line, what is above and below the line is joined
    rest = np.where(erased, np.uint8(0), strength)
    gap = np.ones((min(thickest, reach) + 3, 3), np.uint8)
    bridged = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, gap)
    return np.where(erased, np.minimum(bridged, strength), strength)


def _mark_line(
    erased: NDArray[np.bool_], strength: Grey, line: Line, reach: int, strong: float
) -> int:
    """Mark a line's pixels in ``erased``, and return how many pixels it is thick.

    Nothing is marked and 0 is returned where it is too thick for a ruled line.
    """
    height, width = strength.shape
    columns = np.arange(width)
    across = np.arange(-reach, reach + 1)[:, np.newaxis]
    rows = across + np.rint(line.offset + line.slope * columns).astype(np.intp)
    is_inside = (rows >= 0) & (rows < height)
    rows = rows.clip(0, height - 1)
    band = strength[rows, columns]
    # of the line alone: what crosses it is not half its length
    profile = np.median(band, axis=1, keepdims=True)
    core = int((profile > _CORE * profile.max()).sum())
    if core > 1 + _THICKEST * max(height, width):
        return 0
    is_line = profile > _PALEST * strong
    is_crossed = band >= _CROSSING * profile + _CROSSING_MORE * strong
    marked = is_inside & is_line & ~is_crossed
    erased[rows[marked], np.broadcast_to(columns, rows.shape)[marked]] = True
    return int(is_line.sum())


def _find_level_lines(edges: NDArray[np.bool_]) -> list[Line]:
    """Find the straight lines among edge pixels that run from the left side to the right."""
    height, width = edges.shape
    ys, xs = np.nonzero(edges)
    needed = _COVERAGE * width
    if len(ys) < needed:
        return []
    margin = int(_MARGIN * width) + 2
    offsets = height + 2 * margin
    # each edge pixel votes once for each slope; votes are numbered slope by slope
    first_of_slope = offsets * np.arange(len(_SLOPES))[:, np.newaxis]
    offset_of_pixel = np.rint(ys - _SLOPES[:, np.newaxis] * xs).astype(np.intp) + margin
    ballots = first_of_slope + offset_of_pixel
    votes = np.bincount(ballots.ravel(), minlength=offsets * len(_SLOPES))
    lines: list[Line] = []
    for _ in range(_MOST):
        near = votes.copy()
        near[1:] += votes[:-1]
        near[:-1] += votes[1:]
        # of slopes that pass near the same pixels the one that hits them
        best = int((near + votes).argmax())
        if near[best] < needed:
            break
        slope, offset = divmod(best, offsets)
        taken = np.abs(ballots[slope] - best) <= 1
        if _reaches_both_sides(xs[taken], width):
            lines.append(Line(float(_SLOPES[slope]), float(offset - margin)))
        votes -= np.bincount(ballots[:, taken].ravel(), minlength=len(votes))
        ballots, xs = ballots[:, ~taken], xs[~taken]
    return lines


def _reaches_both_sides(xs: NDArray[np.intp], width: int) -> bool:
    tenths = np.bincount(np.unique(xs) * 10 // width, minlength=10)
    return bool(min(tenths[0], tenths[9]) >= _ENDS * width / 10)
