"""Every default of a training run, once, with its reason."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far training pictures are changed: standard deviations, or largest amounts, and shares of the pictures.

    Lengths are in pixels of the 28×28 picture.
    """

    rotation: float = 8.0  # degrees, standard deviation
    scale: float = 0.08  # of the size, standard deviation
    aspect: float = 0.08  # of width against height, standard deviation
    shear: float = 0.15  # standard deviation
    shift: float = 1.0  # standard deviation
    elastic: float = 0.9  # of the control points' displacement, standard deviation
    stroke: float = 0.4  # share with thicker or thinner strokes
    blur: float = 0.2  # share
    coarse: float = 0.15  # share that goes through a lower resolution
    contrast: float = 0.3  # share
    remains: float = 0.05  # share with a line or specks beside the digit


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides a training run, but for the data."""

    architecture: str = "lenet5"
    epochs: int = 60
    batch_size: int = 256
    learning_rate: float = 0.004  # the highest, a quarter of the way in
    weight_decay: float = 0.01
    label_smoothing: float = 0.02
    averaged_epochs: float = 2.0  # weights are averaged, exponentially, over about that many
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    seed: int = 0
