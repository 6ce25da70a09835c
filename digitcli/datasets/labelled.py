"""Images with their labels, as every reader of data sets returns them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from digitcli.errors import DataError
from digitcli.inputs.source import Source

DIGITS = 10

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """Image files that are yet to be read, and their labels.

    ``name`` is what error messages call the data set; ``labels`` has shape (n,), dtype int64, each
    0 to 9, one for each of the ``sources``.
    """

    name: str
    sources: Sequence[Source]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """28×28 pictures, white ink on black, and what they show.

    ``images`` has shape (n, 28, 28), dtype uint8; ``labels`` shape (n,), dtype int64, each 0 to 9.
    ``paths`` names the pictures where they came from files; ``failures`` holds a path and a
    one-line reason for each file that could not be read.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    paths: Sequence[str] = field(default=())
    failures: Sequence[tuple[str, str]] = field(default=())

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice) -> "LabelledImages":
        return LabelledImages(self.images[rows], self.labels[rows], self.paths[rows])


def check_arrays(
    images: NDArray[np.generic], labels: NDArray[np.generic], source: str
) -> LabelledImages:
    """Make labelled pictures of two arrays from outside.

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
