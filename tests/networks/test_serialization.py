"""Networks as files; a stranger's HDF5 is refused unless it holds plainly what Keras writes."""

import io
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from digitcli.networks import lenet5
from digitcli.networks.serialization import (
    check_keras_weights,
    load_keras_weights,
    to_keras_weights,
    to_tflite,
)
from digitcli.runtime import Model
from digitcli.weights_folder import open_weights

PICTURES = np.random.default_rng(1).random((50, 28, 28, 1), np.float32)


@pytest.mark.parametrize("n", [1, 2, 50])
def test_litert_answers_as_keras_for_any_number_of_pictures(network, n):
    model = Model(to_tflite(network), "it")
    np.testing.assert_allclose(model.run(PICTURES[:n]), network(PICTURES[:n]).numpy(), atol=1e-5)


def test_weights_come_back_from_their_file_as_they_went(network):
    other = lenet5.build()
    load_keras_weights(other, to_keras_weights(network))
    for ours, theirs in zip(other.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_that_holds_no_weights_is_refused(network):
    with pytest.raises(ValueError, match="not weights"):
        load_keras_weights(network, b"no HDF5")


SHAPES = [(3, 4), (4,)]


def file(change: Callable[[h5py.File], object] = lambda _: None) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as hdf5:
        hdf5.create_dataset("layers/a/vars/0", data=np.zeros((3, 4), np.float32))
        hdf5.create_dataset("layers/a/vars/1", data=np.zeros(4, np.float32))
        change(hdf5)
    return content.getvalue()


def renamed(make: Callable[[h5py.File], object]) -> Callable[[h5py.File], object]:
    """Put something else in the place of an array."""

    def change(hdf5: h5py.File) -> None:
        del hdf5["layers/a/vars/1"]
        make(hdf5)

    return change


def test_what_keras_writes_is_let_through() -> None:
    check_keras_weights(file(), SHAPES)
    with pytest.raises(ValueError, match="not those of the network"):
        check_keras_weights(open_weights("lenet5").keras_weights(), SHAPES)


def loop(hdf5: h5py.File) -> None:
    hdf5["layers/loop"] = hdf5["layers"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            renamed(lambda f: f.__setitem__("b", h5py.ExternalLink("/etc/passwd", "/"))),
            "'b' is a link",
        ),
        (renamed(lambda f: f.__setitem__("b", h5py.SoftLink("/layers"))), "'b' is a link"),
        (
            renamed(lambda f: f.create_dataset("b", (4,), np.float32, external=[("other", 0, 16)])),
            "elsewhere",
        ),
        (
            renamed(lambda f: f.create_dataset("b", (4,), np.float32, compression="gzip")),
            "elsewhere or packed",
        ),
        (
            renamed(lambda f: f.create_dataset("b", (1 << 40,), np.float32)),
            "not those of the network",
        ),
        (
            renamed(lambda f: f.create_dataset("b", (4,), h5py.string_dtype())),
            "no array of 32-bit floats",
        ),
        (lambda f: f.create_dataset("b", (4,), np.float32), "not those of the network"),
        (loop, "too many objects"),
    ],
)
def test_anything_else_is_refused(
    change: Callable[[h5py.File], object], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_keras_weights(file(change), SHAPES)


@pytest.mark.parametrize("content", [b"", b"no HDF5", file()[:100]])
def test_what_is_no_hdf5_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no file of weights"):
        check_keras_weights(content, SHAPES)
