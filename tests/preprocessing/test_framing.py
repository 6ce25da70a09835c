"""From ink to the canvas: size, place and stroke as MNIST has them."""

import numpy as np
import pytest

from digitcli.preprocessing.framing import to_canvas
from digitcli.preprocessing.ink import Ink, stroke_width


def bar(width: int, height: int, level: int = 255) -> np.ndarray:
    return np.full((height, width), level, np.uint8)


def framed(image: np.ndarray) -> np.ndarray:
    return to_canvas(Ink(image, stroke=stroke_width(image)))


@pytest.mark.parametrize("level", [90, 140, 200, 255])
def test_a_thin_stroke_is_drawn_in_full_however_pale(level: int) -> None:
    assert framed(bar(1, 40, level)).max() >= 250


@pytest.mark.parametrize(("width", "height"), [(4, 20), (20, 4), (8, 40), (30, 120), (20, 20)])
def test_the_longer_side_fills_twenty_pixels_and_the_aspect_is_kept(
    width: int, height: int
) -> None:
    canvas = framed(bar(width, height)).astype(float) / 255
    scale = 20 / max(width, height)
    across, along = canvas.sum(axis=1).max(), canvas.sum(axis=0).max()
    assert (across, along) == pytest.approx((width * scale, height * scale), abs=0.6)


@pytest.mark.parametrize("stroke", [1, 2, 4, 6, 8])
def test_a_stroke_is_thickened_to_two_pixels_and_never_thinned(stroke: int) -> None:
    image = np.zeros((60, 40), np.uint8)
    image[:, :stroke] = image[-stroke:] = 255
    canvas = framed(image)
    assert max(canvas.shape) == 28
    expected = max(2.0, stroke * 20 / 60)
    assert canvas[8].sum() / 255 == pytest.approx(expected, abs=0.45)


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_the_centre_of_mass_is_in_the_middle_unless_the_box_would_leave(corner) -> None:
    image = np.zeros((40, 40), np.uint8)
    image[18:22] = image[:, 18:22] = 255
    y, x = (26 * at for at in corner)
    image[y : y + 14, x : x + 14] = 255
    canvas = framed(image).astype(float)
    rows, columns = np.mgrid[:28, :28] + 0.5
    centre = (canvas * rows).sum() / canvas.sum(), (canvas * columns).sum() / canvas.sum()
    assert centre == pytest.approx((14, 14), abs=0.6)
    heavy = bar(40, 40)
    heavy[:, :36] = 1  # all its mass at the right edge
    inked = np.flatnonzero(framed(heavy).max(axis=0))
    assert (inked.min(), inked.max()) == (0, 19)


def test_without_ink_the_canvas_is_empty() -> None:
    assert not to_canvas(Ink(bar(5, 5), found=False)).any()
