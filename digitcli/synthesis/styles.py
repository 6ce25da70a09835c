"""Digits in the styles of drawings/digits.txt: how they are written and shown around the world.

MNIST's 1 is a bare stroke, its 7 has no bar, its 9 a straight leg. Elsewhere a 1 has a long flag
and often a base, a 7 has a bar and a 9 a curled foot. Some styles are pen strokes alone; others are
strokes added to one of MNIST's digits with its own pen, so that the style is not learned as a
different pen. The rest is shown or printed: displays, dot matrices, stencils, fonts.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.datasets.labelled import DIGITS, LabelledImages
from digitcli.synthesis.digits import curve, framed, print_digit, write
from digitcli.synthesis.drawing_files import ADDED, DOTS, HAND, SEGMENTS, Drawing, Form, packaged

FONT, STENCIL = "font", "stencil"  # the kinds that need no drawing
# how often each kind is drawn
SHARE_OF_KIND = {HAND: 0.4, ADDED: 0.3, SEGMENTS: 0.12, DOTS: 0.03, FONT: 0.1, STENCIL: 0.05}

_BEND = 0.05  # of the box, standard deviation: how far the paper is bent
_FINE = 64  # displays are drawn at this height
_MARGIN = 26  # around them
_ENLARGED = 4  # times MNIST's size, while strokes are added
_TRIES = 10  # to find a digit that a stroke can be added to
_POINTS = 16  # cv2's subpixels with a shift of 4
_SEGMENT_ENDS = {  # x, y in a box from (0, 0) to (1, 1)
    "a": ((0.0, 0.0), (1.0, 0.0)),
    "b": ((1.0, 0.0), (1.0, 0.5)),
    "c": ((1.0, 0.5), (1.0, 1.0)),
    "d": ((0.0, 1.0), (1.0, 1.0)),
    "e": ((0.0, 0.5), (0.0, 1.0)),
    "f": ((0.0, 0.0), (0.0, 0.5)),
    "g": ((0.0, 0.5), (1.0, 0.5)),
}
_CUT_ACROSS = (1, 4, 7)  # a stencil's bridges cross their upright stroke; the others' arcs

Sheet = NDArray[np.uint8]


def drawn_digits(count: int, digits: LabelledImages, rng: np.random.Generator) -> LabelledImages:
    """Return ``count`` digits in many styles, framed as MNIST's are.

    Some are made of ``digits``, which are framed so too.
    """
    images = np.zeros((count, CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    labels = np.zeros(count, np.int64)
    rows = {str(digit): np.flatnonzero(digits.labels == digit) for digit in range(DIGITS)}
    # one's own images may lack a digit that a style would add to
    drawings = [d for d in packaged("digits") if d.kind != ADDED or len(rows[d.label])]
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
            sheet = print_digit(digit, rng) if kind == FONT else stencil(digit, rng)
        else:
            drawing = choices[kind].pick(rng)
            labels[i] = int(drawing.label)
            if kind == ADDED:
                base = pick_base(digits.images, rows[drawing.label], drawing, rng)
                sheet = add_strokes(base, drawing, rng)
            else:
                sheet = draw(drawing, rng)
        images[i] = framed(sheet)
    return LabelledImages(images, labels)


class Choice:
    """A choice among drawings by their shares."""

    def __init__(self, drawings: Sequence[Drawing]) -> None:
        """Add up the shares; without drawings there is nothing to pick."""
        self.drawings = drawings
        self._sums = np.cumsum([drawing.share for drawing in drawings])

    def pick(self, rng: np.random.Generator) -> Drawing:
        """Return one of the drawings."""
        at = np.searchsorted(self._sums, rng.uniform(0, self._sums[-1]), side="right")
        return self.drawings[min(int(at), len(self.drawings) - 1)]


def draw(drawing: Drawing, rng: np.random.Generator) -> Sheet:
    """Draw a digit by hand, as a display or as a dot matrix: white on black, not framed."""
    if drawing.kind == HAND:
        # a 1 has no loop that a broad pen could fill
        return write_by_hand(drawing, rng, broadest=16 if drawing.label == "1" else 13)
    if drawing.kind == SEGMENTS:
        return display(drawing.segments, rng)
    if drawing.kind == DOTS:
        return dot_matrix(drawing.dots, rng)
    raise ValueError(f"{drawing.kind} is added to a digit")


def write_by_hand(drawing: Drawing, rng: np.random.Generator, *, broadest: int) -> Sheet:
    """Write a drawing with a pen of at most ``broadest`` of 64 parts of its longer side."""
    narrowest, widest = drawing.width
    form = bend(drawing.strokes, rng)
    return write(form, rng, narrowest=narrowest, widest=widest, broadest=broadest)


def bend(form: Form, rng: np.random.Generator) -> Form:
    """Return strokes as on paper that is bent by a long wave.

    All points of a character move together, as one writer's proportions differ from another's.
    """
    waves = rng.normal(0, 0.4, (2, 2))  # how many fit into the box, along x and y
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
    wide = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    large = cv2.resize(wide, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_LINEAR)
    mask = (large > 127).astype(np.uint8)
    if not mask.any():  # one's own images may be faint
        return np.asarray(large, np.uint8)
    _, _, _, height = cv2.boundingRect(mask)
    width = stroke_width(mask)
    layer = np.zeros_like(large)
    for anchor, stroke in zip(drawing.anchors, drawing.strokes, strict=True):
        shape = np.array(stroke) * height * rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, 2)
        moved = shape + rng.normal(0, 0.03 * height, shape.shape)
        if not shape[0].any():
            moved -= moved[0]  # the pen starts where the digit ends
        points = curve(moved) + find_anchor(mask, anchor, width)
        pen = max(1, round(width * rng.uniform(0.85, 1.1)))
        on_layer = np.round(points * _POINTS).astype(np.int32)
        cv2.polylines(layer, [on_layer], False, int(large.max()), pen, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(layer, (0, 0), 0.4 * _ENLARGED)
    return np.asarray(np.maximum(large, soft), np.uint8)


def pick_base(
    images: NDArray[np.uint8],
    rows: NDArray[np.intp],
    drawing: Drawing,
    rng: np.random.Generator,
) -> Sheet:
    """Return one of the images in ``rows`` to add a drawing to.

    A bar in the middle needs a digit with a single stroke there: it would close a 7 with a long
    serif to a 9.
    """
    image = images[rng.choice(rows)]
    for _ in range(_TRIES if "middle" in drawing.anchors else 0):
        if strokes_at_half_height(image) == 1:
            break
        image = images[rng.choice(rows)]
    return np.asarray(image, np.uint8)


def strokes_at_half_height(image: Sheet) -> int:
    """Return how many strokes the middle row of a digit crosses."""
    _, top, _, height = cv2.boundingRect(image)
    inked = image[top + height // 2] > 127
    return int(np.count_nonzero(np.diff(inked.astype(np.int8), prepend=0) == 1))


def stroke_width(mask: Sheet) -> float:
    """Return the width of a digit's strokes in pixels: twice the depth of their middle line."""
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (mask > 0)
    return 2 * float(np.median(depth[ridge]))


