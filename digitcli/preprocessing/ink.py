"""Find the ink of the one digit in a picture: bright strokes on black, whatever the picture was.

A drawing or a clean crop stands on a flat ground, and its ink is found by rules alone. In a photo
the learned detector says where the digit is, and rules complete its strokes: the light is taken
away, ruled lines are erased, and what stands out from the paper where the detector saw ink, or
within reach of it, is the digit. What was seen on the way is kept as evidence that this is, or is
not, one digit.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing import components
from digitcli.preprocessing.background import (
    border_of,
    estimate_noise,
    find_flat_background,
    has_bright_ink,
    quantile,
    reduced,
    subtract_background,
)
from digitcli.preprocessing.detection import ink_probability
from digitcli.preprocessing.ruled_lines import without_lines

# images are read in parallel; OpenCV's own threads would only get in the way
Invert = Literal["auto", "yes", "no"]
Grey = NDArray[np.uint8]

_FAINTEST = 8  # grey levels; fainter ink is not told from JPEG's and the eye's noise
_ABOVE_NOISE = 4  # standard deviations
_SMALLEST = 0.03  # of the longer side of the picture or the digit's surroundings; less is dust
_LOWEST = 7  # pixels; fewer are dust too, as no digit can be told from another
_DUST = 4  # pixels; fewer are not even a digit that is too small
_NARROWEST = 2  # pixels; OpenCV takes an image of one column for a list of numbers
# Pixels; an image with no longer side may be cut out of a form, with remains of its frame.
_CROP = 64
_EDGE = 0.2  # of a crop's width, in which such remains lie; a digit lies further in
_UNSEEN = 3  # times as much as that is asked of ink of which the detector sees nothing
_ALL_ROUND = np.ones((3, 3), np.uint8)
_GLANCE_SIDE = 240  # pixels; the detector sees 128
# Of the image's longer side; a character smaller than this gets a closer look.
_SMALL_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class Ink:
    """The ink of one digit and what was seen while finding it.

    Attributes:
        image: uint8, ink bright on black, cut out to the digit's box; the whole canvas where
            ``framed``.
        framed: the picture is framed as MNIST frames its digits, ``image`` is the canvas itself.
        found: there is ink.
        small: there is some, or room for some, but too few pixels of it to tell a digit.
        bright: the ink is brighter than its ground.
        box: left, top, width, height in the decoded picture.
        stroke: the mean width of the strokes in pixels of ``image``.
        contrast: how far the ink stands out from its ground, in grey levels.
        noise: standard deviation of the ground, in grey levels.
        characters: number of pieces of ink as large as a character.
        borders: on how many of the picture's four sides the ink lies.
        fill: share of the box that is ink.
        length: how long all strokes are together, as a multiple of the box's longer side.
        frame: the ink is just a bar along a side of a small crop, as the remains of a form's frame
            are.

    """

    image: Grey
    framed: bool = False
    found: bool = True
    small: bool = False
    bright: bool = True
    box: tuple[int, int, int, int] = (0, 0, 28, 28)
    stroke: float = 0.0
    contrast: float = 255.0
    noise: float = 0.0
    characters: int = 1
    borders: int = 0
    fill: float = 0.0
    length: float = 0.0
    frame: bool = False


def find_ink(picture: NDArray[np.uint8], *, invert: Invert = "auto") -> Ink:
    """Find the digit's ink.

    Args:
        picture: uint8 of shape (height, width) or (height, width, 3), upright.
        invert: "yes" for dark ink on a bright ground, "no" for bright ink on a dark ground, "auto"
            to find out.

    """
    grey: Grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if max(grey.shape) < _LOWEST or min(grey.shape) < _NARROWEST:
        return Ink(grey, found=False, small=True)
    if grey.shape == (28, 28):
        framed = _framed_like_mnist(grey, invert)
        if framed is not None:
            return framed
    flat = find_flat_background(grey)
    if flat is None:
        return _in_photo(picture, grey, invert)
    bright = flat.bright_ink if invert == "auto" else invert == "no"
    plane = _light_ink(picture, bright)
    level = flat.level if bright else 255 - flat.level
    if picture.ndim == 3:
        level = int(quantile(border_of(plane), 0.5))
    strength: Grey = cv2.subtract(plane, level)
    noise = estimate_noise(strength)
    digit = components.select_by_rules(strength, noise) if _stands_out(strength, noise) else None
    return _cut_out(strength, digit, bright, noise)


def stroke_width(image: NDArray[np.uint8]) -> float:
    """Return the mean width of strokes in pixels: twice their area by their outline.

    Both are measured on the grey levels.
    """
    padded = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT).astype(np.float32)
    corner = padded[:-1, :-1]
    across, down = padded[:-1, 1:] - corner, padded[1:, :-1] - corner
    outline: float = cv2.sumElems(cv2.magnitude(across, down))[0]
    return 2 * float(cv2.sumElems(padded)[0]) / outline if outline else 0.0


def _framed_like_mnist(grey: Grey, invert: Invert) -> Ink | None:
    """Recognise a MNIST image: its box is 20 pixels, its centre of mass in the middle."""
    bright = grey[0, 0] < 128 if invert == "auto" else invert == "no"
    image = grey if bright else cv2.bitwise_not(grey)
    x, y, width, height = cv2.boundingRect(cv2.threshold(image, 24, 255, cv2.THRESH_BINARY)[1])
    if max(width, height) != 20:
        return None
    moments = cv2.moments(image)
    centre = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    if not all(13.4 <= c <= 14.6 for c in centre):
        return None
    return Ink(image, framed=True, bright=bool(bright), box=(x, y, width, height))


def _in_photo(picture: NDArray[np.uint8], grey: Grey, invert: Invert) -> Ink:
    glance = ink_probability(reduced(grey, _GLANCE_SIDE))
    characters, share, (left, top, right, bottom) = components.overview(glance)
    seen = glance[top:bottom, left:right]
    scale = grey.shape[1] / glance.shape[1], grey.shape[0] / glance.shape[0]
    left, top, right, bottom = (
        round(at * scale[i % 2]) for i, at in enumerate((left, top, right, bottom))
    )
    picture, grey = (
        picture[top:bottom, left:right],
        np.ascontiguousarray(grey[top:bottom, left:right]),
    )
    if share < _SMALL_SHARE:
        probability = ink_probability(grey)  # a closer look
    else:
        probability = cv2.resize(seen, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    marks = probability > components.SURE
    bright = has_bright_ink(grey, marks) if invert == "auto" else invert == "no"
    strength = subtract_background(_light_ink(picture, bright))
    noise = estimate_noise(strength)
    if not _stands_out(
        strength, noise, 1 if np.count_nonzero(marks) >= components.FEWEST else _UNSEEN
    ):
        return _cut_out(strength, None, bright, noise)
    level = quantile(strength[marks], 0.5) if marks.any() else float(strength.max()) / 2
    # lines fainter than this will not be taken for ink anyway
    strength = without_lines(strength, max(0.35 * level, 2 * noise, 4))
    digit = components.select_by_marks(strength, probability, noise) or components.select_by_rules(
        strength, noise
    )
    return _cut_out(strength, digit, bright, noise, (left, top), characters)


def _light_ink(picture: NDArray[np.uint8], bright: bool) -> Grey:
    """Return one plane with the ink light.

    Coloured ink stands out most in the channel that it adds or takes most.
    """
    plane: Grey
    if picture.ndim == 2:
        plane = picture
    else:
        red, green, blue = cv2.split(picture)
        plane = cv2.max(cv2.max(red, green), blue) if bright else cv2.min(cv2.min(red, green), blue)
    return plane if bright else cv2.bitwise_not(plane)


def _stands_out(strength: Grey, noise: float, times: int = 1) -> bool:
    smooth: Grey = cv2.GaussianBlur(strength, (3, 3), 0) if max(strength.shape) > 40 else strength
    return float(cv2.minMaxLoc(smooth)[1]) >= times * max(_FAINTEST, _ABOVE_NOISE * noise)


def _cut_out(
    strength: Grey,
    digit: components.Digit | None,
    bright: bool,
    noise: float,
    origin: tuple[int, int] = (0, 0),
    characters: int | None = None,
) -> Ink:
    if digit is None:
        return Ink(
            strength, found=False, bright=bright, contrast=float(strength.max()), noise=noise
        )
    height, width = strength.shape
    level = quantile(strength[digit.mask > 0], 0.7)
    floor = round(0.4 * digit.faintest) if noise > 1 else 0
    image: Grey = cv2.convertScaleAbs(
        cv2.subtract(strength, floor), alpha=255 / max(level - floor, 1)
    )
    # the strokes' soft edges belong to them
    image = cv2.bitwise_and(image, cv2.dilate(digit.mask, _ALL_ROUND))
    if digit.seen is not None:
        image = cv2.max(image, digit.seen)
    x, y, w, h = cv2.boundingRect(cv2.threshold(image, 64, 255, cv2.THRESH_BINARY)[1])
    if max(w, h) < max(_LOWEST, _SMALLEST * max(height, width)):
        small = max(w, h) >= max(_DUST, _SMALLEST * max(height, width))
        return Ink(strength, found=False, small=small, bright=bright, contrast=level, noise=noise)
    image = np.ascontiguousarray(image[y : y + h, x : x + w])
    stroke, fill = stroke_width(image), cv2.mean(image)[0] / 255
    return Ink(
        image,
        bright=bright,
        box=(x + origin[0], y + origin[1], w, h),
        stroke=stroke,
        contrast=level,
        noise=noise,
        characters=characters or digit.characters,
        borders=int(x == 0) + int(y == 0) + int(x + w == width) + int(y + h == height),
        fill=fill,
        length=fill * min(w, h) / stroke,
        frame=max(height, width) <= _CROP and (x + w <= _EDGE * width or x >= (1 - _EDGE) * width),
    )
