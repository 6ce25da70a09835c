import dataclasses
import hashlib
import shutil

import cv2
import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.datasets.labelled import LabelledImages
from digitcli.errors import DataError
from digitcli.preprocessing import labelled_files
from digitcli.training.data import assemble, digest
from digitcli.training.recipe import Recipe
from digitcli.training.split import OwnImages

PLAIN = dataclasses.replace(Recipe(), drawn=0.0, no_digits=0.0)


@pytest.fixture(scope="module", autouse=True)
def alone():
    """Read files in this process: a worker of a library is a program that has to be started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled_files, "default_jobs", lambda: 1)
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Class folders with ten pictures a digit, dark on white."""
    place = tmp_path_factory.mktemp("own") / "pictures"
    few = mnist.load_splits().train[:600]
    for digit in range(10):
        (place / str(digit)).mkdir(parents=True)
        for row in np.flatnonzero(few.labels == digit)[:10]:
            cv2.imwrite(str(place / str(digit) / f"{row}.png"), 255 - few.images[row])
    return place


@pytest.fixture
def folder(pictures, tmp_path):
    """A copy of the pictures, to add to."""
    return shutil.copytree(pictures, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def mixed(pictures):
    """What a warm start makes of the pictures."""
    return assemble(PLAIN, pictures, warm=True)


def test_without_data_the_parts_are_those_of_mnist():
    parts = assemble(PLAIN, None, warm=False)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (55_000, 5_000, 10_000)
    assert parts.own_test is None


def test_drawn_digits_and_other_shapes_join_what_is_trained_on():
    parts = assemble(dataclasses.replace(PLAIN, drawn=0.002, no_digits=0.001), None, warm=False)
    assert len(parts.train) == 55_000 + 110 + 55
    assert (parts.train.labels == -1).sum() == 55
    assert (parts.validation.labels >= 0).all()


def test_ones_own_images_alone_are_divided(folder):
    parts = assemble(PLAIN, folder, warm=False)
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 100
    for part in (parts.train, parts.validation, parts.test):
        assert set(part.labels) == set(range(10))


def test_a_warm_start_mixes_them_into_mnist_and_keeps_a_part_aside(mixed):
    parts = mixed
    assert len(parts.test) == 10_000
    kept_aside = {image.tobytes() for image in parts.own_test.images}
    trained_on = {image.tobytes() for image in parts.train.images[55_000:]}
    assert len(parts.own_test) == len(kept_aside) == parts.facts["own_test"]
    assert len(trained_on) == parts.facts["own_train"]
    assert not kept_aside & trained_on
    assert (len(parts.train) - 55_000) / len(parts.train) == pytest.approx(PLAIN.own, abs=0.01)


def test_validation_images_are_counted_once_and_weigh_as_much_as_mnists(mixed):
    parts = mixed
    own = parts.facts["own_validation"]
    assert parts.facts["validation"] == len(parts.validation) == 5_000 + own
    assert len(parts.balanced_validation()) == pytest.approx(10_000, abs=own)


def test_what_is_trained_on_or_chosen_by_is_seen_and_what_is_kept_aside_is_not(mixed, pictures):
    parts = mixed
    files = [path.read_bytes() for path in pictures.rglob("*.png")]
    digests = {hashlib.sha256(content).hexdigest() for content in files}
    assert parts.seen < digests
    assert len(parts.seen) == parts.facts["own_train"] + parts.facts["own_validation"]


def test_a_second_round_is_scored_by_images_that_the_first_did_not_learn(mixed, folder):
    first = mixed
    more = mnist.load_splits().train[600:1000]
    for row, (image, label) in enumerate(zip(more.images, more.labels, strict=True)):
        cv2.imwrite(str(folder / str(label) / f"0-new-{row}.png"), 255 - image)
    second = assemble(PLAIN, folder, warm=True, seen=first.seen)
    learned = {image.tobytes() for image in first.train.images[55_000:]}
    assert second.own_test is not None
    assert len(second.own_test) > 80
    assert not learned & {image.tobytes() for image in second.own_test.images}
    assert "own_test_seen_before" not in second.facts


def test_copies_are_left_out_and_counted(folder):
    for path in list((folder / "3").iterdir()):
        shutil.copy(path, folder / "5" / f"copy-{path.name}")  # with another label
        shutil.copy(path, folder / "3" / f"copy-{path.name}")
    parts = assemble(PLAIN, folder, warm=True)
    assert parts.facts["copies_left_out"] == 10


def test_labels_in_a_file_train_what_is_no_digit_as_no_digit(folder):
    rows = [f"{path.relative_to(folder)},x" for path in (folder / "4").iterdir()]
    rows += [f"{path.relative_to(folder)},7" for path in (folder / "7").iterdir()]
    (folder / "labels.csv").write_text("path,label\n" + "\n".join(rows) + "\n")
    parts = assemble(PLAIN, folder / "labels.csv", warm=True)
    assert set(parts.train.labels[55_000:].tolist()) == {-1, 7}
    assert (parts.validation.labels >= 0).all()


def test_an_image_that_is_also_a_test_image_is_not_trained_on(tmp_path):
    some = mnist.load_splits().train[:500]
    np.savez(
        tmp_path / "some.npz",
        x_train=some.images,
        y_train=some.labels,
        x_test=some.images[:100],
        y_test=some.labels[:100],
    )
    parts = assemble(PLAIN, tmp_path / "some.npz", warm=False)
    assert len(parts.train) + len(parts.validation) == 400
    assert len(parts.test) == 100
    assert parts.remarks == ()  # whoever comes with splits knows how many images there are


def test_few_images_alone_are_warned_of_and_so_is_what_bears_no_label(folder):
    shutil.copytree(folder / "3", folder / "three")
    left_out, few = assemble(PLAIN, folder, warm=False).remarks
    assert "10 images left out" in left_out
    assert few.endswith("--from lenet5 goes on from the bundled network")
    assert assemble(PLAIN, folder, warm=True).remarks == (left_out,)


def test_alone_every_digit_is_needed_and_with_mnist_one_may_be_missing(folder):
    shutil.rmtree(folder / "3")
    with pytest.raises(DataError, match="3: fewer than"):
        assemble(PLAIN, folder, warm=False)
    mixed = assemble(PLAIN, folder, warm=True)
    assert 3 in mixed.train.labels
    assert 3 not in mixed.own_test.labels


def test_a_file_that_cannot_be_read_is_named_and_costs_no_other(folder):
    (folder / "0" / "broken.png").write_bytes(b"no picture")
    parts = assemble(PLAIN, folder, warm=True)
    assert len(parts.failures) == 1
    assert parts.failures[0][0].endswith("broken.png")


def test_a_data_set_without_a_readable_image_is_refused(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="not one labelled image in it could be read"):
        assemble(PLAIN, tmp_path, warm=True)


def test_the_digest_tells_data_apart_but_not_their_order():
    images = mnist.load_splits().train[:20]
    own = OwnImages(images, images.digests())
    backwards = own.take(list(range(19, -1, -1)))
    other = OwnImages(LabelledImages(images.images, (images.labels + 1) % 10), own.digests)
    assert digest(own) == digest(backwards) != digest(other)
