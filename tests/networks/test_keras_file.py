"""A stranger's HDF5 file is refused unless it holds plainly what Keras writes."""

import io
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from digitcli.networks.keras_file import check
from digitcli.weights_folder import open_weights

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
    check(file(), SHAPES)
    with pytest.raises(ValueError, match="not those of the network"):
        check(open_weights("lenet5").keras_weights(), SHAPES)


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
        check(file(change), SHAPES)


@pytest.mark.parametrize("content", [b"", b"no HDF5", file()[:100]])
def test_what_is_no_hdf5_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no file of weights"):
        check(content, SHAPES)
