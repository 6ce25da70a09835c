"""Small crops and MNIST's own images, which are read without the detector.

A crop of a few dozen pixels is filled by its digit, and upscaling shows the detector nothing. Its
background is what most of its border shows.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.preprocessing.box import Box
from digitcli.preprocessing.ink import Grey, Ink, Invert, Seen, cut_out, no_ink

# Pixels of the longer side, up to which an image on a flat background is a crop.
CROP = 64
_SMALL = 40  # pixels; in a crop of this size light cannot be told from ink
_FLAT = 0.6  # share of the background's border pixels that have one and the same grey level
_FAINTEST = 8  # grey levels; fainter ink is indistinguishable from JPEG artefacts
_ABOVE_NOISE = 4  # standard deviations
_JOINED = 0.2  # of the digit's longer side: the bar of a 5 may float that far
_AS_HIGH = 0.6  # of the digit's longer side, from which another component is a character
_BESIDE = 0.05  # of the digit's longer side, from which such a component is beside it
_DIRT = 0.01  # of the digit's area; smaller components near it are dirt
_EDGE = 0.2  # of a crop's width, in which remains of a frame lie; a digit lies further in
_ALL_ROUND = np.ones((3, 3), np.uint8)


class FlatBackground(NamedTuple):
    """A background without light and shade: its grey level, and whether ink is brighter."""

    level: int
    bright_ink: bool


class Digit(NamedTuple):
    """The components of ink that make up a digit.

    Attributes:
        mask: uint8, 255 where the digit's ink is.
        faintest: the strength from which a pixel was taken for ink.
        characters: number of components as large as a character.

    """

    mask: Grey
    faintest: float
    characters: int = 1


def recognise_mnist(grey: Grey, invert: Invert) -> Ink | None:
    """Recognise a MNIST image: its box is 20 pixels, its centre of mass in the middle."""
    if grey.shape != (CANVAS_SIDE, CANVAS_SIDE):
        return None
    bright = grey[0, 0] < 128 if invert == "auto" else invert == "no"
    image = grey if bright else cv2.bitwise_not(grey)
    x, y, width, height = cv2.boundingRect(cv2.threshold(image, 24, 255, cv2.THRESH_BINARY)[1])
    if max(width, height) != 20:
        return None
    moments = cv2.moments(image)
    centre = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    if not all(13.4 <= c <= 14.6 for c in centre):
        return None
    seen = Seen(image, Box(0, 0, CANVAS_SIDE, CANVAS_SIDE))
    return Ink(image, framed=True, bright=bool(bright), box=(x, y, width, height), seen=seen)


def find_flat_background(grey: Grey) -> FlatBackground | None:
    """Find the background of a crop; None in one that shows light and shade, or a photo's noise."""
    border = border_of(grey)
    lowest, highest, _, _ = cv2.minMaxLoc(grey)
    light = border > (lowest + highest) / 2
    bright_ink = 2 * int(np.count_nonzero(light)) < light.size
    background = border[light != bright_ink]
    level = int(quantile(background, 0.5))
    flat = max(grey.shape) <= _SMALL or (
        np.count_nonzero(background == level) >= _FLAT * background.size
    )
    return FlatBackground(level, bright_ink) if flat else None


def find_ink_in_crop(image: NDArray[np.uint8], flat: FlatBackground, invert: Invert) -> Ink:
    """Find the digit's ink in a small crop.

    Args:
        image: uint8 of shape (height, width) or (height, width, 3), upright.
        flat: its background.
        invert: "yes" for dark ink on a bright background, "no" for bright ink on a dark one,
            "auto" to take the background's word.

    """
    bright = flat.bright_ink if invert == "auto" else invert == "no"
    plane = lighten_ink(image, bright)
    level = int(quantile(border_of(plane), 0.5)) if image.ndim == 3 else flat.level
    if image.ndim == 2 and not bright:
        level = 255 - level
    strength: Grey = cv2.subtract(plane, level)
    height, width = strength.shape
    seen = Seen(strength, Box(0, 0, width, height))
    noise = estimate_noise(strength)
    if not _stands_out(strength, noise):
        return no_ink(seen)
    digit = select_digit(strength, noise)
    if digit is None:
        return no_ink(seen)
    contrast = quantile(strength[digit.mask > 0], 0.7)
    floor = round(0.4 * digit.faintest) if noise > 1 else 0
    scale = 255 / max(contrast - floor, 1)
    ink: Grey = cv2.convertScaleAbs(cv2.subtract(strength, floor), alpha=scale)
    # the strokes' soft edges belong to them
    ink = cv2.bitwise_and(ink, cv2.dilate(digit.mask, _ALL_ROUND))
    return cut_out(
        ink,
        seen,
        strength.shape,
        bright=bright,
        contrast=contrast,
        characters=digit.characters,
        noise=noise,
    )


