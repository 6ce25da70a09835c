"""The main digit's strokes, from what stands out and what the detector marked."""

import cv2
import numpy as np
import pytest

from digitcli.preprocessing.contrast import FULL
from digitcli.preprocessing.strokes import select_strokes


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
    for turns in range(4):
        turned, bar = np.rot90(strength, turns), np.rot90(BAR, turns)
        image = np.rot90(draw(np.ascontiguousarray(turned), bar.astype(np.float32)), -turns)
        assert 0 < image[60, 59] < 255
        assert 0 < image[60, 68] < 255


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("end", "drawn"), [(127, True), (128, False)])
def test_a_stroke_that_runs_out_of_the_window_is_drawn_as_far_as_it_is_marked(
    turns: int, end: int, drawn: bool
) -> None:
    strength = np.zeros_like(BAR)
    strength[20:end, 60:68] = FULL
    turned = np.ascontiguousarray(np.rot90(strength, turns))
    marks = np.ascontiguousarray(np.rot90(BAR, turns)).astype(np.float32)
    assert bool(np.rot90(draw(turned, marks), -turns)[120, 64]) == drawn


@pytest.mark.parametrize(("strength", "drawn"), [(54, False), (66, True)])
def test_pixels_within_reach_are_ink_from_three_tenths_of_full_on(
    strength: int, drawn: bool
) -> None:
    spot = FULL * BAR
    spot[40:44, 68:70] = strength
    assert bool(draw(spot, BAR.astype(np.float32))[41, 69] > 0) == drawn


@pytest.mark.parametrize("turns", range(4))
def test_marks_reach_a_sixty_fourth_of_the_window(turns: int) -> None:
    strength = FULL * BAR
    strength[60, :] = FULL  # out of the window on both sides: not mostly marked
    turned = np.ascontiguousarray(np.rot90(strength, turns))
    marks = np.ascontiguousarray(np.rot90(BAR, turns)).astype(np.float32)
    image = np.rot90(draw(turned, marks), -turns)
    # two pixels of 128, and one of soft edge
    assert image[60, 57] > 0 and image[60, 56] == 0


@pytest.mark.parametrize(("marked", "drawn"), [(0.42, False), (0.58, True)])
def test_a_component_of_which_most_is_marked_is_the_digit_s(marked: float, drawn: bool) -> None:
    marks = BAR.astype(np.float32)
    marks[20 + round(marked * 88) :] = 0
    assert bool(draw(FULL * BAR, marks)[100, 64] > 0) == drawn


@pytest.mark.parametrize(("pieces", "joined"), [(7, False), (8, True)])
def test_more_than_seven_pieces_are_dots(pieces: int, joined: bool) -> None:
    dots = np.zeros_like(BAR)
    for row in range(pieces):
        dots[20 + 11 * row : 28 + 11 * row, 60:68] = 1
    image = draw(FULL * dots, BAR.astype(np.float32))
    assert bool(image[29, 64] > 0) == joined


@pytest.mark.parametrize(("width", "joined"), [(4, False), (7, True)])
def test_pieces_of_less_than_a_fiftieth_of_the_strokes_are_specks(width: int, joined: bool) -> None:
    pieces = np.zeros_like(BAR)
    pieces[20:60, 90:115] = 1  # of 1,000 pixels
    for row in range(7):
        pieces[20 + 11 * row : 24 + 11 * row, 60 : 60 + width] = 1
    marks = np.maximum(BAR, pieces).astype(np.float32)
    assert bool(draw(FULL * pieces, marks)[28, 64] > 0) == joined


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


def test_a_dot_s_rim_does_not_make_it_less_certain() -> None:
    dots = np.zeros((384, 384), np.uint8)
    for row in range(60, 324, 30):
        dots[row : row + 12, 180:205] = 1  # a third of the detector's next pixel
    marks = np.zeros((128, 128), np.float32)
    marks[20:108, 60:68] = 0.9
    marks[20:108, 68] = 0.5
    assert select_strokes(FULL * dots, marks).certainty == pytest.approx(0.9, abs=0.01)
