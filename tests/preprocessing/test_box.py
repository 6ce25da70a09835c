import numpy as np
import pytest

from digitcli.preprocessing.box import Box


def test_it_crops_what_it_holds() -> None:
    image = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(Box(1, 0, 3, 2).crop(image), [[1, 2], [5, 6]])


def test_it_is_drawn_around_what_is_not_zero() -> None:
    mask = np.zeros((6, 8), np.uint8)
    assert Box.around(mask).longer == 0
    mask[2, 3:7] = 1
    mask[4, 5] = 255
    assert Box.around(mask) == (3, 2, 7, 5)
    assert Box.whole(mask) == (0, 0, 8, 6)


def test_its_longer_side_may_be_either() -> None:
    assert Box(1, 2, 4, 9).longer == Box(2, 1, 9, 4).longer == 7


def test_it_is_moved_to_another_origin() -> None:
    assert Box(1, 3, 5, 7).moved(1, 3) == (2, 6, 6, 10)


def test_it_is_scaled_to_another_resolution() -> None:
    assert Box(1, 2, 3, 4).scaled(10, 2) == (10, 4, 30, 8)


@pytest.mark.parametrize(
    ("box", "around"),
    [
        (Box(40, 40, 60, 50), (30, 25, 70, 65)),  # a square about the same middle
        (Box(0, 40, 20, 50), (0, 25, 40, 65)),  # moved into the image
        (Box(80, 75, 100, 85), (60, 50, 100, 90)),
        (Box(10, 10, 90, 80), (0, 0, 100, 90)),  # no larger than the image
    ],
)
def test_its_surroundings_are_a_square_inside_the_image(
    box: Box, around: tuple[int, int, int, int]
) -> None:
    assert box.surroundings(2, within=(90, 100)) == around