def lies_on_edge(ink: Ink, shape: tuple[int, ...]) -> bool:
    """Return whether all ink lies along the left or the right side, as remains of a frame do."""
    left, _, width, _ = ink.box
    return left + width <= _EDGE * shape[1] or left >= (1 - _EDGE) * shape[1]


def select_digit(strength: Grey, noise: float) -> Digit | None:
    """Select the component with most strong ink near the middle, and what lies close to it.

    Args:
        strength: uint8, how far each pixel stands out from its background.
        noise: the background's standard deviation.

    """
    height, width = strength.shape
    strong = strength[strength > max(4 * noise, cv2.minMaxLoc(strength)[1] // 4)]
    if not strong.size:
        return None
    high = max(float(cv2.threshold(strong.reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)[0]), 4 * noise)
    low = max(high / 2, 2.5 * noise)
    mask = cv2.threshold(strength, low, 255, cv2.THRESH_BINARY)[1]
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count == 2 and stats[1, cv2.CC_STAT_WIDTH] < width:
        return Digit(mask, low)
    x, y, w, h, area = stats.T
    is_line = (w == width) & (8 * h < w)  # flat from side to side: no stroke of a digit
    seeds = np.bincount(labels[strength > high], minlength=count)
    seeds[is_line] = 0
    off_centre = np.hypot(centres[:, 0] / width - 0.5, centres[:, 1] / height - 0.5)
    borders = (x == 0).astype(int) + (y == 0) + (x + w == width) + (y + h == height)
    score = seeds * (1 - off_centre) * 0.5**borders
    score[0] = -1
    best = int(score.argmax())
    if not seeds[best] or not best:
        return None
    side = max(w[best], h[best])
    gap_x = np.maximum(x - (x[best] + w[best]), x[best] - (x + w))
    gap_y = np.maximum(y - (y[best] + h[best]), y[best] - (y + h))
    is_close = np.maximum(gap_x, gap_y) < _JOINED * side
    kept = is_close & (area > _DIRT * area[best]) & (seeds > 0)
    kept[0] = False
    beside = (h > _AS_HIGH * side) & (gap_x > _BESIDE * side)
    below = (np.maximum(w, h) > _AS_HIGH * side) & (gap_y > _JOINED * side)
    others = (beside | below) & (seeds > 0)
    chosen = np.where(kept[labels], 255, 0).astype(np.uint8)
    return Digit(chosen, low, 1 + int(others[1:].sum()))


def border_of(grey: Grey) -> Grey:
    """Return the pixels of the first and last rows and columns."""
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def lighten_ink(image: NDArray[np.uint8], bright: bool) -> Grey:
    """Return one plane with the ink light.

    Coloured ink stands out most in the channel that it adds or takes most.
    """
    plane: Grey
    if image.ndim == 2:
        plane = image
    else:
        red, green, blue = cv2.split(image)
        plane = cv2.max(cv2.max(red, green), blue) if bright else cv2.min(cv2.min(red, green), blue)
    return plane if bright else cv2.bitwise_not(plane)


def estimate_noise(strength: Grey) -> float:
    """Estimate the standard deviation of the background, in grey levels.

    It is taken from what is much fainter than ink.
    """
    rest = strength[strength < 0.4 * cv2.minMaxLoc(strength)[1]]
    return 1.5 * quantile(rest, 0.5) if rest.size else 0.0


def quantile(values: NDArray[Any], share: float) -> float:
    """Return the value that this share of the values stays below.

    NumPy's own function takes ten times as long on few values.
    """
    at = int(share * (values.size - 1))
    return float(np.partition(values, at)[at])


def _stands_out(strength: Grey, noise: float) -> bool:
    smooth: Grey = cv2.GaussianBlur(strength, (3, 3), 0) if max(strength.shape) > 40 else strength
    return float(cv2.minMaxLoc(smooth)[1]) >= max(_FAINTEST, _ABOVE_NOISE * noise)
