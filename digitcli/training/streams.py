"""The random streams of a training run: one seed, and a stream of its own for each use."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What random numbers are drawn for. A new use comes last, so that the others stay the same."""

    DRAWN_DIGITS = 0
    NEGATIVES = 1
    ORDER = 2  # of the training images
    AUGMENTATION = 3  # of the training images
    STATISTICS = 4  # the images that the normalisation's statistics are computed from
    CHOICE = 5  # distorted validation images that the best epoch is chosen by
    TEMPERATURE = 6  # distorted validation images that the temperature is fitted to


def generator(seed: int, stream: Stream) -> np.random.Generator:
    """Return the generator of one stream from its beginning; streams are independent."""
    return np.random.default_rng(np.random.SeedSequence(seed).spawn(len(Stream))[stream])
