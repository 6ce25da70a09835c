"""What is no digit: the network learns to answer it evenly.

Letters, signs and shapes come from drawings/negatives.txt; others are made of digits, or by code.
What people do write for a digit is not among them: nobody can tell it from one.
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
from digitcli.synthesis.digits import HERSHEY, curve, framed, write
from digitcli.synthesis.drawing_files import packaged
from digitcli.synthesis.styles import Choice, write_by_hand

_SHEET_SIDE = 112
# letters that look like a digit in some hand, or in print, are left out
_LOOK_ALIKE = "BDGIOQSZbgiloqsz"
_LETTERS = "".join(sorted(set(string.ascii_letters) - set(_LOOK_ALIKE))) + "#%&?@+=$"
# of each digit, the halves that are no digit; the lower half of a 9 is a 1, the upper one a 0
_HALVES = (
    *((0, half) for half in ("upper", "lower", "left", "right")),
    *((2, half) for half in ("lower",)),
    *((4, half) for half in ("upper",)),
    *((5, half) for half in ("upper",)),
    *((8, half) for half in ("left",)),
)
_BROADEST = 9  # the pen, of 64 parts of a drawing's longer side: most loops stay open


def shapes(count: int, digits: LabelledImages, rng: np.random.Generator) -> LabelledImages:
    """Make ``count`` framed shapes labelled `NO_DIGIT`, some of them from pieces of ``digits``."""
    images = np.zeros((count, CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    shares = np.array(list(MAKERS.values()))
    makers = rng.choice(np.array(list(MAKERS), object), count, p=shares / shares.sum())
    for image, make in zip(images, makers, strict=True):
        image[:] = make(digits, rng)
    return LabelledImages(images, np.full(count, NO_DIGIT, np.int64))


def _letter(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    letter = str(rng.choice(list(_LETTERS)))
    sheet = np.zeros((_SHEET_SIDE, _SHEET_SIDE), np.uint8)
    if rng.random() < 0.3:
        picture = Image.fromarray(sheet)
        ImageDraw.Draw(picture).text((24, 16), letter, 255, ImageFont.load_default(64))
        sheet = np.array(picture)
    else:
        pen, font = int(rng.integers(2, 9)), int(rng.choice(HERSHEY))
        scale = 5 if font == cv2.FONT_HERSHEY_PLAIN else 2.5
        cv2.putText(sheet, letter, (24, 80), font, scale, 255, pen, cv2.LINE_AA)
    return framed(sheet)


def _written(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Write one of the drawings of negatives.txt."""
    return framed(write_by_hand(_written_choice().pick(rng), rng, broadest=_BROADEST))


@functools.cache
def _written_choice() -> Choice:
    return Choice(packaged("negatives"))


