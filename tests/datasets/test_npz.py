import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitcli.datasets.load import load_split
from digitcli.errors import DataError

IMAGES = np.zeros((3, 28, 28), np.uint8)
LABELS = np.array([1, 2, 3])


def write(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.int32])
def test_keras_layout_is_read(tmp_path: Path, dtype: type) -> None:
    data = load_split(write(tmp_path / "d.npz", x_test=IMAGES, y_test=LABELS.astype(dtype)), "test")
    assert data.images.shape == (3, 28, 28)
    assert data.labels.tolist() == [1, 2, 3]


def test_arrays_in_fortran_order_are_read_right(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    data = load_split(
        write(tmp_path / "d.npz", x_test=np.asfortranarray(images), y_test=LABELS), "test"
    )
    assert np.array_equal(data.images, images)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"y_test": LABELS}, "holds no x_test"),
        ({"x_test": IMAGES}, "holds no y_test"),
        ({"x_test": IMAGES, "y_test": LABELS.astype(float)}, "labels must be 3 whole numbers"),
        ({"x_test": IMAGES, "y_test": LABELS - 2}, "labels must be 0 to 9"),
        ({"x_test": IMAGES.astype(np.float32), "y_test": LABELS}, "must be uint8"),
        ({"x_test": IMAGES[0], "y_test": LABELS}, r"of shape \(n, 28, 28\)"),
        (
            {"x_test": np.array([{"a": 1}]), "y_test": LABELS},
            "Python objects, which are never loaded",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    tmp_path: Path, arrays: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        load_split(write(tmp_path / "d.npz", **arrays), "test")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("x_test.npy", "w") as stream,
    ):
        for _ in range(1100):
            stream.write(bytes(1 << 20))
    with pytest.raises(DataError, match="larger than 1 GiB"):
        load_split(path, "test")


def test_a_header_that_claims_more_than_there_is_allocates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 28, 28)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_test.npy", header.getvalue() + bytes(100))
    with pytest.raises(DataError, match="claims more than it holds"):
        load_split(path, "test")


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "d.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"d\.npz cannot be read"):
        load_split(path, "test")


def test_an_array_without_its_magic_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_test.npy", b"hello")
    with pytest.raises(DataError, match=r"d\.npz cannot be read"):
        load_split(path, "test")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_within_packed_data_is_refused(method: int, tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("x_test.npy", np.random.default_rng(0).bytes(1000))
    data = bytearray(path.read_bytes())
    data[60:900] = b"\xff" * 840
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"d\.npz cannot be read"):
        load_split(path, "test")
