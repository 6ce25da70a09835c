"""What the detector learns to find: digits in many hands and prints, their ink, their places."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.architectures import DETECTOR_SIDE
from digitcli.synthesis import backgrounds, pen, subpixel
from digitcli.synthesis.backgrounds import Cover, log_uniform
from digitcli.synthesis.pen import Glyph, Strokes
from digitcli.synthesis.surroundings import Rectangle

_SHAPE = (DETECTOR_SIDE, DETECTOR_SIDE)
_STRAIGHT, _PRINTED, _SEGMENTS = 0.2, 0.16, 0.05  # shares of digits; the others are MNIST's
_HOLLOW, _DOTTED, _BROKEN = 0.05, 0.05, 0.06  # shares of the ways to draw them
_HOLLOW_PRINT = 0.4  # share of broad print that is drawn hollow
_NEIGHBOURED = 0.08  # share of single digits between two others that the image's edges cut
_CLOSE = 0.3  # share of single digits that are as large as at the detector's second look
_BROAD = 0.15  # of a pen's width is added around broad print
_NARROWEST_MARK = 1.2  # pixels; thinner strokes are marked as if they were so wide
_VISIBLE = 0.3  # of a pixel covered, from which it belongs to a character's box
_CORE = 0.7  # of a character's box is marked as its middle; those of neighbours do not touch


@dataclass(frozen=True, slots=True)
class Writing:
    """Digits as they were written.

    Attributes:
        cover: how much of each pixel ink covers.
        outline: the same for a line around hollow digits, of another colour than the ink.
        neighbours: the same for digits beside it, less than half of which is in view.
        faint: the same for the unlit segments of a display.
        ink: the target for the ink: the strokes without gaps, at least a pixel wide.
        characters: the target for the middles of digits: an ellipse in the box of each.
        box: around all of it; where there is no digit, where one could be.

    """

    cover: Cover
    outline: Cover
    neighbours: Cover
    faint: Cover
    ink: Cover
    characters: Cover
    box: Rectangle


class _Placed(NamedTuple):
    """A digit, where it is written: its centre (x, y) and its longer side, in pixels."""

    glyph: Glyph
    centre: tuple[float, float]
    size: float


class _Drawn(NamedTuple):
    """A digit as it was drawn: parts of a `Writing`, and the pen's width in pixels."""

    cover: Cover
    marked: Cover
    outline: Cover | np.float32
    width: float | Cover


def write_nothing(rng: np.random.Generator) -> Writing:
    """Write nothing, in a box where a digit could be."""
    size = DETECTOR_SIDE * rng.uniform(0.15, 0.9)
    x, y = _choose_place(rng, size, size)
    half_width, half_height = 0.7 * size / 2, size / 2
    box = Rectangle(x - half_width, y - half_height, x + half_width, y + half_height)
    cover, outline, neighbours, faint, ink, characters = np.zeros((6, *_SHAPE), np.float32)
    return Writing(cover, outline, neighbours, faint, ink, characters, box)


