"""The forms of an image that programs may pass: paths, contents, open files, PIL images, arrays."""

import os
from collections.abc import Iterable, Iterator
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitcli.inputs.source import MAX_BYTES, Source

Picture: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image.Image | "
    "NDArray[Any]"
)


def to_source(picture: Picture) -> Source:
    """Return an image of any form as a source.

    Raises:
        TypeError: it is of none of these types.
        ValueError: it is an array of another shape, or with values out of range.

    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return Source("", bytes(picture))
    if isinstance(picture, Image.Image):
        return Source("", picture)
    if isinstance(picture, str | os.PathLike):
        return Source(os.fsdecode(picture))
    if hasattr(picture, "read"):
        content = picture.read(MAX_BYTES + 1)
        if not isinstance(content, bytes):
            raise TypeError("a file of a picture must be opened in binary mode")
        return Source("", content)
    if hasattr(picture, "__array__"):
        return Source("", Image.fromarray(to_bytes(np.asarray(picture))))
    raise TypeError(
        f"{type(picture).__name__} is no picture: give a path, bytes, an open file, a PIL image or "
        "an array"
    )


def to_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an array as uint8 of shape (height, width), (height, width, 3) or (height, width, 4).

    Args:
        array: of one of these shapes, or (height, width, 1); bool, integers in [0, 255], or floats
            in [0, 1], or in [0, 255] where one is above 1.

    Raises:
        TypeError: its values are not numbers.
        ValueError: it is of another shape, or its values are out of range.

    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not is_image or 0 in array.shape:
        may_be_several = array.ndim in (3, 4)
        several = ", several pictures: give them to classify_many" if may_be_several else ""
        raise ValueError(
            f"an array of shape {array.shape} is no picture{several}; one has the shape "
            "(height, width), (height, width, 3) or (height, width, 4)"
        )
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"an array of {array.dtype} is no picture; give numbers")
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 255):  # NaN fails both comparisons
        raise ValueError(
            f"an array with values from {low:g} to {high:g} is no picture; they must be in "
            "[0, 255], or floats in [0, 1]"
        )
    is_share = array.dtype.kind == "f" and high <= 1
    scale = 255 if is_share else 1
    scaled: NDArray[np.uint8] = np.rint(array * scale).astype(np.uint8)
    return scaled


def to_sources(pictures: Iterable[Picture]) -> Iterator[Source]:
    """Return images of any form as sources; an object that is no image is one with that problem.

    Raises:
        TypeError: ``pictures`` is a single image.

    """
    single = isinstance(pictures, str | bytes | bytearray | memoryview | os.PathLike | Image.Image)
    if single or hasattr(pictures, "read"):
        raise TypeError(
            f"{type(pictures).__name__} is one picture; give several, such as a list of paths"
        )
    if isinstance(pictures, np.ndarray) and pictures.ndim == 2:
        raise TypeError("an array of two dimensions is one picture; give several")
    return map(_to_source_or_problem, pictures)


def _to_source_or_problem(picture: Picture) -> Source:
    try:
        return to_source(picture)
    except (TypeError, ValueError, OSError) as error:
        return Source("", problem=str(error))
