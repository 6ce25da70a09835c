"""The main digit's strokes, from what stands out and what the detector marked."""

import cv2
import numpy as np
import pytest

from digitcli.preprocessing.contrast import FULL
from digitcli.preprocessing.strokes import STRONG, select_strokes


def draw(strength: np.ndarray, ink: np.ndarray) -> np.ndarray:
    return select_strokes(strength, ink).image


BAR = np.zeros((128, 128), np.uint8)
BAR[20:108, 60:68] = 1


def test_what_is_marked_is_drawn_in_full() -> None:
    image = draw(FULL * BAR, BAR.astype(np.float32))
    assert (image[BAR > 0] == 255).all()
    assert not image[BAR == 0].any()


def test_what_stands_out_far_from_the_marks_is_not_drawn() -> None:
    strength = FULL * BAR
    strength[20:108, 100:104] = FULL  # a frame's side
    strength[118, :] = FULL  # a line
    image = draw(strength, BAR.astype(np.float32))
    assert not image[:, 90:].any()
    assert not image[115:].any()


def test_a_gap_in_the_marks_is_filled() -> None:
    marks = BAR.astype(np.float32)
    marks[50:80] = 0
    assert (draw(FULL * BAR, marks)[BAR > 0] == 255).all()


def test_a_line_that_runs_out_of_the_window_is_not_the_digit_s() -> None:
    strength = FULL * BAR
    strength[104:108] = FULL  # the digit stands on it
    image = draw(strength, BAR.astype(np.float32))
    assert not image[104:108, :40].any()


def test_a_stroke_keeps_its_soft_edges() -> None:
    strength = cv2.GaussianBlur(FULL * BAR, (0, 0), 1)
    image = draw(strength, BAR.astype(np.float32))
    assert 0 < image[60, 59] < 255


@pytest.mark.parametrize(("times", "drawn"), [(0.6, False), (1.4, True)])
def test_faint_pixels_within_reach_are_ink_from_a_bound_on(times: float, drawn: bool) -> None:
    strength = FULL * BAR
    strength[40:44, 68:70] = round(times * STRONG)
    marks = BAR.astype(np.float32)
    image = draw(strength, marks)
    assert bool(image[41, 69] > 0) == drawn


def test_dots_are_joined_as_the_detector_sees_them() -> None:
    dots = np.zeros_like(BAR)
    for row in range(24, 108, 10):
        cv2.circle(dots, (64, row), 3, 1, -1)
    image = draw(FULL * dots, BAR.astype(np.float32))
    assert (image[24:104, 64] == 255).all()


def test_segments_stay_apart() -> None:
    halves = BAR.copy()
    halves[60:68] = 0
    image = draw(FULL * halves, halves.astype(np.float32))
    assert not image[63:65].any()


def test_where_nothing_is_marked_there_are_no_strokes() -> None:
    assert select_strokes(FULL * BAR, np.zeros((128, 128), np.float32)) is None


def test_certainty_is_that_of_the_marks_and_of_dots_alone_that_of_the_dots() -> None:
    marks = np.where(BAR, np.float32(0.6), np.float32(0))
    marks[40:80] *= 1.5
    expected = pytest.approx((48 * 0.6 + 40 * 0.9) / 88, abs=0.01)
    assert select_strokes(FULL * BAR, marks).certainty == expected
    dots = np.zeros_like(BAR)
    dots[24:108:10, 60:68] = dots[25:108:10, 60:68] = dots[26:108:10, 60:68] = 1
    marks = np.where(BAR, np.float32(0.55), np.float32(0))
    marks[dots > 0] = 0.9
    assert select_strokes(FULL * dots, marks).certainty == pytest.approx(0.9, abs=0.01)
