"""The ink of one digit: bright strokes on black, whatever the image was, and what else was seen."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.prediction import Reason
from digitcli.preprocessing.box import Box
from digitcli.preprocessing.detection import Sight

Invert = Literal["auto", "yes", "no"]
Grey = NDArray[np.uint8]

FILLED = 64  # of 255, from which a pixel belongs to the digit's box
NOWHERE = Box(0, 0, 0, 0)
# Pixels of the longer side; with fewer no digit can be told from another.
FEWEST = 7


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
        small: there is some, or room for some, but of too few pixels to tell a digit.
        bright: the ink is brighter than its background.
        box: around the ink, in the decoded image; empty where there is none.
        stroke: the mean width of the strokes in pixels of ``image``.
        characters: number of characters in view.
        certainty: mean probability, by the detector, that the ink is a digit's; 1 where it was not
            asked.
        seen: what the reader saw on its way; None where its maps were not to be kept.

    """

    image: Grey
    framed: bool = False
    found: bool = True
    small: bool = False
    bright: bool = True
    box: Box = NOWHERE
    stroke: float = 0.0
    characters: int = 1
    certainty: float = 1.0
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
    *,
    bright: bool,
    characters: int = 1,
    certainty: float = 1.0,
) -> Ink:
    """Cut the digit's ink out of its window and measure it.

    Args:
        image: uint8 of the window's shape, ink bright on black, nothing but the digit's.
        seen: what was seen on the way; its window says where ``image`` lies.
        bright: the ink is brighter than its background.
        characters: number of characters in view.
        certainty: mean probability that the ink is a digit's.

    """
    box = Box.around(cv2.threshold(image, FILLED, 255, cv2.THRESH_BINARY)[1])
    if box.longer < FEWEST:
        return no_ink(seen, small=True)
    ink = box.crop(image)
    return Ink(
        ink,
        bright=bright,
        box=box.moved(seen.window.left, seen.window.top),
        stroke=stroke_width(ink),
        characters=characters,
        certainty=certainty,
        seen=seen,
    )


def stroke_width(image: Grey) -> float:
    """Return the mean width of strokes in pixels: twice their area by their outline.

    Both are measured on the grey levels.
    """
    padded = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT).astype(np.float32)
    corner = padded[:-1, :-1]
    across = padded[:-1, 1:] - corner
    down = padded[1:, :-1] - corner
    outline: float = cv2.sumElems(cv2.magnitude(across, down))[0]
    area: float = cv2.sumElems(padded)[0]
    return 2 * area / outline if outline else 0.0
