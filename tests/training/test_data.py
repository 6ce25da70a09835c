import dataclasses

import cv2
import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.datasets.labelled import LabelledImages
from digitcli.errors import DataError
from digitcli.training.data import assemble, digest, divide
from digitcli.training.recipe import Recipe

PLAIN = dataclasses.replace(Recipe(), drawn=0.0, no_digits=0.0)


def numbered(per_digit):
    """Pictures that are all different, so that one found in two parts would be seen."""
    count = 10 * per_digit
    images = np.zeros((count, 28, 28), np.uint8)
    images[np.arange(count), 5, 5] = np.arange(count) % 250 + 1
    images[np.arange(count), 6, 6] = np.arange(count) // 250
    return LabelledImages(images, np.arange(count) % 10)


@pytest.fixture
def folder(tmp_path):
    """Class folders with ten pictures a digit, dark on white."""
    few = mnist.load_splits().train[:600]
    for digit in range(10):
        (tmp_path / str(digit)).mkdir()
        for row in np.flatnonzero(few.labels == digit)[:10]:
            cv2.imwrite(str(tmp_path / str(digit) / f"{row}.png"), 255 - few.images[row])
    return tmp_path


def test_the_three_parts_share_no_picture_and_leave_none_out():
    pictures = numbered(20)
    parts = divide(pictures, "here", np.random.default_rng(0), test=0.2, every_digit=True)
    seen = [image.tobytes() for part in parts for image in part.images]
    assert sorted(seen) == sorted(image.tobytes() for image in pictures.images)
    assert [len(part) for part in parts] == [140, 20, 40]
    for part in parts:
        assert set(part.labels) == set(range(10))


def test_few_pictures_of_a_digit_still_reach_every_part():
    parts = divide(numbered(4), "here", np.random.default_rng(0), test=0.2, every_digit=True)
    assert [len(part) for part in parts] == [20, 10, 10]


def test_a_digit_without_enough_pictures_is_named():
    pictures = numbered(6)
    without = LabelledImages(
        pictures.images[pictures.labels != 3], pictures.labels[pictures.labels != 3]
    )
    with pytest.raises(DataError, match="here: 3: fewer than 4 pictures"):
        divide(without, "here", np.random.default_rng(0), test=0.2, every_digit=True)
    # MNIST has the threes
    divide(without, "here", np.random.default_rng(0), test=0.2, every_digit=False)


def test_without_data_the_parts_are_those_of_mnist():
    parts = assemble(PLAIN, None, warm=False)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (55_000, 5_000, 10_000)
    assert parts.own_test is None


def test_drawn_digits_and_other_shapes_join_what_is_trained_on():
    parts = assemble(dataclasses.replace(PLAIN, drawn=0.002, no_digits=0.001), None, warm=False)
    assert len(parts.train) == 55_000 + 110 + 55
    assert (parts.train.labels == -1).sum() == 55
    assert (parts.validation.labels >= 0).all()


def test_ones_own_pictures_alone_are_divided(folder):
    parts = assemble(PLAIN, folder, warm=False)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (70, 10, 20)


def test_a_warm_start_mixes_them_into_mnist_and_keeps_a_part_aside(folder):
    parts = assemble(PLAIN, folder, warm=True)
    assert len(parts.own_test) == 20
    assert len(parts.test) == 10_000
    kept_aside = {image.tobytes() for image in parts.own_test.images}
    trained_on = {image.tobytes() for image in parts.train.images[55_000:]}
    assert len(trained_on) == 70
    assert not kept_aside & trained_on
    assert (len(parts.train) - 55_000) / len(parts.train) == pytest.approx(PLAIN.own, abs=0.01)


def test_a_picture_that_cannot_be_read_is_named_and_costs_no_other(folder):
    (folder / "0" / "broken.png").write_bytes(b"no picture")
    parts = assemble(PLAIN, folder, warm=True)
    assert len(parts.failures) == 1
    assert parts.failures[0][0].endswith("broken.png")


def test_the_digest_tells_data_apart():
    pictures = numbered(4)
    other = LabelledImages(pictures.images, pictures.labels[::-1].copy())
    assert digest(pictures) == digest(numbered(4)) != digest(other)
