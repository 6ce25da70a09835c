"""Augmentation: training images distorted as people's hands, pens and cameras distort them.

Everything works on a strip: ``n`` images of 28×28 under one another, as one image of 28·n×28. So
each step takes one or two calls of OpenCV for a thousand images.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.training.recipe import Augmentation

Images = NDArray[np.uint8]  # (n, 28, 28)

_AT_ONCE = 512  # images; OpenCV's remap takes at most 32,767 rows
_GRID = 6  # control points of the elastic distortion, along each side
_CURVES = 16  # of contrast, for each strip
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def augment(images: Images, how: Augmentation, rng: np.random.Generator) -> Images:
    """Return augmented copies of images ``(n, 28, 28)``, uint8, white ink on black.

    The same ``rng`` makes the same copies.
    """
    copies = np.empty_like(images)
    for start in range(0, len(images), _AT_ONCE):
        part = warp(images[start : start + _AT_ONCE], how, rng)
        change_strokes(part, how, rng)
        coarsen(part, how, rng)
        blur(part, how, rng)
        change_contrast(part, how, rng)
        add_remains(part, how, rng)
        copies[start : start + _AT_ONCE] = part
    return copies


def warp(images: Images, how: Augmentation, rng: np.random.Generator) -> Images:
    """Return copies distorted by affine and elastic maps, in one resampling.

    The place that each pixel is taken from is linear in the random numbers, so that the maps of all
    images are one product of matrices: the rows of ``_BASIS`` are x, y, 1 and the bumps around the
    control points of the elastic distortion. After Simard, Steinkraus and Platt, "Best Practices
    for Convolutional Neural Networks Applied to Visual Document Analysis", 2003.
    """
    n = len(images)

    def normal(deviation: float, *shape: int) -> NDArray[np.float32]:
        return rng.standard_normal((n, *shape), np.float32) * np.float32(deviation)

    angle, shear = normal(np.deg2rad(how.rotation)), normal(how.shear)
    size, aspect = np.exp(normal(how.scale)), np.exp(normal(how.aspect))
    cos, sin = np.cos(angle), np.sin(angle)
    width, height = size * np.sqrt(aspect), size / np.sqrt(aspect)
    middle = np.float32((CANVAS_SIDE - 1) / 2)
    # coefficients of x, y and 1
    affine_x = [cos * width, (shear * cos - sin) * height, normal(how.shift) + middle]
    affine_y = [sin * width, (shear * sin + cos) * height, normal(how.shift) + middle]
    elastic_x = normal(how.elastic, _GRID * _GRID)
    elastic_y = normal(how.elastic, _GRID * _GRID)
    from_x = np.hstack([np.stack(affine_x, axis=1), elastic_x]) @ _BASIS
    from_y = np.hstack([np.stack(affine_y, axis=1), elastic_y]) @ _BASIS
    # keep out of the neighbours in the strip; the edge of an image itself is black
    np.clip(from_y, 0, CANVAS_SIDE - 1, out=from_y)
    from_y += np.arange(0, n * CANVAS_SIDE, CANVAS_SIDE, dtype=np.float32)[:, None]
    strip = cv2.remap(
        images.reshape(n * CANVAS_SIDE, CANVAS_SIDE),
        from_x.reshape(n * CANVAS_SIDE, CANVAS_SIDE),
        from_y.reshape(n * CANVAS_SIDE, CANVAS_SIDE),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(strip, np.uint8).reshape(n, CANVAS_SIDE, CANVAS_SIDE)


def change_strokes(images: Images, how: Augmentation, rng: np.random.Generator) -> None:
    """Thicken the strokes of some images and thin those of others, by part of a pixel."""
    for operation, most in ((cv2.dilate, 1.0), (cv2.erode, 0.7)):
        chosen = _choose(images, how.stroke / 2, rng)
        if not len(chosen):
            continue
        strip = images[chosen].reshape(-1, CANVAS_SIDE)
        amounts = rng.uniform(0, most, len(chosen)).astype(np.float32)
        amount_of_row = np.repeat(amounts, CANVAS_SIDE)[:, None]
        difference = operation(strip, _CROSS).astype(np.float32) - strip
        changed = (strip + amount_of_row * difference).astype(np.uint8)
        images[chosen] = changed.reshape(-1, CANVAS_SIDE, CANVAS_SIDE)


def coarsen(images: Images, how: Augmentation, rng: np.random.Generator) -> None:
    """Reduce some images and enlarge them again, as small scans and thumbnails are."""
    for _ in range(3):
        chosen = _choose(images, how.coarse / 3, rng)
        if not len(chosen):
            continue
        side = int(rng.integers(9, 19))
        strip = images[chosen].reshape(-1, CANVAS_SIDE)
        small = cv2.resize(strip, (side, side * len(chosen)), interpolation=cv2.INTER_AREA)
        back = cv2.resize(
            small, (CANVAS_SIDE, CANVAS_SIDE * len(chosen)), interpolation=cv2.INTER_LINEAR
        )
        images[chosen] = back.reshape(-1, CANVAS_SIDE, CANVAS_SIDE)


def blur(images: Images, how: Augmentation, rng: np.random.Generator) -> None:
    """Blur some images, as a camera out of focus does."""
    for _ in range(3):
        chosen = _choose(images, how.blur / 3, rng)
        if not len(chosen):
            continue
        strip = images[chosen].reshape(-1, CANVAS_SIDE)
        soft = cv2.GaussianBlur(strip, (5, 5), float(rng.uniform(0.3, 1.1)))
        images[chosen] = soft.reshape(-1, CANVAS_SIDE, CANVAS_SIDE)


def change_contrast(images: Images, how: Augmentation, rng: np.random.Generator) -> None:
    """Make some images paler, and the edges of some of these harder or softer."""
    chosen = _choose(images, how.contrast, rng)
    tone = np.arange(256, dtype=np.float32) / 255
    for part in np.array_split(chosen, _CURVES):
        steepness, middle = np.exp(rng.uniform(-0.2, 1.5)), rng.uniform(0.3, 0.6)
        height = rng.uniform(0.6, 1.0)
        curve = tone
        if rng.random() < 0.5:
            curve = np.clip((tone - middle) * steepness + middle, 0, 1)
        table = (curve * height * 255).astype(np.uint8)
        images[part] = table[images[part]]


def add_remains(images: Images, how: Augmentation, rng: np.random.Generator) -> None:
    """Add to some images a piece of a ruled line or specks, as imperfect reading leaves them."""
    for index in _choose(images, how.remains, rng):
        ink = int(rng.integers(60, 256))
        if rng.random() < 0.5:
            edge, slope = int(rng.integers(0, 5)), int(rng.integers(-2, 3))
            start, length = int(rng.integers(0, 20)), int(rng.integers(6, 28))
            line = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
            cv2.line(line, (start, edge), (start + length, edge + slope), ink, 1, cv2.LINE_AA)
            images[index] = np.maximum(images[index], np.rot90(line, int(rng.integers(4))))
        else:
            for x, y in rng.integers(1, CANVAS_SIDE - 2, (int(rng.integers(1, 4)), 2)):
                speck = images[index, y : y + 2, x : x + int(rng.integers(1, 3))]
                np.maximum(speck, np.uint8(ink), out=speck)


def _choose(images: Images, share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Choose about a share of the images; return their rows."""
    return np.flatnonzero(rng.random(len(images)) < share)


def _distortion_basis() -> NDArray[np.float32]:
    """Return the maps that every distortion is a weighted sum of, ``(3 + control points, 784)``."""
    place = np.arange(CANVAS_SIDE, dtype=np.float32) - (CANVAS_SIDE - 1) / 2
    y, x = np.meshgrid(place, place, indexing="ij")
    spacing = CANVAS_SIDE / (_GRID - 1)
    points = (np.arange(_GRID) - (_GRID - 1) / 2) * spacing
    bumps = np.exp(-((place[None] - points[:, None]) ** 2) / (2 * (0.7 * spacing) ** 2))
    elastic = np.einsum("iy,jx->ijyx", bumps, bumps).reshape(_GRID * _GRID, -1)
    ones = np.ones(CANVAS_SIDE * CANVAS_SIDE)
    return np.vstack([x.ravel(), y.ravel(), ones, elastic]).astype(np.float32)


_BASIS = _distortion_basis()
