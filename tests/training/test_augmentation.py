import dataclasses

import numpy as np
import pytest

from digitcli.training.augmentation import augment
from digitcli.training.recipe import Augmentation

NONE = Augmentation(**{field.name: 0.0 for field in dataclasses.fields(Augmentation)})


@pytest.fixture(scope="module")
def pictures(few):
    return few[0].images


def rng():
    return np.random.default_rng(0)


def test_no_change_asked_for_leaves_every_picture_as_it_is(pictures):
    np.testing.assert_array_equal(augment(pictures, NONE, rng()), pictures)


def test_the_same_numbers_give_the_same_copies(pictures):
    first, second = (augment(pictures, Augmentation(), rng()) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_originals_stay_as_they_are(pictures):
    before = pictures.copy()
    augment(pictures, Augmentation(), rng())
    np.testing.assert_array_equal(pictures, before)


@pytest.mark.parametrize("field", dataclasses.fields(Augmentation), ids=lambda field: field.name)
def test_each_way_of_change_changes_something_by_itself(pictures, field):
    alone = dataclasses.replace(NONE, **{field.name: field.default})
    changed = augment(pictures, alone, rng())
    assert changed.dtype == np.uint8
    assert changed.shape == pictures.shape
    assert (changed != pictures).any()


def test_next_to_nothing_of_one_picture_reaches_another():
    pictures = np.zeros((700, 28, 28), np.uint8)
    pictures[::2, 8:20, 8:20] = 255
    how = dataclasses.replace(Augmentation(), remains=0.0)
    assert augment(pictures, how, rng())[1::2].max() <= 8


def test_a_shift_moves_the_ink_and_keeps_it():
    pictures = np.zeros((400, 28, 28), np.uint8)
    pictures[:, 10:18, 10:18] = 255
    moved = augment(pictures, dataclasses.replace(NONE, shift=1.5), rng()).astype(float)
    np.testing.assert_allclose(moved.sum(axis=(1, 2)), 64 * 255, rtol=0.02)
    x = (moved.sum(axis=1) * np.arange(28)).sum(axis=1) / moved.sum(axis=(1, 2))
    assert x.std() == pytest.approx(1.5, rel=0.15)


def test_strokes_become_thicker_and_thinner(pictures):
    changed = augment(pictures, dataclasses.replace(NONE, stroke=1.0), rng()).astype(int) - pictures
    ink = changed.sum(axis=(1, 2))
    assert (ink > 0).mean() > 0.3
    assert (ink < 0).mean() > 0.3
