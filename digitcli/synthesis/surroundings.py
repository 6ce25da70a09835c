"""What is drawn around a digit and is none: boxes, cells, rings, underlines, brackets, stops.

Each function takes the digit's box and returns a *cover*, float32 (side, side) in [0, 1]. The same
is drawn around nothing, so that the detector learns that a frame alone is no digit.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.synthesis.backgrounds import Cover, log_uniform

_FINE = 4  # bits of OpenCV's fractional coordinates


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


def around(
    rng: np.random.Generator, side: int, digit: Rectangle, *, is_empty: bool = False
) -> Cover:
    """Draw one or two things around a digit's box.

    Around nothing neither ring nor bracket is drawn: they could be a 0 and a 1.
    """
    makers = [box, box, cell, cell, underline, stop]
    if not is_empty:
        makers += [ring, ring, underline, bracket]
    cover = makers[rng.integers(len(makers))](rng, side, digit)
    if rng.random() < 0.15:
        cover = np.maximum(cover, makers[rng.integers(len(makers))](rng, side, digit))
    return cover


def box(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw the box of a form, closely or widely around the digit; some of its sides may miss."""
    margin = digit.longer * rng.uniform(0.04, 0.6, 4)
    left, top = digit.left - margin[0], digit.top - margin[1]
    right, bottom = digit.right + margin[2], digit.bottom + margin[3]
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    corners += rng.normal(0, 0.01 * digit.longer, (4, 2))
    shown = rng.random(4) < rng.choice([0.6, 1.0], p=[0.2, 0.8])
    sides = [np.stack([corners[at], corners[(at + 1) % 4]]) for at in range(4) if shown[at]]
    return _drawn(side, sides, _line_width(rng, digit))


def cell(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw a table's lines, which go on beyond the cell, or a corner of two that end there."""
    margin = digit.longer * rng.uniform(0.04, 0.5, 4)
    left, top = digit.left - margin[0], digit.top - margin[1]
    right, bottom = digit.right + margin[2], digit.bottom + margin[3]
    start, end = (-9.0, side + 9.0) if rng.random() < 0.6 else (min(left, top), max(right, bottom))
    lines = [
        np.array([[left, start], [left, end]]),
        np.array([[right, start], [right, end]]),
        np.array([[start, top], [end, top]]),
        np.array([[start, bottom], [end, bottom]]),
    ]
    shown = rng.random(4) < rng.choice([0.5, 1.0])
    turn = rng.normal(0, 0.02)
    middle = digit.centre
    turned = [
        (line - middle) @ np.array([[1, turn], [-turn, 1]]) + middle
        for line, drawn in zip(lines, shown, strict=True)
        if drawn
    ]
    return _drawn(side, turned, _line_width(rng, digit))


def ring(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw a ring by compass or by hand, whose end may miss its start."""
    hand = rng.random() < 0.5
    turns = 1 + (rng.normal(0, 0.06) if hand else 0)
    angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi * turns, 48)
    half = np.array([digit.right - digit.left, digit.bottom - digit.top]) / 2
    radius = np.hypot(*half) * rng.uniform(0.95, 1.6) * np.exp(rng.normal(0, 0.08 * hand, 2))
    wobble = 1 + hand * rng.normal(0, 0.03) * np.sin(2 * angle + rng.uniform(0, 6))
    around_it = np.stack([np.cos(angle), np.sin(angle)], axis=1) * wobble[:, None] * radius
    middle = digit.centre + rng.normal(0, 0.04, 2) * digit.longer
    return _drawn(side, [middle + around_it], _line_width(rng, digit))


def underline(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw one line or two below the digit, seldom above, a little askew."""
    lines, gap = [], digit.longer * rng.uniform(0.04, 0.35)
    reach = digit.longer * rng.uniform(-0.1, 0.5, 2)
    slope = rng.normal(0, 0.05)
    for _ in range(rng.integers(1, 3)):
        y = digit.bottom + gap if rng.random() < 0.9 else digit.top - gap
        x = np.linspace(digit.left - reach[0], digit.right + reach[1], 8)
        bend = rng.normal(0, 0.01 * digit.longer, 8)
        lines.append(np.stack([x, y + slope * (x - x[0]) + bend], axis=1))
        gap += digit.longer * rng.uniform(0.06, 0.2)
    return _drawn(side, lines, _line_width(rng, digit))


def bracket(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw a bracket behind the digit, or one on either side, or a slash."""
    height = digit.longer * rng.uniform(0.9, 1.4)
    bend = height * rng.uniform(0.0, 0.3)
    along = np.linspace(-1, 1, 12)
    lines = []
    for way in (1, -1) if rng.random() < 0.3 else (1,):
        edge = digit.right if way > 0 else digit.left
        x = edge + way * (digit.longer * rng.uniform(0.1, 0.4) + bend * (1 - along**2))
        lines.append(np.stack([x, digit.centre[1] + along * height / 2], axis=1))
    return _drawn(side, lines, _line_width(rng, digit))


def stop(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Draw a full stop, a comma or a degree sign beside the digit."""
    size = digit.longer * rng.uniform(0.02, 0.08)
    x = digit.right + digit.longer * rng.uniform(0.1, 0.4)
    y = digit.bottom if rng.random() < 0.8 else digit.top
    tail = np.array([x, y]) + np.stack([np.zeros(2), rng.normal(0, size, 2)])
    return _drawn(side, [tail], max(0.8, 2 * size))


def region(rng: np.random.Generator, side: int, digit: Rectangle) -> Cover:
    """Cover a disc or a sheet on which the digit stands: a sign, a key, paper on a table."""
    half = np.array([digit.right - digit.left, digit.bottom - digit.top]) / 2
    middle = tuple((digit.centre + rng.normal(0, 0.05, 2) * digit.longer).tolist())
    cover = np.zeros((side, side), np.uint8)
    if rng.random() < 0.4:
        radius = int(np.hypot(*half) * rng.uniform(1.05, 1.6) * 2**_FINE)
        centre = tuple(int(at * 2**_FINE) for at in middle)
        cv2.circle(cover, centre, radius, 255, -1, cv2.LINE_AA, _FINE)
    else:
        sides = 2 * half + digit.longer * rng.uniform(0.15, 1.2, 2)
        corners = cv2.boxPoints((middle, tuple(sides.tolist()), float(rng.normal(0, 6))))
        fine = np.rint(corners * 2**_FINE).astype(np.int32)
        cv2.fillPoly(cover, [fine], 255, cv2.LINE_AA, _FINE)
    return cover * np.float32(1 / 255)


def _line_width(rng: np.random.Generator, digit: Rectangle) -> float:
    return min(max(digit.longer * log_uniform(rng, 0.008, 0.12), 0.4), 9)


def _drawn(side: int, lines: list[npt.NDArray[np.float64]], width: float) -> Cover:
    cover = np.zeros((side, side), np.uint8)
    for line in lines:
        points = np.rint(line * 2**_FINE).astype(np.int32)
        cv2.polylines(cover, [points], False, 255, max(1, round(width)), cv2.LINE_AA, _FINE)
    return cover * np.float32(min(width, 1) / 255)
