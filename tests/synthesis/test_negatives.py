import numpy as np

from digitcli.synthesis.negatives import NO_DIGIT, shapes


def test_shapes_carry_ink_and_the_label_of_no_digit(few):
    made = shapes(400, few[0], np.random.default_rng(0))
    assert made.images.shape == (400, 28, 28)
    assert made.images.dtype == np.uint8
    assert (made.labels == NO_DIGIT).all()
    assert (made.images.reshape(400, -1).max(axis=1) > 100).all()


def test_they_are_not_the_digits_that_they_were_made_from(few):
    digits = {image.tobytes() for image in few[0].images}
    made = shapes(400, few[0], np.random.default_rng(0))
    assert not digits & {image.tobytes() for image in made.images}


def test_the_same_numbers_make_the_same_shapes(few):
    first, second = (shapes(60, few[0], np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first.images, second.images)
