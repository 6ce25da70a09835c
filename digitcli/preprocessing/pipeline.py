"""Read one picture: decode, find the ink, set it into the canvas. Classifying, evaluating and training all read so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitcli.errors import ImageError
from digitcli.inputs.decoding import decode, room_to_read
from digitcli.inputs.discovery import MAX_PIXELS, Source
from digitcli.preprocessing.framing import SIDE, to_canvas
from digitcli.preprocessing.ink import Ink, Invert, find_ink

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one picture.

    Attributes:
        canvas: uint8 of shape (28, 28), the digit as MNIST draws it, ink bright on black.
        ink: what was found on the way, or None where the picture was taken as it is.

    """

    canvas: NDArray[np.uint8]
    ink: Ink | None


def read_picture(
    source: bytes | Image.Image,
    *,
    as_is: bool = False,
    invert: Invert = "auto",
    max_pixels: int = MAX_PIXELS,
) -> Reading:
    """Read the picture of one digit.

    Args:
        source: a file's content, or a PIL image, which is left as it is.
        as_is: the picture is already MNIST's kind, framed and bright on black: only make it grey
            and 28×28.
        invert: "yes" for dark ink on a bright ground, "no" for bright ink on a dark ground, "auto"
            to find out.
        max_pixels: a picture with more than this is refused before it is decoded.

    Raises:
        ImageError: with one line, which does not name the file, where no picture can be had from
            it.

    """
    return read_decoded(decode(source, max_pixels=max_pixels), as_is=as_is, invert=invert)


def read_decoded(
    picture: NDArray[np.uint8], *, as_is: bool = False, invert: Invert = "auto"
) -> Reading:
    """Read a picture as ``decode`` gives it: uint8 of shape (height, width) or (height, width, 3)."""
    if as_is:
        return Reading(_as_it_is(picture), None)
    ink = find_ink(picture, invert=invert)
    return Reading(to_canvas(ink), ink)


def or_reason(read: Callable[[Source], T], source: Source) -> T | str:
    """Give what ``read`` makes of a source, or in one line why it cannot be read; large files wait for room."""
    try:
        with room_to_read(source):
            return read(source)
    except ImageError as error:
        return str(error)
    except Exception as error:  # a mistake of ours over one picture must not cost the others
        return f"failed while it was read ({type(error).__name__}: {error})"


def _as_it_is(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if grey.shape != (SIDE, SIDE):
        grey = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)
