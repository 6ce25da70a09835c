import cv2
import numpy as np
import pytest

from digitcli.datasets.labelled import LabelledImages
from digitcli.synthesis.digits import frame_as_mnist
from digitcli.synthesis.drawing_files import ADDED, HAND, SEGMENTS, Drawing, load_packaged
from digitcli.synthesis.styles import (
    Choice,
    add_strokes,
    count_strokes_at_half_height,
    draw_digits,
    draw_display,
    draw_dot_matrix,
    draw_style,
    find_anchor,
    measure_stroke_width,
    pick_base,
    print_stencil,
    write_by_hand,
)

ALL = [
    (name, drawing)
    for name in ("digits", "negatives", "detector")
    for drawing in load_packaged(name)
]


@pytest.fixture(scope="module")
def bar() -> np.ndarray:
    """An upright bar, 4 pixels wide and 20 high."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:16] = 255
    return image


def assert_framed(image: np.ndarray) -> None:
    """A box of 20, its centre of mass in the middle; its edge may be all but black."""
    assert image.dtype == np.uint8
    assert image.shape == (28, 28)
    rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) in (18, 19)
    weights = image / image.sum()
    # at the canvas's edge there is no more room to centre
    inside = rows[0] > 0 and rows[-1] < 27 and columns[0] > 0 and columns[-1] < 27
    for axis in (0, 1):
        middle = (weights.sum(axis=axis) * np.arange(28)).sum()
        assert not inside or middle == pytest.approx(13.5, abs=1.1)


@pytest.mark.parametrize(("file", "drawing"), ALL, ids=lambda v: getattr(v, "name", v))
def test_each_drawing_draws_and_is_framed_as_mnist_frames(file, drawing, few):
    rng = np.random.default_rng(0)
    digits = few[0]
    for _ in range(3):
        if drawing.kind == ADDED:
            rows = np.flatnonzero(digits.labels == int(drawing.label))
            sheet = add_strokes(digits.images[rng.choice(rows)], drawing, rng)
        elif file == "digits":
            sheet = draw_style(drawing, rng)
        else:
            sheet = write_by_hand(drawing, rng, broadest=9)
        assert sheet.max() > 120
        edge = np.concatenate([sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1]])
        assert edge.max() == 0, "ink falls off the sheet"
        assert_framed(frame_as_mnist(sheet))


def test_every_digit_is_drawn_and_framed_as_mnist_frames_it(few):
    drawn = draw_digits(400, few[0], np.random.default_rng(0))
    assert set(drawn.labels) == set(range(10))
    assert drawn.labels.dtype == np.int64
    for image in drawn.images:
        assert_framed(image)


def test_the_same_numbers_draw_the_same_digits(few):
    first, second = (draw_digits(80, few[0], np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_one_s_own_images_may_lack_a_digit(few):
    digits = few[0][few[0].labels != 1]
    assert 1 in draw_digits(100, digits, np.random.default_rng(0)).labels
    none = LabelledImages(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64))
    assert len(draw_digits(50, none, np.random.default_rng(0))) == 50


def test_drawings_are_picked_by_their_shares():
    rare, common = (Drawing("1", HAND, share, (0.5, 0.6), str(share)) for share in (1, 3))
    choice, rng = Choice([rare, common]), np.random.default_rng(0)
    assert sum(choice.pick(rng) is common for _ in range(1000)) == pytest.approx(750, abs=50)


def added(text: str, *points: tuple[float, float]) -> Drawing:
    return Drawing("1", ADDED, 1, (0, 0), text, (points,), anchors=(text,))


def test_a_flag_starts_at_the_top_and_is_as_wide_as_the_digit_s_own_stroke(bar):
    flag = added("top", (0, 0), (-0.4, 0.4))
    plain = add_strokes(bar, added("top", (0, 0), (0, 0.01)), np.random.default_rng(1))
    flagged = add_strokes(bar, flag, np.random.default_rng(1))
    new = (flagged > 127) & (plain <= 127)
    rows, columns = np.nonzero(new)
    stem = np.flatnonzero((plain > 127).any(axis=0))
    assert columns.max() < stem[-1], "the flag is on the left"
    assert rows.max() < plain.shape[0] / 2 + 10
    width = measure_stroke_width(np.ascontiguousarray(new[:, : stem[0] - 8]).astype(np.uint8))
    assert width == pytest.approx(16, abs=5)  # 4 pixels, enlarged four times


def test_an_added_stroke_is_as_soft_as_the_digit_s_own(bar):
    """Enlarged four times, MNIST's edges are four pixels wide."""
    sheet = add_strokes(bar, added("bottom", (-0.4, 0), (0.4, 0)), np.random.default_rng(1))
    beside = sheet[:, sheet.shape[1] // 2 - 24]
    assert beside.max() > 200
    edges = np.count_nonzero((beside > 25) & (beside < 230))
    assert 5 <= edges <= 12


def test_a_faint_image_gets_no_stroke(bar):
    faint = bar // 4
    sheet = add_strokes(faint, added("top", (0, 0), (-0.4, 0.4)), np.random.default_rng(1))
    assert sheet.max() == faint.max()


@pytest.mark.parametrize(
    ("anchor", "point"),
    [("top", (13.5, 5)), ("bottom", (13.5, 22)), ("middle", (13.5, 13.5)), ("centre", (14, 14))],
)
def test_anchors_of_a_bar(bar, anchor, point):
    found = find_anchor((bar > 0).astype(np.uint8), anchor, 4)
    np.testing.assert_allclose(found, point, atol=1)


def test_anchors_on_the_left():
    mask = np.zeros((28, 28), np.uint8)
    mask[4:8, 6:20] = 1  # a 7's top
    mask[8:24, 16:20] = 1
    np.testing.assert_allclose(find_anchor(mask, "left-top", 4), (7.5, 5.5), atol=1)
    np.testing.assert_allclose(find_anchor(mask, "left-bottom", 4), (17.5, 18.5), atol=1)


def test_an_unknown_anchor_is_refused(bar):
    with pytest.raises(ValueError, match="no anchor 'foot'"):
        find_anchor((bar > 0).astype(np.uint8), "foot", 4)


def test_a_bar_is_added_where_there_is_one_stroke_only(bar):
    two = bar.copy()
    two[4:24, 4:8] = 255
    assert (count_strokes_at_half_height(bar), count_strokes_at_half_height(two)) == (1, 2)
    images, rows = np.stack([two, two, bar]), np.arange(3)
    rng = np.random.default_rng(0)
    crossed = added("middle", (-0.2, 0), (0.2, 0))
    picked = [pick_base(images, rows, crossed, rng) for _ in range(20)]
    assert sum(np.array_equal(image, bar) for image in picked) >= 18


def test_a_display_lights_the_segments_it_is_told():
    rng = np.random.default_rng(0)
    for _ in range(40):
        six, five = (
            frame_as_mnist(draw_display("acdefg", rng)),
            frame_as_mnist(draw_display("acdfg", rng)),
        )
        # the lower left segment is what tells a 6 with a roof from a 5
        left_of_six = six[15:19, :13].max()
        left_of_five = five[15:19, :11].max()
        assert left_of_six > left_of_five


def test_worn_segments_stay_brighter_than_unlit_ones():
    """Else a worn 8 would be a 9, and a 1 an 8."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        sheet = draw_display("bc", rng)
        half = len(sheet) // 2
        assert min(sheet[:half].max(), sheet[half:].max()) >= 100
        assert sheet[:, :34].max() <= 60, "the unlit segments on the left"


def test_dots_are_where_the_rows_say():
    sheet = draw_dot_matrix(("#.#", "...", "#.#"), np.random.default_rng(0))
    assert cv2.connectedComponents((sheet > 100).astype(np.uint8))[0] - 1 == 4


@pytest.mark.parametrize("digit", range(10))
def test_a_stencil_is_cut(digit):
    rng = np.random.default_rng(digit)
    for _ in range(5):
        pieces = cv2.connectedComponents((print_stencil(digit, rng) > 100).astype(np.uint8))[0] - 1
        assert pieces >= 2


def test_what_is_added_to_a_digit_is_not_drawn_alone():
    with pytest.raises(ValueError, match="added"):
        draw_style(added("top", (0, 0), (1, 1)), np.random.default_rng(0))


def test_displays_are_among_the_kinds():
    assert {d.label for d in load_packaged("digits") if d.kind == SEGMENTS} == set("0123456789")
