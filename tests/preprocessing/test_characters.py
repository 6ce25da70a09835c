"""Characters from the detector's two maps, here drawn by hand."""

import numpy as np
import pytest

from digitcli.preprocessing.characters import (
    FARTHEST,
    LEAST_SHARE,
    LIKELY,
    MARKED,
    PEAK,
    find_characters,
)
from digitcli.preprocessing.detection import Sight


def sight(*blots: tuple[int, int, int], middle: float = 1.0, ink: float = 1.0) -> Sight:
    """Bars of ink at (x, width, height), each with a middle of half its height."""
    inked, middles = np.zeros((2, 128, 128), np.float32)
    for x, width, height in blots:
        top = 64 - height // 2
        inked[top : top + height, x : x + width] = ink
        middles[64 - height // 4 : 65 + height // 4, x : x + width] = middle
    return Sight(inked, middles)


def test_the_character_with_most_ink_is_the_main_one() -> None:
    found = find_characters(sight((20, 4, 30), (60, 4, 60), (100, 4, 20)))
    assert found is not None
    assert found.count == 3
    assert found.main_box == (60, 34, 64, 94)
    assert (found.main_ink > 0).sum() == 240


def test_ink_that_touches_no_middle_belongs_to_the_nearest() -> None:
    seen = sight((20, 4, 60), (100, 4, 60))
    seen.ink[30:33, 28:40] = 1  # a loose bar, nearer to the first
    found = find_characters(seen)
    assert found.main_box == (20, 30, 40, 94)


@pytest.mark.parametrize("times", [0.4, 1.1])
def test_ink_far_from_every_middle_belongs_to_none(times: float) -> None:
    seen = sight((20, 4, 40))
    start = 24 + round(times * FARTHEST * 20)
    seen.ink[60:68, start : start + 15] = 1  # a part of a word beside
    assert find_characters(seen).main_box.right == (24 if times > 1 else start + 15)


@pytest.mark.parametrize(("times", "count"), [(0.5, 1), (1.5, 2)])
def test_what_has_little_ink_beside_the_main_one_is_no_character(times: float, count: int) -> None:
    small = round(times * LEAST_SHARE * 100)
    assert find_characters(sight((20, 5, 100), (100, 5, small))).count == count


@pytest.mark.parametrize(("times", "found"), [(0.9, False), (1.1, True)])
def test_a_middle_without_ink_is_no_digit(times: float, found: bool) -> None:
    assert (find_characters(sight((20, 4, 60), ink=times * MARKED)) is not None) == found


@pytest.mark.parametrize(("times", "found"), [(0.9, False), (1.1, True)])
def test_without_a_middle_there_is_no_character(times: float, found: bool) -> None:
    assert (find_characters(sight((20, 4, 60), middle=times * LIKELY)) is not None) == found


@pytest.mark.parametrize(("times", "count"), [(0.9, 1), (1.1, 2)])
def test_a_middle_far_less_certain_than_another_is_a_fragment(times: float, count: int) -> None:
    seen = sight((20, 4, 60), (50, 4, 60))
    seen.characters[:, 40:] *= times * PEAK
    found = find_characters(seen)
    assert found.count == count
    assert (found.main_ink > 0).sum() == 480 / count
