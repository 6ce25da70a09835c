"""What people draw around digits: boxes, cells, rings, underlines, brackets, stops.

Each function takes the digit's box and returns a *cover*, float32 (side, side) in [0, 1]. The same
is drawn where there is no digit, so that the detector learns that a frame alone is none.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.synthesis import subpixel
from digitcli.synthesis.backgrounds import Cover, log_uniform


class Rectangle(NamedTuple):
    """A box in pixels; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def longer(self) -> float:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)

    @property
    def centre(self) -> npt.NDArray[np.float64]:
        """The middle (x, y)."""
        return np.array([(self.left + self.right) / 2, (self.top + self.bottom) / 2])


def draw_surroundings(
    rng: np.random.Generator, side: int, digit: Rectangle, *, is_empty: bool = False
) -> Cover:
    """Draw one or two things around a digit's box.

    Where the box is empty, neither ring nor bracket is drawn: they could be a 0 and a 1.
    """
    makers = [draw_box, draw_box, draw_cell, draw_cell, draw_underline, draw_stop]
    if not is_empty:
        makers += [draw_ring, draw_ring, draw_underline, draw_bracket]
    make = makers[rng.integers(len(makers))]
    cover = make(rng, side, digit)
    if rng.random() < 0.15:
        make = makers[rng.integers(len(makers))]
        cover = np.maximum(cover, make(rng, side, digit))
    return cover


def draw_box(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw the box of a form, closely or widely around the digit; some sides may be missing."""
    margin = digit.longer * rng.uniform(0.04, 0.6, 4)
    left, top = digit.left - margin[0], digit.top - margin[1]
    right, bottom = digit.right + margin[2], digit.bottom + margin[3]
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    corners += rng.normal(0, 0.01 * digit.longer, (4, 2))
    shown = rng.random(4) < rng.choice([0.6, 1.0], p=[0.2, 0.8])
    sides = [np.stack([corners[at], corners[(at + 1) % 4]]) for at in range(4) if shown[at]]
    return _draw_polylines(side, sides, _choose_line_width(rng, digit))


def draw_cell(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw the lines of a table around its cell; they may go on beyond it, and some be missing."""
    margin = digit.longer * rng.uniform(0.04, 0.5, 4)
    left, top = digit.left - margin[0], digit.top - margin[1]
    right, bottom = digit.right + margin[2], digit.bottom + margin[3]
    goes_on = rng.random() < 0.6
    start = -9.0 if goes_on else min(left, top)
    end = side + 9.0 if goes_on else max(right, bottom)
    lines = [
        np.array([[left, start], [left, end]]),
        np.array([[right, start], [right, end]]),
        np.array([[start, top], [end, top]]),
        np.array([[start, bottom], [end, bottom]]),
    ]
    shown = rng.random(4) < rng.choice([0.5, 1.0])
    angle = rng.normal(0, 0.02)
    turn = np.array([[1, angle], [-angle, 1]])
    middle = digit.centre
    turned = [
        (line - middle) @ turn + middle
        for line, is_shown in zip(lines, shown, strict=True)
        if is_shown
    ]
    return _draw_polylines(side, turned, _choose_line_width(rng, digit))


def draw_ring(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw a ring with compasses, or by hand, whose end may miss its start."""
    by_hand = rng.random() < 0.5
    turns = 1 + (rng.normal(0, 0.06) if by_hand else 0)
    angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi * turns, 48)
    half = np.array([digit.right - digit.left, digit.bottom - digit.top]) / 2
    radius = np.hypot(*half) * rng.uniform(0.95, 1.6) * np.exp(rng.normal(0, 0.08 * by_hand, 2))
    wobble = 1 + by_hand * rng.normal(0, 0.03) * np.sin(2 * angle + rng.uniform(0, 6))
    around_middle = np.stack([np.cos(angle), np.sin(angle)], axis=1) * wobble[:, None] * radius
    middle = digit.centre + rng.normal(0, 0.04, 2) * digit.longer
    return _draw_polylines(side, [middle + around_middle], _choose_line_width(rng, digit))


def draw_underline(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw one or two lines below the digit, seldom above it, a little askew."""
    lines = []
    gap = digit.longer * rng.uniform(0.04, 0.35)
    reach = digit.longer * rng.uniform(-0.1, 0.5, 2)
    slope = rng.normal(0, 0.05)
    for _ in range(rng.integers(1, 3)):
        y = digit.bottom + gap if rng.random() < 0.9 else digit.top - gap
        x = np.linspace(digit.left - reach[0], digit.right + reach[1], 8)
        bend = rng.normal(0, 0.01 * digit.longer, 8)
        lines.append(np.stack([x, y + slope * (x - x[0]) + bend], axis=1))
        gap += digit.longer * rng.uniform(0.06, 0.2)
    return _draw_polylines(side, lines, _choose_line_width(rng, digit))


def draw_bracket(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw a bracket or a slash behind the digit, or one on either side."""
    height = digit.longer * rng.uniform(0.9, 1.4)
    bend = height * rng.uniform(0.0, 0.3)
    along = np.linspace(-1, 1, 12)
    lines = []
    on_both_sides = rng.random() < 0.3
    for direction in (1, -1) if on_both_sides else (1,):
        edge = digit.right if direction > 0 else digit.left
        x = edge + direction * (digit.longer * rng.uniform(0.1, 0.4) + bend * (1 - along**2))
        lines.append(np.stack([x, digit.centre[1] + along * height / 2], axis=1))
    return _draw_polylines(side, lines, _choose_line_width(rng, digit))


def draw_stop(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw a full stop, a comma or a degree sign beside the digit."""
    size = digit.longer * rng.uniform(0.02, 0.08)
    x = digit.right + digit.longer * rng.uniform(0.1, 0.4)
    y = digit.bottom if rng.random() < 0.8 else digit.top
    tail = np.array([x, y]) + np.stack([np.zeros(2), rng.normal(0, size, 2)])
    return _draw_polylines(side, [tail], max(0.8, 2 * size))


def draw_region(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw a disc or a sheet on which the digit stands: a sign, a key, paper on a table."""
    half = np.array([digit.right - digit.left, digit.bottom - digit.top]) / 2
    middle = tuple((digit.centre + rng.normal(0, 0.05, 2) * digit.longer).tolist())
    cover = np.zeros((side, side), np.uint8)
    if rng.random() < 0.4:
        radius = int(np.hypot(*half) * rng.uniform(1.05, 1.6) * subpixel.STEPS)
        centre = tuple(int(coordinate * subpixel.STEPS) for coordinate in middle)
        cv2.circle(
            cover,
            centre,
            radius,
            255,
            cv2.FILLED,
            lineType=cv2.LINE_AA,
            shift=subpixel.BITS,
        )
    else:
        sides = 2 * half + digit.longer * rng.uniform(0.15, 1.2, 2)
        corners = cv2.boxPoints((middle, tuple(sides.tolist()), float(rng.normal(0, 6))))
        subpixel.fill_polygon(cover, corners)
    return cover * np.float32(1 / 255)


def _choose_line_width(rng: np.random.Generator, digit: Rectangle) -> float:
    return min(max(digit.longer * log_uniform(rng, 0.008, 0.12), 0.4), 9)


def _draw_polylines(side: int, lines: list[npt.NDArray[np.float64]], width: float) -> Cover:
    """Draw lines; those thinner than a pixel are drawn one pixel wide, but fainter."""
    cover = np.zeros((side, side), np.uint8)
    for line in lines:
        subpixel.draw_polyline(cover, line, thickness=max(1, round(width)))
    return cover * np.float32(min(width, 1) / 255)
