"""Images with their labels, as all readers of data sets return them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from digitcli.errors import DataError
from digitcli.inputs.source import Source

DIGITS = 10
NO_DIGIT = -1  # the label of an image that shows no digit

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """Image files that are yet to be read, and their labels.

    Attributes:
        name: of the data set, for messages.
        sources: the n files.
        labels: int64 of shape (n,), 0 to 9 or ``NO_DIGIT``.
        problems: paths where images were expected, each with one line on why there are none.
        remarks: one-line messages about data that were not used.

    """

    name: str
    sources: Sequence[Source]
    labels: NDArray[np.int64]
    problems: Sequence[tuple[str, str]] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Canvases and their labels.

    Attributes:
        images: uint8 of shape (n, 28, 28), white ink on black.
        labels: int64 of shape (n,), 0 to 9 or ``NO_DIGIT``.

    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: "slice | NDArray[np.intp] | NDArray[np.bool_]") -> "LabelledImages":
        return LabelledImages(self.images[rows], self.labels[rows])

    def digits(self) -> "LabelledImages":
        """Return the images that show a digit."""
        return self[self.labels != NO_DIGIT]

    def digests(self) -> list[str]:
        """Return the SHA-256 of each canvas's pixels, in hexadecimal."""
        return [hashlib.sha256(image.tobytes()).hexdigest() for image in self.images]


def check_arrays(
    images: NDArray[np.generic], labels: NDArray[np.generic], source: str
) -> LabelledImages:
    """Check two arrays of a data set, and return them as labelled images.

    Raises:
        DataError: they are not n > 0 8-bit images of 28×28 and n integers from 0 to 9; the message
            names ``source``.

    """
    if images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise DataError(
            f"{source}: pictures must be uint8 of shape (n, 28, 28), "
            f"not {images.dtype} of {images.shape}"
        )
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise DataError(
            f"{source}: labels must be {len(images)} whole numbers, "
            f"not {labels.dtype} of shape {labels.shape}"
        )
    if len(labels) == 0:
        raise DataError(f"{source}: there are no pictures in it")
    if labels.min() < 0 or labels.max() >= DIGITS:
        raise DataError(f"{source}: labels must be 0 to 9, not {labels.min()} to {labels.max()}")
    return LabelledImages(images.astype(np.uint8), labels.astype(np.int64))
