"""What the detector is to find: digits in many hands and prints, their ink, and where each is."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.architectures import DETECTOR_SIDE
from digitcli.synthesis import backgrounds, pen
from digitcli.synthesis.backgrounds import Cover, log_uniform
from digitcli.synthesis.surroundings import Rectangle

_SHAPE = (DETECTOR_SIDE, DETECTOR_SIDE)
_STRAIGHT, _PRINTED, _SEGMENTS = 0.2, 0.16, 0.05  # shares of digits; the others are MNIST's
_HOLLOW, _DOTTED, _BROKEN = 0.05, 0.05, 0.06  # shares of the ways to draw them
_HOLLOW_PRINT = 0.4  # of print with a width of its own
_NEIGHBOURED = 0.08  # of single digits
_CLOSE = 0.3  # of single digits: as they are seen at the second look
_BROAD = 0.15  # of a pen's width: what print has in addition to its own
_NARROWEST_MARK = 1.2  # pixels; thinner strokes are marked as if they were so wide
_VISIBLE = 0.3  # of a pixel's cover, from which it belongs to a character's box
_CORE = 0.7  # of a character's box; those of neighbours do not touch


@dataclass(frozen=True, slots=True)
class Writing:
    """Digits as they were written.

    Attributes:
        cover: how much of each pixel ink covers.
        outline: the same for a line around hollow digits, of another colour than the ink.
        neighbours: the same for digits beside it, less than half of which is in view.
        faint: the same for the unlit segments of a display.
        ink: what is to be marked as ink: the same strokes without gaps, at least a pixel wide.
        characters: the middle of each digit: an ellipse in its box.
        box: around all of it, or where a digit could be where there is none.

    """

    cover: Cover
    outline: Cover
    neighbours: Cover
    faint: Cover
    ink: Cover
    characters: Cover
    box: Rectangle


def nothing(rng: np.random.Generator) -> Writing:
    """Write nothing, where a digit could be."""
    size = DETECTOR_SIDE * rng.uniform(0.15, 0.9)
    box = _box_at(_place(rng, size, size), 0.7 * size, size)
    cover, outline, neighbours, faint, ink, characters = np.zeros((6, *_SHAPE), np.float32)
    return Writing(cover, outline, neighbours, faint, ink, characters, box)


def one_digit(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Writing:
    """Write one digit of any size, from a fifteenth of the image to beyond its edge."""
    kind = rng.random()
    if kind < _NEIGHBOURED:
        return _between_neighbours(digits, rng)
    if kind < _NEIGHBOURED + _CLOSE:
        size = DETECTOR_SIDE * rng.uniform(0.48, 0.68)
        near = DETECTOR_SIDE / 2 + rng.normal(0, 0.03 * DETECTOR_SIDE, 2)
        return _written([(any_pen(digits, rng), (float(near[0]), float(near[1])), size)], rng)
    size = DETECTOR_SIDE * (
        log_uniform(rng, 0.06, 1.0) if rng.random() < 0.45 else rng.uniform(0.25, 1.2)
    )
    centre = _place(rng, min(size, DETECTOR_SIDE), min(size, DETECTOR_SIDE))
    return _written([(any_pen(digits, rng), centre, size)], rng)


def _between_neighbours(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Writing:
    """Write the middle digit of a number whose other digits the image's edges cut."""
    main = any_pen(digits, rng)
    size = DETECTOR_SIDE * rng.uniform(0.5, 1.1)
    width = main[0].proportions[0] * size
    middle, height = DETECTOR_SIDE / 2 + rng.normal(0, 4), DETECTOR_SIDE / 2 + rng.normal(0, 6)
    beside = []
    for way in (-1, 1):
        if rng.random() < 0.25:
            continue
        other = any_pen(digits, rng)
        own = other[0].proportions[0] * size
        edge = DETECTOR_SIDE if way > 0 else 0
        outward = own * rng.uniform(0.05, 0.5)  # of its centre; less than half is in view
        inside = middle + way * (width / 2 + own / 2 + 0.04 * size)
        centre = max(inside * way, edge * way + outward) * way
        beside.append((other[0], (centre, height), size))
    writing = _written([(main, (middle, height), size)], rng)
    stroke = size * rng.uniform(0.02, 0.15)
    for line, place, own in beside:
        pen_width = stroke * (_BROAD if line.broad else 1)
        drawn = line.draw(_SHAPE, place, own, pen_width)
        np.maximum(writing.neighbours, drawn, out=writing.neighbours)
    return writing


