"""Shapes that are no digits, from digits and by code: the network learns to answer them evenly."""

import string

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitcli.architectures import CANVAS_SIDE
from digitcli.datasets.labelled import NO_DIGIT, LabelledImages
from digitcli.synthesis.digits import HERSHEY, Form, curve, framed, write

_SHEET_SIDE = 112
# letters that look like a digit in some hand are left out
_LETTERS = "".join(sorted(set(string.ascii_letters) - set("BDGILOQSTZbgijloqstyz"))) + "#%&?@+=$"


# as people write them, in the manner of `digits.FORMS`
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
    (
        ((0, 0), (0.25, 1)),
        ((0.25, 1), (0.5, 0.3)),
        ((0.5, 0.3), (0.75, 1)),
        ((0.75, 1), (1, 0)),
    ),  # W
    (((0, 0), (1, 1)), ((1, 0), (0, 1))),  # X
    (((0, 0), (0.5, 0.5)), ((1, 0), (0.5, 0.5)), ((0.5, 0.5), (0.5, 1))),  # Y
    (
        ((0.85, 0.55), (0.3, 0.45), (0.05, 0.75), (0.4, 1), (0.85, 0.7)),
        ((0.9, 0), (0.85, 0.7), (1, 1)),
    ),  # d
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
    (
        ((0.9, 0.1), (0.4, 0), (0.2, 0.25), (0.6, 0.45)),
        ((0.6, 0.45), (0, 0.65), (0.3, 1), (0.95, 0.9)),
    ),  # epsilon
    (((0.5, 0), (0, 0.5), (0.5, 1), (1, 0.5), (0.5, 0)), ((0.1, 0.5), (0.9, 0.5))),  # theta
    (((0.1, 0), (0.4, 0.2), (1, 1)), ((0.5, 0.45), (0, 1))),  # lambda
    (((0.1, 0), (0.35, 0.15), (0.6, 0.7), (1, 1)), ((0.45, 0.45), (0, 1))),
    (((1, 0.1), (0.45, 0.9), (0.05, 0.6), (0.15, 0.15), (0.5, 0.2), (1, 0.95)),),  # alpha, written
    (
        ((0.4, 0.1), (0, 0.55), (0.4, 1), (0.85, 0.6), (0.45, 0.1)),
        ((0.4, 0.08), (1, 0.05)),
    ),  # sigma
    (
        ((0.5, 0), (0, 0.5), (0.5, 1), (1, 0.5), (0.5, 0)),
        ((0.3, 0.5), (0.7, 0.5)),
    ),  # theta, written
    (((0.5, 0.2), (0, 0.55), (0.5, 0.85), (1, 0.55), (0.5, 0.2)), ((0.5, 0), (0.5, 1))),  # phi
    (((0, 0.1), (0.1, 0.6), (0.5, 0.7), (0.9, 0.6), (1, 0.1)), ((0.5, 0), (0.5, 1))),  # psi
    (((0, 0.1), (1, 0.1)), ((0.25, 0.1), (0.2, 1)), ((0.75, 0.1), (0.8, 1))),  # pi
    (((0, 0.2), (0.1, 0.9), (0.5, 0.9), (0.5, 0.4), (0.5, 0.9), (0.9, 0.9), (1, 0.2)),),  # omega
    (((0, 0), (0, 1)), ((0, 1), (1, 1))),  # a corner
    (((0, 1), (1, 1)), ((1, 1), (1, 0))),
    (((0, 1), (0, 0)), ((0, 0), (1, 0))),
)


def shapes(count: int, digits: LabelledImages, rng: np.random.Generator) -> LabelledImages:
    """Make ``count`` framed shapes labelled `NO_DIGIT`, some of them from pieces of ``digits``."""
    by_code = (
        _letter,
        _written,
        _written,
        _written,
        _scribble,
        _curl,
        _spiral,
        _block,
        _grid,
        _noise,
    )
    makers = (*by_code, _overlaid, _beside, _turned, _cut)
    images = np.zeros((count, CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    for image in images:
        image[:] = makers[rng.integers(len(makers))](digits, rng)
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
    return framed(write(LETTERS[rng.integers(len(LETTERS))], rng, narrowest=0.45, broadest=11))


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
