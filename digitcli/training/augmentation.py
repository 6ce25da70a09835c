"""Training pictures changed as people's hands, pens and cameras change them.

Everything works on a strip: ``n`` pictures of 28×28 lie under one another as one picture of
28·n×28, so that each step is a call or two of OpenCV for a thousand pictures.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.training.recipe import Augmentation

Pictures = NDArray[np.uint8]

_AT_ONCE = 512  # OpenCV's remap takes at most 32,767 rows
_GRID = 6  # control points a side, for the elastic part
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def augment(pictures: Pictures, how: Augmentation, rng: np.random.Generator) -> Pictures:
    """Return augmented copies of images ``(n, 28, 28)``, uint8, white ink on black.

    The same ``rng`` gives the same copies.
    """
    done = np.empty_like(pictures)
    for start in range(0, len(pictures), _AT_ONCE):
        part = warp(pictures[start : start + _AT_ONCE], how, rng)
        for step in (stroke, coarse, blur, contrast, remains):
            step(part, how, rng)
        done[start : start + _AT_ONCE] = part
    return done


def warp(pictures: Pictures, how: Augmentation, rng: np.random.Generator) -> Pictures:
    """Affine and elastic distortion in one resampling.

    Where each pixel comes from is linear in the random numbers, so all pictures' maps are one
    product of matrices: the columns of ``_BASIS`` are x, y, 1 and the bumps around the elastic
    part's control points. After Simard, Steinkraus and Platt, "Best Practices for Convolutional
    Neural Networks Applied to Visual Document Analysis", 2003.
    """
    n = len(pictures)

    def normal(deviation: float, *shape: int) -> NDArray[np.float32]:
        return rng.standard_normal((n, *shape), np.float32) * np.float32(deviation)

    angle, shear = normal(np.deg2rad(how.rotation)), normal(how.shear)
    size, aspect = np.exp(normal(how.scale)), np.exp(normal(how.aspect))
    cos, sin = np.cos(angle), np.sin(angle)
    wide, high = size * np.sqrt(aspect), size / np.sqrt(aspect)
    middle = np.float32((CANVAS_SIDE - 1) / 2)
    along_x = np.stack([cos * wide, (shear * cos - sin) * high, normal(how.shift) + middle], axis=1)
    along_y = np.stack([sin * wide, (shear * sin + cos) * high, normal(how.shift) + middle], axis=1)
    from_x = np.hstack([along_x, normal(how.elastic, _GRID * _GRID)]) @ _BASIS
    from_y = np.hstack([along_y, normal(how.elastic, _GRID * _GRID)]) @ _BASIS
    # the neighbours in the strip stay out; a picture's own edge is black
    np.clip(from_y, 0, CANVAS_SIDE - 1, out=from_y)
    from_y += np.arange(0, n * CANVAS_SIDE, CANVAS_SIDE, dtype=np.float32)[:, None]
    strip = cv2.remap(
        pictures.reshape(n * CANVAS_SIDE, CANVAS_SIDE),
        from_x.reshape(n * CANVAS_SIDE, CANVAS_SIDE),
        from_y.reshape(n * CANVAS_SIDE, CANVAS_SIDE),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(strip, np.uint8).reshape(n, CANVAS_SIDE, CANVAS_SIDE)


def stroke(pictures: Pictures, how: Augmentation, rng: np.random.Generator) -> None:
    """Thicken some strokes and thin some others, by part of a grey dilation or erosion."""
    for change, most in ((cv2.dilate, 1.0), (cv2.erode, 0.7)):
        chosen = _some(pictures, how.stroke / 2, rng)
        if not len(chosen):
            continue
        strip = pictures[chosen].reshape(-1, CANVAS_SIDE)
        amount = np.repeat(rng.uniform(0, most, len(chosen)).astype(np.float32), CANVAS_SIDE)[
            :, None
        ]
        changed = strip + amount * (change(strip, _CROSS).astype(np.float32) - strip)
        pictures[chosen] = changed.astype(np.uint8).reshape(-1, CANVAS_SIDE, CANVAS_SIDE)


def coarse(pictures: Pictures, how: Augmentation, rng: np.random.Generator) -> None:
    """Take some through a lower resolution, as small scans and thumbnails come."""
    for _ in range(3):
        chosen = _some(pictures, how.coarse / 3, rng)
        if not len(chosen):
            continue
        side = int(rng.integers(9, 19))
        strip = pictures[chosen].reshape(-1, CANVAS_SIDE)
        small = cv2.resize(strip, (side, side * len(chosen)), interpolation=cv2.INTER_AREA)
        back = cv2.resize(
            small, (CANVAS_SIDE, CANVAS_SIDE * len(chosen)), interpolation=cv2.INTER_LINEAR
        )
        pictures[chosen] = back.reshape(-1, CANVAS_SIDE, CANVAS_SIDE)


def blur(pictures: Pictures, how: Augmentation, rng: np.random.Generator) -> None:
    """Blur some, as a camera out of focus does."""
    for _ in range(3):
        chosen = _some(pictures, how.blur / 3, rng)
        if not len(chosen):
            continue
        strip = pictures[chosen].reshape(-1, CANVAS_SIDE)
        soft = cv2.GaussianBlur(strip, (5, 5), float(rng.uniform(0.3, 1.1)))
        pictures[chosen] = soft.reshape(-1, CANVAS_SIDE, CANVAS_SIDE)


def contrast(pictures: Pictures, how: Augmentation, rng: np.random.Generator) -> None:
    """Make some paler, and the edges of some harder or softer."""
    chosen = _some(pictures, how.contrast, rng)
    tone = np.arange(256, dtype=np.float32) / 255
    for part in np.array_split(chosen, 16):  # 16 curves for a thousand pictures
        steepness, middle = np.exp(rng.uniform(-0.2, 1.5)), rng.uniform(0.3, 0.6)
        height = rng.uniform(0.6, 1.0)
        curve = np.clip((tone - middle) * steepness + middle, 0, 1) if rng.random() < 0.5 else tone
        pictures[part] = (curve * height * 255).astype(np.uint8)[pictures[part]]


def remains(pictures: Pictures, how: Augmentation, rng: np.random.Generator) -> None:
    """Leave some a piece of a ruled line or specks of dirt."""
    for index in _some(pictures, how.remains, rng):
        ink = int(rng.integers(60, 256))
        if rng.random() < 0.5:
            edge, slope = int(rng.integers(0, 5)), int(rng.integers(-2, 3))
            start, length = int(rng.integers(0, 20)), int(rng.integers(6, 28))
            line = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
            cv2.line(line, (start, edge), (start + length, edge + slope), ink, 1, cv2.LINE_AA)
            pictures[index] = np.maximum(pictures[index], np.rot90(line, int(rng.integers(4))))
        else:
            for x, y in rng.integers(1, CANVAS_SIDE - 2, (int(rng.integers(1, 4)), 2)):
                speck = pictures[index, y : y + 2, x : x + int(rng.integers(1, 3))]
                np.maximum(speck, np.uint8(ink), out=speck)


def _some(pictures: Pictures, share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.flatnonzero(rng.random(len(pictures)) < share)


def _basis() -> NDArray[np.float32]:
    """Give the maps that every distortion is a weighted sum of, ``(3 + control points, 784)``."""
    place = np.arange(CANVAS_SIDE, dtype=np.float32) - (CANVAS_SIDE - 1) / 2
    y, x = np.meshgrid(place, place, indexing="ij")
    spacing = CANVAS_SIDE / (_GRID - 1)
    points = (np.arange(_GRID) - (_GRID - 1) / 2) * spacing
    bumps = np.exp(-((place[None] - points[:, None]) ** 2) / (2 * (0.7 * spacing) ** 2))
    elastic = np.einsum("iy,jx->ijyx", bumps, bumps).reshape(_GRID * _GRID, -1)
    return np.vstack([x.ravel(), y.ravel(), np.ones(CANVAS_SIDE * CANVAS_SIDE), elastic]).astype(
        np.float32
    )


_BASIS = _basis()
