"""From ten probabilities, and what was seen while the picture was read, to an answer or to none."""

from collections.abc import Sequence

from digitcli.prediction import Prediction, Ranked, Reason, Status
from digitcli.preprocessing.ink import Ink

# Bounds of what one digit looks like, set where images of digits end: of some 3,600 photos, scans
# and drawings of digits, all of them looked at in choosing, less than 1 in 100 lies beyond any.
_FILLED = 0.9  # share of its box that is ink; only a bar, which can be a 1, has more
_BAR = 0.5  # width by height, up to which a filled box can be a bar
_WIDEST = 2.2  # width by height
_LONGEST = 5.5  # all strokes together, by the box's longer side; noise and textures have more
# Mean probability that the ink is a digit's, where the detector was asked; of 1,007 photos 0.3 %
# that were answered rightly have less, and 4 of the 9 that were answered wrongly.
_LEAST_CERTAIN = 0.72
_FAINTEST = 8  # times the noise that ink stands out from its ground


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
    """Tell why the ink is not that of one digit, if it is not."""
    width, height = ink.box[2:]
    if ink.characters > 1:
        return Reason.SEVERAL
    if ink.frame:
        return Reason.FRAME
    if (
        width > _WIDEST * height
        or ink.length > _LONGEST
        or (ink.fill > _FILLED and width > _BAR * height)
        or ink.certainty < _LEAST_CERTAIN
    ):
        return Reason.SHAPE
    if ink.contrast < _FAINTEST * ink.noise:
        return Reason.FAINT
    return None
