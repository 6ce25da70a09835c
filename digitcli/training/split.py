"""One's own images divided by their content, so that each keeps its side whatever is added."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import DIGITS, NO_DIGIT, LabelledImages
from digitcli.errors import DataError

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
LEAST = 4  # images of a digit: two to train on, one to choose the epoch by, one to score with


@dataclass(frozen=True, slots=True)
class OwnImages:
    """One's own images and the SHA-256 of each in hexadecimal.

    It is that of the file, or of the pixels where there is no file.
    """

    images: LabelledImages
    digests: list[str]

    def __len__(self) -> int:
        return len(self.digests)

    def take(self, rows: "NDArray[np.intp] | list[int]") -> "OwnImages":
        """Return the images of some rows."""
        chosen = np.array(rows, np.intp)
        return OwnImages(self.images[chosen], [self.digests[row] for row in chosen])

    def without(self, digests: Collection[str]) -> "OwnImages":
        """Return those that are not among the given ones."""
        return self.take([row for row, d in enumerate(self.digests) if d not in digests])

    def distinct(self) -> "OwnImages":
        """Return each image once, in the order of the digests; with two labels, once with each."""
        keys = zip(self.digests, self.images.labels.tolist(), strict=True)
        rows = {key: row for row, key in enumerate(keys)}
        return self.take([rows[key] for key in sorted(rows)])


@dataclass(frozen=True, slots=True)
class OwnSplit:
    """The sides of one's own images; ``moved`` of them are not on the side of their hash."""

    train: OwnImages
    validation: OwnImages
    test: OwnImages
    moved: int


def split_by_content(
    own: OwnImages,
    name: str,
    *,
    has_test: bool,
    every_digit: bool,
    seen: Collection[str] = frozenset(),
) -> OwnSplit:
    """Divide images, as `OwnImages.distinct` returns them, by their hashes.

    Of all hashes the lowest 20 % are for testing and the next 10 % for validation, so an image's
    side does not depend on its name, on its place or on the others. Where that leaves a digit
    without an image to validate or test with, those of its training images with the smallest hashes
    are moved there; where it leaves fewer than two to train on, those with the largest are moved
    back. What the network has learned already is not kept aside.

    Args:
        own: the images, each of which is there once, in the order of their digests.
        name: of the data set, for messages.
        has_test: the data set has test images of its own, so none of these is kept aside.
        every_digit: all ten digits must be there.
        seen: digests of images that the network has been trained on already.

    Raises:
        DataError: there are too few images of a digit.

    """
    _refuse_too_few(own.images.labels, name, every_digit=every_digit)
    shares = {"test": 0.0 if has_test else TEST_SHARE, "validation": VALIDATION_SHARE}
    train: list[int] = []
    validation: list[int] = []
    test: list[int] = []
    moved = 0
    for label in np.unique(own.images.labels).tolist():
        rows = np.flatnonzero(own.images.labels == label).tolist()
        by_hash = [_side(own.digests[row], shares) for row in rows]
        learned = [own.digests[row] in seen for row in rows]
        sides = [
            "train" if side == "test" and known else side
            for side, known in zip(by_hash, learned, strict=True)
        ]
        if label != NO_DIGIT:
            _fill(sides, learned, [side for side, share in shares.items() if share])
        moved += sum(a != b for a, b in zip(by_hash, sides, strict=True))
        for row, side in zip(rows, sides, strict=True):
            if side == "test":
                test.append(row)
            elif side == "validation" and label != NO_DIGIT:
                validation.append(row)
            else:  # an image without a digit cannot choose an epoch: no answer to it is right
                train.append(row)
    return OwnSplit(own.take(train), own.take(validation), own.take(test), moved)


def _side(digest: str, shares: dict[str, float]) -> str:
    position = int(digest[:16], 16) / 2**64
    end = 0.0
    for side, share in shares.items():
        end += share
        if position < end:
            return side
    return "train"


def _fill(sides: list[str], learned: list[bool], wanted: list[str]) -> None:
    """Move images of one digit, sorted by hash, so that no side goes without."""
    candidates = sorted(range(len(sides)), key=lambda i: (learned[i], sides[i] != "train", i))
    for side in wanted:
        if side not in sides:
            spare = next(i for i in candidates if sides[i] == "train" or sides.count(sides[i]) > 1)
            sides[spare] = side
    for i in reversed(range(len(sides))):
        if sides.count("train") >= LEAST - len(wanted):
            break
        if sides.count(sides[i]) > 1:
            sides[i] = "train"


def _refuse_too_few(labels: NDArray[np.int64], name: str, *, every_digit: bool) -> None:
    counts = np.bincount(labels[labels != NO_DIGIT], minlength=DIGITS)
    few = [
        str(digit)
        for digit in range(DIGITS)
        if counts[digit] < LEAST and (every_digit or counts[digit])
    ]
    if few:
        raise DataError(
            f"{name}: {', '.join(few)}: fewer than {LEAST} different images that can be read; add "
            "some"
        )
