"""What a training run has come to, epoch by epoch."""

from dataclasses import dataclass
from typing import NamedTuple


class Score(NamedTuple):
    """The mean cross-entropy in nats and the share of right answers, in [0, 1]."""

    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One line of the history.

    Attributes:
        number: 1 for the first.
        training: the loss is against the smoothed labels, over all that is trained on; the accuracy
            is that of the digits in it.
        validation: on the validation images, with averaged weights.
        distorted: on copies of them, distorted as the training images are; where those are not, the
            same as ``validation``.
        learning_rate: of the epoch's last step.
        seconds: with the scoring.
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
        """The sum of both validation losses: the best epoch is the one where it is lowest.

        In the count of wrong answers late epochs differ by chance more than by merit.
        """
        return self.validation.loss + self.distorted.loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a training came to.

    Attributes:
        history: all epochs that ended.
        best: the one whose weights are kept.
        interrupted: somebody ended it before its time.
        diverged: the epoch in which the loss was no number any more, if there was one.

    """

    history: list[Epoch]
    best: Epoch
    interrupted: bool = False
    diverged: int | None = None


def history_csv(history: list[Epoch]) -> str:
    """Return the history as CSV, one line an epoch."""
    header = (
        "epoch,loss,accuracy,validation_loss,validation_accuracy,"
        "distorted_loss,distorted_accuracy,learning_rate,seconds"
    )
    return "".join(f"{line}\n" for line in (header, *map(_csv_line, history)))


def _csv_line(epoch: Epoch) -> str:
    scores = (*epoch.training, *epoch.validation, *epoch.distorted)
    numbers = [f"{number:.6f}" for number in scores]
    return ",".join(
        [str(epoch.number), *numbers, f"{epoch.learning_rate:.3g}", f"{epoch.seconds:.2f}"]
    )
