"""One image's way from its file to the canvas that the network reads.

Classifying, evaluating, training and inspecting all read by `read_digit`, so what is measured and
trained is what is used.
"""

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.errors import ImageError
from digitcli.inputs.decoding import decode, holds_several
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import MAX_PIXELS, Source, read_source, size_of
from digitcli.prediction import Reason
from digitcli.preprocessing.framing import to_canvas
from digitcli.preprocessing.ink import Ink, Invert, find_ink


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How images are to be read.

    Attributes:
        as_is: the image is MNIST's kind already: only make it grey and 28×28.
        invert: "yes" for dark ink on light, "no" for light ink on dark, "auto" to find out.
        max_pixels: an image with more is refused before it is decoded.
        can_raise_limit: whoever reads the errors can raise ``max_pixels``.
        keep_image: keep the decoded image in the reading.
        note_several: find out whether the file holds further images.
        with_digest: compute the SHA-256 of the file's bytes.

    """

    as_is: bool = False
    invert: Invert = "auto"
    max_pixels: int = MAX_PIXELS
    can_raise_limit: bool = True
    keep_image: bool = False
    note_several: bool = False
    with_digest: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one image.

    Attributes:
        canvas: uint8 of shape (28, 28), the digit as MNIST draws it, ink bright on black.
        ink: what was found on the way, or None where the image was taken as it is.
        image: as decoded, upright: uint8 of shape (height, width) or (height, width, 3), where it
            was to be kept.
        several: the file holds further images, where that was asked.
        digest: the SHA-256 of the file's bytes in hexadecimal, where it was asked and there is one.

    """

    canvas: NDArray[np.uint8]
    ink: Ink | None
    image: NDArray[np.uint8] | None = None
    several: bool = False
    digest: str | None = None

    @property
    def missing(self) -> Reason | None:
        """Why there is nothing on the canvas to read, where there is nothing."""
        if self.ink is None or self.ink.found:
            return None
        return Reason.SMALL if self.ink.small else Reason.NO_INK


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that could not be read, and in one line why."""

    reason: str


def read_digit(source: Source, options: ReadingOptions, budget: MemoryBudget) -> Reading:
    """Read the image of one digit.

    Raises:
        ImageError: with one line, which does not name the file, where no image can be had from it.

    """
    content = read_source(source)
    image = decode(
        content,
        max_pixels=options.max_pixels,
        budget=budget,
        can_raise_limit=options.can_raise_limit,
    )
    if options.as_is:
        ink, canvas = None, _shrink_to_canvas(image)
    else:
        ink = find_ink(image, invert=options.invert)
        canvas = to_canvas(ink)
    return Reading(
        canvas,
        ink,
        image=image if options.keep_image else None,
        several=options.note_several and holds_several(content),
        digest=_digest(content) if options.with_digest else None,
    )


def try_reading(
    source: Source, options: ReadingOptions, budget: MemoryBudget
) -> Reading | Unreadable:
    """Read the image of one digit, or say why it cannot be read; large files wait for memory."""
    try:
        with budget.reserve_for_file(size_of(source)):
            return read_digit(source, options, budget)
    except ImageError as error:
        return Unreadable(str(error))
    except Exception as error:  # a mistake of ours over one image must not cost the others
        return Unreadable(f"failed while it was read ({type(error).__name__}: {error})")


def _digest(content: object) -> str | None:
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else None


def _shrink_to_canvas(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if grey.shape != (CANVAS_SIDE, CANVAS_SIDE):
        grey = cv2.resize(grey, (CANVAS_SIDE, CANVAS_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)
