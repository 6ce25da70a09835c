"""How far pixels stand out: light, shade, polarity and colour are all taken away."""

import cv2
import numpy as np
import pytest

from digitcli.preprocessing.contrast import FULL, measure_contrast

MASK = np.zeros((128, 128), np.uint8)
cv2.line(MASK, (64, 20), (64, 108), 1, 6)
INK = MASK.astype(np.float32)


def picture(ground, ink) -> np.ndarray:
    return np.where(MASK[..., None] > 0, np.array(ink), np.array(ground)).astype(np.uint8)


@pytest.mark.parametrize(
    ("ground", "ink", "bright"),
    [
        ([255, 255, 255], [0, 0, 0], False),
        ([30, 30, 30], [90, 90, 90], True),
        ([255, 255, 0], [0, 0, 0], False),
        ([20, 128, 20], [200, 40, 60], True),  # of about the same brightness
    ],
)
def test_ink_of_any_colour_stands_out_in_full(ground, ink, bright) -> None:
    contrast = measure_contrast(picture(ground, ink), INK)
    assert contrast.strength[MASK > 0] == pytest.approx(FULL, abs=3)
    assert contrast.strength[cv2.dilate(MASK, np.ones((5, 5))) == 0].max() <= 3
    if ground != [20, 128, 20]:
        assert contrast.bright == bright


def test_a_grey_image_is_measured_like_one_in_colour() -> None:
    colour = picture([200] * 3, [60] * 3)
    grey, same = measure_contrast(colour[..., 0], INK), measure_contrast(colour, INK)
    np.testing.assert_allclose(grey.strength.astype(int), same.strength, atol=1)


def test_a_shadow_does_not_stand_out() -> None:
    light = np.linspace(1, 0.4, 128)[None, :, None]
    shaded = (picture([220] * 3, [120] * 3) * light).astype(np.uint8)
    strength = measure_contrast(shaded, INK).strength
    far = cv2.dilate(MASK, np.ones((9, 9))) == 0
    assert np.quantile(strength[far], 0.95) < 0.25 * FULL
    assert strength[MASK > 0].min() > 0.6 * FULL


def test_a_colour_that_is_not_the_inks_stands_out_little() -> None:
    lined = picture([255, 255, 255], [60, 60, 255])  # blue ink
    lined[30:33] = (255, 200, 200)  # a pale red line
    lined[MASK > 0] = (60, 60, 255)
    strength = measure_contrast(lined, INK).strength
    assert strength[31, 10:50].max() < 0.3 * FULL


@pytest.mark.parametrize("ink", [np.zeros_like(INK), INK])
def test_where_nothing_is_certain_or_of_another_colour_there_is_no_contrast(ink) -> None:
    assert measure_contrast(picture([90] * 3, [90] * 3), ink) is None


@pytest.mark.parametrize(("width", "least", "most"), [(6, 0.34, 0.5), (20, 0, 0.2)])
def test_what_is_wide_is_background_and_what_is_narrow_stands_out(
    width: int, least: float, most: float
) -> None:
    page = np.full((128, 128), 100, np.uint8)
    page[:, 24 - width // 2 : 24 + width // 2] = 140
    page[MASK > 0] = 180
    assert least < measure_contrast(page, INK).strength[64, 24] / FULL < most


@pytest.mark.parametrize(("probability", "ink"), [(0.27, False), (0.33, True)])
def test_what_may_be_ink_is_left_out_of_the_background(probability: float, ink: bool) -> None:
    image = np.full((128, 128), 200, np.uint8)
    image[:, 80:] = 60
    image[MASK > 0] = 60
    seen = INK.copy()
    seen[:, 80:] = probability
    strength = measure_contrast(image, seen).strength[64, 110] / FULL
    assert (strength > 0.5) == ink
