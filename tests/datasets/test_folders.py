import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reading import read_content

from digitcli.datasets.mnist import load_test
from digitcli.errors import DataError
from digitcli.preprocessing.labelled_files import load_images


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred of MNIST's test images as PNG files, in class folders."""
    root = tmp_path_factory.mktemp("digits")
    data = load_test()[:100]
    for row, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        (root / str(label)).mkdir(exist_ok=True)
        Image.fromarray(image).save(root / str(label) / f"{row:03}.png")
    return root


def test_pictures_are_read_as_classify_reads_them(folder: Path) -> None:
    data = load_images(folder, "test")
    assert len(data) == 100
    assert not data.failures
    for image, label, path in zip(data.images, data.labels, data.paths, strict=True):
        assert Path(path).parent.name == str(label)
        assert np.array_equal(image, read_content(Path(path).read_bytes()).canvas)


def test_both_parts_are_all_pictures(folder: Path) -> None:
    assert np.array_equal(load_images(folder, "train").images, load_images(folder, "test").images)


def test_what_cannot_be_read_is_a_failure_with_its_reason(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "7" / "deeper").mkdir(parents=True)
    picture = next(folder.rglob("*.png"))
    os.link(picture, tmp_path / "7" / "deeper" / "good.png")
    (tmp_path / "7" / "bad.png").write_bytes(b"no picture")
    (tmp_path / "7" / "notes.txt").write_text("not looked at")
    (tmp_path / "unsorted").mkdir()
    (tmp_path / "unsorted" / "other.png").write_bytes(b"not looked at")
    data = load_images(tmp_path, "test")
    assert list(data.paths) == [str(tmp_path / "7" / "deeper" / "good.png")]
    assert data.labels.tolist() == [7]
    (failure,) = data.failures
    assert failure[0] == str(tmp_path / "7" / "bad.png")
    assert "not a picture" in failure[1]


def test_folders_without_a_readable_picture_are_refused(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    with pytest.raises(DataError, match="not one picture"):
        load_images(tmp_path, "test")


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(
        DataError, match="holds no labels: neither IDX files nor class folders 0 to 9"
    ):
        load_images(tmp_path, "test")


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data at"):
        load_images(tmp_path / "nowhere", "test")