def _curl(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one long winding curve, as many alphabets have them; half begin with a small loop."""
    points = rng.uniform(0, 1, (int(rng.integers(4, 9)), 2))
    if rng.random() < 0.5:
        points = np.vstack([_turns(rng, 1.1, 0.15, 0.15) + rng.uniform(0.15, 0.85, 2), points[:4]])
    return _winding(points, rng)


def _spiral(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a spiral of more than a turn and a quarter."""
    points = _turns(rng, float(rng.uniform(1.3, 2.2)), 0.12, 0.5)
    return _winding(points + 0.5, rng)


def _winding(points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    form = (tuple((float(x), float(y)) for x, y in points),)
    return framed(write(form, rng, narrowest=0.7, broadest=6))  # its loops stay open


def _turns(
    rng: np.random.Generator, turns: float, first: float, last: float
) -> NDArray[np.float64]:
    """Return points along so many turns around (0, 0), either way.

    Their radius goes from ``first`` to ``last``.
    """
    way = np.linspace(0, 1, round(8 * turns))
    angle = rng.uniform(0, 2 * np.pi) + rng.choice((-1, 1)) * 2 * np.pi * turns * way
    radius = first + (last - first) * way
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _block(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Fill a rectangle or an ellipse, not so narrow that it could be a 1."""
    sheet = np.zeros((_SHEET_SIDE, _SHEET_SIDE), np.uint8)
    centre, half = (
        (_SHEET_SIDE // 2, _SHEET_SIDE // 2),
        (int(rng.integers(20, 45)), int(rng.integers(12, 34))),
    )
    if rng.random() < 0.5:
        cv2.ellipse(sheet, centre, half, int(rng.normal(0, 10)), 0, 360, 255, -1, cv2.LINE_AA)
    else:
        corners = cv2.boxPoints((centre, (2 * half[0], 2 * half[1]), rng.normal(0, 8)))
        cv2.fillPoly(sheet, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    return framed(sheet)


def _scribble(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw two to four random curves and lines, as letters of unknown alphabets are."""
    sheet = np.zeros((_SHEET_SIDE, _SHEET_SIDE), np.uint8)
    pen = int(rng.integers(4, 12))
    for _ in range(int(rng.integers(2, 5))):
        points = curve(rng.uniform(20, _SHEET_SIDE - 20, (int(rng.integers(2, 6)), 2)))
        cv2.polylines(
            sheet, [np.round(points * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4
        )
    return framed(sheet)


def _overlaid(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay one digit over a turned other."""
    one, other = _pick(digits, rng), _pick(digits, rng)
    return np.maximum(one, np.rot90(other, int(rng.choice((1, 3)))))


def _beside(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Set two or three digits side by side, as numbers are written."""
    row = [_pick(digits, rng)[:, 4:-4] for _ in range(int(rng.integers(2, 4)))]
    return framed(np.hstack(row))


def _turned(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay a digit on its side; 0, 1, 6, 8 and 9 could still be read."""
    lying = np.flatnonzero(np.isin(digits.labels, (2, 3, 4, 5, 7)))
    picture = digits.images[rng.choice(lying)]
    return np.ascontiguousarray(np.rot90(picture, int(rng.choice((1, 3)))))


def _cut(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Exchange the halves of two digits."""
    one, other = _pick(digits, rng), _pick(digits, rng)
    mixed = (
        np.vstack([one[14:], other[:14]])
        if rng.random() < 0.5
        else np.hstack([one[:, 14:], other[:, :14]])
    )
    return framed(mixed) if mixed.max() > 0 else one


def _half(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a digit in two, at its middle; keep a half that is none."""
    label, half = _HALVES[rng.integers(len(_HALVES))]
    rows = np.flatnonzero(digits.labels == label)
    if not len(rows):  # one's own images may lack a digit
        return _cut(digits, rng)
    image = digits.images[rng.choice(rows)]
    x, y, width, height = cv2.boundingRect(image)
    middle_x, middle_y = x + width // 2, y + height // 2
    kept = {
        "upper": image[:middle_y],
        "lower": image[middle_y:],
        "left": image[:, :middle_x],
        "right": image[:, middle_x:],
    }[half]
    return framed(kept)


def _joined(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Join two digits so that their strokes touch, as in numbers written fast."""
    one, other = _pick(digits, rng), _pick(digits, rng)
    x, _, width, _ = cv2.boundingRect(one)
    left = one[:, : x + width]
    x, _, _, _ = cv2.boundingRect(other)
    right = other[:, x:]
    overlap = int(rng.integers(1, 4))
    pair = np.zeros((CANVAS_SIDE, left.shape[1] + right.shape[1] - overlap), np.uint8)
    pair[:, : left.shape[1]] = left
    second = pair[:, left.shape[1] - overlap :]
    np.maximum(second, right, out=second)
    return framed(pair)


def _grid(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw ruled or squared sheet, or a corner or an edge of it, with nothing written there."""
    sheet = np.zeros((_SHEET_SIDE, _SHEET_SIDE), np.uint8)
    pen = int(rng.integers(2, 14))
    for upright, lines in (
        (False, int(rng.integers(1, 4))),
        (True, max(0, int(rng.integers(-3, 4)))),
    ):
        for at in rng.integers(20, _SHEET_SIDE - 20, lines):
            start, end = (int(at), 16), (int(at + rng.normal(0, 4)), _SHEET_SIDE - 16)
            cv2.line(
                sheet,
                *((start, end) if upright else (start[::-1], end[::-1])),
                255,
                pen,
                cv2.LINE_AA,
            )
    return framed(sheet)


def _noise(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make grey noise, fine to coarse, all over or in a blob."""
    side = int(rng.integers(3, 29))
    noise = rng.integers(0, 256, (side, side)).astype(np.uint8)
    picture = np.asarray(
        cv2.resize(noise, (CANVAS_SIDE, CANVAS_SIDE), interpolation=cv2.INTER_CUBIC), np.uint8
    )
    if rng.random() < 0.5:
        blob = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
        cv2.circle(
            blob,
            (CANVAS_SIDE // 2, CANVAS_SIDE // 2),
            int(rng.integers(5, 12)),
            255,
            -1,
            cv2.LINE_AA,
        )
        picture = np.minimum(picture, blob)
    return picture


def _pick(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.asarray(digits.images[rng.integers(len(digits))])


Maker = Callable[[LabelledImages, np.random.Generator], NDArray[np.uint8]]
# how often each is made
MAKERS: dict[Maker, float] = {
    _written: 10,
    _letter: 1.5,
    _scribble: 1,
    _curl: 1,
    _spiral: 0.5,
    _block: 0.7,
    _grid: 0.7,
    _noise: 1,
    _overlaid: 0.7,
    _beside: 0.7,
    _joined: 0.7,
    _turned: 0.7,
    _cut: 0.7,
    _half: 1,
}
