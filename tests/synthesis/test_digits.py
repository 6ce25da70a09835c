import numpy as np
import pytest

from digitcli.synthesis.digits import FORMS, drawn_digits, framed, print_digit, write


def test_every_digit_is_drawn_and_framed_as_mnist_frames_it():
    drawn = drawn_digits(300, np.random.default_rng(0))
    assert set(drawn.labels) == set(range(10))
    assert drawn.images.dtype == np.uint8
    for image in drawn.images:
        rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
        # a box of 20, whose edge may be all but black
        assert max(np.ptp(rows), np.ptp(columns)) in (18, 19)
        weights = image / image.sum()
        assert (weights.sum(axis=1) * np.arange(28)).sum() == pytest.approx(13.5, abs=1.1)
        assert (weights.sum(axis=0) * np.arange(28)).sum() == pytest.approx(13.5, abs=1.1)


def test_the_same_numbers_draw_the_same_digits():
    first, second = (drawn_digits(50, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.labels, second.labels)


@pytest.mark.parametrize("digit", range(10))
def test_no_ink_falls_off_the_paper(digit):
    rng = np.random.default_rng(digit)
    papers = [
        write(form, rng, narrowest=0.3, broadest=21) for form in FORMS[digit] for _ in range(5)
    ] + [print_digit(digit, rng) for _ in range(10)]
    for paper in papers:
        assert paper.max() == 255
        edge = np.concatenate([paper[0], paper[-1], paper[:, 0], paper[:, -1]])
        assert edge.max() == 0


def test_a_wide_and_a_high_form_fill_the_same_box():
    flat, upright = np.zeros((50, 50), np.uint8), np.zeros((50, 50), np.uint8)
    flat[20:25, 5:45] = 255
    upright[5:45, 20:25] = 255
    np.testing.assert_array_equal(framed(flat), framed(upright).T)
    assert framed(flat).max(axis=0).astype(bool).sum() == 20
