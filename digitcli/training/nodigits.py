"""Shapes that are no digits, made from digits and by code: the network learns to answer them evenly."""

import string

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitcli.datasets.labelled import LabelledImages
from digitcli.training.drawn import HERSHEY, SIDE, Form, curve, framed, write

NO_DIGIT = -1

_PAPER = 112
# letters that look like a digit in some hand are left out
_LETTERS = "".join(sorted(set(string.ascii_letters) - set("BDGILOQSTZbgijloqstyz"))) + "#%&?@+=$"


# as people write them, in the manner of `drawn.FORMS`
LETTERS: tuple[Form, ...] = (
    (((0, 1), (0.5, 0)), ((0.5, 0), (1, 1)), ((0.2, 0.6), (0.8, 0.6))),  # A
    (((1, 0.15), (0.5, 0), (0.05, 0.5), (0.5, 1), (1, 0.85)),),  # C
    (((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 0.5), (0.8, 0.5)), ((0, 1), (1, 1))),  # E
    (((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 0.5), (0.8, 0.5))),  # F
    (((0, 0), (0, 1)), ((1, 0), (1, 1)), ((0, 0.5), (1, 0.5))),  # H
    (((0, 0), (0, 1)), ((1, 0), (0, 0.55)), ((0.2, 0.45), (1, 1))),  # K
    (((0, 1), (0.1, 0)), ((0.1, 0), (0.5, 0.6)), ((0.5, 0.6), (0.9, 0)), ((0.9, 0), (1, 1))),  # M
    (((0, 1), (0, 0)), ((0, 0), (1, 1)), ((1, 1), (1, 0))),  # N
    (((0, 0), (0, 1)), ((0, 0), (0.8, 0.05), (0.8, 0.45), (0, 0.5))),  # P
    (((0, 0), (0, 1)), ((0, 0), (0.8, 0.05), (0.8, 0.45), (0, 0.5)), ((0.2, 0.5), (1, 1))),  # R
    (((0, 0), (0.05, 0.8), (0.5, 1), (0.95, 0.8), (1, 0)),),  # U
    (((0, 0), (0.5, 1)), ((0.5, 1), (1, 0))),  # V
    (((0, 0), (0.25, 1)), ((0.25, 1), (0.5, 0.3)), ((0.5, 0.3), (0.75, 1)), ((0.75, 1), (1, 0))),  # W
    (((0, 0), (1, 1)), ((1, 0), (0, 1))),  # X
    (((0, 0), (0.5, 0.5)), ((1, 0), (0.5, 0.5)), ((0.5, 0.5), (0.5, 1))),  # Y
    (((0.85, 0.55), (0.3, 0.45), (0.05, 0.75), (0.4, 1), (0.85, 0.7)), ((0.9, 0), (0.85, 0.7), (1, 1))),  # d
    (((0, 0.7), (0.8, 0.6), (0.6, 0.2), (0.1, 0.4), (0.1, 0.9), (0.5, 1), (1, 0.85)),),  # e
    (((0, 0), (0, 1)), ((0, 0.7), (0.4, 0.45), (0.8, 0.6), (0.85, 1))),  # h
    (((0, 0.3), (0, 1)), ((0, 0.6), (0.5, 0.3), (0.95, 0.6), (1, 1))),  # n
    (((0, 0.4), (0, 1)), ((0, 0.6), (0.3, 0.4), (0.5, 1)), ((0.5, 0.6), (0.8, 0.4), (1, 1))),  # m
    (((0, 0.3), (0, 1)), ((0, 0.6), (0.4, 0.3), (0.9, 0.35))),  # r
    (((0.4, 0), (0.4, 0.8), (0.6, 1), (0.9, 0.9)), ((0, 0.35), (0.9, 0.35))),  # t
    (((1, 0), (0.6, 0.7), (0.3, 1), (0, 0.5), (0.3, 0), (0.6, 0.4), (1, 1)),),  # alpha
    (
        ((0, 1), (0.1, 0.2), (0.5, 0), (0.8, 0.2), (0.4, 0.42)),
        ((0.4, 0.42), (0.9, 0.55), (0.7, 0.85), (0.1, 0.8)),
    ),  # beta
    (((0, 0.1), (0.3, 0.1), (0.6, 0.8), (0.5, 1), (0.4, 0.8), (0.9, 0)),),  # gamma
    (((0.9, 0.1), (0.4, 0), (0.2, 0.25), (0.6, 0.45)), ((0.6, 0.45), (0, 0.65), (0.3, 1), (0.95, 0.9))),  # epsilon
    (((0.5, 0), (0, 0.5), (0.5, 1), (1, 0.5), (0.5, 0)), ((0.1, 0.5), (0.9, 0.5))),  # theta
    (((0.1, 0), (0.4, 0.2), (1, 1)), ((0.5, 0.45), (0, 1))),  # lambda
    (((0, 0), (0, 1)), ((0, 1), (1, 1))),  # a corner
    (((0, 1), (1, 1)), ((1, 1), (1, 0))),
    (((0, 1), (0, 0)), ((0, 0), (1, 0))),
)


