"""Negatives: images that show no digit, for which the network learns even probabilities.

Letters, signs and shapes come from drawings/negatives.txt; others are made from digits or at
random. Nothing that anybody writes for a digit is among them.
"""

import functools
import string
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitcli.architectures import CANVAS_SIDE
from digitcli.datasets.labelled import NO_DIGIT, LabelledImages
from digitcli.synthesis.digits import HERSHEY, fit_curve, frame_as_mnist, write
from digitcli.synthesis.drawing_files import load_packaged
from digitcli.synthesis.styles import Choice, write_by_hand
from digitcli.synthesis.subpixel import draw_polyline

_SHEET_SIDE = 112
# Letters that look like a digit in some handwriting or in print; they are left out.
_LOOK_ALIKE = "BDGIOQSZbgiloqsz"
_LETTERS = "".join(sorted(set(string.ascii_letters) - set(_LOOK_ALIKE))) + "#%&?@+=$"
# The halves of digits that are no digits; the lower half of a 9 is a 1, the upper one a 0.
_HALVES = (
    (0, "upper"),
    (0, "lower"),
    (0, "left"),
    (0, "right"),
    (2, "lower"),
    (4, "upper"),
    (5, "upper"),
    (8, "left"),
)
_BROADEST = 9  # pen, of 64 parts of a drawing's longer side: most loops stay open


