"""The ink of one digit: bright strokes on black, whatever the image was, and what else was seen."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.prediction import Reason
from digitcli.preprocessing.box import Box
from digitcli.preprocessing.detection import Sight

# images are read in parallel; OpenCV's own threads would only get in the way
Invert = Literal["auto", "yes", "no"]
Grey = NDArray[np.uint8]

_FILLED = 64  # of 255, from which a pixel belongs to the digit's box
_SMALLEST = 0.03  # of the image's longer side; less is dust
_LOWEST = 7  # pixels; fewer are dust too, as no digit can be told from another
_DUST = 4  # pixels; fewer are not even a digit that is too small


@dataclass(frozen=True, slots=True)
class Seen:
    """What the reader saw on its way, for ``inspect``.

    Attributes:
        strength: uint8, how far each pixel of the window stands out from the background.
        window: the part of the image in which the ink was found.
        glance: the detector's maps of the whole image; None where it was not asked.
        closer: its maps of the window.

    """

    strength: Grey
    window: Box
    glance: Sight | None = None
    closer: Sight | None = None


@dataclass(frozen=True, slots=True)
class Ink:
    """The ink of one digit and what was seen while finding it.

    Attributes:
        image: uint8, ink bright on black, cut out to the digit's box; the whole canvas where
            ``framed``.
        framed: the image is framed as MNIST frames its digits, ``image`` is the canvas itself.
        found: there is ink.
        small: there is some, or room for some, but too few pixels of it to tell a digit.
        bright: the ink is brighter than its background.
        box: left, top, width, height in the decoded image.
        stroke: the mean width of the strokes in pixels of ``image``.
        contrast: how far the ink stands out from its background, in grey levels.
        noise: standard deviation of the background, in grey levels; 0 where it was not asked.
        characters: number of characters in view.
        borders: on how many of the image's four sides the ink lies.
        certainty: mean probability, by the detector, that the ink is a digit's; 1 where it was not
            asked.
        fill: share of the box that is ink.
        length: how long all strokes are together, as a multiple of the box's longer side.
        frame: the ink is just a bar along a side of a small crop, as the remains of a form's frame
            are.
        seen: what the reader saw on its way, where that was to be kept.

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
    certainty: float = 1.0
    borders: int = 0
    fill: float = 0.0
    length: float = 0.0
    frame: bool = False
    seen: Seen | None = None

    @property
    def missing(self) -> Reason | None:
        """Why there is no ink to read, where there is none."""
        if self.found:
            return None
        return Reason.SMALL if self.small else Reason.NO_INK


def no_ink(seen: Seen, *, small: bool = False) -> Ink:
    """Return that there is no ink, or too few pixels of it."""
    return Ink(seen.strength, found=False, small=small, seen=seen)


def cut_out(
    image: Grey,
    seen: Seen,
    shape: tuple[int, ...],
    *,
    bright: bool,
    contrast: float,
    characters: int,
    certainty: float = 1.0,
    noise: float = 0.0,
) -> Ink:
    """Cut the digit's ink out of its window and measure it.

    Args:
        image: uint8 of the window's shape, ink bright on black, nothing but the digit's.
        seen: what was seen on the way; its window says where ``image`` lies.
        shape: height and width of the whole image.
        bright: the ink is brighter than its background.
        contrast: how far it stands out, in grey levels.
        characters: number of characters in view.
        certainty: mean probability that the ink is a digit's.
        noise: standard deviation of the background.

    """
    x, y, width, height = cv2.boundingRect(cv2.threshold(image, _FILLED, 255, cv2.THRESH_BINARY)[1])
    least = _SMALLEST * max(shape[:2])
    if max(width, height) < max(_LOWEST, least):
        return no_ink(seen, small=max(width, height) >= max(_DUST, least))
    ink = np.ascontiguousarray(image[y : y + height, x : x + width])
    x, y = x + seen.window.left, y + seen.window.top
    stroke, fill = stroke_width(ink), cv2.mean(ink)[0] / 255
    return Ink(
        ink,
        bright=bright,
        box=(x, y, width, height),
        stroke=stroke,
        contrast=contrast,
        noise=noise,
        characters=characters,
        certainty=certainty,
        borders=int(x == 0)
        + int(y == 0)
        + int(x + width == shape[1])
        + int(y + height == shape[0]),
        fill=fill,
        length=fill * min(width, height) / stroke,
        seen=seen,
    )


def stroke_width(image: Grey) -> float:
    """Return the mean width of strokes in pixels: twice their area by their outline.

    Both are measured on the grey levels.
    """
    padded = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT).astype(np.float32)
    corner = padded[:-1, :-1]
    across, down = padded[:-1, 1:] - corner, padded[1:, :-1] - corner
    outline: float = cv2.sumElems(cv2.magnitude(across, down))[0]
    return 2 * float(cv2.sumElems(padded)[0]) / outline if outline else 0.0
