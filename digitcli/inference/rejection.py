"""From ten probabilities, and what was seen while the picture was read, to an answer or to none."""

from collections.abc import Sequence

from digitcli.prediction import Prediction, Ranked, Reason, Status
from digitcli.preprocessing.ink import Ink

# Mean probability, by the detector, that the ink is a digit's. Of 1,007 photos one that would be
# answered rightly has less, and four of the seven that would be answered wrongly.
_LEAST_CERTAIN = 0.72


def decide(
    probabilities: Sequence[float], ink: Ink | None, *, min_confidence: float, top: int = 0
) -> Prediction:
    """Answer with the likeliest digit, unless there is reason not to.

    Args:
        probabilities: of the digits 0 to 9.
        ink: what was found in the picture, or None where it was taken as it is.
        min_confidence: below it the answer is unsure.
        top: how many of the likeliest digits to list.
    """
    if ink is not None and ink.missing is not None:
        return Prediction(Status.NO_DIGIT, reason=ink.missing.value)
    ranking = sorted(range(len(probabilities)), key=lambda digit: -probabilities[digit])
    best = ranking[0]
    confidence = probabilities[best]
    likeliest = tuple(Ranked(digit, probabilities[digit]) for digit in ranking[:top])
    no_digit = _no_digit(ink) if ink is not None else None
    if no_digit is not None:
        return Prediction(Status.NO_DIGIT, None, confidence, best, no_digit.value, likeliest)
    if confidence < min_confidence:
        return Prediction(
            Status.UNSURE, None, confidence, best, Reason.LOW_CONFIDENCE.value, likeliest
        )
    return Prediction(Status.OK, best, confidence, best, None, likeliest)


def _no_digit(ink: Ink) -> Reason | None:
    """Return why the ink is not that of one digit, if it is not."""
    if ink.characters > 1:
        return Reason.SEVERAL
    if ink.certainty < _LEAST_CERTAIN:
        return Reason.SHAPE
    return None
