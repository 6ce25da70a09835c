"""Digits in the styles of drawings/digits.txt: as they are written and shown around the world.

MNIST's 1 is a bare stroke, its 7 has no bar, its 9 a straight leg. Elsewhere a 1 has a long flag
and often a base, a 7 has a bar and a 9 a curled foot. Some styles are pen strokes alone; others are
strokes added to one of MNIST's digits, as wide and soft as its own, so that the network learns the
style and not another pen. The rest is shown or printed: displays, dot matrices, stencils, fonts.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.datasets.labelled import DIGITS, LabelledImages
from digitcli.synthesis import subpixel
from digitcli.synthesis.digits import (
    HEIGHT,
    MARGIN,
    blank_sheet,
    fit_curve,
    frame_as_mnist,
    print_digit,
    write,
)
from digitcli.synthesis.drawing_files import (
    ADDED,
    DOTS,
    HAND,
    SEGMENT_ENDS,
    SEGMENTS,
    Drawing,
    Form,
    load_packaged,
)
from digitcli.synthesis.subpixel import draw_polyline

FONT, STENCIL = "font", "stencil"  # the kinds that need no drawing
# The share of each kind among the drawn digits.
SHARE_OF_KIND = {HAND: 0.4, ADDED: 0.3, SEGMENTS: 0.12, DOTS: 0.03, FONT: 0.1, STENCIL: 0.05}

_BEND = 0.05  # of the box, standard deviation of the height of the waves that bend the paper
_ENLARGEMENT = 4  # of MNIST's digits, while strokes are added
_TRIES = 10  # to find a digit that a stroke can be added to
# A stencil's bridges cross the upright stroke of these digits, and the arcs of the others.
_CUT_ACROSS = (1, 4, 7)

Sheet = NDArray[np.uint8]


def draw_digits(count: int, digits: LabelledImages, rng: np.random.Generator) -> LabelledImages:
    """Draw ``count`` digits in many styles, framed as MNIST's are.

    To some of ``digits``, which must be framed so too, strokes are added.
    """
    images = np.zeros((count, CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    labels = np.zeros(count, np.int64)
    rows = {str(digit): np.flatnonzero(digits.labels == digit) for digit in range(DIGITS)}
    # the user's images may lack a digit that a style would add to
    drawings = [d for d in load_packaged("digits") if d.kind != ADDED or len(rows[d.label])]
    choices = {kind: Choice([d for d in drawings if d.kind == kind]) for kind in SHARE_OF_KIND}
    shares = {
        kind: share
        for kind, share in SHARE_OF_KIND.items()
        if kind in (FONT, STENCIL) or choices[kind].drawings
    }
    weights = np.array(list(shares.values()))
    kinds = rng.choice(list(shares), count, p=weights / weights.sum())
    for i, kind in enumerate(kinds):
        if kind in (FONT, STENCIL):
            labels[i] = digit = int(rng.integers(DIGITS))
            sheet = print_digit(digit, rng) if kind == FONT else print_stencil(digit, rng)
        else:
            drawing = choices[kind].pick(rng)
            labels[i] = int(drawing.label)
            if kind == ADDED:
                base = pick_base(digits.images, rows[drawing.label], drawing, rng)
                sheet = add_strokes(base, drawing, rng)
            else:
                sheet = draw_style(drawing, rng)
        images[i] = frame_as_mnist(sheet)
    return LabelledImages(images, labels)


class Choice:
    """A random choice among drawings by their shares."""

    def __init__(self, drawings: Sequence[Drawing]) -> None:
        """Add up the shares; there may be no drawings, but then none can be picked."""
        self.drawings = drawings
        self._sums = np.cumsum([drawing.share for drawing in drawings])

    def pick(self, rng: np.random.Generator) -> Drawing:
        """Return one of the drawings."""
        total = self._sums[-1]
        row = int(np.searchsorted(self._sums, rng.uniform(0, total), side="right"))
        return self.drawings[min(row, len(self.drawings) - 1)]


def draw_style(drawing: Drawing, rng: np.random.Generator) -> Sheet:
    """Draw a digit of the kinds hand, segments or dots: white on black, not framed."""
    if drawing.kind == HAND:
        # a 1 has no loop that a broad pen could fill
        return write_by_hand(drawing, rng, broadest=16 if drawing.label == "1" else 13)
    if drawing.kind == SEGMENTS:
        return draw_display(drawing.segments, rng)
    if drawing.kind == DOTS:
        return draw_dot_matrix(drawing.dots, rng)
    raise ValueError(f"{drawing.kind} is added to a digit")


def write_by_hand(drawing: Drawing, rng: np.random.Generator, *, broadest: int) -> Sheet:
    """Write a drawing with a pen of at most ``broadest`` of 64 parts of its longer side."""
    narrowest, widest = drawing.width
    form = bend(drawing.strokes, rng)
    return write(form, rng, narrowest=narrowest, widest=widest, broadest=broadest)


def bend(form: Form, rng: np.random.Generator) -> Form:
    """Return strokes as on paper that is bent by two long waves.

    Neighbouring points move together, as one writer's proportions differ from another's.
    """
    waves = rng.normal(0, 0.4, (2, 2))  # number of waves in the box, along x and y
    phase, height = rng.uniform(0, 2 * np.pi, 2), rng.normal(0, _BEND, 2)
    bent = []
    for stroke in form:
        points = np.array(stroke)
        moved = points + height * np.sin(2 * np.pi * points @ waves + phase)
        bent.append(tuple((float(x), float(y)) for x, y in moved))
    return tuple(bent)


def add_strokes(image: Sheet, drawing: Drawing, rng: np.random.Generator) -> Sheet:
    """Add strokes to a digit (28, 28), as wide and as soft as its own; return it enlarged."""
    margin = CANVAS_SIDE // 2
    padded = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    large = cv2.resize(
        padded, None, fx=_ENLARGEMENT, fy=_ENLARGEMENT, interpolation=cv2.INTER_LINEAR
    )
    mask = (large > 127).astype(np.uint8)
    if not mask.any():  # the user's images may be faint
        return np.asarray(large, np.uint8)
    _, _, _, height = cv2.boundingRect(mask)
    width = measure_stroke_width(mask)
    layer = np.zeros_like(large)
    for anchor, stroke in zip(drawing.anchors, drawing.strokes, strict=True):
        shape = np.array(stroke) * height * rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, 2)
        moved = shape + rng.normal(0, 0.03 * height, shape.shape)
        starts_at_anchor = not shape[0].any()
        if starts_at_anchor:
            moved -= moved[0]
        points = fit_curve(moved) + find_anchor(mask, anchor, width)
        pen = max(1, round(width * rng.uniform(0.85, 1.1)))
        draw_polyline(layer, points, pen, value=int(large.max()))
    soft = cv2.GaussianBlur(layer, (0, 0), 0.4 * _ENLARGEMENT)
    return np.asarray(np.maximum(large, soft), np.uint8)


def pick_base(
    images: NDArray[np.uint8],
    rows: NDArray[np.intp],
    drawing: Drawing,
    rng: np.random.Generator,
) -> Sheet:
    """Return one of the images in ``rows`` to add a drawing to.

    A bar in the middle needs a digit with a single stroke there: it would turn a 7 with a long
    serif into a 9.
    """
    image = images[rng.choice(rows)]
    if "middle" in drawing.anchors:
        for _ in range(_TRIES):
            if count_strokes_at_half_height(image) == 1:
                break
            image = images[rng.choice(rows)]
    return np.asarray(image, np.uint8)


def count_strokes_at_half_height(image: Sheet) -> int:
    """Return how many strokes the middle row of a digit crosses."""
    _, top, _, height = cv2.boundingRect(image)
    is_ink = image[top + height // 2] > 127
    starts = np.diff(is_ink.astype(np.int8), prepend=0) == 1
    return int(np.count_nonzero(starts))


def measure_stroke_width(mask: Sheet) -> float:
    """Return the width of a digit's strokes in pixels: twice the depth of their middle line."""
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (mask > 0)
    return 2 * float(np.median(depth[ridge]))


