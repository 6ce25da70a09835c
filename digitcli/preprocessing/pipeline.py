"""One image's way from its file to the canvas that the network reads.

Classifying, evaluating, training and inspecting all read by `read_digit`, so what is measured and
trained is what is used. The stages, in their order:

1. decode the file, upright (`inputs.decoding`);
2. a glance at the whole image by the learned detector: where the characters are, how many there
   are, and how much ink each has (`detection`, `characters`);
3. a closer look at the surroundings of the main one;
4. there, measure how far each pixel stands out towards the ink's colour (`contrast`), and erase
   ruled lines (`ruled_lines`);
5. select the pixels that the detector marked as the main digit's (`strokes`) and cut them out
   (`ink`);
6. set them into the canvas as MNIST does (`framing`).

MNIST's own images and small crops on a flat background take a direct way (`crops`).
"""

import hashlib
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.architectures import CANVAS_SIDE
from digitcli.errors import ImageError
from digitcli.inputs.decoding import decode, holds_several
from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import MAX_PIXELS, Source, read_source, size_of
from digitcli.prediction import Reason
from digitcli.preprocessing.box import Box
from digitcli.preprocessing.characters import Characters, find_characters
from digitcli.preprocessing.contrast import measure_contrast
from digitcli.preprocessing.crops import CROP, find_ink_in_crop, recognise_mnist
from digitcli.preprocessing.detection import look
from digitcli.preprocessing.framing import to_canvas
from digitcli.preprocessing.ink import FEWEST, Ink, Invert, Seen, cut_out, no_ink
from digitcli.preprocessing.ruled_lines import without_lines
from digitcli.preprocessing.strokes import STRONG, select_strokes

# Of the main character's longer side: what is looked at closely around it.
_SURROUNDINGS = 2.0


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How images are to be read.

    Attributes:
        as_is: the image is MNIST's kind already: only make it grey and 28×28.
        invert: "yes" for dark ink on light, "no" for light ink on dark, "auto" to find out.
        max_pixels: an image with more is refused before it is decoded.
        can_raise_limit: whoever reads the errors can raise ``max_pixels``.
        keep_image: keep the decoded image in the reading, and what was seen on the way.
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
        return None if self.ink is None else self.ink.missing


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
        has_maps = ink.seen is not None and ink.seen.glance is not None
        if has_maps and not options.keep_image:
            ink = replace(ink, seen=None)  # up to 1.2 MB of each image of a batch
    return Reading(
        canvas,
        ink,
        image=image if options.keep_image else None,
        several=options.note_several and holds_several(content),
        digest=_digest(content) if options.with_digest else None,
    )


def find_ink(image: NDArray[np.uint8], *, invert: Invert = "auto") -> Ink:
    """Find the ink of the one digit in an image.

    Args:
        image: uint8 of shape (height, width) or (height, width, 3), upright.
        invert: for crops, "yes" for dark ink on a bright background, "no" for bright ink on a dark
            one, "auto" to find out. The detector sees both alike.

    """
    whole = Box.whole(image)
    longer = whole.longer
    is_line = min(image.shape[:2]) == 1
    if is_line or longer < FEWEST:
        return no_ink(_nothing_seen(image, whole), small=True)
    if longer <= CROP:
        ink = _read_crop(image, invert)
        if ink is not None:
            return ink
    glance = find_characters(look(image))
    if glance is None:
        return no_ink(_nothing_seen(image, whole))
    window = _surroundings_of_main(glance, whole)
    part = window.crop(image)
    closer = find_characters(look(part))
    if closer is None:
        return no_ink(_nothing_seen(part, window, glance))
    contrast = measure_contrast(part, closer.sight.ink)
    if contrast is None:
        return no_ink(_nothing_seen(part, window, glance))
    strength = without_lines(contrast.strength, STRONG)
    seen = Seen(strength, window, glance.sight, closer.sight)
    strokes = select_strokes(strength, closer.main_ink)
    if strokes is None:
        return no_ink(seen)
    return cut_out(
        strokes.image,
        seen,
        bright=contrast.bright,
        characters=glance.count,
        certainty=strokes.certainty,
    )


def _surroundings_of_main(glance: Characters, whole: Box) -> Box:
    """Return the part of the image that is to be looked at closely."""
    height, width = glance.sight.ink.shape
    main = glance.main_box.scaled(whole.width / width, whole.height / height)
    return main.surroundings(_SURROUNDINGS, (whole.height, whole.width))


def _nothing_seen(part: NDArray[np.uint8], window: Box, glance: Characters | None = None) -> Seen:
    strength = np.zeros(part.shape[:2], np.uint8)
    return Seen(strength, window, glance=None if glance is None else glance.sight)


def _read_crop(image: NDArray[np.uint8], invert: Invert) -> Ink | None:
    """Find the ink of a small crop without the detector; None where it has to be asked."""
    return recognise_mnist(_to_grey(image), invert) or find_ink_in_crop(image, invert)


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
    grey = _to_grey(image)
    if grey.shape != (CANVAS_SIDE, CANVAS_SIDE):
        grey = cv2.resize(grey, (CANVAS_SIDE, CANVAS_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def _to_grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8)