def shapes(count: int, digits: LabelledImages, rng: np.random.Generator) -> LabelledImages:
    """Make ``count`` framed shapes labelled `NO_DIGIT`; some are pieced together from ``digits``."""
    makers = (_letter, _written, _written, _written, _scribble, _curl, _overlaid, _beside, _turned, _cut, _grid, _noise)
    images = np.zeros((count, SIDE, SIDE), np.uint8)
    for image in images:
        image[:] = makers[rng.integers(len(makers))](digits, rng)
    return LabelledImages(images, np.full(count, NO_DIGIT, np.int64))


def _letter(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    letter = str(rng.choice(list(_LETTERS)))
    paper = np.zeros((_PAPER, _PAPER), np.uint8)
    if rng.random() < 0.3:
        picture = Image.fromarray(paper)
        ImageDraw.Draw(picture).text((24, 16), letter, 255, ImageFont.load_default(64))
        paper = np.array(picture)
    else:
        pen, font = int(rng.integers(2, 9)), int(rng.choice(HERSHEY))
        scale = 5 if font == cv2.FONT_HERSHEY_PLAIN else 2.5
        cv2.putText(paper, letter, (24, 80), font, scale, 255, pen, cv2.LINE_AA)
    return framed(paper)


def _written(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    return framed(write(LETTERS[rng.integers(len(LETTERS))], rng))


def _curl(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one long winding curve, as many alphabets have them."""
    form = (tuple((float(x), float(y)) for x, y in rng.uniform(0, 1, (int(rng.integers(6, 10)), 2))),)
    return framed(write(form, rng))


def _scribble(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw two to four random curves and lines, as letters of unknown alphabets are."""
    paper = np.zeros((_PAPER, _PAPER), np.uint8)
    pen = int(rng.integers(4, 12))
    for _ in range(int(rng.integers(2, 5))):
        points = curve(rng.uniform(20, _PAPER - 20, (int(rng.integers(2, 6)), 2)))
        cv2.polylines(paper, [np.round(points * 16).astype(np.int32)], False, 255, pen, cv2.LINE_AA, 4)
    return framed(paper)


def _overlaid(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay one digit over a turned other."""
    one, other = _pick(digits, rng), _pick(digits, rng)
    return np.maximum(one, np.rot90(other, int(rng.choice((1, 3)))))


def _beside(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Set two or three digits side by side, as numbers are written."""
    row = [_pick(digits, rng)[:, 4:-4] for _ in range(int(rng.integers(2, 4)))]
    return framed(np.hstack(row))


def _turned(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay a digit on its side, or mirror one that is another shape in the mirror."""
    lying = np.flatnonzero(np.isin(digits.labels, (2, 3, 4, 5, 7)))
    picture = digits.images[rng.choice(lying)]
    return np.ascontiguousarray(np.rot90(picture, int(rng.choice((1, 3)))))


def _cut(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Exchange the halves of two digits."""
    one, other = _pick(digits, rng), _pick(digits, rng)
    mixed = np.vstack([one[14:], other[:14]]) if rng.random() < 0.5 else np.hstack([one[:, 14:], other[:, :14]])
    return framed(mixed) if mixed.max() > 0 else one


def _grid(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw ruled or squared paper, or a corner or an edge of it, with nothing written there."""
    paper = np.zeros((_PAPER, _PAPER), np.uint8)
    pen = int(rng.integers(2, 14))
    for upright, lines in ((False, int(rng.integers(1, 4))), (True, max(0, int(rng.integers(-3, 4))))):
        for at in rng.integers(20, _PAPER - 20, lines):
            start, end = (int(at), 16), (int(at + rng.normal(0, 4)), _PAPER - 16)
            cv2.line(paper, *((start, end) if upright else (start[::-1], end[::-1])), 255, pen, cv2.LINE_AA)
    return framed(paper)


def _noise(_digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make grey noise, fine to coarse, all over or in a blob."""
    side = int(rng.integers(3, 29))
    noise = rng.integers(0, 256, (side, side)).astype(np.uint8)
    picture = np.asarray(cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
    if rng.random() < 0.5:
        blob = np.zeros((SIDE, SIDE), np.uint8)
        cv2.circle(blob, (SIDE // 2, SIDE // 2), int(rng.integers(5, 12)), 255, -1, cv2.LINE_AA)
        picture = np.minimum(picture, blob)
    return picture


def _pick(digits: LabelledImages, rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.asarray(digits.images[rng.integers(len(digits))])
