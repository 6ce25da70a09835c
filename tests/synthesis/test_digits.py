import numpy as np
import pytest

from digitcli.synthesis.digits import frame_as_mnist, print_digit, write
from digitcli.synthesis.drawing_files import HAND, load_packaged


@pytest.mark.parametrize("digit", range(10))
def test_no_ink_falls_off_the_paper(digit):
    rng = np.random.default_rng(digit)
    drawings = [d for d in load_packaged("digits") if d.kind == HAND and d.label == str(digit)]
    papers = [
        write(drawing.strokes, rng, narrowest=0.3, broadest=21)
        for drawing in drawings
        for _ in range(5)
    ] + [print_digit(digit, rng) for _ in range(10)]
    for paper in papers:
        assert paper.max() == 255
        edge = np.concatenate([paper[0], paper[-1], paper[:, 0], paper[:, -1]])
        assert edge.max() == 0


def test_a_wide_drawing_fits_on_the_paper():
    bar = (((0.0, 0.5), (1.0, 0.5)),)
    paper = write(bar, np.random.default_rng(0), narrowest=6, widest=6, broadest=4)
    assert paper[:, [0, -1]].max() == 0
    assert 55 < np.count_nonzero(paper.max(axis=0)) < 80


def test_a_wide_and_a_high_form_fill_the_same_box():
    flat, upright = np.zeros((50, 50), np.uint8), np.zeros((50, 50), np.uint8)
    flat[20:25, 5:45] = 255
    upright[5:45, 20:25] = 255
    np.testing.assert_array_equal(frame_as_mnist(flat), frame_as_mnist(upright).T)
    assert frame_as_mnist(flat).max(axis=0).astype(bool).sum() == 20