def find_anchor(mask: Sheet, anchor: str, width: float) -> NDArray[np.float64]:
    """Return the point (x, y) of a digit where a stroke of ``width`` pixels is to be added."""
    x, y, wide, high = cv2.boundingRect(mask)
    half = max(1, round(width / 2))
    left, top, right, bottom = x, y, x + wide, y + high
    if anchor == "top":
        bottom = y + half
    elif anchor == "bottom":
        top = bottom - half
    elif anchor == "middle":
        top, bottom = y + high // 2 - half, y + high // 2 + half
    elif anchor == "left-top":
        bottom = y + high // 2
    elif anchor == "left-bottom":
        top = y + high // 2
    elif anchor == "centre":
        return np.array([x + wide / 2, y + high / 2])
    else:
        raise ValueError(f"there is no anchor {anchor!r}")
    rows, columns = np.nonzero(mask[top:bottom, left:right])
    if anchor in ("left-top", "left-bottom"):
        outermost = columns < columns.min() + half
        rows, columns = rows[outermost], columns[outermost]
    point = np.array([left + columns.mean(), top + rows.mean()])
    # from the digit's edge to the middle of its stroke
    inward = {"top": (0, half / 2), "bottom": (0, -half / 2)}.get(anchor, (half / 2, 0))
    return point if anchor == "middle" else point + inward


