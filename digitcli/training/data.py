"""What a run trains on, chooses by and is scored with: three parts that share no picture."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitcli.datasets import mnist
from digitcli.datasets.idx import holds_idx
from digitcli.datasets.labelled import DIGITS, LabelledImages
from digitcli.errors import DataError
from digitcli.preprocessing.labelled_files import load_images
from digitcli.synthesis.digits import drawn_digits
from digitcli.synthesis.negatives import shapes
from digitcli.training.recipe import Recipe

LEAST = 4  # pictures of a digit: two to train on, one to choose by, one to score with
_VALIDATION, _TEST = 0.1, 0.2


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The three parts, and for a warm start the part of one's own pictures that is only scored.

    ``facts`` goes into the card: names, SHA-256 and counts.
    """

    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    own_test: LabelledImages | None
    facts: dict[str, Any]
    failures: tuple[tuple[str, str], ...] = ()


def assemble(recipe: Recipe, data: Path | None, *, warm: bool) -> TrainingData:
    """Assemble the splits: MNIST's, or those of ``data``; a warm start mixes ``data`` into MNIST.

    Digits drawn by code and shapes that are no digits are added to what is trained on.

    Raises:
        DataError: the data cannot be read, or are too few to be divided.
    """
    rng = np.random.default_rng(recipe.seed)
    base = mnist.load_splits()
    facts: dict[str, Any] = {"name": "MNIST", "sha256": mnist.SHA256}
    train, validation, test, own_test = base.train, base.validation, base.test, None
    failures: tuple[tuple[str, str], ...] = ()
    if data is not None:
        pictures = load_images(data, "train")
        failures = tuple(pictures.failures)
        has_test = data.is_file() or holds_idx(data)
        own_train, own_validation, own_test = divide(
            pictures, str(data), rng, test=0 if has_test else _TEST, every_digit=not warm
        )
        if has_test:
            own_test = load_images(data, "test")
        facts = {"name": data.name, "sha256": digest(pictures)}
        if warm:
            times = max(1, round(recipe.own / (1 - recipe.own) * len(train) / len(own_train)))
            train = join(train, *[own_train] * times)
            validation = join(
                validation, *[own_validation] * max(1, len(validation) // len(own_validation))
            )
            facts = {
                "name": f"MNIST and {data.name}",
                "sha256": {"MNIST": mnist.SHA256, data.name: facts["sha256"]},
            }
            facts |= {
                "own_train": len(own_train),
                "own_validation": len(own_validation),
                "own_test": len(own_test),
            }
        else:
            train, validation, test, own_test = own_train, own_validation, own_test, None
    count = len(train)
    drawn = drawn_digits(round(recipe.drawn * count), rng)
    no_digits = shapes(round(recipe.no_digits * count), train, rng)
    facts |= {"train": count, "validation": len(validation), "test": len(test)}
    facts |= {"drawn_digits": len(drawn), "no_digits": len(no_digits)}
    return TrainingData(join(train, drawn, no_digits), validation, test, own_test, facts, failures)


def divide(
    pictures: LabelledImages,
    source: str,
    rng: np.random.Generator,
    *,
    test: float,
    every_digit: bool,
) -> tuple[LabelledImages, LabelledImages, LabelledImages]:
    """Divide images at random into train, validation and test, each digit by itself.

    A tenth is for validation, a share ``test`` for testing.

    Raises:
        DataError: there are too few pictures of a digit.
    """
    counts = np.bincount(pictures.labels, minlength=DIGITS)
    few = [
        str(digit)
        for digit in range(DIGITS)
        if counts[digit] < LEAST and (every_digit or counts[digit])
    ]
    if few:
        raise DataError(
            f"{source}: {', '.join(few)}: fewer than {LEAST} pictures that can be read; add some"
        )
    parts: tuple[list[np.intp], list[np.intp], list[np.intp]] = ([], [], [])
    for digit in np.flatnonzero(counts):
        rows = rng.permutation(np.flatnonzero(pictures.labels == digit))
        validation = max(1, round(_VALIDATION * len(rows)))
        scored = max(1, round(test * len(rows))) if test else 0
        ends = [len(rows) - scored - validation, len(rows) - scored]
        for part, chosen in zip(parts, np.split(rows, ends), strict=True):
            part.extend(chosen)
    train, validate, score = (
        LabelledImages(pictures.images[part], pictures.labels[part]) for part in parts
    )
    return train, validate, score


def join(*parts: LabelledImages) -> LabelledImages:
    """Put several sets of pictures into one."""
    return LabelledImages(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def digest(pictures: LabelledImages) -> str:
    """Give the SHA-256 of pictures and labels, whatever files they came from."""
    return hashlib.sha256(pictures.images.tobytes() + pictures.labels.tobytes()).hexdigest()
