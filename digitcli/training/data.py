"""What a run trains on, chooses by and is scored with: three splits that share no image."""

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

FEW = 5_000  # images; a network that learned from fewer alone reads worse than the bundled one


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The three splits, and for a warm start the part of one's own images that is only scored.

    Attributes:
        train: digits, and images labelled ``NO_DIGIT``.
        validation: digits, each there once.
        test: digits.
        own_validation: for a warm start, those of one's own images among ``validation``.
        own_test: for a warm start, one's own images that were kept aside; some may be labelled
            ``NO_DIGIT``.
        facts: what goes into the card: names, SHA-256 and counts.
        seen: the SHA-256 of one's own images among ``train`` and ``validation``.
        failures: the path and a one-line reason for each file that was left out.
        remarks: one line each about what was not used.

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
        """Return the validation images with one's own repeated, to weigh as much as MNIST's."""
        own = self.own_validation
        if own is None or not len(own):
            return self.validation
        times = (len(self.validation) - len(own)) // len(own) - 1
        return join(self.validation, *[own] * times)


def assemble(
    recipe: Recipe, data: Path | None, *, warm: bool, seen: frozenset[str] = frozenset()
) -> TrainingData:
    """Assemble the splits: MNIST's, or those of ``data``; a warm start mixes ``data`` into MNIST.

    Digits drawn by code and shapes that are no digits are added to what is trained on. ``seen`` are
    the digests of images that the network at the start has been trained on.

    Raises:
        DataError: the data cannot be read, or are too few to be divided.

    """
    if data is None:
        chosen = _mnist()
    elif warm:
        chosen = _mixed(recipe, _mnist(), data, seen)
    else:
        chosen = _own(data)
    count = len(chosen.train)
    digits = chosen.train.digits()
    drawn = draw_digits(
        round(recipe.drawn * count), digits, generator(recipe.seed, Stream.DRAWN_DIGITS)
    )
    no_digits = make_negatives(
        round(recipe.no_digits * count), digits, generator(recipe.seed, Stream.NEGATIVES)
    )
    facts = chosen.facts | {
        "train": count,
        "validation": len(chosen.validation),
        "test": len(chosen.test),
        "drawn_digits": len(drawn),
        "no_digits": len(no_digits),
    }
    return replace(chosen, train=join(chosen.train, drawn, no_digits), facts=facts)


def _mnist() -> TrainingData:
    splits = mnist.load_splits()
    facts = {"name": "MNIST", "sha256": mnist.SHA256}
    return TrainingData(splits.train, splits.validation, splits.test, facts=facts)


def _own(data: Path) -> TrainingData:
    """Divide one's own images alone; those kept aside are the test images."""
    own = _load(data, every_digit=True)
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


def _mixed(recipe: Recipe, base: TrainingData, data: Path, seen: frozenset[str]) -> TrainingData:
    """Mix one's own images into MNIST's, repeated so that they are ``recipe.own`` of the whole."""
    own = _load(data, every_digit=False, seen=seen)
    split = own.split
    if not len(split.train):
        raise DataError(f"{data}: no image is left to train on; add some")
    share = recipe.own / (1 - recipe.own)
    times = max(1, round(share * len(base.train) / len(split.train)))
    facts = {
        "name": f"MNIST and {data.name}",
        "sha256": {"MNIST": mnist.SHA256, data.name: digest(own.all)},
        **own.facts,
        "own_train": len(split.train),
        "own_validation": len(split.validation),
        "own_test": len(split.test),
    }
    remarks = own.remarks
    seen_before = sum(d in seen for d in split.test.digests)
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
    all: OwnImages
    split: OwnSplit
    facts: dict[str, Any]
    failures: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]

    @property
    def seen(self) -> frozenset[str]:
        return frozenset(self.split.train.digests) | frozenset(self.split.validation.digests)


def _load(data: Path, *, every_digit: bool, seen: frozenset[str] = frozenset()) -> _OwnData:
    """Load one's own images and divide them by their content."""
    given, failures, remarks = _load_split(data, "train")
    has_test = has_splits(data)
    own, test = given.distinct(), None
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
    """Load one split; also what could not be read, and remarks."""
    loaded = load_split(data, split)
    if not isinstance(loaded, LabelledFiles):
        return OwnImages(loaded, loaded.digests()), (), ()
    read = read_files(loaded)
    if not len(read.images):
        raise DataError(f"{data}: not one labelled image in it could be read")
    own = OwnImages(read.images, read.digests)
    return own, tuple(read.failures), tuple(loaded.remarks)


def join(*parts: LabelledImages) -> LabelledImages:
    """Put several sets of images into one."""
    return LabelledImages(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def digest(own: OwnImages) -> str:
    """Return the SHA-256 of distinct images and their labels, whatever their names and order."""
    pairs = zip(own.digests, own.images.labels.tolist(), strict=True)
    lines = [f"{label} {d}\n" for d, label in sorted(pairs)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