def make_negatives(count: int, digits: LabelledImages, rng: np.random.Generator) -> LabelledImages:
    """Make ``count`` framed negatives labelled `NO_DIGIT`, some of them from ``digits``."""
    images = np.zeros((count, CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    shares = np.array(list(MAKERS.values()))
    makers = rng.choice(np.array(list(MAKERS), object), count, p=shares / shares.sum())
    for image, make in zip(images, makers, strict=True):
        image[:] = make(digits, rng)
    return LabelledImages(images, np.full(count, NO_DIGIT, np.int64))


def _print_letter(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    letter = str(rng.choice(list(_LETTERS)))
    sheet = np.zeros((_SHEET_SIDE, _SHEET_SIDE), np.uint8)
    if rng.random() < 0.3:
        image = Image.fromarray(sheet)
        ImageDraw.Draw(image).text((24, 16), letter, 255, ImageFont.load_default(64))
        sheet = np.array(image)
    else:
        pen, font = int(rng.integers(2, 9)), int(rng.choice(HERSHEY))
        scale = 5 if font == cv2.FONT_HERSHEY_PLAIN else 2.5
        cv2.putText(sheet, letter, (24, 80), font, scale, 255, pen, cv2.LINE_AA)
    return frame_as_mnist(sheet)


def _write_drawing(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Write one of the drawings of negatives.txt."""
    return frame_as_mnist(write_by_hand(_drawings().pick(rng), rng, broadest=_BROADEST))


@functools.cache
def _drawings() -> Choice:
    return Choice(load_packaged("negatives"))


def _draw_curl(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one long winding curve, as many alphabets have them; half begin with a small loop."""
    points = rng.uniform(0, 1, (int(rng.integers(4, 9)), 2))
    if rng.random() < 0.5:
        loop = _points_of_turns(rng, turns=1.1, first=0.15, last=0.15)
        points = np.vstack([loop + rng.uniform(0.15, 0.85, 2), points[:4]])
    return _write_curve(points, rng)


def _draw_spiral(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a spiral of more than a turn and a quarter."""
    turns = float(rng.uniform(1.3, 2.2))
    points = _points_of_turns(rng, turns=turns, first=0.12, last=0.5)
    return _write_curve(points + 0.5, rng)


def _write_curve(points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    form = (tuple((float(x), float(y)) for x, y in points),)
    return frame_as_mnist(write(form, rng, narrowest=0.7, broadest=6))  # its loops stay open


def _points_of_turns(
    rng: np.random.Generator, *, turns: float, first: float, last: float
) -> NDArray[np.float64]:
    """Return points along a number of turns around (0, 0), either way.

    Their radius goes from ``first`` to ``last``.
    """
    progress = np.linspace(0, 1, round(8 * turns))
    start = rng.uniform(0, 2 * np.pi)
    angle = start + rng.choice((-1, 1)) * 2 * np.pi * turns * progress
    radius = first + (last - first) * progress
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _fill_block(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Fill a rectangle or an ellipse, not so narrow that it could be a 1."""
    sheet = np.zeros((_SHEET_SIDE, _SHEET_SIDE), np.uint8)
    centre = (_SHEET_SIDE // 2, _SHEET_SIDE // 2)
    half_width, half_height = int(rng.integers(20, 45)), int(rng.integers(12, 34))
    if rng.random() < 0.5:
        cv2.ellipse(
            sheet,
            centre,
            (half_width, half_height),
            angle=int(rng.normal(0, 10)),
            startAngle=0,
            endAngle=360,
            color=255,
            thickness=cv2.FILLED,
            lineType=cv2.LINE_AA,
        )
    else:
        corners = cv2.boxPoints((centre, (2 * half_width, 2 * half_height), rng.normal(0, 8)))
        cv2.fillPoly(sheet, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    return frame_as_mnist(sheet)


def _scribble(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw two to four random curves and lines, like letters of unknown alphabets."""
    sheet = np.zeros((_SHEET_SIDE, _SHEET_SIDE), np.uint8)
    pen = int(rng.integers(4, 12))
    for _ in range(int(rng.integers(2, 5))):
        corners = rng.uniform(20, _SHEET_SIDE - 20, (int(rng.integers(2, 6)), 2))
        draw_polyline(sheet, fit_curve(corners), pen)
    return frame_as_mnist(sheet)


def _overlay_digits(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay a digit over another that lies on its side."""
    one, other = _pick(digits, rng), _pick(digits, rng)
    return np.maximum(one, np.rot90(other, int(rng.choice((1, 3)))))


def _set_side_by_side(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Set two or three digits side by side, as numbers are written."""
    row = [_pick(digits, rng)[:, 4:-4] for _ in range(int(rng.integers(2, 4)))]
    return frame_as_mnist(np.hstack(row))


def _turn_digit(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay a digit on its side, but none of 0, 1, 6, 8 and 9, which could still be read."""
    turnable = np.flatnonzero(np.isin(digits.labels, (2, 3, 4, 5, 7)))
    image = digits.images[rng.choice(turnable)]
    return np.ascontiguousarray(np.rot90(image, int(rng.choice((1, 3)))))


def _mix_halves(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Set the second half of a digit before the first half of another."""
    one, other = _pick(digits, rng), _pick(digits, rng)
    middle = CANVAS_SIDE // 2
    if rng.random() < 0.5:
        mixed = np.vstack([one[middle:], other[:middle]])
    else:
        mixed = np.hstack([one[:, middle:], other[:, :middle]])
    return frame_as_mnist(mixed) if mixed.max() > 0 else one


def _keep_half(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a digit in two, at its middle; keep a half that is no digit."""
    label, half = _HALVES[rng.integers(len(_HALVES))]
    rows = np.flatnonzero(digits.labels == label)
    if not len(rows):  # the user's images may lack a digit
        return _mix_halves(digits, rng)
    image = digits.images[rng.choice(rows)]
    x, y, width, height = cv2.boundingRect(image)
    middle_x, middle_y = x + width // 2, y + height // 2
    kept = {
        "upper": image[:middle_y],
        "lower": image[middle_y:],
        "left": image[:, :middle_x],
        "right": image[:, middle_x:],
    }[half]
    return frame_as_mnist(kept)


def _join_digits(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Join two digits so that their strokes touch, as in numbers written fast."""
    one, other = _pick(digits, rng), _pick(digits, rng)
    one_x, _, one_width, _ = cv2.boundingRect(one)
    other_x, _, _, _ = cv2.boundingRect(other)
    left = one[:, : one_x + one_width]
    right = other[:, other_x:]
    start_of_right = left.shape[1] - int(rng.integers(1, 4))  # they overlap by some pixels
    pair = np.zeros((CANVAS_SIDE, start_of_right + right.shape[1]), np.uint8)
    pair[:, : left.shape[1]] = left
    pair[:, start_of_right:] = np.maximum(pair[:, start_of_right:], right)
    return frame_as_mnist(pair)


def _draw_rulings(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw the rulings of paper with nothing written there: lines across, and often down."""
    sheet = np.zeros((_SHEET_SIDE, _SHEET_SIDE), np.uint8)
    pen = int(rng.integers(2, 14))
    count_across, count_down = int(rng.integers(1, 4)), max(0, int(rng.integers(-3, 4)))
    first, last = 16, _SHEET_SIDE - 16
    for y in rng.integers(20, _SHEET_SIDE - 20, count_across):
        start, end = (first, int(y)), (last, int(y + rng.normal(0, 4)))
        cv2.line(sheet, start, end, 255, pen, cv2.LINE_AA)
    for x in rng.integers(20, _SHEET_SIDE - 20, count_down):
        start, end = (int(x), first), (int(x + rng.normal(0, 4)), last)
        cv2.line(sheet, start, end, 255, pen, cv2.LINE_AA)
    return frame_as_mnist(sheet)


def _make_noise(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make grey noise, fine to coarse, all over or in a disc."""
    side = int(rng.integers(3, 29))
    coarse = rng.integers(0, 256, (side, side)).astype(np.uint8)
    noise = cv2.resize(coarse, (CANVAS_SIDE, CANVAS_SIDE), interpolation=cv2.INTER_CUBIC)
    image: NDArray[np.uint8] = np.asarray(noise, np.uint8)
    if rng.random() < 0.5:
        disc = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
        centre = (CANVAS_SIDE // 2, CANVAS_SIDE // 2)
        cv2.circle(disc, centre, int(rng.integers(5, 12)), 255, cv2.FILLED, cv2.LINE_AA)
        image = np.minimum(image, disc)
    return image


def _pick(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.asarray(digits.images[rng.integers(len(digits))])


Maker = Callable[[LabelledImages, np.random.Generator], NDArray[np.uint8]]
# The frequency of each, relative to the others.
MAKERS: dict[Maker, float] = {
    _write_drawing: 10,
    _print_letter: 1.5,
    _scribble: 1,
    _draw_curl: 1,
    _draw_spiral: 0.5,
    _fill_block: 0.7,
    _draw_rulings: 0.7,
    _make_noise: 1,
    _overlay_digits: 0.7,
    _set_side_by_side: 0.7,
    _join_digits: 0.7,
    _turn_digit: 0.7,
    _mix_halves: 0.7,
    _keep_half: 1,
}
