import dataclasses

import numpy as np
import pytest

from digitcli.inference.network import Network
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


def test_copies_can_still_be_read(few):
    copies = augment(few[0].images, Augmentation(), rng())
    probabilities = Network("lenet5").probabilities(copies)
    assert (probabilities.argmax(axis=1) == few[0].labels).mean() > 0.9


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


def test_a_picture_shows_nothing_of_its_neighbours():
    pictures = np.zeros((100, 28, 28), np.uint8)
    pictures[1::2] = 255
    moved = augment(pictures, dataclasses.replace(NONE, shift=4.0, rotation=20.0), rng())
    assert not moved[::2].any()
    assert (moved[1::2] == 255).all()


def sources(how: Augmentation) -> tuple[np.ndarray, np.ndarray]:
    """Where 300 pictures' pixels come from: how far to the right, how far below, ``(n, 28, 28)``.

    A ramp of grey levels tells each pixel's place.
    """
    ramp = np.tile(np.arange(28, dtype=np.uint8) * 9, (300, 28, 1))
    across = augment(ramp, how, rng()).astype(float) / 9 - np.arange(28)
    down = augment(np.swapaxes(ramp, 1, 2).copy(), how, rng()).astype(float) / 9
    return across, down - np.arange(28)[:, None]


def test_elastic_distortion_is_smooth_and_as_large_as_asked():
    inner = np.s_[:, 5:23, 5:23]
    # control points are 5.6 pixels apart, each of a bump that is 0.7 times as wide
    points = (np.arange(6) - 2.5) * 5.6
    bumps = np.exp(-((np.arange(5, 23) - 13.5 - points[:, None]) ** 2) / (2 * (0.7 * 5.6) ** 2))
    expected = np.sqrt(np.outer((bumps**2).sum(axis=0), (bumps**2).sum(axis=0)))
    for moved in sources(dataclasses.replace(NONE, elastic=1.0)):
        np.testing.assert_allclose(moved[inner].std(axis=0), expected, rtol=0.25)
        assert moved[inner].std(axis=0).mean() == pytest.approx(expected.mean(), rel=0.05)
        assert abs(moved[inner].mean()) < 0.1
        for axis in (1, 2):
            assert np.abs(np.diff(moved[inner], axis=axis)).mean() < 0.3


def test_a_turn_moves_pixels_along_a_circle():
    across, down = sources(dataclasses.replace(NONE, rotation=10.0))
    above = across[:, 7, 13:15].mean(axis=1)  # 6.5 pixels above the middle
    beside = down[:, 13:15, 20].mean(axis=1)  # 6.5 pixels to the right of it
    assert above.std() == pytest.approx(6.5 * np.sin(np.deg2rad(10)), rel=0.1)
    assert np.corrcoef(above, beside)[0, 1] > 0.98


def test_size_and_aspect_spread_as_asked():
    across, down = sources(dataclasses.replace(NONE, scale=0.1))
    wide, high = across[:, 13, 20], down[:, 20, 13]  # 6.5 pixels from the middle
    assert wide.std() == pytest.approx(0.65, rel=0.15)
    assert np.corrcoef(wide, high)[0, 1] > 0.98
    across, down = sources(dataclasses.replace(NONE, aspect=0.1))
    wide, high = across[:, 13, 20], down[:, 20, 13]
    assert wide.std() == pytest.approx(0.325, rel=0.2)
    assert np.corrcoef(wide, high)[0, 1] < -0.9


def test_shear_moves_each_row_by_its_height():
    across, down = sources(dataclasses.replace(NONE, shear=0.1))
    assert across[:, 7, 13].std() == pytest.approx(0.65, rel=0.15)
    assert np.corrcoef(across[:, 7, 13], across[:, 20, 13])[0, 1] < -0.98
    assert np.abs(down).max() < 0.2


@pytest.mark.parametrize("name", ["stroke", "blur", "coarse", "contrast", "remains"])
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_as_many_pictures_are_changed_as_asked(pictures, name, share):
    changed = augment(pictures, dataclasses.replace(NONE, **{name: share}), rng())
    count = (changed != pictures).any(axis=(1, 2)).mean()
    assert 0.8 * share * (1 - share / 3) < count < 1.15 * share  # some are chosen twice


def test_blur_keeps_the_ink_and_is_faint_or_strong():
    pictures = np.zeros((600, 28, 28), np.uint8)
    pictures[:, 14, 14] = 255
    peaks = []
    for seed in range(8):
        how = dataclasses.replace(NONE, blur=1.0)
        peaks += augment(pictures, how, np.random.default_rng(seed)).max(axis=(1, 2)).tolist()
    # a Gaussian's highest weight, with deviations from 0.3 to 1.1 pixels
    once = [peak for peak in peaks if peak < 255]
    assert max(once) > 150
    assert np.quantile(once, 0.9) > 90
    assert np.quantile(once, 0.5) > 36


def test_a_coarse_picture_has_lost_its_finest_lines():
    pictures = np.zeros((90, 28, 28), np.uint8)
    pictures[:, :, ::2] = 255
    changed = augment(pictures, dataclasses.replace(NONE, coarse=3.0), rng())
    assert changed[:, 4:24, 4:24].std(axis=(1, 2)).max() < 70
    assert changed.mean() == pytest.approx(127, abs=5)


def test_paler_ink_keeps_at_least_six_tenths():
    pictures = np.full((400, 28, 28), 255, np.uint8)
    changed = augment(pictures, dataclasses.replace(NONE, contrast=1.0), rng())
    brightest = changed.max(axis=(1, 2)) / 255
    assert 0.59 < brightest.min() < 0.7
    assert brightest.max() > 0.9


def test_a_remainder_is_a_line_at_an_edge_or_a_speck():
    pictures = np.zeros((600, 28, 28), np.uint8)
    changed = augment(pictures, dataclasses.replace(NONE, remains=1.0), rng())
    sizes = (changed > 0).sum(axis=(1, 2))
    lines = sizes > 14
    assert 0.3 < lines.mean() < 0.6
    assert (sizes > 0).mean() > 0.95 and sizes.max() < 28 * 4  # a line may lie outside
    assert np.quantile(changed[sizes > 1].max(axis=(1, 2)), 0.02) >= 50
    sides = [(0, np.s_[:7]), (1, np.s_[-7:]), (2, np.s_[:, :7]), (3, np.s_[:, -7:])]
    at = [np.mean([image[side].any() for image in changed[lines]]) for _, side in sides]
    assert min(at) > 0.2


def test_strokes_become_thicker_and_thinner(pictures):
    changed = augment(pictures, dataclasses.replace(NONE, stroke=1.0), rng()).astype(int) - pictures
    ink = changed.sum(axis=(1, 2))
    assert (ink > 0).mean() > 0.3
    assert (ink < 0).mean() > 0.3