def several_digits(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Writing:
    """Write two to four digits in a row, or one below the other, of unequal size."""
    pens = [any_pen(digits, rng) for _ in range(rng.choice([2, 3, 4], p=[0.65, 0.25, 0.1]))]
    unequal = rng.uniform(0, 1.1) if rng.random() < 0.7 else 0.05
    sizes = np.exp(-unequal * rng.random(len(pens)))
    stacked = rng.random() < 0.12
    proportions = np.array([pen[0].proportions for pen in pens]) * sizes[:, None]
    along = proportions[:, 1 if stacked else 0]
    gaps = rng.uniform(0.05, 0.5) * np.exp(rng.normal(0, 0.2, len(pens)))
    starts = np.concatenate([[0], np.cumsum(along + gaps)[:-1]])
    length = starts[-1] + along[-1]
    scale = DETECTOR_SIDE * rng.uniform(0.3, 0.97) / max(length, 1.0)
    base = rng.choice([0.0, 0.5, 1.0])  # the digits stand on a line, hang from it, or neither
    middle = np.array(_place(rng, scale * length, scale))
    placed = []
    for one, size, start, extent in zip(pens, sizes, starts, along, strict=True):
        forward = start + extent / 2 - length / 2
        aside = (base - 0.5) * (1 - size) + rng.normal(0, 0.04)
        offset = (aside, forward) if stacked else (forward, aside)
        centre = middle + scale * np.array(offset)
        placed.append((one, (float(centre[0]), float(centre[1])), float(scale * size)))
    return _written(placed, rng)


def any_pen(
    digits: npt.NDArray[np.uint8], rng: np.random.Generator
) -> tuple[pen.Pen, pen.Pen | None]:
    """Choose a digit; of a display also its seven segments."""
    kind = rng.random()
    if kind < _SEGMENTS:
        return pen.seven_segments(rng)
    if kind < _SEGMENTS + _PRINTED:
        return pen.printed(rng), None
    if kind < _SEGMENTS + _PRINTED + _STRAIGHT:
        return pen.straight(rng), None
    return pen.from_mnist(digits[rng.integers(len(digits))], rng), None


def _written(
    placed: list[tuple[tuple[pen.Pen, pen.Pen | None], tuple[float, float], float]],
    rng: np.random.Generator,
) -> Writing:
    cover, outline, neighbours, faint, ink, characters = np.zeros((6, *_SHAPE), np.float32)
    largest = max(size for _, _, size in placed)
    thickness = log_uniform(rng, 0.014, 0.22)
    uneven = rng.uniform(0, 0.3) * backgrounds.blotches(
        rng, DETECTOR_SIDE, int(rng.integers(3, 12))
    )
    style = rng.random()
    boxes = []
    for (line, display), centre, size in placed:
        own = size if rng.random() < 0.7 else largest  # one pen for all, or in proportion
        width = own * thickness * np.clip(1 + uneven, 0.4, 1.6)
        width = width * (_BROAD if line.broad else 1)
        drawn = line.draw(_SHAPE, centre, size, width)
        marked = line.closed().draw(_SHAPE, centre, size, np.maximum(width, _NARROWEST_MARK))
        if style < (_HOLLOW_PRINT if line.broad else _HOLLOW):
            width = size * (0.02 if line.broad else rng.uniform(0.1, 0.2))
            rim = max(0.8, size * rng.uniform(0.015, 0.07))
            marked = line.draw(_SHAPE, centre, size, width + rim)
            drawn = line.draw(_SHAPE, centre, size, width)
            outline = np.maximum(outline, marked * (1 - drawn))
        elif style < _HOLLOW + _DOTTED:
            marked = line.draw(_SHAPE, centre, size, np.maximum(width, size * 0.1))
            drawn = _dots(rng, line, centre, size)
        elif style < _HOLLOW + _DOTTED + _BROKEN:
            cells = int(rng.integers(8, 48))
            holes = backgrounds.blotches(rng, DETECTOR_SIDE, cells) > rng.uniform(0.6, 1.6)
            drawn = drawn * np.where(holes, rng.choice([0.0, 0.2]), 1).astype(np.float32)
        if display is not None:
            unlit = display.draw(_SHAPE, centre, size, width)
            faint = np.maximum(faint, unlit * rng.choice([0.0, rng.uniform(0.02, 0.35)]))
        cover, ink = np.maximum(cover, drawn), np.maximum(ink, marked)
        x, y, w, h = cv2.boundingRect((marked > _VISIBLE).astype(np.uint8))
        boxes.append((x, y, x + w, y + h))
        _mark_core(characters, x + w / 2, y + h / 2, w, h)
    left, top, right, bottom = np.array(boxes).T
    box = Rectangle(left.min(), top.min(), right.max(), bottom.max())
    return Writing(cover, outline, neighbours, faint, ink, characters, box)


def _mark_core(characters: Cover, x: float, y: float, width: float, height: float) -> None:
    half = max(_CORE * width / 2, 0.08 * height, 1.0), max(_CORE * height / 2, 0.08 * width, 1.0)
    core = np.zeros(_SHAPE, np.uint8)
    axes = (int(half[0] * 16), int(half[1] * 16))
    cv2.ellipse(core, (int(x * 16), int(y * 16)), axes, 0, 0, 360, 255, -1, cv2.LINE_AA, 4)
    np.maximum(characters, core * np.float32(1 / 255), out=characters)


def _dots(
    rng: np.random.Generator, line: pen.Pen, centre: tuple[float, float], size: float
) -> Cover:
    """Draw a digit as a matrix of dots shows it: those that lie nearest its line."""
    rows = int(rng.integers(7, 12))
    pitch = pen.DIGIT / (rows - 1)
    start = pen.FIELD / 2 - pitch * (rows - 1) / 2
    at = start + pitch * np.arange(rows)
    grid = np.rint(at).astype(int).clip(0, pen.FIELD - 1)
    lit = line.distance[np.ix_(grid, grid)] < 0.52 * pitch
    scale = size / pen.DIGIT
    radius = max(0.5, scale * pitch * rng.uniform(0.25, 0.5))
    cover = np.zeros(_SHAPE, np.uint8)
    for row, column in np.argwhere(lit):
        x = centre[0] + scale * (at[column] - pen.FIELD / 2)
        y = centre[1] + scale * (at[row] - pen.FIELD / 2)
        spot = (int(x * 16), int(y * 16))
        cv2.circle(cover, spot, int(radius * 16), 255, -1, cv2.LINE_AA, 4)
    return cover * np.float32(1 / 255)


def _place(rng: np.random.Generator, width: float, height: float) -> tuple[float, float]:
    """Choose the middle (x, y) of something of these sides, within the image and rather central."""
    spread = rng.choice([0.3, 1.0])
    free = (DETECTOR_SIDE - np.array([width, height])).clip(0.04 * DETECTOR_SIDE)
    x, y = DETECTOR_SIDE / 2 + spread * rng.uniform(-0.5, 0.5, 2) * free
    return float(x), float(y)


def _box_at(centre: tuple[float, float], width: float, height: float) -> Rectangle:
    x, y = centre
    return Rectangle(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
