"""The user's images divided by their content: each stays in its split when others are added."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitcli.datasets.labelled import DIGITS, NO_DIGIT, LabelledImages
from digitcli.errors import DataError

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
LEAST = 4  # images of a digit: two to train on, one for validation, one for testing


@dataclass(frozen=True, slots=True)
class OwnImages:
    """The user's images and the SHA-256 of each in hexadecimal: of its file, or of its pixels."""

    images: LabelledImages
    digests: list[str]

    def __len__(self) -> int:
        return len(self.digests)

    def take(self, rows: "NDArray[np.intp] | list[int]") -> "OwnImages":
        """Return the images in some rows."""
        chosen = np.array(rows, np.intp)
        return OwnImages(self.images[chosen], [self.digests[row] for row in chosen])

    def without(self, digests: Collection[str]) -> "OwnImages":
        """Return the images with other digests than the given ones."""
        return self.take([row for row, own in enumerate(self.digests) if own not in digests])

    def distinct(self) -> "OwnImages":
        """Return each image once, in the order of the digests; with two labels, once with each."""
        keys = zip(self.digests, self.images.labels.tolist(), strict=True)
        rows = {key: row for row, key in enumerate(keys)}
        return self.take([rows[key] for key in sorted(rows)])


@dataclass(frozen=True, slots=True)
class OwnSplit:
    """The splits of the user's images; ``moved`` of them are not in the split of their hash."""

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

    The lowest 20 % of all hashes are for testing and the next 10 % for validation, so an image's
    split does not depend on its name, its place or the other images. Where that leaves a digit
    without an image for validation or testing, its training images with the smallest hashes are
    moved there; where it leaves fewer than two to train on, those with the largest are moved back.
    Images that the network has been trained on are not held out.

    Args:
        own: the images, each of them once, in the order of their digests.
        name: of the data set, for messages.
        has_test: the data set has test images of its own, so none of these are held out.
        every_digit: images of all ten digits are required.
        seen: digests of images that the network has been trained on.

    Raises:
        DataError: there are too few images of a digit.

    """
    _refuse_too_few(own.images.labels, name, every_digit=every_digit)
    shares = {"test": 0.0 if has_test else TEST_SHARE, "validation": VALIDATION_SHARE}
    held_out = [split for split, share in shares.items() if share]
    train: list[int] = []
    validation: list[int] = []
    test: list[int] = []
    moved = 0
    for label in np.unique(own.images.labels).tolist():
        rows = np.flatnonzero(own.images.labels == label).tolist()
        is_seen = [own.digests[row] in seen for row in rows]
        by_hash = [_split_of_hash(own.digests[row], shares) for row in rows]
        splits = [
            "train" if split == "test" and known else split
            for split, known in zip(by_hash, is_seen, strict=True)
        ]
        if label != NO_DIGIT:
            _fill_splits(splits, is_seen, held_out)
        moved += sum(before != after for before, after in zip(by_hash, splits, strict=True))
        for row, split in zip(rows, splits, strict=True):
            if split == "test":
                test.append(row)
            elif split == "validation" and label != NO_DIGIT:
                validation.append(row)
            else:  # no answer to an image without a digit is right, so it cannot choose an epoch
                train.append(row)
    return OwnSplit(own.take(train), own.take(validation), own.take(test), moved)


def _split_of_hash(digest: str, shares: dict[str, float]) -> str:
    position = int(digest[:16], 16) / 2**64
    end = 0.0
    for split, share in shares.items():
        end += share
        if position < end:
            return split
    return "train"


def _fill_splits(splits: list[str], is_seen: list[bool], held_out: list[str]) -> None:
    """Move images of one digit, sorted by hash, so that no split goes without."""
    by_preference = sorted(range(len(splits)), key=lambda i: (is_seen[i], splits[i] != "train", i))
    for split in held_out:
        if split not in splits:
            spare = next(
                i for i in by_preference if splits[i] == "train" or splits.count(splits[i]) > 1
            )
            splits[spare] = split
    for i in reversed(range(len(splits))):
        if splits.count("train") >= LEAST - len(held_out):
            break
        if splits.count(splits[i]) > 1:
            splits[i] = "train"


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
