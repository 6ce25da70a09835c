"""Every default of a training run, once, with its reason."""

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

from digitcli.errors import DigitcliError, ExitCode


class RecipeError(DigitcliError):
    """A recipe's value is out of range."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far training pictures are changed: standard deviations, or shares of the pictures.

    Lengths are in pixels of the 28×28 picture.
    """

    rotation: float = 6.0  # degrees, standard deviation
    scale: float = 0.08  # of the size, standard deviation
    aspect: float = 0.08  # of width against height, standard deviation
    shear: float = 0.12  # standard deviation
    shift: float = 0.7  # standard deviation: reading centres a digit well, but not its remains
    elastic: float = 0.7  # of the control points' displacement, standard deviation
    stroke: float = 0.4  # share with thicker or thinner strokes
    blur: float = 0.15  # share
    coarse: float = 0.12  # share that goes through a lower resolution
    contrast: float = 0.2  # share
    remains: float = 0.05  # share with a line or specks beside the digit

    def scaled(self, strength: float) -> "Augmentation":
        """Give an augmentation of ``strength`` times all amounts and shares."""
        return Augmentation(
            **{part.name: strength * getattr(self, part.name) for part in fields(self)}
        )


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides a training run, but for the data.

    Raises:
        RecipeError: a value is out of range.
    """

    architecture: str = "lenet5"
    epochs: int = 200
    batch_size: int = 256
    learning_rate: float = 0.008  # the peak, a quarter of the way in
    weight_decay: float = 0.01
    label_smoothing: float = 0.02
    averaged_epochs: float = 2.0  # weights are averaged, exponentially, over about that many
    drawn: float = 0.15  # digits drawn by code, as a share of MNIST's
    no_digits: float = 0.25  # shapes that are no digits, likewise
    own: float = 0.25  # warm start: share of one's own pictures in what is trained on
    normalise: bool = True  # batch normalisation while training; a warm start goes on without
    patience: int | None = None  # epochs that bring nothing better, after which training ends
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, lowest, highest in (
            ("epochs", 1, 100_000),
            ("batch_size", 2, 100_000),
            ("learning_rate", 1e-7, 10),
            ("patience", 1, 100_000),
            ("seed", 0, 2**32 - 1),
        ):
            value = getattr(self, name)
            if value is not None and not lowest <= value <= highest:  # NaN is out of every range
                raise RecipeError(
                    f"{name.replace('_', ' ')} must be {lowest:,} to {highest:,}, not {value}"
                )


# The network of 1998 learns from MNIST's pictures, moved and bent as hands do it. All values were
# chosen on the validation part.
LENET5_1998 = Recipe(
    architecture="lenet5-1998",
    epochs=30,
    batch_size=64,
    learning_rate=0.003,
    weight_decay=0.05,
    label_smoothing=0.0,
    averaged_epochs=1.5,
    drawn=0.0,
    no_digits=0.0,
    normalise=False,
    augmentation=Augmentation(
        rotation=5.0,
        scale=0.06,
        aspect=0.06,
        shear=0.1,
        stroke=0.0,
        blur=0.0,
        coarse=0.0,
        contrast=0.0,
        remains=0.0,
    ),
)
RECIPES = {recipe.architecture: recipe for recipe in (Recipe(), LENET5_1998)}

LONG = 30  # epochs from which on the whole augmentation pays
# Fewer epochs need more and larger steps: after five, 31 validation errors instead of 38 with a
# batch of 64 and a rate of 0.01 (seeds 1 and 0). Batches of 96 with 0.015 come to the same in a
# sixth less time.
SHORT: dict[str, dict[str, Any]] = {"lenet5": {"batch_size": 96, "learning_rate": 0.015}}


def recipe_for_epochs(epochs: int | None, architecture: str = "lenet5") -> Recipe:
    """Return the recipe for a number of epochs: few of them learn more with less augmentation."""
    whole = RECIPES[architecture]
    epochs = whole.epochs if epochs is None else epochs
    if epochs < LONG:
        whole = replace(whole, **SHORT.get(architecture, {}))
    strength = min(1.0, math.sqrt(max(epochs, 0) / LONG))
    return replace(
        whole,
        epochs=epochs,
        averaged_epochs=whole.averaged_epochs * min(1.0, epochs / LONG),
        drawn=whole.drawn * strength,
        no_digits=whole.no_digits * strength,
        augmentation=whole.augmentation.scaled(strength) if whole.augmentation else None,
    )


def warm(architecture: str = "lenet5") -> Recipe:
    """Return the recipe for one's own images: few epochs at a low rate, so nothing is forgotten.

    Labels are as they are: a network that begins calibrated would grow less sure with smoothed
    ones, from epoch to epoch, and the first would always be the best by loss.
    """
    return replace(
        RECIPES[architecture], epochs=6, learning_rate=0.0008, label_smoothing=0.0, normalise=False
    )