def find_anchor(mask: Sheet, anchor: str, width: float) -> NDArray[np.float64]:
    """Return the point (x, y) of a digit where a stroke of ``width`` pixels is to be added.

    It is the mean of the ink near the anchor, moved from the digit's edge to the middle of its
    stroke.
    """
    left, top, columns, rows = cv2.boundingRect(mask)
    right, bottom = left + columns, top + rows
    middle = top + rows // 2
    half = max(1, round(width / 2))
    inward = (0.0, 0.0)
    if anchor == "top":
        bottom = top + half
        inward = (0.0, half / 2)
    elif anchor == "bottom":
        top = bottom - half
        inward = (0.0, -half / 2)
    elif anchor == "middle":
        top, bottom = middle - half, middle + half
    elif anchor == "left-top":
        bottom = middle
        inward = (half / 2, 0.0)
    elif anchor == "left-bottom":
        top = middle
        inward = (half / 2, 0.0)
    elif anchor == "centre":
        return np.array([left + columns / 2, top + rows / 2])
    else:
        raise ValueError(f"there is no anchor {anchor!r}")
    y, x = np.nonzero(mask[top:bottom, left:right])
    if anchor in ("left-top", "left-bottom"):
        is_outermost = x < x.min() + half
        y, x = y[is_outermost], x[is_outermost]
    return np.array([left + x.mean(), top + y.mean()]) + inward


