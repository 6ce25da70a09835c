"""Take ruled and squared paper's lines out of a picture's ink.

A ruled line is straight, thin, and crosses the picture from side to side; no stroke of a digit does
all of this. Lines are found by a Hough transform of their upper edges (Duda and Hart, 1972), for
slopes near the axes only.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

_SIDE = 160  # pixels of the longer side at which lines are looked for
_SLOPES = np.linspace(-0.25, 0.25, 35)  # 14 degrees either way
_COVERAGE = 0.5  # share of the picture's width that a line must run along
_ENDS = 0.4  # share of the first and the last tenth of the width
_THICKEST = 0.04  # of the picture's longer side; what is thicker is a stroke
_MOST = 60  # lines
# Of a strength from which ink is strong: a line may be paler, and reducing pales it more.
_PALE, _PALEST = 0.6, 1 / 3
_CORE = 0.5  # of a line's strength, in what counts as its thickness
# Of a line's strength, and of strong ink in addition: what is stronger is a stroke that crosses it.
_CROSSING, _CROSSING_MORE = 1.7, 0.5


def without_lines(strength: Grey, faintest: float) -> Grey:
    """Erase lines that run across the picture, but not the strokes that cross them.

    Args:
        strength: uint8 (height, width), how far each pixel stands out from the paper.
        faintest: strength from which a pixel may be part of a line.
    """
    strength = _without_rows(strength, faintest)
    return np.ascontiguousarray(_without_rows(np.ascontiguousarray(strength.T), faintest).T)


def _without_rows(strength: Grey, faintest: float) -> Grey:
    height, width = strength.shape
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    mask = cv2.resize(strength, size, interpolation=cv2.INTER_AREA) > _PALE * faintest
    upper = mask.copy()
    upper[1:] &= ~mask[:-1]
    lines = _straight_lines(upper)
    if not lines:
        return strength
    rest, erased = strength.copy(), np.zeros_like(strength)
    reach = round(4 / scale)
    columns = np.arange(width)
    across = np.arange(-reach, reach + 1)[:, None]
    thickest = 1
    for slope, offset in lines:
        rows = across + np.rint((offset + 0.5) / scale + slope * columns).astype(np.intp)
        inside = (rows >= 0) & (rows < height)
        rows = rows.clip(0, height - 1)
        band = strength[rows, columns]
        # of the line alone: what crosses it is not half its length
        profile = np.median(band, axis=1, keepdims=True)
        thickness = int((profile > _CORE * profile.max()).sum())
        if thickness > 1 + _THICKEST * max(height, width):
            continue
        is_line = profile > _PALEST * faintest
        is_crossed = band >= _CROSSING * profile + _CROSSING_MORE * faintest
        line = inside & is_line & ~is_crossed
        thickest = max(thickest, int(is_line.sum()))
        erased[rows[line], np.broadcast_to(columns, rows.shape)[line]] = 255
    rest[erased > 0] = 0
    thickest = min(thickest, reach)
    bridge = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((thickest + 3, 3), np.uint8))
    return np.where(erased > 0, np.minimum(bridge, strength), strength).astype(np.uint8)


def _straight_lines(upper: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Find (slope, y at x = 0) of the straight lines among edge pixels that cross the picture."""
    height, width = upper.shape
    ys, xs = np.nonzero(upper)
    margin = int(0.25 * width) + 2
    bins = height + 2 * margin
    needed = _COVERAGE * width
    if len(ys) < needed:
        return []
    at = (
        np.rint(ys - _SLOPES[:, None] * xs).astype(np.intp)
        + margin
        + bins * np.arange(len(_SLOPES))[:, None]
    )
    votes = np.bincount(at.ravel(), minlength=bins * len(_SLOPES))
    lines: list[tuple[float, float]] = []
    for _ in range(_MOST):
        near = votes.copy()
        near[1:] += votes[:-1]
        near[:-1] += votes[1:]
        # of slopes that pass near the same pixels the one that hits them
        best = int((near + votes).argmax())
        if near[best] < needed:
            break
        row, offset = divmod(best, bins)
        taken = np.abs(at[row] - best) <= 1
        tenths = np.bincount(np.unique(xs[taken]) * 10 // width, minlength=10)
        if min(tenths[0], tenths[9]) >= _ENDS * width / 10:
            lines.append((float(_SLOPES[row]), float(offset - margin)))
        votes -= np.bincount(at[:, taken].ravel(), minlength=len(votes))
        at, xs = at[:, ~taken], xs[~taken]
    return lines
