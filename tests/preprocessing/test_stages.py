"""Each stage of the way of an image does what it is there for."""

from typing import Any

import cv2
import numpy as np
import pytest
from preprocessing import photos
from reading import read_content

from digitcli.preprocessing import pipeline
from digitcli.preprocessing.detection import Sight, look
from digitcli.preprocessing.framing import to_canvas
from digitcli.preprocessing.pipeline import find_ink
from digitcli.preprocessing.ruled_lines import without_lines


def page(index: int = 0, **options: Any) -> np.ndarray:
    digit = photos.digits(20, seed=6)[0][index]
    written = photos.page(digit, np.random.default_rng(1), **options)
    return written.clip(0, 255).astype(np.uint8)


def test_the_closer_look_is_at_the_surroundings_of_the_digit() -> None:
    ink = find_ink(page(size=(600, 500), side=80, at=(400, 60)))
    window, longer = ink.seen.window, ink.box.longer
    assert 1.6 * longer < window.width == window.height < 2.7 * longer
    assert window.left <= ink.box.left and window.top <= ink.box.top
    assert window.right >= ink.box.right and window.bottom >= ink.box.bottom


@pytest.fixture
def looks(monkeypatch) -> list[tuple[int, ...]]:
    """The shapes of the images that the detector looks at."""
    shapes: list[tuple[int, ...]] = []

    def look_and_note(image: np.ndarray) -> Sight:
        shapes.append(image.shape)
        return look(image)

    monkeypatch.setattr(pipeline, "look", look_and_note)
    return shapes


@pytest.mark.parametrize("keep", [False, True])
def test_the_maps_of_a_batch_are_not_kept_unless_they_are_to_be_shown(keep: bool) -> None:
    content = photos.png(page(size=(200, 180), side=80))
    assert (read_content(content, keep_image=keep).ink.seen is not None) is keep


def test_the_detector_looks_twice_and_no_more(looks: list[tuple[int, ...]]) -> None:
    find_ink(page(size=(600, 500), side=80))
    assert looks[0] == (600, 500)
    assert len(looks) == 2 and max(looks[1]) < 220


@pytest.mark.parametrize(("side", "asked"), [(32, False), (36, True)])
def test_only_small_crops_take_the_direct_way(
    looks: list[tuple[int, ...]], side: int, asked: bool
) -> None:
    clean = page(size=(100, 100), side=84, paper=255, ink=0, grain=0)
    crop = cv2.resize(clean, (side, side), interpolation=cv2.INTER_AREA)
    crop[crop > 200] = 255
    assert find_ink(crop).found
    assert bool(looks) == asked


def test_a_printed_box_around_the_digit_is_not_its_ink() -> None:
    plain = page(paper=255, ink=20, grain=0)
    boxed = plain.copy()
    cv2.rectangle(boxed, (25, 40), (175, 200), 20, 5)
    canvas, expected = to_canvas(find_ink(boxed)), to_canvas(find_ink(plain))
    assert np.abs(canvas.astype(int) - expected).mean() < 12


@pytest.mark.parametrize("grain", [0, 4], ids=["clean", "photo"])
@pytest.mark.parametrize("width", [2, 6])
def test_an_empty_box_is_no_digit(width: int, grain: int) -> None:
    empty = np.random.default_rng(0).normal(230, grain, (240, 200))
    cv2.rectangle(empty, (30, 40), (170, 200), 30, width)
    assert not find_ink(empty.clip(0, 255).astype(np.uint8)).found


def test_a_smaller_digit_beside_it_is_counted() -> None:
    drawing = np.full((200, 320), 255, np.uint8)
    for index, left, side in ((0, 20, 150), (1, 190, 90)):
        digit = photos.digits(20, seed=6)[0][index]
        stroke = 255 * (1 - photos.stroke(digit, side))
        window = drawing[30 : 30 + side, left : left + side]
        window[:] = np.minimum(window, stroke)
    assert find_ink(drawing).characters == 2


def test_red_on_green_of_one_brightness_is_read_like_black_on_white() -> None:
    amount = photos.stroke(photos.digits(20, seed=6)[0][3], 150)[..., None]
    red, green = np.array([200, 40, 60]), np.array([20, 128, 20])
    coloured = np.full((200, 180, 3), green, float)
    plain = np.full((200, 180), 255.0)
    coloured[25:175, 15:165] += amount * (red - green)
    plain[25:175, 15:165] -= 255 * amount[..., 0]
    canvas = to_canvas(find_ink(np.rint(coloured).astype(np.uint8)))
    expected = to_canvas(find_ink(np.rint(plain).astype(np.uint8)))
    assert np.abs(canvas.astype(int) - expected).mean() < 12


def test_a_ruled_line_is_erased_and_the_stroke_that_crosses_it_stays() -> None:
    strength = np.zeros((120, 120), np.uint8)
    strength[80:83] = 120
    strength[20:100, 56:64] = 200
    rest = without_lines(strength, 60)
    assert not rest[80:83, :50].any()
    assert not rest[80:83, 70:].any()
    assert (rest[20:100, 57:63] > 100).all()