def draw_display(lit: str, rng: np.random.Generator) -> Sheet:
    """Draw a seven-segment display; some are worn, or show their unlit segments."""
    width, thick = HEIGHT * rng.uniform(0.4, 0.7), HEIGHT * rng.uniform(0.06, 0.2)
    gap = HEIGHT * rng.uniform(0.0, 0.05)
    slant = rng.uniform(0.0, 0.25) if rng.random() < 0.6 else 0.0
    pointed = rng.random() < 0.6
    unlit = int(255 * rng.uniform(0.03, 0.2)) if rng.random() < 0.3 else 0
    brightness = {name: 255 if name in lit else unlit for name in SEGMENT_ENDS}
    if rng.random() < 0.25:
        dimmed = int(255 * rng.uniform(0.5, 0.85))
        worn = str(rng.choice(list(lit)))
        brightness[worn] = dimmed
    sheet = blank_sheet()
    # the brightest last: they glow over their neighbours
    for name in sorted(brightness, key=lambda name: brightness[name]):
        ends = np.array(SEGMENT_ENDS[name]) * (width, HEIGHT)
        corners = _segment_corners(ends, thick, gap, pointed=pointed)
        corners[:, 0] += slant * (HEIGHT / 2 - corners[:, 1])
        cv2.fillConvexPoly(
            sheet,
            subpixel.to_fixed_point(corners + MARGIN),
            brightness[name],
            lineType=cv2.LINE_AA,
            shift=subpixel.BITS,
        )
    if rng.random() < 0.3:  # seen out of focus
        sheet = np.asarray(cv2.GaussianBlur(sheet, (0, 0), rng.uniform(1.0, 3.0)), np.uint8)
    return sheet


def _segment_corners(
    ends: NDArray[np.float64], thick: float, gap: float, *, pointed: bool
) -> NDArray[np.float64]:
    """Return the corners (n, 2) of a segment between two ends, ``gap`` away from both."""
    first_end, last_end = ends
    along = (last_end - first_end) / np.hypot(*(last_end - first_end))
    across = np.array([-along[1], along[0]]) * thick / 2
    start, end = first_end + gap * along, last_end - gap * along
    if not pointed:
        return np.array([start + across, end + across, end - across, start - across])
    from_tip = along * thick / 2
    first, last = start + from_tip, end - from_tip
    return np.array([start, first + across, last + across, end, last - across, first - across])


def draw_dot_matrix(rows: Sequence[str], rng: np.random.Generator) -> Sheet:
    """Draw a matrix of dots, round or square, apart or touching."""
    pitch = HEIGHT / (len(rows) - 1)
    radius = pitch * rng.uniform(0.28, 0.6)
    aspect = rng.uniform(0.8, 1.1)
    slant = rng.normal(0, 0.08)
    is_square = rng.random() < 0.3
    sheet = blank_sheet()
    lit = [
        (row, column)
        for row, line in enumerate(rows)
        for column, dot in enumerate(line)
        if dot == "#"
    ]
    for row, column in lit:
        y = row * pitch
        x = column * pitch * aspect + slant * (HEIGHT / 2 - y)
        centre = np.array([x, y]) + MARGIN
        if is_square:
            low = subpixel.to_fixed_point(centre - radius).tolist()
            high = subpixel.to_fixed_point(centre + radius).tolist()
            cv2.rectangle(sheet, low, high, 255, cv2.FILLED, cv2.LINE_AA, subpixel.BITS)
        else:
            middle = subpixel.to_fixed_point(centre).tolist()
            radius_in_steps = int(radius * subpixel.STEPS)
            cv2.circle(sheet, middle, radius_in_steps, 255, cv2.FILLED, cv2.LINE_AA, subpixel.BITS)
    return sheet


def print_stencil(digit: int, rng: np.random.Generator) -> Sheet:
    """Print a digit as a stencil does: bridges of the sheet cut its strokes."""
    sheet = print_digit(digit, rng)
    x, y, width, height = cv2.boundingRect(sheet)
    bridge = max(2, round(height * rng.uniform(0.06, 0.12)))
    place = rng.uniform(0.4, 0.6)
    if digit in _CUT_ACROSS:
        start = y + round(place * height) - bridge // 2
        sheet[start : start + bridge] = 0
    else:
        start = x + round(place * width) - bridge // 2
        sheet[:, start : start + bridge] = 0
    return sheet