def write_one_digit(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Writing:
    """Write one digit of any size, from a fifteenth of the image to beyond its edge."""
    kind = rng.random()
    if kind < _NEIGHBOURED:
        return _write_between_neighbours(digits, rng)
    if kind < _NEIGHBOURED + _CLOSE:
        size = DETECTOR_SIDE * rng.uniform(0.48, 0.68)
        x, y = DETECTOR_SIDE / 2 + rng.normal(0, 0.03 * DETECTOR_SIDE, 2)
        return _write([_Placed(choose_glyph(digits, rng), (float(x), float(y)), size)], rng)
    if rng.random() < 0.45:
        size = DETECTOR_SIDE * log_uniform(rng, 0.06, 1.0)
    else:
        size = DETECTOR_SIDE * rng.uniform(0.25, 1.2)
    centre = _choose_place(rng, min(size, DETECTOR_SIDE), min(size, DETECTOR_SIDE))
    return _write([_Placed(choose_glyph(digits, rng), centre, size)], rng)


def _write_between_neighbours(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Writing:
    """Write the middle digit of a number whose other digits the image's edges cut."""
    main = choose_glyph(digits, rng)
    size = DETECTOR_SIDE * rng.uniform(0.5, 1.1)
    width = main.strokes.proportions[0] * size
    x, y = DETECTOR_SIDE / 2 + rng.normal(0, 4), DETECTOR_SIDE / 2 + rng.normal(0, 6)
    neighbours = []
    for direction in (-1, 1):
        if rng.random() < 0.25:
            continue
        other = choose_glyph(digits, rng)
        other_width = other.strokes.proportions[0] * size
        edge = DETECTOR_SIDE if direction > 0 else 0
        beyond_edge = other_width * rng.uniform(0.05, 0.5)  # less than half of it is in view
        clear_of_main = x + direction * (width / 2 + other_width / 2 + 0.04 * size)
        other_x = max(clear_of_main * direction, edge * direction + beyond_edge) * direction
        neighbours.append(_Placed(other, (other_x, y), size))
    writing = _write([_Placed(main, (x, y), size)], rng)
    pen_width = size * rng.uniform(0.02, 0.15)
    for (strokes, _), centre, _ in neighbours:
        drawn = strokes.draw(_SHAPE, centre, size, pen_width * (_BROAD if strokes.broad else 1))
        np.maximum(writing.neighbours, drawn, out=writing.neighbours)
    return writing


def write_several_digits(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Writing:
    """Write two to four digits in a row, or one below the other, of unequal size."""
    count = rng.choice([2, 3, 4], p=[0.65, 0.25, 0.1])
    glyphs = [choose_glyph(digits, rng) for _ in range(count)]
    inequality = rng.uniform(0, 1.1) if rng.random() < 0.7 else 0.05
    sizes = np.exp(-inequality * rng.random(count))
    is_column = rng.random() < 0.12
    proportions = np.array([glyph.strokes.proportions for glyph in glyphs]) * sizes[:, None]
    lengths = proportions[:, 1 if is_column else 0]
    gaps = rng.uniform(0.05, 0.5) * np.exp(rng.normal(0, 0.2, count))
    starts = np.concatenate([[0], np.cumsum(lengths + gaps)[:-1]])
    total = starts[-1] + lengths[-1]
    scale = DETECTOR_SIDE * rng.uniform(0.3, 0.97) / max(total, 1.0)
    base = rng.choice([0.0, 0.5, 1.0])  # the digits stand on a line, hang from it, or neither
    middle = np.array(_choose_place(rng, scale * total, scale))
    placed = []
    for glyph, size, start, length in zip(glyphs, sizes, starts, lengths, strict=True):
        along = start + length / 2 - total / 2
        across = (base - 0.5) * (1 - size) + rng.normal(0, 0.04)
        x, y = middle + scale * np.array((across, along) if is_column else (along, across))
        placed.append(_Placed(glyph, (float(x), float(y)), float(scale * size)))
    return _write(placed, rng)


def choose_glyph(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Glyph:
    """Choose a digit at random: one of ``digits`` (n, 28, 28), of print, of a display, drawn."""
    kind = rng.random()
    if kind < _SEGMENTS:
        return pen.draw_seven_segments(rng)
    if kind < _SEGMENTS + _PRINTED:
        return pen.trace_print(rng)
    if kind < _SEGMENTS + _PRINTED + _STRAIGHT:
        return pen.draw_straight(rng)
    return pen.trace_mnist(digits[rng.integers(len(digits))], rng)


def _write(placed: list[_Placed], rng: np.random.Generator) -> Writing:
    """Write digits with one kind of pen, and mark their ink and their middles."""
    cover, outline, neighbours, faint, ink, characters = np.zeros((6, *_SHAPE), np.float32)
    largest = max(size for _, _, size in placed)
    thickness = log_uniform(rng, 0.014, 0.22)
    amount = rng.uniform(0, 0.3)
    uneven = amount * backgrounds.draw_blotches(rng, DETECTOR_SIDE, int(rng.integers(3, 12)))
    style = rng.random()
    boxes = []
    for each in placed:
        pen_size = each.size if rng.random() < 0.7 else largest  # in proportion, or one pen for all
        width = pen_size * thickness * np.clip(1 + uneven, 0.4, 1.6)
        width = width * (_BROAD if each.glyph.strokes.broad else 1)
        drawn = _draw(rng, each, width, style)
        if each.glyph.all_segments is not None:
            unlit = each.glyph.all_segments.draw(_SHAPE, each.centre, each.size, drawn.width)
            faint = np.maximum(faint, unlit * rng.choice([0.0, rng.uniform(0.02, 0.35)]))
        cover = np.maximum(cover, drawn.cover)
        outline = np.maximum(outline, drawn.outline)
        ink = np.maximum(ink, drawn.marked)
        left, top, columns, rows = cv2.boundingRect((drawn.marked > _VISIBLE).astype(np.uint8))
        box = Rectangle(left, top, left + columns, top + rows)
        boxes.append(box)
        _mark_middle(characters, box)
    lefts, tops, rights, bottoms = np.array(boxes).T
    around_all = Rectangle(lefts.min(), tops.min(), rights.max(), bottoms.max())
    return Writing(cover, outline, neighbours, faint, ink, characters, around_all)


def _draw(rng: np.random.Generator, placed: _Placed, width: Cover, style: float) -> _Drawn:
    """Draw one digit: hollow, of dots, broken or whole, as ``style``, in [0, 1], says."""
    strokes, centre, size = placed.glyph.strokes, placed.centre, placed.size
    nothing = np.float32(0)
    if style < (_HOLLOW_PRINT if strokes.broad else _HOLLOW):
        wall = size * (0.02 if strokes.broad else rng.uniform(0.1, 0.2))
        rim = max(0.8, size * rng.uniform(0.015, 0.07))
        marked = strokes.draw(_SHAPE, centre, size, wall + rim)
        inside = strokes.draw(_SHAPE, centre, size, wall)
        return _Drawn(inside, marked, marked * (1 - inside), wall)
    if style < _HOLLOW + _DOTTED:
        marked = strokes.draw(_SHAPE, centre, size, np.maximum(width, size * 0.1))
        return _Drawn(_draw_dots(rng, strokes, centre, size), marked, nothing, width)
    cover = strokes.draw(_SHAPE, centre, size, width)
    marked_width = np.maximum(width, _NARROWEST_MARK)
    marked = strokes.close_gaps().draw(_SHAPE, centre, size, marked_width)
    if style < _HOLLOW + _DOTTED + _BROKEN:
        cells = int(rng.integers(8, 48))
        holes = backgrounds.draw_blotches(rng, DETECTOR_SIDE, cells) > rng.uniform(0.6, 1.6)
        cover = cover * np.where(holes, rng.choice([0.0, 0.2]), 1).astype(np.float32)
    return _Drawn(cover, marked, nothing, width)


def _mark_middle(characters: Cover, box: Rectangle) -> None:
    """Mark an ellipse in the middle of a character's box."""
    width, height = box.right - box.left, box.bottom - box.top
    half_width = max(_CORE * width / 2, 0.08 * height, 1.0)
    half_height = max(_CORE * height / 2, 0.08 * width, 1.0)
    x, y = box.centre
    ellipse = np.zeros(_SHAPE, np.uint8)
    cv2.ellipse(
        ellipse,
        (int(x * subpixel.STEPS), int(y * subpixel.STEPS)),
        (int(half_width * subpixel.STEPS), int(half_height * subpixel.STEPS)),
        angle=0,
        startAngle=0,
        endAngle=360,
        color=255,
        thickness=cv2.FILLED,
        lineType=cv2.LINE_AA,
        shift=subpixel.BITS,
    )
    np.maximum(characters, ellipse * np.float32(1 / 255), out=characters)


def _draw_dots(
    rng: np.random.Generator, strokes: Strokes, centre: tuple[float, float], size: float
) -> Cover:
    """Draw a digit as a matrix of dots shows it: those that lie nearest its line."""
    rows = int(rng.integers(7, 12))
    pitch = pen.DIGIT / (rows - 1)
    start = pen.FIELD / 2 - pitch * (rows - 1) / 2
    positions = start + pitch * np.arange(rows)
    grid = np.rint(positions).astype(int).clip(0, pen.FIELD - 1)
    lit = strokes.distance[np.ix_(grid, grid)] < 0.52 * pitch
    scale = size / pen.DIGIT
    radius = max(0.5, scale * pitch * rng.uniform(0.25, 0.5))
    cover = np.zeros(_SHAPE, np.uint8)
    for row, column in np.argwhere(lit):
        x = centre[0] + scale * (positions[column] - pen.FIELD / 2)
        y = centre[1] + scale * (positions[row] - pen.FIELD / 2)
        cv2.circle(
            cover,
            (int(x * subpixel.STEPS), int(y * subpixel.STEPS)),
            int(radius * subpixel.STEPS),
            255,
            cv2.FILLED,
            lineType=cv2.LINE_AA,
            shift=subpixel.BITS,
        )
    return cover * np.float32(1 / 255)


def _choose_place(rng: np.random.Generator, width: float, height: float) -> tuple[float, float]:
    """Choose the middle (x, y) of a box of these sides, within the image and rather central."""
    spread = rng.choice([0.3, 1.0])
    free = (DETECTOR_SIDE - np.array([width, height])).clip(0.04 * DETECTOR_SIDE)
    x, y = DETECTOR_SIDE / 2 + spread * rng.uniform(-0.5, 0.5, 2) * free
    return float(x), float(y)
