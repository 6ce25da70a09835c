import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitcli.inference.classifier import Classifier
from digitcli.inference.rejection import decide
from digitcli.prediction import Prediction, Ranked, Reason, Status
from digitcli.preprocessing.box import Box
from digitcli.preprocessing.ink import Ink
from digitcli.preprocessing.pipeline import find_ink

PROBABILITIES = [0.0, 0.05, 0.0, 0.0, 0.0, 0.15, 0.0, 0.7, 0.0, 0.1]


@pytest.mark.parametrize("min_confidence", [0.0, 0.5, 0.7])
def test_the_likeliest_digit_is_the_answer_where_it_is_sure_enough(min_confidence: float) -> None:
    assert decide(PROBABILITIES, None, min_confidence=min_confidence) == Prediction(
        Status.OK, 7, 0.7, 7
    )


def test_below_the_threshold_it_is_unsure() -> None:
    prediction = decide(PROBABILITIES, None, min_confidence=0.71)
    assert prediction == Prediction(Status.UNSURE, None, 0.7, 7, "low confidence")


@pytest.mark.parametrize("min_confidence", [0.5, 0.9])
def test_the_likeliest_digits_are_listed_likeliest_first(min_confidence: float) -> None:
    top = decide(PROBABILITIES, None, min_confidence=min_confidence, top=3).top
    assert top == (Ranked(7, 0.7), Ranked(5, 0.15), Ranked(9, 0.1))


def test_of_equals_the_smaller_digit_comes_first() -> None:
    assert [
        ranked.digit for ranked in decide([0.1] * 10, None, min_confidence=0.0, top=10).top
    ] == list(range(10))


def test_a_picture_without_ink_has_no_digit_and_no_guess() -> None:
    blank = find_ink(np.full((60, 60), 255, np.uint8))
    assert decide(PROBABILITIES, blank, min_confidence=0.0, top=3) == Prediction(
        Status.NO_DIGIT, reason="no ink"
    )


ONE = Ink(np.zeros((20, 14), np.uint8), box=Box(0, 0, 14, 20), certainty=0.8)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (dataclasses.replace(ONE, characters=2), Reason.SEVERAL),
        (dataclasses.replace(ONE, certainty=0.7), Reason.SHAPE),
    ],
)
def test_what_does_not_look_like_one_digit_is_none_and_the_guess_stays_visible(
    seen: Ink, reason: Reason
) -> None:
    assert decide(PROBABILITIES, ONE, min_confidence=0.5).digit == 7
    prediction = decide(PROBABILITIES, seen, min_confidence=0.5)
    assert prediction == Prediction(Status.NO_DIGIT, None, 0.7, 7, reason.value)


def drawn(name: str) -> NDArray[np.uint8]:
    """Pictures of 300×300 that are no digit, dark on light."""
    page = np.full((300, 300), 235, np.uint8)
    if name == "square":
        cv2.rectangle(page, (90, 90), (210, 210), 20, -1)
    if name == "bar":
        cv2.rectangle(page, (40, 140), (260, 160), 20, -1)
    if name == "word":
        for left, digit in ((40, "4"), (120, "7"), (200, "2")):
            cv2.putText(page, digit, (left, 180), cv2.FONT_HERSHEY_SIMPLEX, 2.5, 20, 8)
    if name == "dust":
        page = np.zeros((28, 28), np.uint8)
        page[20:23, 3] = 255
    if name == "noise":
        page = np.random.default_rng(1).normal(128, 40, page.shape).clip(0, 255).astype(np.uint8)
    return page


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("blank", {Reason.NO_INK}),
        ("square", {Reason.NO_INK, Reason.SHAPE}),
        ("bar", {Reason.NO_INK, Reason.SHAPE}),
        ("word", {Reason.SEVERAL}),
        ("dust", {Reason.SMALL}),
        (
            "noise",
            {Reason.NO_INK, Reason.SEVERAL, Reason.SHAPE, Reason.LOW_CONFIDENCE},
        ),
    ],
)
def test_pictures_that_are_no_digit_are_refused_with_their_reason(
    name: str, reasons: set[Reason]
) -> None:
    prediction = Classifier().classify(drawn(name))
    assert prediction.digit is None
    assert Reason(prediction.reason) in reasons
