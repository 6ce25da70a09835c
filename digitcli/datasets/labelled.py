"""Images with their labels, as every reader of data sets returns them."""

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
        name: what messages call the data set.
        sources: the files.
        labels: one for each file, shape (n,), dtype int64: 0 to 9 or ``NO_DIGIT``.
        problems: places where images were expected, and in one line each why there are none.
        remarks: one line each about what was not used.

    """

    name: str
    sources: Sequence[Source]
    labels: NDArray[np.int64]
    problems: Sequence[tuple[str, str]] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Canvases and what they show.

    ``images`` has shape (n, 28, 28), dtype uint8, white ink on black; ``labels`` shape (n,), dtype
    int64, 0 to 9 or ``NO_DIGIT``.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: "slice | NDArray[np.intp] | NDArray[np.bool_]") -> "LabelledImages":
        return LabelledImages(self.images[rows], self.labels[rows])

    def digits(self) -> "LabelledImages":
        """Return those that show a digit."""
        return self[self.labels != NO_DIGIT]

    def digests(self) -> list[str]:
        """Return the SHA-256 of each canvas's pixels, in hexadecimal."""
        return [hashlib.sha256(image.tobytes()).hexdigest() for image in self.images]


def check_arrays(
    images: NDArray[np.generic], labels: NDArray[np.generic], source: str
) -> LabelledImages:
    """Make labelled images of two arrays from outside.

    Raises:
        DataError: they are not n 8-bit pictures of 28×28 and n whole numbers from 0 to 9;
            ``source`` is named.

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
