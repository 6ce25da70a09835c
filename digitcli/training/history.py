"""The history of a training run, epoch by epoch."""

import csv
import io
from dataclasses import dataclass
from typing import NamedTuple

_COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "validation_loss",
    "validation_accuracy",
    "distorted_loss",
    "distorted_accuracy",
    "learning_rate",
    "seconds",
)


class Score(NamedTuple):
    """The mean cross-entropy in nats and the accuracy in [0, 1]."""

    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One line of the history.

    Attributes:
        number: 1 for the first.
        training: the loss over all training images, against smoothed labels; the accuracy over the
            digits among them.
        validation: on the validation images, with averaged weights.
        distorted: on copies of them, distorted as the training images are; without augmentation the
            same as ``validation``.
        learning_rate: of the epoch's last step.
        seconds: the epoch took, scoring included.
        best: it is the best so far.

    """

    number: int
    training: Score
    validation: Score
    distorted: Score
    learning_rate: float
    seconds: float
    best: bool

    @property
    def choice_loss(self) -> float:
        """The sum of both validation losses, which is lowest in the best epoch.

        The number of errors differs between late epochs by chance more than by merit.
        """
        return self.validation.loss + self.distorted.loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """The result of a training run.

    Attributes:
        history: all epochs that were completed.
        best: the one whose weights are kept.
        interrupted: the user stopped the run.
        diverged: the epoch in which the loss became NaN or infinite, if there was one.

    """

    history: list[Epoch]
    best: Epoch
    interrupted: bool = False
    diverged: int | None = None


def history_csv(history: list[Epoch]) -> str:
    """Return the history as CSV, one line an epoch."""
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_csv_row(epoch) for epoch in history)
    return table.getvalue()


def _csv_row(epoch: Epoch) -> dict[str, str]:
    return {
        "epoch": str(epoch.number),
        "loss": f"{epoch.training.loss:.6f}",
        "accuracy": f"{epoch.training.accuracy:.6f}",
        "validation_loss": f"{epoch.validation.loss:.6f}",
        "validation_accuracy": f"{epoch.validation.accuracy:.6f}",
        "distorted_loss": f"{epoch.distorted.loss:.6f}",
        "distorted_accuracy": f"{epoch.distorted.accuracy:.6f}",
        "learning_rate": f"{epoch.learning_rate:.3g}",
        "seconds": f"{epoch.seconds:.2f}",
    }
