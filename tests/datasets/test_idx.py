import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from digitcli.datasets.load import load_split
from digitcli.errors import DataError

IMAGES = np.arange(3 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
LABELS = np.array([7, 0, 9], np.uint8)


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    return (
        bytes([0, 0, kind, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def write(folder: Path, images: bytes, labels: bytes, prefix: str = "t10k") -> Path:
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(images)
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(labels)
    return folder


def test_plain_files_are_read(tmp_path: Path) -> None:
    data = load_split(write(tmp_path, idx(IMAGES), idx(LABELS)), "test")
    assert np.array_equal(data.images, IMAGES)
    assert data.labels.tolist() == [7, 0, 9]
    assert data.labels.dtype == np.int64


def test_gzipped_files_and_the_other_spelling_are_read(tmp_path: Path) -> None:
    (tmp_path / "train-images.idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx(LABELS))
    assert np.array_equal(load_split(tmp_path, "train").images, IMAGES)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no train-images-idx3-ubyte"):
        load_split(write(tmp_path, idx(IMAGES), idx(LABELS)), "train")


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        (idx(IMAGES)[:-1], idx(LABELS), "holds less than its header says"),
        (idx(IMAGES) + b"x", idx(LABELS), "holds more than its header says"),
        (idx(IMAGES)[:9], idx(LABELS), "no IDX file"),
        (b"", idx(LABELS), "no IDX file"),
        (idx(IMAGES, kind=13), idx(LABELS), "no IDX file of bytes in 3 dimensions"),
        (idx(LABELS), idx(LABELS), "no IDX file of bytes in 3 dimensions"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, idx(LABELS), "no data set of digits"),
        (idx(IMAGES), idx(LABELS[:2]), "labels must be 3 whole numbers"),
        (idx(IMAGES), idx(LABELS + 1), "labels must be 0 to 9, not 1 to 10"),
        (idx(IMAGES[:0]), idx(LABELS[:0]), "no pictures in it"),
        (idx(IMAGES[:, :27]), idx(LABELS), r"shape \(n, 28, 28\)"),
    ],
)
def test_what_lies_is_refused_by_name(
    tmp_path: Path, images: bytes, labels: bytes, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint) as caught:
        load_split(write(tmp_path, images, labels), "test")
    assert str(tmp_path) in str(caught.value)


def test_a_gzip_bomb_is_left_when_it_is_longer_than_its_header(tmp_path: Path) -> None:
    bomb = gzip.compress(idx(IMAGES) + bytes(200_000_000), compresslevel=1)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(bomb)
    with pytest.raises(DataError, match="holds more than its header says"):
        load_split(tmp_path, "test")


@pytest.mark.parametrize("content", [b"not gzip", gzip.compress(idx(IMAGES))[:-200]])
def test_a_broken_gzip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot read .*t10k-images"):
        load_split(tmp_path, "test")
