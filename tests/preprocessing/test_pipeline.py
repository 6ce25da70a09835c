"""read_content(): decode, ink and canvas in one go; a MNIST image comes through unharmed."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from reading import read_content

from digitcli.datasets import mnist


@pytest.fixture(scope="module")
def digits():
    return mnist.load_splits().validation.images[:500]


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_mnist_image_comes_through_to_the_pixel(digits):
    changed = [not np.array_equal(read_content(png(d)).canvas, d) for d in digits]
    assert sum(changed) <= 1  # a few in a thousand are framed carelessly and get framed anew


def test_a_mnist_image_black_on_white_comes_through_to_the_pixel(digits):
    changed = [not np.array_equal(read_content(png(255 - d)).canvas, d) for d in digits]
    assert sum(changed) <= 1


def test_as_is_takes_the_picture_as_it_is(digits):
    dark = 255 - digits[0]
    reading = read_content(png(dark), as_is=True)
    assert reading.ink is None
    np.testing.assert_array_equal(reading.canvas, dark)


def test_as_is_still_makes_it_grey_and_28_by_28():
    colour = np.zeros((56, 84, 3), np.uint8)
    colour[..., 0] = 255
    canvas = read_content(png(colour), as_is=True).canvas
    assert canvas.shape == (28, 28) and canvas.dtype == np.uint8
    assert set(np.unique(canvas)) == {76}  # red's share of luminance


def drawn(ink, ground, side=200, stroke=10):
    """A 7 in a box of 80×120 at (60, 40)."""
    picture = np.full((side, side), ground, np.uint8)
    picture[40 : 40 + stroke, 60:140] = ink
    foot = 60 + (80 - stroke) // 4
    stem = [(140 - stroke, 40), (140, 40), (foot + stroke, 160), (foot, 160)]
    cv2.fillPoly(picture, [np.array(stem)], ink)
    return picture


@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (255, 0), (90, 160), (150, 100)])
def test_polarity_is_found(ink, ground):
    reading = read_content(png(drawn(ink, ground)))
    assert reading.ink.found and reading.ink.bright == (ink > ground)
    assert reading.ink.box == pytest.approx((60, 40, 140, 160), abs=2)
    assert reading.ink.characters == 1
    assert reading.canvas.max() > 200 and reading.canvas[0].max() == 0


@pytest.mark.parametrize(("invert", "bright"), [("yes", False), ("no", True)])
def test_told_its_polarity_a_crop_with_dark_and_bright_strokes_is_read_so(invert, bright):
    crop = np.full((32, 32), 128, np.uint8)
    crop[5:27, 10:13] = 0
    crop[5:27, 20:23] = 255
    ink = read_content(png(crop), invert=invert).ink
    assert ink.bright is bright and ink.box == ((20, 5, 23, 27) if bright else (10, 5, 13, 27))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_blank_picture_has_no_ink(grey):
    reading = read_content(png(np.full((100, 80), grey, np.uint8)))
    assert not reading.ink.found
    assert reading.ink.box == (0, 0, 0, 0)
    assert reading.canvas.shape == (28, 28) and not reading.canvas.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (3, 5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_smallest_pictures_do_no_harm(shape, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    canvas = read_content(png(pixels)).canvas
    assert canvas.shape == (28, 28) and canvas.dtype == np.uint8


def test_the_box_is_20_by_20_and_centred_by_mass():
    canvas = read_content(png(drawn(0, 255))).canvas.astype(float)
    rows, columns = np.nonzero(canvas > 20)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
    y, x = np.mgrid[:28, :28]
    assert (canvas * x).sum() / canvas.sum() == pytest.approx(14, abs=0.6)
    assert (canvas * y).sum() / canvas.sum() == pytest.approx(14, abs=0.6)


@pytest.mark.parametrize("stroke", [1, 3, 10, 25])
def test_strokes_come_out_as_wide_as_mnist_draws_them(stroke):
    canvas = read_content(png(drawn(0, 255, stroke=stroke))).canvas
    across = canvas[14, :].astype(float).sum() / 255
    assert 1.5 <= across <= 4.6  # the stem slants
