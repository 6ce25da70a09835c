"""From ten probabilities to an answer, or to none."""

from digitcli.prediction import Prediction, Ranked, Status


def decide(probabilities: list[float], *, min_confidence: float, top: int = 0) -> Prediction:
    """Answer with the likeliest digit where that is sure enough.

    Args:
        probabilities: of the digits 0 to 9.
        min_confidence: below it the answer is unsure.
        top: how many of the likeliest digits to list.

    """
    ranking = sorted(range(len(probabilities)), key=lambda digit: -probabilities[digit])
    best = ranking[0]
    confidence = probabilities[best]
    likeliest = tuple(Ranked(digit, probabilities[digit]) for digit in ranking[:top])
    if confidence < min_confidence:
        return Prediction(Status.UNSURE, None, confidence, best, f"could be {best} or {ranking[1]}", likeliest)
    return Prediction(Status.OK, best, confidence, best, None, likeliest)
