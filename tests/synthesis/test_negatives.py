import numpy as np
import pytest

from digitcli.datasets.labelled import NO_DIGIT, LabelledImages
from digitcli.synthesis import negatives
from digitcli.synthesis.negatives import MAKERS, make_negatives


def test_shapes_carry_ink_and_the_label_of_no_digit(few):
    made = make_negatives(400, few[0], np.random.default_rng(0))
    assert made.images.shape == (400, 28, 28)
    assert made.images.dtype == np.uint8
    assert (made.labels == NO_DIGIT).all()
    assert (made.images.reshape(400, -1).max(axis=1) > 100).all()


def test_they_are_not_the_digits_that_they_were_made_from(few):
    digits = {image.tobytes() for image in few[0].images}
    made = make_negatives(400, few[0], np.random.default_rng(0))
    assert not digits & {image.tobytes() for image in made.images}


def test_the_same_numbers_make_the_same_shapes(few):
    first, second = (make_negatives(60, few[0], np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first.images, second.images)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_each_kind_fills_a_canvas_with_something_else_each_time(make, few):
    rng = np.random.default_rng(0)
    images = [make(few[0].digits(), rng) for _ in range(20)]
    assert all(image.shape == (28, 28) and image.max() > 60 for image in images)
    assert len({image.tobytes() for image in images}) > 15


def test_half_of_a_digit_that_is_another_is_not_kept(few):
    """The lower half of a 9 or a 7 is a 1, the upper half of a 9 a 0."""
    kept = set(negatives._HALVES)
    assert not kept & {(9, "lower"), (9, "upper"), (7, "lower"), (6, "lower"), (8, "upper")}
    assert not {digit for digit, _ in kept} & {1, 7, 9}


def test_one_s_own_images_may_lack_the_digits_that_are_halved(few):
    ones = few[0][few[0].labels == 1]
    turnable = few[0][few[0].labels == 7][:1]
    digits = LabelledImages(
        np.concatenate([ones.images, turnable.images]),
        np.concatenate([ones.labels, turnable.labels]),
    )
    assert len(make_negatives(200, digits, np.random.default_rng(0))) == 200


def test_letters_in_print_are_no_look_alikes():
    assert not set(negatives._LETTERS) & set("OolISsZzbgqiDGBQ")
    assert {"y", "A", "w", "?"} <= set(negatives._LETTERS)
