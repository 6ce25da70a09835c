"""Small crops: what is read without the detector, and what is left to it."""

import cv2
import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.preprocessing.crops import find_ink_in_crop, recognise_mnist
from digitcli.preprocessing.ink import Invert


def seven(paper: int = 255, ink: int = 0, side: int = 24) -> np.ndarray:
    crop = np.full((side, side), paper, np.uint8)
    cv2.line(crop, (6, 5), (16, 5), ink, 2)
    cv2.line(crop, (16, 5), (9, 19), ink, 2)
    return crop


@pytest.mark.parametrize(
    ("paper", "ink"),
    [(255, 0), (0, 255), (120, 100)],
)
def test_one_piece_of_ink_on_a_flat_background_is_read(paper: int, ink: int) -> None:
    found = find_ink_in_crop(seven(paper, ink), "auto")
    assert found.box == pytest.approx((5, 4, 18, 21), abs=1)
    assert found.bright == (ink > paper)
    assert found.image.max() == 255


def test_ink_on_nearly_half_of_the_border_leaves_the_background_flat() -> None:
    crop = np.full((24, 24), 255, np.uint8)
    crop[:, :10] = 0
    assert find_ink_in_crop(crop, "auto") is not None


def test_ink_of_the_background_s_brightness_is_read() -> None:
    stroke = seven(0, 1)[..., None]
    red, green = np.array([200, 40, 60]), np.array([20, 128, 20])
    coloured = (green + stroke * (red - green)).astype(np.uint8)
    found = find_ink_in_crop(coloured, "auto")
    expected = find_ink_in_crop(seven(0, 255), "auto")
    np.testing.assert_array_equal(found.image, expected.image)


@pytest.mark.parametrize(("invert", "found"), [("yes", True), ("no", False)])
def test_told_which_is_darker_only_that_is_ink(invert: Invert, found: bool) -> None:
    assert (find_ink_in_crop(seven(), invert) is not None) == found


def test_ink_as_bright_as_the_background_is_not_called_brighter() -> None:
    crop = np.full((24, 24, 3), 100, np.uint8)
    crop[seven() == 0] = (160, 40, 100)
    assert find_ink_in_crop(crop, "auto").bright is False


@pytest.mark.parametrize(
    ("shift", "axis", "recognised"), [(0, 0, True), (2, 0, False), (2, 1, False)]
)
def test_an_image_of_mnist_is_centred_in_both_directions(
    shift: int, axis: int, recognised: bool
) -> None:
    digit = np.roll(mnist.load_splits().validation.images[0], shift, axis)
    assert (recognise_mnist(digit, "auto") is not None) == recognised


@pytest.mark.parametrize("invert", ["auto", "yes", "no"])
@pytest.mark.parametrize("bright", [False, True])
def test_an_image_of_mnist_is_recognised_unless_its_polarity_is_another(
    invert: Invert, bright: bool
) -> None:
    digit = mnist.load_splits().validation.images[0]
    found = recognise_mnist(digit if bright else 255 - digit, invert)
    if invert == ("yes" if bright else "no"):
        assert found is None
    else:
        assert (found.framed, found.bright) == (True, bright)
        np.testing.assert_array_equal(found.image, digit)


def test_several_pieces_are_left_to_the_detector() -> None:
    crop = seven()
    crop[20:22, 2:4] = 0
    assert find_ink_in_crop(crop, "auto") is None


def test_a_blank_crop_is_left_to_the_detector() -> None:
    assert find_ink_in_crop(np.full((20, 20), 90, np.uint8), "auto") is None


@pytest.mark.parametrize(("share", "read"), [(0.5, False), (0.7, True)])
def test_a_background_that_is_not_flat_is_left_to_the_detector(share: float, read: bool) -> None:
    crop = cv2.GaussianBlur(seven(), (0, 0), 0.8)
    edge = np.arange(24) >= share * 24
    for border in (crop[0], crop[-1], crop[:, 0], crop[:, -1]):
        border[edge] = 250
    assert (find_ink_in_crop(crop, "auto") is not None) == read


@pytest.mark.parametrize(("pale", "joined"), [(50, False), (90, True)])
def test_what_otsu_takes_for_ink_joins_two_pieces(pale: int, joined: bool) -> None:
    crop = np.zeros((24, 28), np.uint8)
    crop[3:10, 4:24] = crop[14:21, 4:24] = np.linspace(0, 200, 20)
    crop[10:14, 20:23] = pale
    assert (find_ink_in_crop(crop, "auto") is not None) == joined


def test_full_ink_is_what_half_of_the_strokes_have() -> None:
    crop = seven(0, 100)
    crop[12, 11:14] = 255  # a bright spot
    image = find_ink_in_crop(crop, "auto").image
    assert np.median(image[image > 60]) == 255
