"""The detector's training images: MNIST's digits on generated paper, and where their ink is."""

import numpy as np
import numpy.typing as npt

from digitcli.architectures import DETECTOR_SIDE
from digitcli.synthesis import backgrounds, pen
from digitcli.synthesis.backgrounds import Cover, log_uniform

_EMPTY = 0.06  # the share of pictures without a digit: what is not a digit must stay unmarked
_SEVERAL = 0.06  # of two or three digits, all of them marked
_STRAIGHT = 0.25  # of digits of long straight strokes
_DRAWING = 0.12  # of clean drawings: no light, no camera, nothing beside the digit
_INVERTED = 0.25  # of light ink on dark ground
_VISIBLE = 0.06  # how much of the paper's brightness any stroke takes away at least


def composite(
    digits: npt.NDArray[np.uint8], rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Make one image (128, 128) of some of ``digits`` (n, 28, 28), and its ink.

    The ink is of the same shape, from 0, none, to 255.
    """
    cover, ink = _writing(digits, rng)
    contrast = rng.uniform(0.3, 0.95) if rng.random() < 0.65 else log_uniform(rng, 0.06, 0.3)
    contrast = float(np.clip(contrast, _VISIBLE / max(float(cover.max()), _VISIBLE), 0.98))
    if rng.random() < _DRAWING:
        scene = np.full(
            (DETECTOR_SIDE, DETECTOR_SIDE), rng.choice([1.0, rng.uniform(0.5, 1.0)]), np.float32
        )
        picture = np.rint(255 * scene * (1 - contrast * cover)).astype(np.uint8)
    else:
        scene = _printed(backgrounds.sheet(rng, DETECTOR_SIDE), digits, rng, contrast)
        grain = 1 + rng.uniform(0, 0.5) * backgrounds.blotches(
            rng, DETECTOR_SIDE, int(rng.integers(4, DETECTOR_SIDE))
        )
        scene *= 1 - contrast * cover * np.clip(grain, 0.3, 1)
        if rng.random() < 0.2:
            other, hidden = backgrounds.beside(rng, DETECTOR_SIDE)
            scene += hidden * (other - scene)
            ink = ink * (1 - hidden)
        scene *= backgrounds.light(rng, DETECTOR_SIDE)
        noise = min(
            log_uniform(rng, 0.001, 0.05), 0.2 * contrast * float(cover.max()) * float(scene.mean())
        )
        picture = backgrounds.photograph(rng, scene, noise)
    if rng.random() < _INVERTED:
        picture = 255 - picture
    return picture, np.rint(255 * ink).astype(np.uint8)


def _digit(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> pen.Pen:
    if rng.random() < _STRAIGHT:
        return pen.straight(rng)
    return pen.from_mnist(digits[rng.integers(len(digits))], rng)


def _writing(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> tuple[Cover, Cover]:
    """Draw what is to be found: how much of each pixel it covers, and the ink to mark.

    The ink to mark is the same, but with strokes at least a pixel wide.
    """
    cover, ink = np.zeros((2, DETECTOR_SIDE, DETECTOR_SIDE), np.float32)
    kind = rng.random()
    if kind < _EMPTY:
        return cover, ink
    count = int(rng.integers(2, 4)) if kind < _EMPTY + _SEVERAL else 1
    size = DETECTOR_SIDE * (
        log_uniform(rng, 0.05, 1.0) if rng.random() < 0.4 else rng.uniform(0.25, 1.05)
    )
    size /= count
    stroke = size * log_uniform(rng, 0.014, 0.22)
    width = stroke * np.clip(
        1
        + rng.uniform(0, 0.3) * backgrounds.blotches(rng, DETECTOR_SIDE, int(rng.integers(3, 12))),
        0.4,
        1.6,
    )
    middle = _place(rng, min(size * count, DETECTOR_SIDE), size)
    for index in range(count):
        pen = _digit(digits, rng)
        centre = (middle[0] + (index - (count - 1) / 2) * size * rng.uniform(0.8, 1.0), middle[1])
        cover = np.maximum(cover, pen.draw((DETECTOR_SIDE, DETECTOR_SIDE), centre, size, width))
        ink = np.maximum(
            ink, pen.draw((DETECTOR_SIDE, DETECTOR_SIDE), centre, size, np.maximum(width, 1.2))
        )
    return cover, ink


def _place(rng: np.random.Generator, width: float, height: float) -> tuple[float, float]:
    """Choose the middle (x, y) of something of these sides, within the image and rather central."""
    spread = rng.choice([0.3, 1.0])
    x, y = DETECTOR_SIDE / 2 + spread * rng.uniform(-0.5, 0.5, 2) * (
        DETECTOR_SIDE - np.array([width, height])
    ).clip(0)
    return float(x), float(y)


def _printed(
    scene: backgrounds.Grey,
    digits: npt.NDArray[np.uint8],
    rng: np.random.Generator,
    contrast: float,
) -> backgrounds.Grey:
    """Put onto blank paper what is not the digit; ``contrast`` is the digit's own."""
    if rng.random() < 0.5:
        strength = (
            log_uniform(rng, 0.03, 0.6) if rng.random() < 0.5 else contrast * rng.uniform(0.3, 1.3)
        )
        scene = scene * (1 - min(strength, 0.9) * backgrounds.rulings(rng, DETECTOR_SIDE))
    for chance, drawn, strongest in (
        (0.1, backgrounds.lines, 0.9),
        (0.12, backgrounds.frame, 0.9),
        (0.25, backgrounds.specks, 0.7),
        (0.1, backgrounds.print_, 0.8),
    ):
        if rng.random() < chance:
            scene = scene * (1 - log_uniform(rng, 0.03, strongest) * drawn(rng, DETECTOR_SIDE))
    if rng.random() < 0.15:  # writing that shows through from the other side
        size = DETECTOR_SIDE * rng.uniform(0.1, 0.6)
        cover = _digit(digits, rng).draw(
            (DETECTOR_SIDE, DETECTOR_SIDE),
            _place(rng, size, size),
            size,
            size * rng.uniform(0.03, 0.12),
        )
        scene = scene * (1 - contrast * rng.uniform(0.05, 0.25) * cover)
    if rng.random() < 0.12:  # other writing, cut by the picture's edge
        size = DETECTOR_SIDE * rng.uniform(0.1, 0.5)
        spot = rng.permutation(
            [
                rng.choice([0.0, DETECTOR_SIDE]) + rng.normal(0, 0.1) * size,
                rng.uniform(0, DETECTOR_SIDE),
            ]
        )
        cover = _digit(digits, rng).draw(
            (DETECTOR_SIDE, DETECTOR_SIDE), (spot[0], spot[1]), size, size * rng.uniform(0.03, 0.12)
        )
        scene = scene * (1 - contrast * cover)
    return np.asarray(scene, np.float32)
