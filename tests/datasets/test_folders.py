import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reading import read_content

from digitcli.datasets.labelled import LabelledFiles
from digitcli.datasets.load import load_split
from digitcli.datasets.mnist import load_test
from digitcli.errors import DataError
from digitcli.preprocessing.labelled_files import read_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred of MNIST's test images as PNG files, in class folders."""
    root = tmp_path_factory.mktemp("digits")
    data = load_test()[:100]
    for row, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        (root / str(label)).mkdir(exist_ok=True)
        Image.fromarray(image).save(root / str(label) / f"{row:03}.png")
    return root


def listed(path: Path) -> LabelledFiles:
    files = load_split(path, "test")
    assert isinstance(files, LabelledFiles)
    return files


def test_images_are_read_as_classify_reads_them(folder: Path) -> None:
    files = listed(folder)
    read = read_files(files)
    assert len(read.images) == len(read.digests) == 100
    assert not read.failures
    for row, source in enumerate(files.sources):
        assert Path(source.path).parent.name == str(read.images.labels[row])
        canvas = read_content(Path(source.path).read_bytes()).canvas
        assert np.array_equal(read.images.images[row], canvas)


def test_both_splits_are_all_images(folder: Path) -> None:
    assert load_split(folder, "train").sources == load_split(folder, "test").sources


def test_what_cannot_be_read_is_a_failure_with_its_reason(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "7" / "deeper").mkdir(parents=True)
    os.link(next(folder.rglob("*.png")), tmp_path / "7" / "deeper" / "good.png")
    (tmp_path / "7" / "bad.png").write_bytes(b"no picture")
    Image.new("L", (28, 28), 255).save(tmp_path / "7" / "blank.png")
    (tmp_path / "7" / "notes.txt").write_text("not looked at")
    read = read_files(listed(tmp_path))
    assert read.images.labels.tolist() == [7]
    reasons = dict(read.failures)
    assert "not a picture" in reasons[str(tmp_path / "7" / "bad.png")]
    assert reasons[str(tmp_path / "7" / "blank.png")] == "no ink"


def test_images_that_bear_no_label_are_counted_and_litter_is_not(
    tmp_path: Path, folder: Path
) -> None:
    image = next(folder.rglob("*.png"))
    for place in ("3", "10", "nine", "8s", "00", "@eaDir", "3/@eaDir", ".cache", "empty", "4"):
        (tmp_path / place).mkdir()
    for name in ("3/a.png", "10/a.png", "10/b.png", "nine/a.png", "8s/a.png", "00/a.png"):
        os.link(image, tmp_path / name)
    for name in ("@eaDir/a.png", "3/@eaDir/a.png", ".cache/a.png", "loose.png", "another.png"):
        os.link(image, tmp_path / name)
    files = listed(tmp_path)
    assert [source.path for source in files.sources] == [str(tmp_path / "3" / "a.png")]
    assert files.remarks == [
        f"{tmp_path}: no images in 4",
        f"{tmp_path}: 7 images left out, as only the folders 0 to 9 are labels: 00 (1), 8s (1), "
        "10 (2), nine (1), 2 beside the folders",
    ]
    assert files.problems == []


def test_many_other_folders_are_not_all_named(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "1").mkdir()
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
        os.link(next(folder.rglob("*.png")), tmp_path / name / "a.png")
    [_, remark] = listed(tmp_path).remarks
    assert remark.endswith("a (1), b (1), c (1), d (1), e (1), 3 more folders")


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(
        DataError, match="holds no labels: neither IDX files nor class folders 0 to 9"
    ):
        load_split(tmp_path, "test")


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no data at"):
        load_split(tmp_path / "nowhere", "test")


def test_an_image_is_told_from_a_data_set(folder: Path) -> None:
    with pytest.raises(DataError, match=r"is one image and has no label; give class folders"):
        load_split(next(folder.rglob("*.png")), "test")