def display(lit: str, rng: np.random.Generator) -> Sheet:
    """Show a digit on a seven-segment display; some are worn, or show their unlit segments."""
    width, thick = _FINE * rng.uniform(0.4, 0.7), _FINE * rng.uniform(0.06, 0.2)
    gap = _FINE * rng.uniform(0.0, 0.05)
    slant = rng.uniform(0.0, 0.25) if rng.random() < 0.6 else 0.0
    pointed = rng.random() < 0.6
    unlit = int(255 * rng.uniform(0.03, 0.2)) if rng.random() < 0.3 else 0
    brightness = {name: 255 if name in lit else unlit for name in _SEGMENT_ENDS}
    if rng.random() < 0.25:
        brightness[str(rng.choice(list(lit)))] = int(255 * rng.uniform(0.5, 0.85))
    sheet = np.zeros((_FINE + 2 * _MARGIN, _FINE + 2 * _MARGIN), np.uint8)
    # the brightest last: they glow over their neighbours
    for name in sorted(brightness, key=lambda name: brightness[name]):
        ends = np.array(_SEGMENT_ENDS[name]) * (width, _FINE)
        corners = _segment(ends, thick, gap, pointed=pointed)
        corners[:, 0] += slant * (_FINE / 2 - corners[:, 1])
        on_sheet = np.round((corners + _MARGIN) * _POINTS).astype(np.int32)
        cv2.fillConvexPoly(sheet, on_sheet, brightness[name], cv2.LINE_AA, 4)
    if rng.random() < 0.3:  # seen out of focus
        sheet = np.asarray(cv2.GaussianBlur(sheet, (0, 0), rng.uniform(1.0, 3.0)), np.uint8)
    return sheet


def _segment(
    ends: NDArray[np.float64], thick: float, gap: float, *, pointed: bool
) -> NDArray[np.float64]:
    """Return the corners (n, 2) of a segment between two ends, ``gap`` away from both."""
    along = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0]))
    across = np.array([-along[1], along[0]]) * thick / 2
    start, end = ends[0] + gap * along, ends[1] - gap * along
    if not pointed:
        return np.array([start + across, end + across, end - across, start - across])
    from_tip = along * thick / 2
    first, last = start + from_tip, end - from_tip
    return np.array([start, first + across, last + across, end, last - across, first - across])


def dot_matrix(rows: Sequence[str], rng: np.random.Generator) -> Sheet:
    """Show a digit on a matrix of dots, round or square, apart or touching."""
    pitch = _FINE / (len(rows) - 1)
    radius = pitch * rng.uniform(0.28, 0.6)
    aspect = rng.uniform(0.8, 1.1)
    slant = rng.normal(0, 0.08)
    is_square = rng.random() < 0.3
    sheet = np.zeros((_FINE + 2 * _MARGIN, _FINE + 2 * _MARGIN), np.uint8)
    for row, line in enumerate(rows):
        for column, dot in enumerate(line):
            if dot != "#":
                continue
            y = row * pitch
            x = column * pitch * aspect + slant * (_FINE / 2 - y)
            centre = np.array([x, y]) + _MARGIN
            at = np.round(centre * _POINTS).astype(int)
            if is_square:
                low, high = (
                    np.round((centre + way * radius) * _POINTS).astype(int) for way in (-1, 1)
                )
                cv2.rectangle(sheet, low.tolist(), high.tolist(), 255, -1, cv2.LINE_AA, 4)
            else:
                cv2.circle(sheet, at.tolist(), int(radius * _POINTS), 255, -1, cv2.LINE_AA, 4)
    return sheet


def stencil(digit: int, rng: np.random.Generator) -> Sheet:
    """Print a digit as a stencil does: bridges of the sheet cut its strokes."""
    sheet = print_digit(digit, rng)
    x, y, width, height = cv2.boundingRect(sheet)
    bridge = max(2, round(height * rng.uniform(0.06, 0.12)))
    at = rng.uniform(0.4, 0.6)
    if digit in _CUT_ACROSS:
        start = y + round(at * height) - bridge // 2
        sheet[start : start + bridge] = 0
    else:
        start = x + round(at * width) - bridge // 2
        sheet[:, start : start + bridge] = 0
    return sheet
