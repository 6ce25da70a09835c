"""MNIST, which comes with the package.

Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits. See MNIST.txt beside
the data.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from digitcli.datasets.labelled import LabelledImages
from digitcli.datasets.npz import read_npz
from digitcli.errors import DataError

PATH = Path(__file__).with_name("mnist.npz")
SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"
VALIDATION = 5_000  # images


@dataclass(frozen=True, slots=True)
class Splits:
    """The splits of a data set; no image is in two of them."""

    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages


def load_splits() -> Splits:
    """Load MNIST's splits: 55,000 images for training, 5,000 for validation, 10,000 for testing.

    The validation images are the last 5,000 of MNIST's training images.

    Raises:
        DataError: the file in the package is not the one that was published with it.

    """
    _check()
    train = read_npz(PATH, "train")
    return Splits(train[:-VALIDATION], train[-VALIDATION:], read_npz(PATH, "test"))


def load_test() -> LabelledImages:
    """Load MNIST's 10,000 test images.

    Raises:
        DataError: the file in the package is not the one that was published with it.

    """
    _check()
    return read_npz(PATH, "test")


def _check() -> None:
    try:
        content = PATH.read_bytes()
    except OSError as error:
        raise DataError(
            f"cannot read {PATH}: {error.strerror or error}; install digitcli again"
        ) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DataError(f"{PATH} is damaged (SHA-256 differs); install digitcli again")
