import numpy as np
import pytest

from digitcli.imaging.ink import find_ink
from digitcli.inference.decide import decide
from digitcli.prediction import Prediction, Ranked, Status

PROBABILITIES = [0.0, 0.05, 0.0, 0.0, 0.0, 0.15, 0.0, 0.7, 0.0, 0.1]


@pytest.mark.parametrize("min_confidence", [0.0, 0.5, 0.7])
def test_the_likeliest_digit_is_the_answer_where_it_is_sure_enough(min_confidence: float) -> None:
    assert decide(PROBABILITIES, None, min_confidence=min_confidence) == Prediction(Status.OK, 7, 0.7, 7)


def test_below_the_threshold_it_is_unsure() -> None:
    prediction = decide(PROBABILITIES, None, min_confidence=0.71)
    assert prediction == Prediction(Status.UNSURE, None, 0.7, 7, "low confidence")


@pytest.mark.parametrize("min_confidence", [0.5, 0.9])
def test_the_likeliest_digits_are_listed_likeliest_first(min_confidence: float) -> None:
    top = decide(PROBABILITIES, None, min_confidence=min_confidence, top=3).top
    assert top == (Ranked(7, 0.7), Ranked(5, 0.15), Ranked(9, 0.1))


def test_of_equals_the_smaller_digit_comes_first() -> None:
    assert [ranked.digit for ranked in decide([0.1] * 10, None, min_confidence=0.0, top=10).top] == list(range(10))


def test_a_picture_without_ink_has_no_digit_and_no_guess() -> None:
    blank = find_ink(np.full((60, 60), 255, np.uint8))
    assert decide(PROBABILITIES, blank, min_confidence=0.0, top=3) == Prediction(Status.NO_DIGIT, reason="no ink")
