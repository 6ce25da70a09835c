import dataclasses
import threading

import numpy as np
import pytest

from digitcli.datasets.labelled import NO_DIGIT
from digitcli.training.batches import (
    DrawAhead,
    Steps,
    augmented_epochs,
    compute_targets,
    images_for_statistics,
    training_batches,
)
from digitcli.training.recipe import Recipe

RECIPE = dataclasses.replace(Recipe(), epochs=2, batch_size=40)


def test_a_digit_is_one_hot_and_smoothed_and_what_is_none_is_flat():
    wanted = compute_targets(np.array([3, NO_DIGIT, 9]), 0.1)
    assert wanted.shape == (3, 10)
    np.testing.assert_allclose(wanted[0], [0.91 if digit == 3 else 0.01 for digit in range(10)])
    np.testing.assert_allclose(wanted[1], 0.1)
    np.testing.assert_allclose(wanted.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("images", "batch_size", "expected"),
    [
        (64_900, 256, Steps(batch_size=256, per_execution=12, per_epoch=252)),
        (1600, 40, Steps(batch_size=40, per_execution=2, per_epoch=40)),
        (600, 40, Steps(batch_size=40, per_execution=1, per_epoch=15)),
        (30, 40, Steps(batch_size=30, per_execution=1, per_epoch=1)),
    ],
)
def test_an_epoch_is_about_twenty_calls_of_tensorflow(images, batch_size, expected):
    assert Steps.of(dataclasses.replace(RECIPE, batch_size=batch_size), images) == expected


def test_every_image_comes_once_an_epoch_each_time_in_another_order(few):
    plain = dataclasses.replace(RECIPE, augmentation=None)
    first, second = (
        [image.tobytes() for image in images.reshape(-1, 784)]
        for images, _ in augmented_epochs(few[0], plain, 40)
    )
    assert first != second
    assert sorted(first) == sorted(second) == sorted(image.tobytes() for image in few[0].images)


def test_labels_stay_with_their_images(few):
    plain = dataclasses.replace(RECIPE, augmentation=None)
    label_of = {i.tobytes(): label for i, label in zip(few[0].images, few[0].labels, strict=True)}
    images, wanted = next(augmented_epochs(few[0], plain, 40))
    for image, row in zip(images.reshape(-1, 784), wanted.reshape(-1, 10), strict=True):
        assert label_of[image.tobytes()] == row.argmax()


def test_images_are_augmented_anew_in_each_epoch(few):
    plain = dataclasses.replace(RECIPE, augmentation=None)
    unchanged = [images for images, _ in augmented_epochs(few[0], plain, 40)]
    augmented = [images for images, _ in augmented_epochs(few[0], RECIPE, 40)]
    for ours, theirs in zip(augmented, unchanged, strict=True):
        assert (ours != theirs).any(axis=(2, 3, 4)).mean() > 0.95


def test_the_network_is_given_what_it_is_given_when_it_reads(few):
    plain = dataclasses.replace(RECIPE, augmentation=None)
    batches = list(training_batches(few[0], plain, 40))
    assert len(batches) == 30
    images, wanted = batches[0]
    assert (images.shape, wanted.shape) == ((40, 28, 28, 1), (40, 10))
    assert images.numpy().max() == 1
    assert images_for_statistics(few[0], plain).max() == 1


def test_the_next_item_is_drawn_while_the_last_is_used():
    drawn = threading.Event()

    def items():
        yield "first"
        drawn.set()
        yield "second"

    ahead = DrawAhead(items())
    assert next(ahead) == "first"
    assert drawn.wait(timeout=10)
    assert list(ahead) == ["second"]
