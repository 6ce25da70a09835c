"""Characters from the detector's two maps, here drawn by hand."""

import numpy as np
import pytest

from digitcli.preprocessing.characters import find_characters
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


@pytest.mark.parametrize(("gap", "belongs"), [(24, True), (36, False)])
def test_ink_farther_than_one_and_a_half_middles_belongs_to_none(gap: int, belongs: bool) -> None:
    seen = sight((20, 4, 40))  # its middle is 21 pixels high
    seen.ink[60:68, 24 + gap : 24 + gap + 2] = 1  # a part of a word beside
    assert (find_characters(seen).main_box.right == 24 + gap + 2) == belongs


@pytest.mark.parametrize(("height", "count"), [(7, 1), (9, 2)])
def test_what_has_little_ink_beside_the_main_one_is_no_character(height: int, count: int) -> None:
    assert find_characters(sight((20, 5, 100), (100, 5, height))).count == count


@pytest.mark.parametrize(("probability", "found"), [(0.28, False), (0.32, True)])
def test_a_middle_without_ink_is_no_digit(probability: float, found: bool) -> None:
    assert (find_characters(sight((20, 4, 60), ink=probability)) is not None) == found


@pytest.mark.parametrize(("probability", "found"), [(0.48, False), (0.52, True)])
def test_without_a_middle_there_is_no_character(probability: float, found: bool) -> None:
    assert (find_characters(sight((20, 4, 60), middle=probability)) is not None) == found


@pytest.mark.parametrize(("peak", "count"), [(0.75, 1), (0.85, 2)])
def test_a_middle_far_less_certain_than_another_is_a_fragment(peak: float, count: int) -> None:
    seen = sight((20, 4, 60), (50, 4, 60))
    seen.characters[:, 40:] *= peak
    found = find_characters(seen)
    assert found.count == count
    assert (found.main_ink > 0).sum() == 480 / count
