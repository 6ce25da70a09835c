"""From ten probabilities to an answer, or to none."""

from collections.abc import Sequence

from digitcli.imaging.ink import Ink
from digitcli.prediction import Prediction, Ranked, Reason, Status


def decide(probabilities: Sequence[float], ink: Ink | None, *, min_confidence: float, top: int = 0) -> Prediction:
    """Answer with the likeliest digit, unless there is reason not to.

    Args:
        probabilities: of the digits 0 to 9.
        ink: what was found in the picture, or None where it was taken as it is.
        min_confidence: below it the answer is unsure.
        top: how many of the likeliest digits to list.

    """
    if ink is not None and not ink.found:
        return Prediction(Status.NO_DIGIT, reason=Reason.NO_INK.value)
    ranking = sorted(range(len(probabilities)), key=lambda digit: -probabilities[digit])
    best = ranking[0]
    confidence = probabilities[best]
    likeliest = tuple(Ranked(digit, probabilities[digit]) for digit in ranking[:top])
    if confidence < min_confidence:
        return Prediction(Status.UNSURE, None, confidence, best, Reason.LOW_CONFIDENCE.value, likeliest)
    return Prediction(Status.OK, best, confidence, best, None, likeliest)
