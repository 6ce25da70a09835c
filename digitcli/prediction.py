"""The prediction for one image, in the words that all packages share."""

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    """The result of reading one image."""

    OK = "ok"
    UNSURE = "unsure"  # the confidence in the likeliest digit is too low
    NO_DIGIT = "no_digit"  # nothing, or more than one digit, was found
    ERROR = "error"  # the file could not be read


class Reason(str, Enum):
    """Why an image that could be read got no digit."""

    NO_INK = "no ink"
    SMALL = "too small to read"
    SEVERAL = "several characters"
    SHAPE = "not the shape of a digit"
    LOW_CONFIDENCE = "low confidence"


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of the ten digits and its probability, in [0, 1]."""

    digit: int
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction for one image.

    Attributes:
        status: the result of reading it.
        digit: None unless ``status`` is ok.
        confidence: the probability of ``best_guess``, in [0, 1]; None where the network did not
            run.
        best_guess: the likeliest digit; None where the network did not run.
        reason: None where ``status`` is ok, else the text of a ``Reason``, or for an error what is
            wrong with the file.
        top: the likeliest digits, likeliest first, where they were requested.

    """

    status: Status
    digit: int | None = None
    confidence: float | None = None
    best_guess: int | None = None
    reason: str | None = None
    top: tuple[Ranked, ...] = ()
