"""What is taken for an image, as the bytes that it is read from."""

import numpy as np
import pytest

from digitcli.inference.pictures import to_bytes

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize(
    "array",
    [
        RAMP,
        RAMP[:, :, np.newaxis],
        RAMP.astype(np.int64),
        RAMP.astype(np.float64),
        RAMP / 255,
        RAMP / np.float32(255),
    ],
    ids=["uint8", "one channel", "int64", "float", "share", "float32 share"],
)
def test_every_grey_level_is_the_same_in_any_type(array: np.ndarray) -> None:
    np.testing.assert_array_equal(to_bytes(array), RAMP)


def test_true_is_white() -> None:
    np.testing.assert_array_equal(to_bytes(RAMP > 100), 255 * (RAMP > 100))
