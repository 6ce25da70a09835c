"""The data of a training run: train, validation and test images, of which none are the same."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from digitcli.datasets import mnist
from digitcli.datasets.labelled import LabelledFiles, LabelledImages, Split
from digitcli.datasets.load import has_splits, load_split
from digitcli.errors import DataError
from digitcli.preprocessing.labelled_files import read_files
from digitcli.synthesis.negatives import make_negatives
from digitcli.synthesis.styles import draw_digits
from digitcli.training.recipe import Recipe
from digitcli.training.split import OwnImages, OwnSplit, split_by_content
from digitcli.training.streams import Stream, generator

FEW = 5_000  # images; a network trained on fewer alone reads worse than the bundled one


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The three splits, and for a warm start the user's images that are only used for scoring.

    Attributes:
        train: digits, and images labelled ``NO_DIGIT``.
        validation: digits, each of them once.
        test: digits.
        own_validation: for a warm start, the user's images among ``validation``.
        own_test: for a warm start, the user's images that were held out; some may be labelled
            ``NO_DIGIT``.
        facts: names, SHA-256 and counts, for the model card.
        seen: the SHA-256 of the user's images among ``train`` and ``validation``.
        failures: the path and a one-line reason for each file that was left out.
        remarks: one-line messages about data that were not used.

    """

    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    own_validation: LabelledImages | None = None
    own_test: LabelledImages | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    failures: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()

    def balanced_validation(self) -> LabelledImages:
        """Return the validation images with the user's repeated, to weigh as much as MNIST's."""
        own = self.own_validation
        if own is None or not len(own):
            return self.validation
        count_of_mnist = len(self.validation) - len(own)
        copies = count_of_mnist // len(own) - 1  # besides those in the validation images
        return join(self.validation, *[own] * copies)


def assemble(
    recipe: Recipe, data: Path | None, *, warm: bool, seen: frozenset[str] = frozenset()
) -> TrainingData:
    """Assemble the splits: MNIST's, or those of ``data``; a warm start mixes ``data`` into MNIST.

    Drawn digits and negatives are added to the training images. ``seen`` are the digests of images
    that the network was trained on before this run.

    Raises:
        DataError: the data cannot be read, or are too few to be divided.

    """
    if data is None:
        splits = _load_mnist()
    elif warm:
        splits = _mix(recipe, _load_mnist(), data, seen)
    else:
        splits = _load_own_alone(data)
    count = len(splits.train)
    digits = splits.train.digits()
    drawn_count, negative_count = round(recipe.drawn * count), round(recipe.no_digits * count)
    drawn = draw_digits(drawn_count, digits, generator(recipe.seed, Stream.DRAWN_DIGITS))
    negatives = make_negatives(negative_count, digits, generator(recipe.seed, Stream.NEGATIVES))
    facts = splits.facts | {
        "train": count,
        "validation": len(splits.validation),
        "test": len(splits.test),
        "drawn_digits": len(drawn),
        "no_digits": len(negatives),
    }
    return replace(splits, train=join(splits.train, drawn, negatives), facts=facts)


def _load_mnist() -> TrainingData:
    splits = mnist.load_splits()
    facts = {"name": "MNIST", "sha256": mnist.SHA256}
    return TrainingData(splits.train, splits.validation, splits.test, facts=facts)


def _load_own_alone(data: Path) -> TrainingData:
    """Load the user's images alone; those held out are the test images."""
    own = _load_own(data, every_digit=True)
    split = own.split
    remarks = own.remarks
    if len(split.train) < FEW and not has_splits(data):
        remarks += (
            f"{len(split.train):,} images are few to learn from nothing: --from lenet5 goes on "
            "from the bundled network",
        )
    return TrainingData(
        split.train.images,
        split.validation.images,
        split.test.images.digits(),
        facts={"name": data.name, "sha256": digest(own.all), **own.facts},
        seen=own.seen,
        failures=own.failures,
        remarks=remarks,
    )


def _mix(recipe: Recipe, base: TrainingData, data: Path, seen: frozenset[str]) -> TrainingData:
    """Mix the user's images into MNIST's, repeated to be a share ``recipe.own`` of the whole."""
    own = _load_own(data, every_digit=False, seen=seen)
    split = own.split
    if not len(split.train):
        raise DataError(f"{data}: no image is left to train on; add some")
    ratio = recipe.own / (1 - recipe.own)  # of the user's images to MNIST's
    times = max(1, round(ratio * len(base.train) / len(split.train)))
    facts = {
        "name": f"MNIST and {data.name}",
        "sha256": {"MNIST": mnist.SHA256, data.name: digest(own.all)},
        **own.facts,
        "own_train": len(split.train),
        "own_validation": len(split.validation),
        "own_test": len(split.test),
    }
    remarks = own.remarks
    seen_before = sum(image_digest in seen for image_digest in split.test.digests)
    if seen_before:
        facts["own_test_seen_before"] = seen_before
        remarks += (
            f"{seen_before} of the {len(split.test)} images kept aside were trained on before: the "
            "figures of the weights it begins with are too good",
        )
    return TrainingData(
        join(base.train, *[split.train.images] * times),
        join(base.validation, split.validation.images),
        base.test,
        own_validation=split.validation.images,
        own_test=split.test.images,
        facts=facts,
        seen=own.seen,
        failures=own.failures,
        remarks=remarks,
    )


@dataclass(frozen=True, slots=True)
class _OwnData:
    """The user's images as they were loaded and divided; the rest is as in `TrainingData`."""

    all: OwnImages
    split: OwnSplit
    facts: dict[str, Any]
    failures: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]

    @property
    def seen(self) -> frozenset[str]:
        return frozenset(self.split.train.digests) | frozenset(self.split.validation.digests)


def _load_own(data: Path, *, every_digit: bool, seen: frozenset[str] = frozenset()) -> _OwnData:
    """Load the user's images and divide them by their content."""
    given, failures, remarks = _load_split(data, "train")
    own = given.distinct()
    test = None
    has_test = has_splits(data)
    if has_test:
        test, more_failures, _ = _load_split(data, "test")
        failures += more_failures
        own = own.without(frozenset(test.digests))
    split = split_by_content(own, str(data), has_test=has_test, every_digit=every_digit, seen=seen)
    facts = {}
    if len(given) > len(own):
        facts["copies_left_out"] = len(given) - len(own)
    if split.moved:
        facts["moved_for_want_of_others"] = split.moved
    if test is not None:
        split = replace(split, test=test)
    return _OwnData(own, split, facts, failures, remarks)


def _load_split(
    data: Path, split: Split
) -> tuple[OwnImages, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Load one split; return its images, the files that could not be read, and remarks."""
    loaded = load_split(data, split)
    if not isinstance(loaded, LabelledFiles):
        return OwnImages(loaded, loaded.digests()), (), ()
    read = read_files(loaded)
    if not len(read.images):
        raise DataError(f"{data}: not one labelled image in it could be read")
    own = OwnImages(read.images, read.digests)
    return own, tuple(read.failures), tuple(loaded.remarks)


def join(*parts: LabelledImages) -> LabelledImages:
    """Concatenate several sets of images."""
    return LabelledImages(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def digest(own: OwnImages) -> str:
    """Return the SHA-256 of distinct images and their labels, whatever their names and order."""
    pairs = zip(own.digests, own.images.labels.tolist(), strict=True)
    lines = [f"{label} {image_digest}\n" for image_digest, label in sorted(pairs)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
