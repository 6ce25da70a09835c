"""The decision to answer or not, from ten probabilities and the ink that was found."""

from collections.abc import Sequence

from digitcli.prediction import Prediction, Ranked, Reason, Status
from digitcli.preprocessing.ink import Ink

# Of the detector's mean probability that the ink is a digit's. Below it lie, among 1,007 photos,
# one that would be answered rightly and four of the seven that would be answered wrongly.
_MIN_CERTAINTY = 0.72


def decide(
    probabilities: Sequence[float], ink: Ink | None, *, min_confidence: float, top: int = 0
) -> Prediction:
    """Return the prediction: the likeliest digit, or the reason for no answer.

    Args:
        probabilities: of the digits 0 to 9.
        ink: that was found in the image; None where the image was taken as it is.
        min_confidence: below it the answer is unsure.
        top: number of the likeliest digits to list.

    """
    if ink is not None and ink.missing is not None:
        return Prediction(Status.NO_DIGIT, reason=ink.missing.value)
    ranking = sorted(range(len(probabilities)), key=lambda digit: -probabilities[digit])
    best = ranking[0]
    confidence = probabilities[best]
    likeliest = tuple(Ranked(digit, probabilities[digit]) for digit in ranking[:top])
    reason = None if ink is None else _reason_for_no_digit(ink)
    status = Status.OK
    if reason is not None:
        status = Status.NO_DIGIT
    elif confidence < min_confidence:
        status, reason = Status.UNSURE, Reason.LOW_CONFIDENCE
    return Prediction(
        status=status,
        digit=best if status is Status.OK else None,
        confidence=confidence,
        best_guess=best,
        reason=None if reason is None else reason.value,
        top=likeliest,
    )


def _reason_for_no_digit(ink: Ink) -> Reason | None:
    """Return why the ink is not that of one digit; None where it may be."""
    if ink.characters > 1:
        return Reason.SEVERAL
    if ink.certainty < _MIN_CERTAINTY:
        return Reason.SHAPE
    return None
