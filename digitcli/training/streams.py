"""The random streams of a training run: one for each use, all from one seed."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """The uses of random numbers; new ones come last, so that the other streams stay the same."""

    DRAWN_DIGITS = 0
    NEGATIVES = 1
    ORDER = 2  # of the training images
    AUGMENTATION = 3  # of the training images
    STATISTICS = 4  # the images that the normalisation's statistics are computed from
    CHOICE = 5  # distorted validation images that the best epoch is chosen by
    TEMPERATURE = 6  # distorted validation images that the temperature is fitted to


def generator(seed: int, stream: Stream) -> np.random.Generator:
    """Return a generator at the beginning of a stream; streams are independent of each other."""
    return np.random.default_rng(np.random.SeedSequence(seed).spawn(len(Stream))[stream])