@pytest.mark.parametrize(
    ("columns", "erased"),
    [
        ([(0, 160)], True),
        ([(30, 90)], False),  # a stroke: it does not cross the image
        ([(0, 32), (66, 94), (128, 160)], True),  # worn: 58 % of the width
        ([(0, 16), (74, 86), (144, 160)], False),  # 28 %
        ([(0, 8), (40, 120), (152, 160)], True),  # half of each tenth at the ends
        ([(0, 5), (40, 120), (155, 160)], False),  # less
    ],
)
def test_a_line_covers_half_the_width_and_both_ends(
    columns: list[tuple[int, int]], erased: bool
) -> None:
    strength = np.zeros((160, 160), np.uint8)
    for start, end in columns:
        strength[80:83, start:end] = 120
    assert (not without_lines(strength, 60).any()) == erased


@pytest.mark.parametrize(
    ("above", "below", "erased"), [(3, 3, True), (3, 4, True), (2, 5, True), (4, 4, False)]
)
def test_what_is_thicker_than_a_twenty_fifth_of_the_image_is_a_stroke(
    above: int, below: int, erased: bool
) -> None:
    strength = np.zeros((160, 160), np.uint8)
    strength[80 - above : 80] = 35
    strength[80 : 80 + below] = 60
    assert (not without_lines(strength, 60).any()) == erased


@pytest.mark.parametrize(("spot", "kept"), [(185, False), (215, True)])
def test_what_is_much_stronger_than_a_line_is_a_stroke_that_crosses_it(
    spot: int, kept: bool
) -> None:
    strength = np.zeros((160, 160), np.uint8)
    strength[80:83] = 100
    strength[80:83, 70:76] = spot
    assert bool(without_lines(strength, 60)[81, 73]) == kept


@pytest.mark.parametrize("shape", [(2, 1000), (1000, 2), (1, 500), (2, 2)])
def test_an_image_too_narrow_for_a_line_to_be_looked_for_keeps_its_ink(shape) -> None:
    strength = np.zeros(shape, np.uint8)
    strength[shape[0] // 3 : shape[0] // 2, shape[1] // 3 : shape[1] // 2] = 200
    np.testing.assert_array_equal(without_lines(strength, 60), strength)


@pytest.mark.parametrize("faint", [15, 25])
def test_a_line_s_soft_edge_goes_with_it_from_a_third_of_the_faintest_ink_on(faint: int) -> None:
    strength = np.zeros((160, 160), np.uint8)
    strength[79] = faint
    strength[80:82] = 60
    assert (not without_lines(strength, 60).any()) == (faint >= 20)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("slope", [-0.2, 0.0, 0.1])
@pytest.mark.parametrize("shape", [(160, 160), (90, 200), (420, 400)])
def test_all_lines_are_erased_and_a_digit_on_them_stays(
    shape: tuple[int, int], slope: float, turned: bool
) -> None:
    height, width = shape
    thickness = max(shape) // 80
    lines, digit = np.zeros((2, *shape), np.uint8)
    for left in range(0, height, 12 * thickness):
        right = round(left + slope * width)
        if 4 * thickness <= min(left, right) and max(left, right) < height - 4 * thickness:
            cv2.line(lines, (0, left), (width - 1, right), 120, thickness)
    cv2.circle(digit, (width // 2, height // 2), min(shape) // 4, 255, 3 * thickness)
    page = np.maximum(lines, digit)
    rest = without_lines(np.ascontiguousarray(page.T), 60).T if turned else without_lines(page, 60)
    away = cv2.dilate(digit, np.ones((9, 9), np.uint8)) == 0
    # hard-edged steps of a slanted line may be left
    assert (rest[(lines > 0) & away] > 0).mean() <= (0.25 if slope else 0)
    assert (rest[digit > 0] == 255).all()


def test_ruled_lines_are_erased_on_the_way(monkeypatch) -> None:
    ruled = page(0, ground=np.where(np.arange(240)[:, None] % 40 < 3, 130.0, 220.0) * np.ones(200))
    strength = find_ink(ruled).seen.strength
    monkeypatch.setattr(pipeline, "without_lines", lambda strength, faintest: strength)
    with_lines = find_ink(ruled).seen.strength
    assert strength.mean() < 0.8 * with_lines.mean()


def test_the_glance_counts_digits_that_the_closer_look_does_not_see() -> None:
    far = np.full((300, 900), 255, np.uint8)
    for left in (20, 760):
        stroke = photos.stroke(photos.digits(20, seed=6)[0][1], 110)
        far[90:200, left : left + 110] = 255 * (1 - stroke)
    assert find_ink(far).characters == 2


@pytest.mark.parametrize(("side", "found"), [(6, False), (7, True)])
def test_fewer_than_seven_pixels_are_too_small(side: int, found: bool) -> None:
    page_ = np.full((24, 24), 255, np.uint8)
    page_[8 : 8 + side, 11:13] = 0
    ink = find_ink(page_)
    assert (ink.found, ink.small) == (found, not found)
    assert find_ink(page_[8 : 8 + side, 8 : 8 + side]).small != found


@pytest.mark.parametrize(("edge", "width"), [(50, 14), (80, 16)])
def test_the_box_holds_what_has_a_quarter_of_full_ink(edge: int, width: int) -> None:
    crop = np.zeros((28, 30), np.uint8)
    crop[4:25, 8:22] = 255
    crop[4:25, (7, 22)] = edge
    assert find_ink(crop).box.width == width
