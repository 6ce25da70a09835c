"""The answer for one picture: the words that every room shares."""

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    """How it went with one picture."""

    OK = "ok"
    UNSURE = "unsure"  # a digit was seen, but not surely enough to say it
    NO_DIGIT = "no_digit"  # nothing was found to read as one digit
    ERROR = "error"  # the file could not be read


class Reason(str, Enum):
    """Why a picture that could be read got no digit."""

    NO_INK = "no ink"
    SMALL = "too small to read"
    SEVERAL = "several characters"
    SHAPE = "not the shape of a digit"
    LOW_CONFIDENCE = "low confidence"


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of the ten digits and the probability the network gives it, in [0, 1]."""

    digit: int
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one picture.

    ``digit`` is None unless ``status`` is ok. ``confidence`` in [0, 1] and ``best_guess`` are what
    the network thought wherever it ran, else None. ``reason`` stands wherever ``status`` is not ok:
    the text of a ``Reason``, or for an error what is wrong with the file. ``top`` lists the
    likeliest digits, likeliest first, where they were asked for.
    """

    status: Status
    digit: int | None = None
    confidence: float | None = None
    best_guess: int | None = None
    reason: str | None = None
    top: tuple[Ranked, ...] = ()
